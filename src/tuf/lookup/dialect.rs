//! Where clients answer otherwise than the specification (measured or read in python-tuf 7.0.1, go-tuf v2.4.2, tuf-js 6.0.2, tough 0.24,
//! rust-tuf 0.3.0-beta14): of a delegator's file, said once for each way with a few examples, and of one walk.

use super::{Answer, End, Step, Walk, Why};
use crate::tuf::finding::{Finding, Level, shown};
use crate::tuf::metadata::{DelegatedRole, Targets};

/// Examples that are named; the others are counted.
const NAMED: usize = 3;

/// One way of reading a delegation that not every client shares.
struct Dialect {
    rule: &'static str,
    level: Level,
    /// Goes on after `3 of 7 delegations `.
    text: &'static str,
    /// What of a delegation is read so, if anything.
    example: fn(&DelegatedRole) -> Option<&str>,
}

const DIALECTS: [Dialect; 6] = [
    Dialect {
        rule: "PATH-DIALECT",
        level: Level::Warning,
        text: "have a pattern with one of [ ] { } ( ) ! # \\, which stand for themselves in the specification and here; python-tuf, go-tuf, tuf-js and tough read [..] as a choice of characters, tuf-js and tough {..} as a choice of words, tuf-js (..) and ! and # in its own way, and all but python-tuf \\ as an escape. Use only * and ?",
        example: |role| pattern(role, |pattern| pattern.contains(is_special)),
    },
    Dialect {
        rule: "PATH-DIALECT",
        level: Level::Warning,
        text: "have a pattern with a wildcard in its first segment; in tough * and ? match / too, so it reaches deeper paths than in the specification, and * alone is everything there",
        example: |role| pattern(role, |pattern| has_wildcard(first_segment(pattern))),
    },
    Dialect {
        rule: "PATH-DIALECT",
        level: Level::Note,
        text: "have a pattern with a wildcard behind a literal first segment; in tough it matches deeper paths of that segment too, in tuf-js no wildcard matches a dot that begins a segment, and rust-tuf has prefixes and no wildcards, so that it finds nothing there",
        example: |role| {
            pattern(role, |pattern| {
                has_wildcard(pattern) && !has_wildcard(first_segment(pattern))
            })
        },
    },
    Dialect {
        rule: "PATH-HASH-FORM",
        level: Level::Warning,
        text: "have a hash prefix that is not at most 64 lower-case hexadecimal digits, so no path ever matches it",
        example: |role| {
            let prefixes = role.path_hash_prefixes.iter().map(String::as_str);
            prefixes.into_iter().find(|prefix| !is_hash_prefix(prefix))
        },
    },
    Dialect {
        rule: "TERMINATING-DIALECT",
        level: Level::Note,
        text: "are terminating; tough ignores that and asks the roles behind them too, so that it may find a file that these roles do not list",
        example: |role| role.terminating.then_some(&*role.name),
    },
    Dialect {
        rule: "ROLE-ORDER",
        level: Level::Warning,
        text: "lead to a role with a whole number for a name; tuf-js asks those before all others, in the order of the numbers, whatever the order of the delegations",
        example: |role| is_array_index(&role.name).then_some(&*role.name),
    },
];

/// What clients read differently in the delegations of one file: rules `PATH-DIALECT`, `PATH-HASH-FORM`, `TERMINATING-DIALECT`, `ROLE-ORDER`; warnings
/// and notes. Linear in the file.
pub fn of_delegations(file: &str, targets: &Targets) -> Vec<Finding> {
    let Some(delegations) = &targets.delegations else {
        return Vec::new();
    };
    let mut found = DIALECTS.map(|_| (0_usize, Vec::new()));
    for role in delegations.roles() {
        for (dialect, (count, named)) in DIALECTS.iter().zip(&mut found) {
            let Some(example) = (dialect.example)(&role) else {
                continue;
            };
            if named.len() < NAMED {
                named.push(shown(example).into_owned());
            }
            *count += 1;
        }
    }
    let of = |(dialect, (count, named)): (&Dialect, (usize, Vec<String>))| {
        if count == 0 {
            return None;
        }
        let text = format!(
            "{count} of {} delegations {}: {}{}",
            delegations.len(),
            dialect.text,
            named.join(", "),
            if count > NAMED { ", …" } else { "" }
        );
        Some(finding(dialect.level, dialect.rule, file, text))
    };
    DIALECTS.iter().zip(found).filter_map(of).collect()
}

/// Where clients would leave this walk: rules `PATH-DIALECT`, `TERMINATING-DIALECT`, `BINS-DIALECT`; notes and warnings.
pub fn of_walk(walk: &Walk) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in &walk.steps {
        findings.extend(of_pattern(&walk.path, step));
        if let Why::Bin(_) = step.why {
            let text = format!(
                "the bin {} is a succinct role: tough and rust-tuf cannot read its delegator; TAP 15 calls bins non-terminating, but python-tuf, go-tuf and tuf-js end the search there, and so does this walk",
                shown(&step.role)
            );
            findings.push(Finding::note("BINS-DIALECT", &walk.path, text));
        }
    }
    if let Answer::Nothing {
        end: End::Terminating { role, .. },
        ..
    } = &walk.answer
    {
        let text = format!(
            "the search ends at {} because the delegation to it is terminating; tough ignores that and asks on",
            shown(role)
        );
        findings.push(Finding::note("TERMINATING-DIALECT", &walk.path, text));
    }
    findings
}

fn of_pattern(path: &str, step: &Step) -> Option<Finding> {
    let Why::Pattern(pattern) = &step.why else {
        return None;
    };
    let (name, matched) = (shown(&step.role), shown(pattern));
    if pattern.contains(is_special) {
        let text = format!(
            "the pattern {matched} of {name} has characters that clients read as a choice or an escape; they may not ask {name}"
        );
        return Some(Finding::warning("PATH-DIALECT", path, text));
    }
    let mut segments = pattern.split('/').zip(path.split('/'));
    let is_hidden = |(pattern, segment): (&str, &str)| {
        pattern.starts_with(['*', '?']) && (segment.is_empty() || segment.starts_with('.'))
    };
    segments.any(is_hidden).then(|| {
        let text = format!(
            "tuf-js does not ask {name}: there the wildcard of {matched} matches neither a dot that begins a segment nor an empty segment"
        );
        Finding::warning("PATH-DIALECT", path, text)
    })
}

fn finding(level: Level, rule: &str, file: &str, text: String) -> Finding {
    match level {
        Level::Note => Finding::note(rule, file, text),
        Level::Warning => Finding::warning(rule, file, text),
        Level::Error => Finding::error(rule, file, text),
    }
}

fn pattern(role: &DelegatedRole, is: impl Fn(&str) -> bool) -> Option<&str> {
    let mut patterns = role.paths.iter().map(String::as_str);
    patterns.find(|pattern| is(pattern))
}

fn is_special(character: char) -> bool {
    matches!(
        character,
        '[' | ']' | '{' | '}' | '(' | ')' | '!' | '#' | '\\'
    )
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn first_segment(pattern: &str) -> &str {
    pattern.split('/').next().unwrap_or_default()
}

fn is_hash_prefix(prefix: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    prefix.len() <= 64 && prefix.bytes().all(lower)
}

/// What JavaScript takes for a place in a list: a decimal number below 2^32 - 1.
fn is_array_index(name: &str) -> bool {
    let number = name.parse::<u32>().ok().filter(|number| *number < u32::MAX);
    number.is_some_and(|number| number.to_string() == name)
}
