//! What people decided about requests: folded from events in the room, read from `decisions.json` by a holder elsewhere and by a verifier. Together with
//! requests and script it says exactly what becomes of `claimed`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::{BatchAccepted, Decided, Decision, Drawn, Event, Vetted};
use crate::pypi::vetting::{self, Bucket, Vetting};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::json::{self, Limits};

/// The schema of `decisions.json`.
pub const SCHEMA: &str = "tuf-ceremony/decisions/1";
/// Its place in a bundle.
pub const NAME: &str = "ceremony/decisions.json";
const RULE: &str = "CLAIM-DECISIONS";

/// All decisions of a ceremony.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// How the requests were judged.
    pub vetted: Option<Vetted>,
    /// That the green ones were accepted.
    pub accepted: Option<BatchAccepted>,
    /// The spot checks.
    pub drawn: Option<Drawn>,
    /// Single decisions by project.
    pub decided: BTreeMap<String, Decided>,
    /// What must be decided one by one.
    due: BTreeSet<String>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    ceremony: Sha256,
    vetted: Vetted,
    accepted: BatchAccepted,
    drawn: Drawn,
    decided: Vec<Decided>,
}

impl Decisions {
    /// Takes in an event; those that are no decisions are passed over.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Vetted(vetted) => {
                self.due.extend(vetted.single.iter().cloned());
                self.vetted = Some(vetted.clone());
            }
            Event::BatchAccepted(accepted) => self.accepted = Some(accepted.clone()),
            Event::Drawn(drawn) => {
                self.due.extend(drawn.projects.iter().cloned());
                self.drawn = Some(drawn.clone());
            }
            Event::Decided(decided) => {
                self.decided
                    .insert(decided.project.clone(), decided.clone());
            }
            _ => {}
        }
    }

    /// Why an event cannot follow; `None` if it can. Nothing is decided before the judgement, the batch or the dice that it belongs to, nothing twice, and nothing
    /// that is not to be decided one by one: a refused request is none of these.
    pub fn refusal(&self, event: &Event) -> Option<String> {
        let text = match event {
            Event::Vetted(_) if self.vetted.is_some() => "the requests are judged twice",
            Event::BatchAccepted(accepted) => match &self.vetted {
                None => "a batch is accepted before the requests are judged",
                Some(_) if self.accepted.is_some() => "the batch is accepted twice",
                Some(vetted)
                    if vetted.batch != accepted.batch || vetted.green != accepted.count =>
                {
                    "another batch is accepted than the one that was judged"
                }
                Some(_) => return None,
            },
            Event::Drawn(_) if self.drawn.is_some() => "spot checks are drawn twice",
            Event::Drawn(drawn) => {
                if self.accepted.is_none() {
                    "spot checks are drawn before the batch is fixed"
                } else if drawn.projects.iter().any(|it| self.due.contains(it)) {
                    "a spot check is drawn that is looked at anyway"
                } else {
                    return None;
                }
            }
            Event::Decided(decided) => {
                if self.drawn.is_none() {
                    "a request is decided before the spot checks are drawn"
                } else if !self.due.contains(&decided.project) {
                    return Some(format!(
                        "{} is decided by itself and is not among those that are",
                        decided.project
                    ));
                } else if self.decided.contains_key(&decided.project) {
                    return Some(format!("{} is decided twice", decided.project));
                } else {
                    return None;
                }
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// The next project to decide, if all that comes before is done.
    pub fn next(&self) -> Option<&str> {
        let open = |project: &&String| !self.decided.contains_key(project.as_str());
        self.due.iter().find(open).map(String::as_str)
    }
    /// How many are decided one by one.
    pub fn singles(&self) -> usize {
        self.due.len()
    }
    /// Whether nothing is left to decide.
    pub fn is_complete(&self) -> bool {
        self.drawn.is_some() && self.decided.len() == self.due.len()
    }

    /// Whether a request is done.
    pub fn accepts(&self, vetted: &vetting::Vetted) -> bool {
        match self.decided.get(vetted.request.project.as_str()) {
            Some(decided) => decided.decision == Decision::Accept,
            None => vetted.bucket() == Bucket::Green && self.accepted.is_some(),
        }
    }

    /// Whether these decisions are about these requests: a file that travelled, or a transcript, against what is derived from the input.
    ///
    /// # Errors
    /// Rule `CLAIM-DECISIONS`.
    pub fn check(&self, file: &str, vetting: &Vetting, sample: usize) -> Result<(), Finding> {
        let refuse = |text: &str| Err(Finding::error(RULE, file, text));
        if self.vetted.is_none() {
            return refuse(
                "there are none: carry in the room's ceremony/decisions.json as decisions.json",
            );
        }
        if self.vetted.as_ref() != Some(&judged(vetting)) {
            return refuse("it is about other requests, or the input judges them otherwise");
        }
        if self.accepted.is_none() || !self.is_complete() {
            return refuse("not everything is decided in it");
        }
        let Some(drawn) = &self.drawn else {
            return refuse("no spot checks are drawn in it");
        };
        let sample = vetting.sample(&drawn.dice, sample);
        let is_same = drawn
            .projects
            .iter()
            .eq(sample.iter().map(|it| it.as_str()));
        if !is_same || vetting::check_dice(&drawn.dice).ok().as_ref() != Some(&drawn.dice) {
            return refuse("the dice do not draw the spot checks that stand in it");
        }
        Ok(())
    }

    /// The file of a bundle; none before everything is decided.
    pub fn to_bytes(&self, ceremony: Sha256) -> Option<Vec<u8>> {
        let wire = Wire {
            schema: SCHEMA.to_owned(),
            ceremony,
            vetted: self.vetted.clone()?,
            accepted: self.accepted.clone()?,
            drawn: self.drawn.clone()?,
            decided: self.decided.values().cloned().collect(),
        };
        let text = serde_json::to_string_pretty(&wire).ok()?;
        Some(format!("{text}\n").into_bytes())
    }

    /// Reads the file strictly, as a fold of the events that it stands for.
    ///
    /// # Errors
    /// Rule `CLAIM-DECISIONS`.
    pub fn parse(file: &str, bytes: &[u8], ceremony: Sha256) -> Result<Self, Finding> {
        let refuse = |text: String| Finding::error(RULE, file, text);
        json::check(bytes, Limits::LARGE).map_err(|error| refuse(error.to_string()))?;
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        if wire.schema != SCHEMA {
            return Err(refuse(format!(
                "schema is {:?}; this program reads {SCHEMA:?}",
                wire.schema
            )));
        }
        if wire.ceremony != ceremony {
            return Err(refuse(format!(
                "it is of the ceremony {}, not of this one",
                wire.ceremony
            )));
        }
        let mut decisions = Self::default();
        let events = [
            Event::Vetted(wire.vetted),
            Event::BatchAccepted(wire.accepted),
            Event::Drawn(wire.drawn),
        ];
        let decided = wire.decided.into_iter().map(Event::Decided);
        for event in events.into_iter().chain(decided) {
            if let Some(text) = decisions.refusal(&event) {
                return Err(refuse(text));
            }
            decisions.fold(&event);
        }
        Ok(decisions)
    }
}

/// The event that says how the requests were judged.
pub fn judged(vetting: &Vetting) -> Vetted {
    let count = |bucket| vetting.bucket(bucket).count();
    let single = vetting
        .vetted
        .iter()
        .filter(|it| it.bucket() != Bucket::Refused && it.is_single());
    Vetted {
        requests: vetting.requests_sha256,
        batch: vetting.batch_digest(),
        green: count(Bucket::Green),
        look: count(Bucket::Look),
        refused: count(Bucket::Refused) + vetting.unread.len(),
        single: single.map(|it| it.request.project.to_string()).collect(),
    }
}
