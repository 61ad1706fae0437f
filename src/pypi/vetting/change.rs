//! A change to a project that is in `claimed` already: who asked for it, and whether it is what it says.

use std::collections::{BTreeMap, BTreeSet};

use super::{Judge, Weight};
use crate::pypi::delegation::{Delegation, Place};
use crate::pypi::project::ProjectRole;
use crate::pypi::requests::{Action, statement};
use crate::tuf::finding::shown;
use crate::tuf::key::{Key, KeyId, PublicKey};

const RULE: &str = "CLAIM-ACTION";

impl Judge<'_, '_> {
    pub(super) fn change(&mut self) {
        let project = &self.request.project;
        let claimed = self.input.claimed;
        let present = match claimed.place(project) {
            Place::Absent | Place::Refused => {
                self.refuse(
                    "CLAIM-ABSENT",
                    format!(
                        "it is not in claimed, so there is nothing to {}",
                        self.request.action
                    ),
                );
                return;
            }
            Place::Custody => None,
            Place::Delegated(present) => Some(*present),
        };
        let present = present.as_ref();
        self.pre_image();
        self.generation = self.next_name(present);
        match (self.request.action, present) {
            (Action::Rotate, _) => {
                self.refuse(RULE, "a compromised key is rotated by a ceremony of its own: hold a rotate-dev with this request");
                return;
            }
            (Action::AddKey | Action::RemoveKey | Action::Threshold, None) => {
                self.refuse(RULE, "it is in custody and has no keys that could ask for this; it leaves custody by a reset or a transfer");
                return;
            }
            (Action::AddKey | Action::RemoveKey | Action::Threshold, Some(present)) => {
                self.by_keys(present);
            }
            (Action::Reset, _) => self.say(
                Weight::Looks,
                "CLAIM-RESET",
                "the present keys are given up without their word; be sure who asks",
            ),
            (Action::Transfer, _) => self.say(
                Weight::Looks,
                "CLAIM-TRANSFER",
                "the project gets another owner; be sure that the transfer was decided",
            ),
            (Action::Unclaim, _) => self.say(
                Weight::Looks,
                "CLAIM-UNCLAIM",
                "an online role answers for the project afterwards; be sure that its owner wants that",
            ),
            (Action::Claim, _) => {}
        }
        self.new_keys(present);
        if let Some(present) = present {
            self.lowered(present);
            if self.request.action != Action::Unclaim {
                let weight = match self.request.action {
                    Action::Reset | Action::Transfer => Weight::Reports,
                    _ => Weight::Looks,
                };
                self.metadata_under(present, weight);
            }
        }
        self.window();
    }

    /// What the request replaces is what stands there: one that was made for an older state would undo what came after it.
    fn pre_image(&mut self) {
        let found = self.input.claimed.pre_image(&self.request.project);
        let named = self.request.replaces;
        if let (Some(found), Some(named)) = (found, named)
            && found != named
        {
            self.refuse(
                "CLAIM-STALE",
                format!("it replaces {named}, and claimed has {found}: it was made for an older state. Let it be made again"),
            );
        }
    }

    /// The name of its role afterwards: the present one, or where asked for the next that no snapshot has had.
    fn next_name(&self, present: Option<&Delegation>) -> u32 {
        let project = &self.request.project;
        let snapshots = || {
            let archives = self.input.archives.iter();
            archives.filter_map(|archive| archive.repository.snapshot())
        };
        let was_used = |role: &ProjectRole| {
            let name = role.to_string();
            snapshots().any(|snapshot| snapshot.role(&name).is_some())
        };
        let mut role = present.map_or_else(|| project.role(), |present| present.role.clone());
        if self.request.new_name {
            // Names are never used twice, and a snapshot lists every one that ever was: the first free one is new.
            while role.generation == present.map_or(0, |present| present.role.generation)
                || was_used(&role)
            {
                let Some(next) = role.next() else { break };
                role = next;
            }
        }
        role.generation
    }

