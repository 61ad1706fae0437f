//! Media of backups that fail: full, write-protected, pulled out, or the wrong ones. What waits in memory may be the only copy of a key, so people change
//! the medium and the same is done again.

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::port::Stop;
use crate::tuf::finding::Finding;

/// What is refused because of what is plugged in, and not for what it is.
const CHANGEABLE: [&str; 2] = ["BACKUP-MEDIUM", "BACKUP-RECIPIENT"];

impl<'r> Runner<'r> {
    /// Does what reads or writes media, again after each change of them. Where nobody is there to change any, the failure is the end.
    pub(super) fn on_media<T>(
        &mut self,
        work: &mut dyn FnMut(&mut Runner<'r>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        loop {
            let halt = match work(self) {
                Err(halt) if is_changeable(&halt) => halt,
                done => return done,
            };
            let text = vec![
                format!("{}.", said(&halt)),
                "Nothing of it counts yet. Plug the medium in again; where it is full or broken make room, or put another in its place.".to_owned(),
            ];
            let question = Question::new("backup:medium", "A medium failed", text);
            let again = choice("again", "the medium was changed: do it again");
            match self.ask_choice(question, vec![again]) {
                Err(Halt::Stopped(Stop::NoAnswer(_))) => return Err(halt),
                answer => answer?,
            };
        }
    }
}

/// What failed, with the file that it was about.
fn said(halt: &Halt) -> String {
    let Halt::Refused(findings) = halt else {
        return halt.to_string();
    };
    let said = findings.iter().map(
        |Finding {
             rule, file, text, ..
         }| format!("{rule} {file}: {text}").replace(" :", ":"),
    );
    said.collect::<Vec<_>>().join("; ")
}

fn is_changeable(halt: &Halt) -> bool {
    match halt {
        Halt::World(_) => true,
        Halt::Refused(findings) => findings
            .iter()
            .all(|finding| CHANGEABLE.contains(&finding.rule.as_str())),
        _ => false,
    }
}
