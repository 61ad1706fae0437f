//! Minutes for people: what a transcript says, as Markdown. A pure function of its lines.

mod backup;
mod batch;
mod deciding;
mod sentence;

use std::fmt::Write as _;

use super::{Line, Transcript};
use crate::ceremony::event::Mode;
use crate::plain;
use crate::tuf::digest::Sha256;
use crate::words;

/// The minutes. Untrusted text is escaped.
pub fn write(transcript: &Transcript) -> String {
    let mut minutes = String::new();
    heading(&mut minutes, transcript);
    minutes.push_str("\n## What happened\n");
    let mut day = "";
    let alike = |one: &Line, other: &Line| {
        let kind = batch::kind(&one.event, transcript);
        kind.is_some() && kind == batch::kind(&other.event, transcript)
    };
    for run in transcript.lines.chunk_by(alike) {
        let [line, more @ ..] = run else { continue };
        if line.time.get(..10).is_some_and(|date| date != day) {
            day = &line.time[..10];
            push(&mut minutes, &format!("\n### {day} (UTC)\n"));
        }
        if let Some(mut text) = sentence::of(&line.event, transcript) {
            if !more.is_empty() {
                let _ = write!(text, " So it was with {} more of the batch.", more.len());
            }
            push(&mut minutes, &format!("- {} {text}", clock(line)));
        }
    }
    push(
        &mut minutes,
        &format!(
            "\n## Transcript\n\n{} lines; SHA-256 of the last one:\n",
            transcript.lines.len()
        ),
    );
    push(&mut minutes, &aloud(transcript.head()));
    if !transcript.is_complete() {
        minutes.push_str("\nThe ceremony had not ended when these minutes were written.\n");
    }
    minutes
}

fn heading(minutes: &mut String, transcript: &Transcript) {
    let Some(opening) = transcript.progress().opening() else {
        minutes.push_str("# Minutes\n\nNothing happened yet.\n");
        return;
    };
    let mode = match opening.mode {
        Mode::Rehearsal => "REHEARSAL: nothing here is real",
        Mode::Production => "production",
    };
    push(minutes, &format!("# Minutes: {}\n", text(&opening.title)));
    push(minutes, &format!("- Kind: {}", text(&opening.kind)));
    push(minutes, &format!("- Mode: {mode}"));
    push(minutes, &format!("- Script: SHA-256 {}", opening.script));
    match opening.trusted_root {
        Some(root) => push(minutes, &format!("- Trusted root: SHA-256 {root}")),
        None => push(minutes, "- Trusted root: none, this is a genesis"),
    }
    push(minutes, "\nThe ceremony's id:\n");
    push(minutes, &aloud(opening.ceremony));
}

fn push(minutes: &mut String, line: &str) {
    minutes.push_str(line);
    minutes.push('\n');
}

fn clock(line: &Line) -> &str {
    line.time.get(11..19).unwrap_or(&line.time)
}

// Digests that were read aloud stand as they were heard, in words.
fn aloud(digest: Sha256) -> String {
    let words = words::of(&digest.0);
    let mut lines = format!("    {digest}");
    for line in words.chunks(8) {
        let _ = write!(lines, "\n    {}", line.join(" "));
    }
    lines
}

fn indented(digest: Sha256) -> String {
    format!("\n{}\n", aloud(digest).replace("    ", "      "))
}

// Escaped for the terminal, and so that Markdown reads it as text.
fn text(untrusted: &str) -> String {
    let mut plain = String::new();
    for character in plain::escape(untrusted).chars() {
        if "<>|`*_[]#".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::tests::{events, written};
    use super::write;

    #[test]
    fn minutes_say_who_what_when_and_escape_what_strangers_wrote() {
        let transcript = super::super::read(&written(&events())).unwrap();
        let minutes = write(&transcript);
        for expected in [
            "# Minutes: Renew \\<root\\>\n",
            "- Mode: REHEARSAL: nothing here is real\n",
            "### 2026-11-22 (UTC)\n",
            "- 12:00:00 **Began step 1: Confirm the plan**\n",
            "people answered \"the plan\\u{202e} is right\".\n",
            "- 12:00:00 Two people confirmed the date: 2026-11-22T12:00:00Z.\n",
            "- 12:00:00 Warning ROOT-EXPIRED: 7.root.json it expired yesterday\n",
            "- 12:00:00 The ceremony was closed.\n",
            &transcript.head().to_string(),
        ] {
            assert!(minutes.contains(expected), "{expected}\n{minutes}");
        }
        assert_eq!(minutes, write(&transcript));
        assert!(!minutes.contains("had not ended"));
    }
}
