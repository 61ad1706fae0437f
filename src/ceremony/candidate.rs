//! A candidate: the exact file that is to be signed, what it replaces, and the thresholds it must reach.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::event::{Document, Quorum, Signer};
use super::progress::DocumentProgress;
use super::thresholds::Threshold;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::key::{Algorithm, Key, KeyId, Message};
use crate::tuf::verification::{self, ThresholdReport};

/// One file on its way to be signed.
#[derive(Clone)]
pub struct Candidate {
    /// Which version of which role.
    pub document: Document,
    /// The file as it will be written but for new signatures.
    pub envelope: Envelope,
    /// The version it replaces, to be compared with.
    pub old: Option<Envelope>,
    /// What it must reach.
    pub thresholds: Vec<Threshold>,
}

impl Candidate {
    /// The file's place in the bundle.
    pub fn path(&self) -> String {
        format!(
            "metadata/{}.{}.json",
            self.document.version, self.document.role
        )
    }

    /// SHA-256 of the bytes to be signed.
    pub fn payload(&self) -> Sha256 {
        self.envelope.payload_digest()
    }

    /// The thresholds in words, each physical key once. `holder_of` gives the name for a keyid.
    pub fn quorums(&self, holder_of: &dyn Fn(&KeyId, &Key) -> String) -> Vec<Quorum> {
        self.thresholds
            .iter()
            .map(|threshold| Quorum {
                by: threshold.by.clone(),
                needed: threshold.role.threshold,
                signers: threshold
                    .distinct()
                    .map(|(keyid, key)| Signer {
                        holder: holder_of(keyid, key),
                        keyid: keyid.clone(),
                    })
                    .collect(),
            })
            .collect()
    }

    /// The key that `keyid` names in any threshold. The metadata's word, never a token's.
    pub fn key(&self, keyid: &KeyId) -> Option<&Key> {
        self.thresholds.iter().find_map(|threshold| {
            threshold
                .keys
                .get(keyid)
                .filter(|_| threshold.role.keyids.contains(keyid))
        })
    }

    /// The file with the signatures that the events name, one entry a keyid.
    pub fn signed(&self, progress: &DocumentProgress) -> Envelope {
        let mut envelope = self.envelope.clone();
        for (signer, sig, _) in &progress.signatures {
            if let Ok(bytes) = HEXLOWER_PERMISSIVE.decode(sig.as_bytes()) {
                envelope = self.with_signature(&envelope, &signer.keyid, &bytes);
            }
        }
        envelope
    }

    /// The judgement on every threshold.
    pub fn reports(&self, envelope: &Envelope) -> Vec<ThresholdReport> {
        self.thresholds
            .iter()
            .map(|threshold| {
                verification::threshold(envelope, &threshold.keys, &threshold.role, &[])
            })
            .collect()
    }

    /// What keys of `algorithm` sign of this candidate. Its digest is known since it was read.
    pub fn message(&self, algorithm: Algorithm) -> Message<'_> {
        Message::known(algorithm, || self.payload(), || self.envelope.payload())
    }

    /// Whether `sig` is by the key of `keyid` over this candidate.
    pub fn verifies(&self, keyid: &KeyId, sig: &[u8]) -> bool {
        self.key(keyid).is_some_and(|key| {
            key.algorithm()
                .is_some_and(|algorithm| key.signed(&self.message(algorithm), sig))
        })
    }

    fn with_signature(&self, envelope: &Envelope, keyid: &KeyId, sig: &[u8]) -> Envelope {
        envelope.with_signature(keyid, sig, &|known| {
            HEXLOWER_PERMISSIVE
                .decode(known.sig.as_bytes())
                .map_or(true, |sig| !self.verifies(&known.keyid, &sig))
        })
    }
}
