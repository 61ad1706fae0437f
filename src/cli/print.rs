//! What all commands print alike: findings, quorums, digests. Untrusted text is escaped here and nowhere later.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Answer, Exit};
use crate::bundle::files::FileError;
use crate::ceremony::review::{Mark, Row};
use crate::ceremony::thresholds::Threshold;
use crate::plain::escape;
use crate::tuf::compat::Verdict;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::Key;
use crate::tuf::verification::ThresholdReport;
use crate::words;

/// `error RULE file: text`, one line each.
///
/// # Errors
/// What the writer says.
pub fn findings(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        write!(out, "{} {}", name(finding.level), escape(&finding.rule))?;
        if !finding.file.is_empty() {
            write!(out, " {}", escape(&finding.file))?;
        }
        writeln!(out, ": {}", escape(&finding.text))?;
    }
    Ok(())
}

/// A file that could not be read, and how the program ends: refused by `FILE-READ` what no honest medium holds, else the system's word for it.
///
/// # Errors
/// What the writer says.
pub fn unread(err: &mut dyn Write, error: &FileError) -> Answer {
    if let Some(refusal) = error.refusal() {
        findings(err, &[refusal])?;
        return Ok(Exit::Refused);
    }
    writeln!(err, "error: {}", escape(&error.to_string()))?;
    Ok(Exit::InputOutput)
}

/// The JSON object for a file that was refused: findings and nothing else, because nothing else is known of it.
///
/// # Errors
/// What the writer says.
pub fn refusal(out: &mut dyn Write, schema: &str, findings: &[Finding]) -> io::Result<()> {
    json(
        out,
        &serde_json::json!({ "schema": schema, "findings": findings }),
    )
}

/// A line of ours that may carry untrusted text.
pub fn plain(line: &str) -> String {
    escape(line)
}

/// `warning RULE: text`.
pub fn finding(finding: &Finding) -> String {
    format!(
        "  {} {}: {}",
        name(finding.level),
        finding.rule,
        finding.text
    )
}

/// How many findings of a level, in words: `1 error`, `3 notes`.
pub fn count(findings: &[Finding], level: Level) -> String {
    let count = findings
        .iter()
        .filter(|finding| finding.level == level)
        .count();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {}{plural}", name(level))
}

/// A threshold spelt out: `by the keys of root v7 (old): 3 needed, 2 signed; missing: …`. Missing keys are named with their holder where metadata does.
pub fn quorum(authority: &Threshold, report: &ThresholdReport) -> String {
    let missing: Vec<String> = report
        .missing
        .iter()
        .map(
            |keyid| match authority.keys.get(keyid).and_then(Key::owner) {
                Some(owner) => format!("{keyid} ({owner})"),
                None => keyid.to_string(),
            },
        )
        .collect();
    let missing = if missing.is_empty() {
        String::new()
    } else if report.reached() {
        format!("; not needed any more: {}", missing.join(", "))
    } else {
        format!("; missing: {}", missing.join(", "))
    };
    let (needed, signed) = (report.needed, report.signed.len());
    escape(&format!(
        "by {}: {needed} needed, {signed} signed{missing}",
        authority.by
    ))
}

/// A digest to be compared: whole, in hexadecimal and in PGP words, eight words a line.
///
/// # Errors
/// What the writer says.
pub fn digest(out: &mut dyn Write, digest: Sha256) -> io::Result<()> {
    writeln!(out, "  {digest}")?;
    for line in words::of(&digest.0).chunks(8) {
        writeln!(out, "  {}", line.join(" "))?;
    }
    Ok(())
}

/// One JSON object on a line of its own, in ASCII: JSON itself lets the 8-bit form of an escape sequence and overrides of the direction of text pass, and
/// where nothing reads the output it is a terminal.
///
/// # Errors
/// What the writer says.
pub fn json(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    writeln!(out, "{}", ascii(&text))
}

/// JSON with everything beyond ASCII as `\u....`; it stands in strings alone.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if matches!(character, ' '..='~' | '\n') {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

/// Rows of a review, one a line.
///
/// # Errors
/// What the writer says.
pub fn rows(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    for row in rows {
        let text = escape(&row.text);
        match row.mark {
            Mark::Heading => writeln!(out, "{text}")?,
            mark => writeln!(out, "  {:7} {text}", mark.tag())?,
        }
    }
    Ok(())
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// What one client will do with a file.
///
/// # Errors
/// What the writer says.
pub fn compatibility(out: &mut dyn Write, verdict: &Verdict) -> io::Result<()> {
    if verdict.reasons.is_empty() {
        return writeln!(out, "  [ OK ] {}", verdict.version);
    }
    writeln!(out, "  [FAIL] {}", verdict.version)?;
    for reason in &verdict.reasons {
        writeln!(out, "         {}", escape(reason))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};

    #[test]
    fn json_for_people_is_ascii_and_says_the_same() {
        let value = json!({ "label": "\u{9b}2J\u{202e}\u{1f511}\u{7f}\u{1b}", "name": "Zo\u{eb}" });
        let mut out = Vec::new();
        super::json(&mut out, &value).unwrap();
        assert!(out.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), value);
    }
}
