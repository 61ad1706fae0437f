//! Path patterns as TUF 1.0.34 has them (4.5, PATHPATTERN): `*` stands for any characters, none included, `?` for exactly one, and neither for the
//! separator `/`. Every other character stands for itself; brackets and braces, too, which clients read in their own ways.

use std::str::Chars;

/// Whether `path` matches `pattern`, segment by segment. The time is at most that of comparing every character of a segment with every one of its pattern.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(text)) if segment(pattern, text) => {}
            _ => return false,
        }
    }
}

/// What a path must begin with to match: the pattern up to its first wildcard.
pub fn literal_prefix(pattern: &str) -> &str {
    let end = pattern.find(['*', '?']).unwrap_or(pattern.len());
    &pattern[..end]
}

fn segment(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Behind the last `*`, and the text from which it may take one more character. An earlier `*` never needs to take more:
    // whatever it could gain, the last one gains too.
    let mut star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let mut behind = pattern.clone();
        match behind.next() {
            None if text.as_str().is_empty() => return true,
            Some('*') => {
                pattern = behind;
                star = Some((pattern.clone(), text.clone()));
                continue;
            }
            Some(wanted) => {
                let mut rest = text.clone();
                if rest
                    .next()
                    .is_some_and(|found| wanted == '?' || wanted == found)
                {
                    (pattern, text) = (behind, rest);
                    continue;
                }
            }
            None => {}
        }
        let Some((behind, from)) = &mut star else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (behind.clone(), from.clone());
    }
}
