//! One candidate on its way: built, reviewed, rehearsed as a shadow, signed.

use crate::ceremony::event::{Document, Event, Quorum, Seen, Signer};
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// What the events say of one candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentProgress {
    /// Role and version.
    pub document: Document,
    /// SHA-256 of the bytes to be signed.
    pub payload: Sha256,
    /// How many bytes.
    pub size: u64,
    /// What it must reach.
    pub quorums: Vec<Quorum>,
    /// Whether it is one of the batch: no step reviews it by itself.
    pub batched: bool,
    /// Read to its end by people.
    pub reviewed: bool,
    /// What was seen, where it was searched instead of read from end to end.
    pub seen: Option<Seen>,
    /// The shadow rehearsal passed.
    pub shadowed: bool,
    /// Verified signatures: who, hexadecimal, made elsewhere.
    pub signatures: Vec<(Signer, String, bool)>,
    /// Holders left out by decision.
    pub skipped: Vec<Signer>,
}

impl DocumentProgress {
    pub(super) fn new(
        document: &Document,
        payload: Sha256,
        size: u64,
        quorums: &[Quorum],
        batched: bool,
    ) -> Self {
        Self {
            document: document.clone(),
            payload,
            size,
            quorums: quorums.to_vec(),
            batched,
            reviewed: false,
            seen: None,
            shadowed: false,
            signatures: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Whether this key has signed.
    pub fn is_signed_by(&self, keyid: &KeyId) -> bool {
        self.signatures
            .iter()
            .any(|(signer, ..)| signer.keyid == *keyid)
    }

    /// Whether a signature by this key counts.
    pub fn counts(&self, keyid: &KeyId) -> bool {
        let mut signers = self.quorums.iter().flat_map(|quorum| &quorum.signers);
        signers.any(|signer| signer.keyid == *keyid)
    }

    /// The keys of a quorum that have signed. Quorums list each physical key once, so each counts once.
    pub fn signed<'a>(&'a self, quorum: &'a Quorum) -> impl Iterator<Item = &'a Signer> {
        quorum
            .signers
            .iter()
            .filter(|signer| self.is_signed_by(&signer.keyid))
    }

    /// Whether every quorum is reached.
    pub fn is_complete(&self) -> bool {
        self.quorums
            .iter()
            .all(|quorum| self.signed(quorum).count() >= quorum.needed as usize)
    }

    /// What an event says of this document, which it names.
    pub(super) fn fold(&mut self, event: &Event) {
        match event {
            Event::Reviewed { seen, .. } => {
                self.reviewed = true;
                self.seen = *seen;
            }
            Event::ShadowPassed { .. } => self.shadowed = true,
            Event::Signed { signer, sig, .. } => self.take(signer, sig, false),
            Event::Imported { signer, sig, .. } => self.take(signer, sig, true),
            Event::Skipped { signer, .. } => self.skipped.push(signer.clone()),
            _ => {}
        }
    }

    fn take(&mut self, signer: &Signer, sig: &str, imported: bool) {
        if !self.is_signed_by(&signer.keyid) {
            self.signatures
                .push((signer.clone(), sig.to_owned(), imported));
        }
    }
}

/// The document that an event is about, where it changes what is known of one.
pub(super) fn of(event: &Event) -> Option<&Document> {
    match event {
        Event::Reviewed { document, .. }
        | Event::ShadowPassed { document, .. }
        | Event::Signed { document, .. }
        | Event::Imported { document, .. }
        | Event::Skipped { document, .. } => Some(document),
        _ => None,
    }
}
