//! A signature that repeats the random number of another one gives the private key away: it never counts, and its key signs nothing any more.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{Halt, Runner};
use crate::ceremony::event::Event;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::PublicKey;
use crate::tuf::nonce::{Signed, repeated_nonce};

const RULE: &str = "SIG-NONCE";

impl Runner<'_> {
    /// Why a signature that verifies is thrown away all the same: together with one that is known it gives the key away. `what` begins the sentence.
    pub(super) fn repeated(
        &self,
        public: &PublicKey,
        payload: &[u8],
        sig: &[u8],
        what: &str,
    ) -> Option<Finding> {
        let signed = Signed::new(public, payload, sig)?;
        let mut known = self.known(public);
        known.push(signed);
        // Verifying is dear, and hardly ever anything is suspect. But of signatures that do not verify anybody can plant a pair.
        repeated_nonce(known.iter().map(Signed::triple))?;
        let made = known.iter().filter(|signed| signed.verifies());
        let repeated = repeated_nonce(made.map(Signed::triple))?;
        let text = format!(
            "{what}: {}. The new signature was thrown away and counts for nothing, and nothing more is signed with this key: stop, and treat it as known \
             to others",
            repeated.finding("").text
        );
        Some(Finding::error(RULE, "", text))
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

    /// What the key may have signed: the trusted metadata, and whatever counted in this ceremony.
    fn known(&self, public: &PublicKey) -> Vec<Signed> {
        let decode = |sig: &str| HEXLOWER_PERMISSIVE.decode(sig.as_bytes()).ok();
        let trusted = self.subject.trusted;
        let roots = trusted.chain.iter().flat_map(|chain| &chain.roots);
        let envelopes: Vec<&Envelope> = roots
            .map(|chained| &chained.envelope)
            .chain(trusted.current.values().map(|(envelope, _)| envelope))
            .collect();
        let mut known = Vec::new();
        for envelope in envelopes {
            let payload = envelope.payload();
            let sigs = envelope.signatures().iter();
            let sigs = sigs.filter_map(|signature| decode(&signature.sig));
            known.extend(sigs.filter_map(|sig| Signed::new(public, &payload, &sig)));
        }
        for document in self.progress.documents() {
            let mut candidates = self.candidates.iter();
            let candidate = candidates.find(|known| known.document == document.document);
            let Some(payload) = candidate.map(|candidate| candidate.envelope.payload()) else {
                continue;
            };
            let sigs = document.signatures.iter();
            let sigs = sigs.filter_map(|(_, sig, _)| decode(sig));
            known.extend(sigs.filter_map(|sig| Signed::new(public, &payload, &sig)));
        }
        known
    }
}
