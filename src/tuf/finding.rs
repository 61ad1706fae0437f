//! What a check has to say: a named rule, how bad it is, where, and one plain sentence.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Worth stopping for, by a person's decision.
    Warning,
    /// Refused.
    Error,
}

/// One finding. The rule's tag is the same in code, event, minutes, docs/assurance.md and test name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule's tag, such as `TUF-ROOT-CHAIN`.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// The file it is about, as the person named it; empty where no file is meant.
    pub file: String,
    /// One plain sentence, or two.
    pub text: String,
}

impl Finding {
    /// A finding of level `Error`.
    pub fn error(rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Error, rule, file, text)
    }
    /// A finding of level `Warning`.
    pub fn warning(rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, rule, file, text)
    }
    /// A finding of level `Note`.
    pub fn note(rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Note, rule, file, text)
    }
    fn new(level: Level, rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            level,
            file: file.to_owned(),
            text: text.into(),
        }
    }
}

/// `699,812`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text from a file, made fit for a sentence: plain printable ASCII as it is, anything else quoted and escaped (bidirectional
/// marks and look-alikes must not reach a screen unseen), and what is longer than 200 characters cut with its length told.
pub fn shown(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 200;
    let length = text.chars().count();
    if (1..=LONGEST).contains(&length) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let start: String = text.chars().take(LONGEST).collect();
    let quoted = format!("\"{}\"", start.escape_default());
    Cow::Owned(if length > LONGEST {
        format!("{quoted} (the first {LONGEST} of {length} characters)")
    } else {
        quoted
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn text_from_files_is_shown_without_hidden_characters() {
        let long = "k".repeat(201);
        let cases = [
            ("snapshot", "snapshot".to_owned()),
            ("", "\"\"".to_owned()),
            ("two words", "\"two words\"".to_owned()),
            ("a\u{202e}b", "\"a\\u{202e}b\"".to_owned()),
            ("\u{1b}[2J", "\"\\u{1b}[2J\"".to_owned()),
            ("r\u{43e}ot", "\"r\\u{43e}ot\"".to_owned()),
            (
                long.as_str(),
                format!("\"{}\" (the first 200 of 201 characters)", "k".repeat(200)),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn a_finding_is_stored_with_its_level_in_lower_case() {
        let finding = Finding::warning("KEY-TWICE", "1.root.json", "text");
        let stored = serde_json::to_string(&finding).unwrap();
        assert_eq!(
            stored,
            r#"{"rule":"KEY-TWICE","level":"warning","file":"1.root.json","text":"text"}"#
        );
        assert_eq!(serde_json::from_str::<Finding>(&stored).unwrap(), finding);
    }
}
