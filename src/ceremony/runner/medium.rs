//! Media of backups that fail: full, write-protected, pulled out, or the wrong ones. What waits in memory may be the only copy of a key, so people change
//! the medium and the same is done again.

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::port::Stop;

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
                format!("{halt}."),
                "No part of it counts, and no half of a file was left. Change the medium: plug it in again, put another in its place, or make room.".to_owned(),
                "What was made here in memory only waits meanwhile, and is lost where you stop.".to_owned(),
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

fn is_changeable(halt: &Halt) -> bool {
    match halt {
        Halt::World(_) => true,
        Halt::Refused(findings) => findings
            .iter()
            .all(|finding| CHANGEABLE.contains(&finding.rule.as_str())),
        _ => false,
    }
}
