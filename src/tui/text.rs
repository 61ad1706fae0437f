//! From text to lines of a known width. Every untrusted text becomes a line here and is escaped on the way, so that width in columns equals
//! length in bytes and nothing but printable ASCII reaches the screen. Nothing is cut: what is too long goes on in the next line.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use crate::ceremony::review::{Mark, Row};
use crate::plain::escape;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Level;
use crate::words;

/// How a line looks. Meaning never hangs on it: tags say the same in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Good,
    Warn,
    Bad,
    Reverse,
}

impl Tone {
    pub(super) fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain => style,
            Self::Strong => style.add_modifier(Modifier::BOLD),
            Self::Good => style.fg(Color::Cyan),
            Self::Warn => style.fg(Color::Yellow).add_modifier(Modifier::BOLD),
            Self::Bad => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            Self::Reverse => style.add_modifier(Modifier::REVERSED),
        }
    }
}

/// Lines of at most `width` columns; after the first they are indented by `hang`. Breaks at spaces where there are any.
pub(super) fn wrap(text: &str, width: usize, hang: usize) -> Vec<String> {
    let plain = escape(text);
    let mut rest = plain.as_str();
    let mut lines = Vec::new();
    let mut indent = 0;
    loop {
        let room = width.saturating_sub(indent).max(1);
        if rest.len() <= room {
            lines.push(format!("{:indent$}{rest}", ""));
            return lines;
        }
        let leading = rest.len() - rest.trim_start().len();
        let cut = rest[..=room]
            .rfind(' ')
            .filter(|&at| at > leading)
            .unwrap_or(room);
        lines.push(format!("{:indent$}{}", "", rest[..cut].trim_end()));
        rest = rest[cut..].trim_start();
        indent = hang;
    }
}

/// [`wrap`] with a margin of one column, as lines in one tone.
pub(super) fn lines(text: &str, width: usize, tone: Tone) -> Vec<Line<'static>> {
    tagged("", 1, text, width, tone)
}

/// A tag of ours, padded to `column`, and untrusted text wrapped beside it.
pub(super) fn tagged(
    tag: &str,
    column: usize,
    text: &str,
    width: usize,
    tone: Tone,
) -> Vec<Line<'static>> {
    wrap(text, width.saturating_sub(column), 0)
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            let tag = if index == 0 { tag } else { "" };
            Line::styled(format!("{tag:column$}{part}"), tone.style())
        })
        .collect()
}

/// A row of a review behind its tag.
pub(super) fn drawn(row: &Row, pointer: char, width: usize) -> Vec<Line<'static>> {
    let (tag, tone) = mark(row.mark);
    let column = match row.mark {
        Mark::Heading => 1,
        _ => 9,
    };
    tagged(&format!("{pointer}{tag}"), column, &row.text, width, tone)
}

/// Escaped and cut with `...` where it does not fit: only for texts that stand in full elsewhere.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut plain = escape(text);
    if plain.len() > width {
        plain.truncate(width.saturating_sub(3));
        plain.push_str("...");
    }
    plain
}

/// A digest in two rows of eight groups of four hexadecimal digits.
pub(super) fn digest(digest: &Sha256) -> [String; 2] {
    let hex = digest.to_string();
    let row = |half: &str| {
        let groups: Vec<&str> = (0..8).map(|group| &half[group * 4..][..4]).collect();
        groups.join(" ")
    };
    [row(&hex[..32]), row(&hex[32..])]
}

/// A digest's two rows under a caption.
pub(super) fn digest_lines(caption: &str, value: &Sha256) -> Vec<Line<'static>> {
    let column = caption.len() + 2;
    let [first, second] = digest(value);
    vec![
        Line::styled(format!(" {caption} {first}"), Tone::Strong.style()),
        Line::styled(format!("{:column$}{second}", ""), Tone::Strong.style()),
    ]
}

/// A digest as 32 PGP words in four numbered rows of eight. A row of very long words takes two lines.
pub(super) fn word_lines(value: &Sha256, width: usize) -> Vec<Line<'static>> {
    words::of(&value.0)
        .chunks(8)
        .enumerate()
        .flat_map(|(row, chunk)| {
            let text = format!(" {} {}", row + 1, chunk.join(" "));
            wrap(&text, width, 3)
        })
        .map(Line::raw)
        .collect()
}

/// `[####------]`: ten cells, so that the eye sees how far it is; the sentence beside it says it.
pub(super) fn bar(part: usize, whole: usize) -> String {
    bar_of(part, whole, 10)
}

/// A bar of so many columns between its ends.
pub(super) fn bar_of(part: usize, whole: usize, columns: usize) -> String {
    let filled = (part * columns).checked_div(whole).unwrap_or(columns);
    let filled = filled.min(columns);
    format!("[{}{}]", "#".repeat(filled), "-".repeat(columns - filled))
}

/// The tag and tone of a finding.
pub(super) fn level(level: Level) -> (&'static str, Tone) {
    match level {
        Level::Note => ("[NOTE]", Tone::Plain),
        Level::Warning => ("[WARN]", Tone::Warn),
        Level::Error => ("[FAIL]", Tone::Bad),
    }
}

/// The tag and tone of a review row.
pub(super) fn mark(mark: Mark) -> (&'static str, Tone) {
    let tone = match mark {
        Mark::Heading | Mark::Changed | Mark::Added | Mark::Removed => Tone::Strong,
        Mark::Plain | Mark::Same | Mark::Note => Tone::Plain,
        Mark::Ok => Tone::Good,
        Mark::Warning => Tone::Warn,
        Mark::Error => Tone::Bad,
    };
    (mark.tag(), tone)
}

#[cfg(test)]
mod tests {
    use super::{bar, digest, fit, wrap};
    use crate::tuf::digest::Sha256;

    #[test]
    fn wrapping_loses_nothing_and_never_exceeds_the_width() {
        let cases = [
            ("", 10, vec![""]),
            ("short", 10, vec!["short"]),
            ("one two three", 8, vec!["one two", "three"]),
            ("exactly ten", 11, vec!["exactly ten"]),
            ("abcdefghijklmnop", 6, vec!["abcdef", "ghijkl", "mnop"]),
            ("  indented text here", 12, vec!["  indented", "text here"]),
            ("a\u{202e}b", 80, vec!["a\\u{202e}b"]),
        ];
        for (text, width, expected) in cases {
            assert_eq!(wrap(text, width, 0), expected, "{text}");
        }
        assert_eq!(wrap("aa bb cc", 5, 2), ["aa bb", "  cc"]);
        assert_eq!(wrap("aaa", 0, 0), ["a", "a", "a"]);
    }

    #[test]
    fn digests_are_shown_whole_in_groups_of_four() {
        let value = Sha256::of(b"x");
        let shown = digest(&value).join(" ");
        assert_eq!(shown.replace(' ', ""), value.to_string());
        assert_eq!(shown.split(' ').count(), 16);
        assert!(shown.split(' ').all(|group| group.len() == 4));
    }

    #[test]
    fn bars_and_cut_texts_keep_their_width() {
        assert_eq!(bar(1, 3), "[###-------]");
        assert_eq!(bar(3, 3), "[##########]");
        assert_eq!(bar(5, 3), "[##########]");
        assert_eq!(bar(0, 0), "[##########]");
        assert_eq!(fit("a long title", 8), "a lon...");
        assert_eq!(fit("short", 8), "short");
    }
}
