//! Challenges that keys signed, done again: the key is the one that the bundle's metadata lists or that entered the same ceremony, and its signature is
//! over the challenge that follows from this ceremony's id, the keyid and the recorded nonce.

use data_encoding::HEXLOWER;

use super::Files;
use crate::ceremony::challenge::Challenge;
use crate::ceremony::event::Event;
use crate::ceremony::material::parse_object;
use crate::ceremony::script::{ROLES, delegator_of};
use crate::ceremony::thresholds::{delegated, top_level};
use crate::transcript::{self, Transcript};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Root, Targets};

/// What is wrong with the proofs on record.
pub(super) fn check(
    files: &Files<'_>,
    transcript: &Transcript,
    ceremony: Sha256,
    trusted_root: &[u8],
) -> Vec<Finding> {
    let known = Known::of(files, transcript, trusted_root);
    let mut nonces = Vec::new();
    let mut findings = Vec::new();
    for line in &transcript.lines {
        let Some(proof) = proof(&line.event, &known) else {
            continue;
        };
        let Proof {
            what,
            keyid,
            key,
            nonce,
            sig,
        } = proof;
        let refuse = |rule: &str, text: &str| {
            let text = format!("{what} is said to have signed a challenge, and {text}");
            Finding::error(rule, transcript::NAME, text)
        };
        let Some(key) = key else {
            findings.push(refuse(
                "PROOF-KEY",
                "the key on record is neither in the bundle's metadata for that role nor did it enter the ceremony",
            ));
            continue;
        };
        if nonces.contains(&nonce) {
            findings.push(refuse(
                "PROOF-SIGNATURE",
                "its nonce was used before: one signature proves a key alive once",
            ));
        } else if !verifies(&key, keyid, ceremony, nonce, sig) {
            findings.push(refuse(
                "PROOF-SIGNATURE",
                "the signature does not verify over the challenge of this ceremony, this key and the recorded nonce",
            ));
        }
        nonces.push(nonce);
    }
    findings
}

/// A key is said to have signed a challenge.
struct Proof<'t> {
    what: String,
    keyid: &'t KeyId,
    /// None: it is no key that could prove itself here.
    key: Option<Key>,
    nonce: &'t String,
    sig: &'t str,
}

fn proof<'t>(event: &'t Event, known: &Known) -> Option<Proof<'t>> {
    Some(match event {
        Event::Proven {
            holder,
            role,
            keyid,
            key,
            nonce,
            sig,
            ..
        } => Proof {
            what: format!("the {role} key {keyid} of {holder}"),
            keyid,
            key: parse_object(key).filter(|key| known.lists(holder, role, keyid, key)),
            nonce,
            sig,
        },
        Event::BlobProven(proven) => Proof {
            what: format!("the key {} out of its blob", proven.keyid),
            keyid: &proven.keyid,
            key: known.key(&proven.keyid).cloned(),
            nonce: &proven.nonce,
            sig: &proven.sig,
        },
        _ => return None,
    })
}

fn verifies(key: &Key, keyid: &KeyId, ceremony: Sha256, nonce: &str, sig: &str) -> bool {
    let nonce = HEXLOWER.decode(nonce.as_bytes()).ok();
    let nonce: Option<[u8; 32]> = nonce.and_then(|nonce| nonce.try_into().ok());
    let (Some(nonce), Ok(sig)) = (nonce, HEXLOWER.decode(sig.as_bytes())) else {
        return false;
    };
    key.verifies(Challenge::new(ceremony, keyid, &nonce).bytes(), &sig)
}

/// The keys that may prove themselves: role, keyid, key; whose, for those that entered.
struct Known(Vec<(Option<String>, String, KeyId, Key)>);

impl Known {
    fn of(files: &Files<'_>, transcript: &Transcript, trusted_root: &[u8]) -> Self {
        let mut known = Vec::new();
        let enrolled = transcript.progress().enrolled().iter();
        known.extend(enrolled.filter_map(|enrolled| {
            let key = parse_object(&enrolled.key)?;
            // A key that was made here has the keyid that follows from it.
            (key.keyid() == enrolled.keyid).then(|| {
                (
                    Some(enrolled.holder.clone()),
                    enrolled.role.clone(),
                    enrolled.keyid.clone(),
                    key,
                )
            })
        }));
        let roots = files.under("metadata/");
        let roots = roots.filter(|file| file.path.ends_with(".root.json"));
        let envelopes: Vec<_> = roots
            .map(|file| &file.bytes[..])
            .chain([trusted_root])
            .filter_map(|bytes| Envelope::parse("", bytes.to_vec(), Limits::LARGE).ok())
            .collect();
        let mut add = |role: &str, keys: Option<Vec<(KeyId, Key)>>| {
            let keys = keys.into_iter().flatten();
            known.extend(keys.map(|(keyid, key)| (None, role.to_owned(), keyid, key)));
        };
        // A key that only an older version lists counts for nothing any more.
        let roots = envelopes.iter().filter_map(|one| Root::read("", one).ok());
        if let Some(root) = roots.max_by_key(|root| root.header.version) {
            for role in ["root", "targets"] {
                add(role, top_level(&root, role).map(|(keys, _)| keys));
            }
        }
        let targets = files
            .under("metadata/")
            .filter(|file| file.path.ends_with(".targets.json"))
            .filter_map(|file| Envelope::parse("", file.bytes.clone(), Limits::LARGE).ok())
            .filter_map(|one| Targets::read("", &one).ok());
        if let Some(targets) = targets.max_by_key(|targets| targets.header.version) {
            let offline = ROLES.into_iter();
            for role in offline.filter(|role| delegator_of(role) == Some("targets")) {
                add(role, delegated(&targets, role).map(|(keys, _)| keys));
            }
        }
        Self(known)
    }

    fn key(&self, keyid: &KeyId) -> Option<&Key> {
        let mut known = self.0.iter();
        known
            .find(|(_, _, known, _)| known == keyid)
            .map(|(.., key)| key)
    }

    fn lists(&self, holder: &str, role: &str, keyid: &KeyId, key: &Key) -> bool {
        self.0.iter().any(|(whose, known_role, known, listed)| {
            whose.as_ref().is_none_or(|whose| whose == holder)
                && known_role == role
                && known == keyid
                && listed.public() == key.public()
        })
    }
}