    /// The present threshold signed it; else it is a reset, whatever it is called.
    fn by_keys(&mut self, present: &Delegation) {
        let keys = present.keys.iter().map(|(keyid, key)| (keyid, &**key));
        let proven =
            statement::authorised(&self.input.anchor, self.request, keys, self.input.sigstore);
        let reasons: Vec<String> = proven
            .uncounted
            .iter()
            .map(|(keyid, reason)| format!(" {}: {reason}.", shown(&keyid.0)))
            .collect();
        let reasons = reasons.concat();
        let (signed, needed) = (proven.by.len(), present.threshold);
        if signed < needed as usize {
            let text = format!(
                "{signed} of the {needed} present keys that it needs have signed it, so it counts as a reset; be sure who asks.{reasons}"
            );
            self.say(Weight::Gates, "CLAIM-RESET", text);
        } else if !reasons.is_empty() {
            let text = format!(
                "enough of the present keys have signed it, and others too; ask the project who.{reasons}"
            );
            self.say(Weight::Looks, "CLAIM-AUTHORITY", text);
        }
        self.is_what_it_says(present);
    }

    /// `add-key` adds keys and nothing else, and so on.
    fn is_what_it_says(&mut self, present: &Delegation) {
        let before: BTreeMap<&KeyId, &Key> = present
            .keys
            .iter()
            .map(|(keyid, key)| (keyid, &**key))
            .collect();
        let after: BTreeMap<&KeyId, &Key> = self.request.keys.iter().collect();
        let added = after
            .iter()
            .any(|(keyid, key)| before.get(keyid) != Some(key));
        let removed = before
            .iter()
            .any(|(keyid, key)| after.get(keyid) != Some(key));
        let threshold = present.threshold != self.request.threshold;
        // With a key less the threshold may have to fall to what is left.
        let falls = self.request.threshold < present.threshold
            && self.request.threshold as usize == after.len();
        let is_right = match self.request.action {
            Action::AddKey => added && !removed && !threshold,
            Action::RemoveKey => removed && !added && (!threshold || falls),
            Action::Threshold => threshold && !added && !removed,
            _ => true,
        };
        if is_right {
            return;
        }
        let mut does = Vec::new();
        for (is, what) in [
            (added, "adds keys"),
            (removed, "removes keys"),
            (threshold, "changes the threshold"),
        ] {
            if is {
                does.push(what);
            }
        }
        let does = if does.is_empty() {
            "changes nothing".to_owned()
        } else {
            does.join(" and ")
        };
        self.refuse(
            RULE,
            format!(
                "it is called {} and {does}; hand in one request for one thing",
                self.request.action
            ),
        );
    }

    /// A key that the project did not have proves that it is meant for it.
    fn new_keys(&mut self, present: Option<&Delegation>) {
        let known: BTreeSet<&PublicKey> = present
            .iter()
            .flat_map(|present| present.keys.iter().map(|(_, key)| key.public()))
            .collect();
        let proven = statement::proven(&self.input.anchor, self.request, self.input.sigstore);
        let missing: Vec<String> = proven
            .missing
            .iter()
            .filter(|keyid| {
                let key = self.request.keys.get(keyid);
                key.is_some_and(|key| !known.contains(key.public()))
            })
            .map(|keyid| shown(&keyid.0).into_owned())
            .collect();
        if !missing.is_empty() {
            let text = format!(
                "nothing proves that the new key {} is meant for it: no proof of possession",
                missing.join(", ")
            );
            self.refuse("CLAIM-POSSESSION", text);
        }
    }

    fn lowered(&mut self, present: &Delegation) {
        let after = self.request.threshold;
        if after > 0 && after < present.threshold {
            let text = format!("the threshold falls from {} to {after}", present.threshold);
            self.say(Weight::Gates, "CLAIM-THRESHOLD", text);
        }
    }
}
