//! A project that enters `claimed`: what must hold, in the order in which it is told.

use std::collections::BTreeMap;

use super::{Judge, Weight};
use crate::pypi::delegation::{Delegation, Place};
use crate::pypi::requests::{Request, is_identity, statement};
use crate::tuf::finding::shown;
use crate::tuf::key::{Key, KeyId};

impl Judge<'_, '_> {
    pub(super) fn claim(&mut self) {
        self.present();
        let Some(newest) = self.input.archives.first() else {
            return;
        };
        let project = &self.request.project;
        match newest.recently.place(project) {
            Place::Delegated(today) => {
                self.recently = Some(today.digest);
                self.generation = today.role.generation;
                if let Some(text) = differs(self.request, &today) {
                    self.refuse(
                        "CLAIM-KEYS",
                        format!(
                            "recently-claimed in the archive of {} {text}; the keys were changed in the meantime, the project is left for the next claim",
                            newest.name
                        ),
                    );
                }
                self.history(&today);
                let signed = self.metadata(&today, "recently-claimed");
                self.possession(signed);
            }
            Place::Refused => {
                let found = newest.recently.refused.get(project);
                for finding in found.into_iter().flatten() {
                    let text = format!("in the archive of {}: {}", newest.name, finding.text);
                    self.refuse(&finding.rule, text);
                }
            }
            Place::Custody | Place::Absent => self.refuse(
                "CLAIM-RECENT",
                format!(
                    "recently-claimed in the archive of {} does not delegate it; there is nothing to claim",
                    newest.name
                ),
            ),
        }
        let found = newest.recently.remarks.get(project);
        for finding in found.into_iter().flatten() {
            self.say(Weight::Looks, &finding.rule, finding.text.clone());
        }
        self.window();
        self.look_alike();
    }

    /// Not in claimed already.
    fn present(&mut self) {
        let place = self.input.claimed.place(&self.request.project);
        let how = match place {
            Place::Absent => return,
            Place::Custody => "is in custody: it leaves it by a reset or a transfer",
            Place::Delegated(_) | Place::Refused => {
                "is in claimed already: hand in a request that changes it"
            }
        };
        self.refuse("CLAIM-PRESENT", how);
    }

    /// Each key proves that it is meant for this project, or the project's own metadata is signed by a threshold of them.
    fn possession(&mut self, is_signed: bool) {
        let request = self.request;
        let proven = statement::proven(&self.input.anchor, request, self.input.sigstore);
        let missing = |identity: bool| -> Vec<String> {
            let missing = proven.missing.iter().filter(|keyid| {
                request
                    .keys
                    .get(keyid)
                    .is_some_and(|key| is_identity(key) == identity)
            });
            missing.map(|keyid| shown(&keyid.0).into_owned()).collect()
        };
        let reasons: Vec<String> = proven
            .uncounted
            .iter()
            .map(|(keyid, reason)| format!(" {}: {reason}.", shown(&keyid.0)))
            .collect();
        let reasons = reasons.concat();
        let (keys, identities) = (missing(false), missing(true));
        let all = [keys.clone(), identities.clone()].concat().join(", ");
        if proven.missing.is_empty() {
            return;
        }
        if !is_signed {
            let text = format!(
                "nothing proves that these keys are meant for it: no proof of possession by {all}, and its metadata is not signed by a threshold of them.{reasons}"
            );
            self.refuse("CLAIM-POSSESSION", text);
            return;
        }
        // PEP 480: the threshold of a new delegation is 1. Another one that a key never agreed to can lock the project out.
        if request.threshold != 1 {
            let text = format!(
                "its threshold is {}, which only a proof of possession by every key can ask for (PEP 480 has 1); missing: {all}.{reasons}",
                request.threshold
            );
            self.refuse("CLAIM-POSSESSION", text);
            return;
        }
        if !identities.is_empty() {
            let text = format!(
                "no bundle proves the identity {}, though its metadata is signed by a threshold of its keys.{reasons}",
                identities.join(", ")
            );
            self.say(Weight::Looks, "CLAIM-IDENTITY", text);
        }
        if !keys.is_empty() {
            let text = format!(
                "its metadata is signed by a threshold of its keys; {} gave no proof of possession",
                keys.join(", ")
            );
            self.say(Weight::Reports, "CLAIM-POSSESSION", text);
        }
    }
}

/// Where the request asks for other keys than the delegation has.
fn differs(request: &Request, today: &Delegation) -> Option<String> {
    let then: BTreeMap<&KeyId, &Key> = today
        .keys
        .iter()
        .map(|(keyid, key)| (keyid, &**key))
        .collect();
    let asked: BTreeMap<&KeyId, &Key> = request.keys.iter().collect();
    if then != asked {
        let names = |keys: &BTreeMap<&KeyId, &Key>| {
            let names: Vec<_> = keys.keys().map(|keyid| shown(&keyid.0)).collect();
            names.join(", ")
        };
        return Some(format!(
            "has the keys {}, the request {}",
            names(&then),
            names(&asked)
        ));
    }
    (today.threshold != request.threshold).then(|| {
        format!(
            "has the threshold {}, the request {}",
            today.threshold, request.threshold
        )
    })
}
