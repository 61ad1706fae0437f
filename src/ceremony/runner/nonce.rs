//! A signature that repeats the random number of another one gives the private key away: it never counts, and its key signs nothing any more.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{Halt, Runner};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Event;
use crate::ceremony::intake::Trusted;
use crate::ceremony::progress::Progress;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::PublicKey;
use crate::tuf::nonce::{RepeatedNonce, Signed, nonce};

const RULE: &str = "SIG-NONCE";

/// What a key may have signed, by random number: the trusted metadata, and whatever counted in this ceremony.
pub(super) struct Nonces<'a> {
    public: &'a PublicKey,
    known: BTreeMap<Vec<u8>, Vec<Known<'a>>>,
}

/// A signature that is known.
struct Known<'a> {
    payload: Sha256,
    sig: Vec<u8>,
    /// What it is said to be over; none: it was verified.
    over: Option<&'a Envelope>,
}

impl<'a> Nonces<'a> {
    pub(super) fn of(
        public: &'a PublicKey,
        trusted: &'a Trusted,
        candidates: &[Candidate],
        progress: &Progress,
    ) -> Self {
        let mut nonces = Self {
            public,
            known: BTreeMap::new(),
        };
        let decode = |sig: &str| HEXLOWER_PERMISSIVE.decode(sig.as_bytes()).ok();
        let roots = trusted.chain.iter().flat_map(|chain| &chain.roots);
        let envelopes = roots.map(|chained| &chained.envelope);
        for envelope in envelopes.chain(trusted.current.values().map(|(envelope, _)| envelope)) {
            let sigs = envelope.signatures().iter();
            for sig in sigs.filter_map(|signature| decode(&signature.sig)) {
                nonces.insert(envelope.payload_digest(), &sig, Some(envelope));
            }
        }
        for candidate in candidates {
            let known = progress.document(&candidate.document);
            let sigs = known.into_iter().flat_map(|known| &known.signatures);
            for (signer, sig, _) in sigs {
                let own = candidate
                    .key(&signer.keyid)
                    .map(crate::tuf::key::Key::public);
                if let Some(sig) = decode(sig).filter(|_| own == Some(public)) {
                    nonces.add(candidate.payload(), &sig);
                }
            }
        }
        nonces
    }

    /// Remembers a signature that was verified.
    pub(super) fn add(&mut self, payload: Sha256, sig: &[u8]) {
        self.insert(payload, sig, None);
    }

    fn insert(&mut self, payload: Sha256, sig: &[u8], over: Option<&'a Envelope>) {
        if let Some(nonce) = nonce(self.public, sig) {
            let sig = sig.to_vec();
            let known = Known { payload, sig, over };
            self.known.entry(nonce).or_default().push(known);
        }
    }

    /// Why a signature that verifies is thrown away all the same: together with one that is known it gives the key away. `what` begins the sentence.
    pub(super) fn repeated(&self, payload: Sha256, sig: &[u8], what: &str) -> Option<Finding> {
        let known = self.known.get(&nonce(self.public, sig)?)?;
        // Verifying is dear, and hardly ever anything is suspect. But of signatures that do not verify anybody can plant a pair.
        let made = |known: &&Known<'_>| {
            known.over.is_none_or(|over| {
                Signed::new(self.public, &over.payload(), &known.sig)
                    .is_some_and(|signed| signed.verifies())
            })
        };
        let mut others = known.iter().filter(|known| known.payload != payload);
        let other = others.find(made)?;
        let repeated = RepeatedNonce {
            public: self.public.clone(),
            first: other.payload,
            second: payload,
        };
        let text = format!(
            "{what}: {}. The new signature was thrown away and counts for nothing, and nothing more is signed with this key: stop, and treat it as known \
             to others",
            repeated.finding("").text
        );
        Some(Finding::error(RULE, "", text))
    }
}

impl Runner<'_> {
    /// [`Nonces::repeated`] for one signature.
    pub(super) fn repeated(
        &self,
        public: &PublicKey,
        payload: Sha256,
        sig: &[u8],
        what: &str,
    ) -> Option<Finding> {
        let trusted = self.subject.trusted;
        Nonces::of(public, trusted, &self.candidates, &self.progress).repeated(payload, sig, what)
    }

    /// Puts it on record for good, so that the key is refused after a restart too.
    pub(super) fn refuse_repeated(&mut self, finding: Finding) -> Halt {
        let recorded = self.emit(Event::Found {
            finding: finding.clone(),
        });
        match recorded {
            Ok(()) => finding.into(),
            Err(halt) => halt,
        }
    }

    /// Refuses a key that gave itself away in this ceremony.
    pub(super) fn refuse_given_away(&self, public: &PublicKey) -> Result<(), Halt> {
        let fingerprint = public.fingerprint().to_string();
        let mut findings = self.progress.findings().iter();
        match findings.find(|found| found.rule == RULE && found.text.contains(&fingerprint)) {
            Some(found) => Err(found.clone().into()),
            None => Ok(()),
        }
    }
}
