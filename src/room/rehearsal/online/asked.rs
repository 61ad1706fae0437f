//! What developers ask for: the requests of a rehearsal, with every signature that they need.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Developer, Failure, Group, Online, Trouble, days, paper};
use crate::pypi::delegation::Delegations;
use crate::pypi::requests::{
    self, Action, Channel, ChannelKind, Event, EventKind, Evidence, Proof, Request, statement,
};
use crate::pypi::shards::{self, is_shard};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::Limits;
use crate::tuf::key::{Algorithm, KeyId};

/// What is asked of claimed projects besides the claims of the second group, in this order.
const CHANGES: [Action; 6] = [
    Action::AddKey,
    Action::RemoveKey,
    Action::Threshold,
    Action::Reset,
    Action::Transfer,
    Action::Unclaim,
];

impl Online {
    /// SHA-256 of the first root.
    ///
    /// # Errors
    /// No ceremony's metadata was taken over yet.
    pub fn anchor(&self) -> Result<Sha256, Failure> {
        let root = self.offline.files.get("1.root.json");
        let root = root.ok_or_else(|| Failure::usage("there is no first root to ask about"))?;
        Ok(Sha256::of(root))
    }

    /// The claims of every project of a group; for the second one also a change of each kind to projects that are claimed.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn requests(&mut self, group: Group) -> Result<Vec<Request>, Failure> {
        let anchor = self.anchor()?;
        let intruder = self.intruder();
        let asking: Vec<Developer> = self.developers.clone();
        let mut asked: Vec<Request> = asking
            .iter()
            .filter(|developer| developer.group == group)
            .map(|developer| {
                let keys = match developer.trouble {
                    Some(Trouble::Inserted) => vec![intruder.clone()],
                    _ => developer.keys.clone(),
                };
                let threshold = developer.threshold.min(keys.len().try_into().unwrap_or(1));
                let mut claim = self.asks(Action::Claim, developer, &keys, threshold);
                if developer.trouble == Some(Trouble::Recovered) {
                    claim.events.push(Event {
                        kind: EventKind::Recovery,
                        at: days(self.today, -5),
                    });
                }
                claim
            })
            .collect();
        if group == Group::Second {
            asked.extend(self.changes()?);
        }
        for request in &mut asked {
            self.possess(&anchor, request);
        }
        Ok(asked)
    }

    /// The file `requests.jsonl` with these requests.
    ///
    /// # Errors
    /// As [`Self::anchor`].
    pub fn requests_file(&self, asked: &[Request]) -> Result<Vec<u8>, Failure> {
        Ok(requests::write(&self.anchor()?, self.today, asked))
    }

    /// `top-projects.txt`: the most downloaded projects. The one whose key an intruder replaced is the first of them.
    pub fn top(&self) -> Vec<u8> {
        let own = |trouble| {
            self.developers
                .iter()
                .filter(move |it| it.trouble == trouble)
        };
        let second = own(None).filter(|it| it.group == Group::Second).take(3);
        let first = own(None).filter(|it| it.group == Group::First).take(2);
        let names = own(Some(Trouble::Inserted)).chain(second).chain(first);
        let names = names.map(|developer| format!("{}\n", developer.project));
        names.collect::<String>().into_bytes()
    }

    /// The present claimed, project by project.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn claimed(&self) -> Result<Delegations, Failure> {
        let roles = self.offline.versions.keys().map(String::as_str);
        let mut shards = BTreeMap::new();
        for role in roles.filter(|role| is_shard(role)) {
            shards.insert(role, self.envelope(role)?);
        }
        let files = shards::Files {
            claimed: &self.envelope("claimed")?,
            shards: shards.iter().map(|(role, file)| (*role, file)).collect(),
        };
        shards::read(&files).map_err(|findings| Failure::refused(&findings))
    }

    fn envelope(&self, role: &str) -> Result<Envelope, Failure> {
        let bytes = self.offline.newest(role).unwrap_or_default().to_vec();
        Envelope::parse(role, bytes, Limits::LARGE).map_err(|finding| Failure::refused(&[finding]))
    }

    /// One change of each kind, each for another project.
    fn changes(&mut self) -> Result<Vec<Request>, Failure> {
        let anchor = self.anchor()?;
        let claimed = self.claimed()?;
        let mut waiting = CHANGES.to_vec();
        let mut asked = Vec::new();
        let all = self.developers.clone();
        // Keys of their own: a change of the company's one key would be another story.
        let mut single = all
            .iter()
            .rev()
            .filter(|it| it.group == Group::First && it.keys.len() == 1);
        let mut double = all
            .iter()
            .rev()
            .filter(|it| it.group == Group::First && it.keys.len() == 2);
        waiting.retain(|action| {
            let pool: &mut dyn Iterator<Item = &Developer> = match action {
                Action::RemoveKey => &mut double,
                _ => &mut single,
            };
            let mut pool = pool.filter(|it| claimed.projects.contains(&it.project));
            let Some(developer) = pool.find(|it| self.is_own(it)) else {
                return true;
            };
            let mut request = self.change(*action, developer);
            request.replaces = claimed.pre_image(&developer.project);
            if matches!(
                action,
                Action::AddKey | Action::RemoveKey | Action::Threshold | Action::Unclaim
            ) {
                request.authorised = self.signed(
                    developer.keys.iter().take(developer.threshold as usize),
                    &statement::change(&anchor, &request),
                );
            }
            asked.push(request);
            false
        });
        Ok(asked)
    }

    fn is_own(&self, developer: &Developer) -> bool {
        let keys = developer.keys.iter();
        keys.filter_map(|keyid| self.ring.name(keyid))
            .all(|name| name.starts_with("dev-"))
    }

    fn change(&mut self, action: Action, developer: &Developer) -> Request {
        let name = developer.project.as_str().to_owned();
        let fresh = |online: &mut Self, what: &str| {
            online
                .ring
                .key(&format!("{name} ({what})"), Algorithm::Ed25519)
        };
        let (keys, threshold) = match action {
            Action::AddKey | Action::Threshold => {
                let more = fresh(self, "second");
                ([developer.keys.clone(), vec![more]].concat(), 1)
            }
            Action::RemoveKey => (developer.keys[..1].to_vec(), 1),
            Action::Unclaim => (Vec::new(), 0),
            _ => (vec![fresh(self, "new")], 1),
        };
        let threshold = if action == Action::Threshold {
            2
        } else {
            threshold
        };
        self.asks(action, developer, &keys, threshold)
    }

    /// A request without signatures.
    pub(super) fn asks(
        &self,
        action: Action,
        developer: &Developer,
        keyids: &[KeyId],
        threshold: u32,
    ) -> Request {
        let mut request = Request::new(action, developer.project.clone());
        request.threshold = threshold;
        for keyid in keyids {
            if let Some(key) = self.ring.public(keyid) {
                request.keys.insert(keyid.clone(), key.clone());
                let since = midnight(days(self.today, -developer.age));
                request.first_seen.insert(keyid.clone(), since);
            }
            if let Some(name) = self.ring.name(keyid) {
                request.owners.insert(keyid.clone(), name.to_owned());
            }
        }
        request.channel = keyids.first().map(|keyid| Channel {
            kind: ChannelKind::MailReply,
            says: format!("yes, my key is {keyid}"),
        });
        request
    }

    /// Every key of the request says that it is meant for the project.
    pub(super) fn possess(&self, anchor: &Sha256, request: &mut Request) {
        let statement = statement::possession(anchor, request);
        request.possession = self.signed(request.keys.keys(), &statement);
    }

    pub(super) fn signed<'a>(
        &self,
        keyids: impl Iterator<Item = &'a KeyId>,
        statement: &[u8],
    ) -> Vec<Proof> {
        let proofs = keyids.filter_map(|keyid| {
            Some(Proof {
                keyid: keyid.clone(),
                evidence: Evidence::Signature(self.ring.sign(keyid, statement)?),
            })
        });
        proofs.collect()
    }
}

pub(super) fn midnight(at: Timestamp) -> Timestamp {
    let day = paper::date(at);
    let day = day.split_once('T').map_or("", |(day, _)| day);
    format!("{day}T00:00:00Z").parse().unwrap_or(at)
}
