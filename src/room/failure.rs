//! How a ceremony ends for the shells: an exit code and three lines for people (what happened, what state things are in, what to do).

use crate::ceremony::port::{Stop, TokenError};
use crate::ceremony::runner::Halt;
use crate::tuf::finding::Finding;

/// An end that is not the good one.
#[derive(Debug)]
pub struct Failure {
    /// 1 refused, 2 usage or script, 3 stopped or waiting, 4 token or PIN, 5 input/output.
    pub code: u8,
    /// What happened, what state things are in, what to do.
    pub lines: Vec<String>,
}

impl Failure {
    /// Something is wrong with how the program was called, or with the script; nothing was begun.
    pub fn usage(what: impl Into<String>) -> Self {
        let lines = vec![
            what.into(),
            "Nothing was begun and nothing was written.".to_owned(),
        ];
        Self { code: 2, lines }
    }

    /// The disk refused before anything was begun.
    pub fn disk(what: impl Into<String>) -> Self {
        let lines = vec![
            what.into(),
            "Nothing was begun.".to_owned(),
            "Check the medium and run again.".to_owned(),
        ];
        Self { code: 5, lines }
    }

    /// A module or token refused before anything was begun.
    pub fn token(error: &TokenError) -> Self {
        let lines = vec![
            error.to_string(),
            "Nothing was begun.".to_owned(),
            "Check the module's path in the room file and that the reader is plugged in."
                .to_owned(),
        ];
        Self { code: 4, lines }
    }

    /// Rules refused before anything was begun: 2 for the faults of script, room and answers file themselves, 1 for everything else.
    pub fn refused(findings: &[Finding]) -> Self {
        let script = findings.iter().all(|finding| {
            let rule = finding.rule.as_str();
            rule.starts_with("SCRIPT-")
                || rule.starts_with("ANSWERS-")
                || ["ROOM-FORM", "ROOM-HOLDER"].contains(&rule)
        });
        let mut lines: Vec<_> = findings.iter().map(line).collect();
        lines.push("Nothing was begun and nothing was written.".to_owned());
        Self {
            code: if script { 2 } else { 1 },
            lines,
        }
    }

    /// A ceremony that stopped on its way.
    pub fn halted(halt: &Halt) -> Self {
        let resumable = "What happened so far is on record; the same command goes on from here.";
        let (code, what, then) = match halt {
            Halt::Refused(findings) => {
                let mut lines: Vec<_> = findings.iter().map(line).collect();
                lines.push("Nothing more was signed. The record says what was.".to_owned());
                return Self { code: 1, lines };
            }
            Halt::Illegal(illegal) => (
                1,
                format!("The record does not allow what would come next: {illegal}."),
                "Nothing more was done.",
            ),
            Halt::Stopped(Stop::BadAnswer(what)) => (2, what.clone(), resumable),
            Halt::Stopped(stop) => (3, format!("Not finished: {stop}."), resumable),
            Halt::Waiting { what, then } => (3, format!("Not finished: {what}."), *then),
            Halt::Token(error) => (4, format!("The token failed: {error}."), resumable),
            Halt::World(error) => (
                5,
                format!("The disk failed: {error}."),
                "Nothing is counted that is not on record. Check the medium; the same command goes on from here.",
            ),
        };
        Self {
            code,
            lines: vec![what, then.to_owned()],
        }
    }
}

fn line(finding: &Finding) -> String {
    let file = if finding.file.is_empty() {
        String::new()
    } else {
        format!(" {}", finding.file)
    };
    format!("refused {}{file}: {}", finding.rule, finding.text)
}
