//! Before any token is opened: the plan is confirmed, the date agreed, the trusted files named, abandoned payloads given up.

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::event::{Abandoned, Document, Event};
use crate::ceremony::port::Stop;
use crate::ceremony::script::Profile;
use crate::tuf::finding::Finding;

impl Runner<'_> {
    pub(super) fn confirm(&mut self) -> Result<(), Halt> {
        let planned = self.subject.planned;
        let mut text = vec![
            "Compare these words with your printed plan; read them aloud.".to_owned(),
            String::new(),
        ];
        text.extend(planned.text.lines().map(ToOwned::to_owned));
        let question = Question::new("plan", "Is this the plan you printed and reviewed?", text)
            .with_digest(planned.sha256);
        self.ask_phrase(question, "we agree on this plan")
    }

    pub(super) fn clock(&mut self) -> Result<(), Halt> {
        let now = utc(self.world.now());
        if let Some(seen) = self
            .latest_input()
            .filter(|seen| now.as_str() < seen.as_str())
        {
            let text = format!(
                "this machine says it is {now}, and the holder register was written on {seen}: set the clock"
            );
            return Err(Finding::error("CLOCK-BACK", "holders.toml", text).into());
        }
        let (who, agree) = match self.subject.script.profile {
            Profile::Room => (
                "Two people compare it with their own watches.",
                "two people agree, within five minutes",
            ),
            Profile::Alone => (
                "Compare it with your own watch.",
                "it is right, within five minutes",
            ),
        };
        let text = vec![
            format!("This machine says it is {now}."),
            format!("{who} A wrong clock makes wrong expiry dates."),
        ];
        let question = Question::new("clock", "Is this the date and time (UTC)?", text);
        let options = vec![
            choice("agree", agree),
            choice("wrong", "it is wrong: stop and set the clock"),
        ];
        if self.ask_choice(question, options)? == "wrong" {
            return Err(Stop::Paused.into());
        }
        self.emit(Event::ClockConfirmed { utc: now })
    }

    /// The latest date that what was carried in has seen.
    fn latest_input(&self) -> Option<String> {
        let holders = self.subject.trusted.holders.as_ref()?;
        holders
            .holders
            .iter()
            .flat_map(|holder| &holder.keys)
            .filter_map(|key| key.last_proven.clone())
            .max()
    }

    pub(super) fn intake(&mut self) -> Result<(), Halt> {
        let trusted = self.subject.trusted;
        let taken = trusted.files.iter().cloned();
        let taken: Vec<_> = taken.map(|file| Event::TakenIn { file }).collect();
        self.emit_all(&taken)?;
        for finding in &trusted.findings {
            self.emit(Event::Found {
                finding: finding.clone(),
            })?;
        }
        Ok(())
    }

    pub(super) fn supersede(&mut self, document: &Document) -> Result<(), Halt> {
        let given_up: Vec<Abandoned> = self
            .subject
            .script
            .supersedes
            .iter()
            .map(Abandoned::from)
            .collect();
        for entry in given_up
            .into_iter()
            .filter(|entry| entry.document == *document)
        {
            let mut text = vec![
                format!("Another {document} is given up for this ceremony's. Its payload:"),
                entry.payload.to_string(),
                format!(
                    "Signed by: {}.",
                    if entry.signed_by.is_empty() {
                        "nobody".to_owned()
                    } else {
                        entry.signed_by.join(", ")
                    }
                ),
            ];
            let held = self.hold(&entry);
            text.extend(held.clone());
            let question = Question::new(
                format!("supersede:{}", entry.payload),
                "Is this payload given up for good?",
                text,
            )
            .with_digest(entry.payload);
            self.ask_phrase(question, &format!("give up the other {document}"))?;
            if let Some(text) = held {
                self.emit(Event::Found {
                    finding: Finding::warning("PUBLISH-HOLD", "", text),
                })?;
            }
            self.emit(Event::Superseded {
                document: entry.document,
                abandoned: entry.payload,
                signed_by: entry.signed_by,
            })?;
        }
        Ok(())
    }

    /// Two properly signed files of one version split the world (docs/runbooks/supersede.md): while the abandoned signatures reach the old threshold, the new candidate
    /// must wait.
    fn hold(&self, entry: &Abandoned) -> Option<String> {
        let (keys, role) = self.subject.trusted.role(&entry.document.role)?;
        let signed = keys
            .iter()
            .filter(|(keyid, _)| {
                let holder = self.subject.trusted.holder_of(self.subject.script, keyid);
                holder.is_some_and(|(name, _)| entry.signed_by.iter().any(|signed| signed == name))
            })
            .count();
        (signed >= role.threshold as usize).then(|| {
            format!(
                "{signed} holders have signed the other {}, which is its threshold: do not publish the new one until every copy of the other is accounted for",
                entry.document
            )
        })
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`.
pub(super) fn utc(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
