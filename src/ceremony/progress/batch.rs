//! The batch: the candidates that no step names. They are reviewed together, and each token is asked for all of them in one go.

#[cfg(test)]
mod tests;

use super::{DocumentProgress, Progress};
use crate::ceremony::event::{Document, Event, Signer, batch_digest};
use crate::ceremony::plan::Step;
use crate::tuf::digest::Sha256;

/// Where the batch stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    /// Whose token is asked, and how many signatures of it were on record before.
    asked: Option<(Signer, usize)>,
}

impl Progress {
    /// The candidates of the batch, in the order built.
    pub fn batch(&self) -> impl Iterator<Item = &DocumentProgress> {
        self.documents.iter().filter(|known| known.batched)
    }
    /// What names the batch.
    pub fn batch_digest(&self) -> Sha256 {
        batch_digest(self.batch().map(|known| (&known.document, known.payload)))
    }
    /// Whose token is asked for signatures of the batch: it may have made more than are on record.
    pub fn asked(&self) -> Option<&Signer> {
        self.batch.asked.as_ref().map(|(signer, _)| signer)
    }
    /// Of the signatures that the token is asked for now, how many are on record, and of how many.
    pub fn asked_count(&self) -> Option<(usize, usize)> {
        let (signer, before) = self.batch.asked.as_ref()?;
        let counts = |known: &&DocumentProgress| known.counts(&signer.keyid);
        let all = self.batch().filter(counts).count();
        let now = self.signed_of_batch(signer);
        Some((now.saturating_sub(*before), all.saturating_sub(*before)))
    }

    fn signed_of_batch(&self, signer: &Signer) -> usize {
        let has = |known: &&DocumentProgress| known.is_signed_by(&signer.keyid);
        self.batch().filter(has).count()
    }

    /// Whether a document that is built now is of the batch.
    pub(super) fn is_batched(&self, document: &Document) -> bool {
        let mut steps = self.steps.iter();
        !steps.any(|step| matches!(step, Step::Review { document: own } if own == document))
            && self.steps.contains(&Step::ReviewBatch)
    }

    pub(super) fn fold_batch(&mut self, event: &Event) {
        match event {
            Event::BatchReviewed(reviewed) => {
                for known in self.documents.iter_mut().filter(|known| known.batched) {
                    known.reviewed = true;
                    known.seen = reviewed.seen;
                }
            }
            Event::BatchIntended(intended) => {
                let before = self.signed_of_batch(&intended.signer);
                self.batch.asked = Some((intended.signer.clone(), before));
            }
            Event::BatchEnded(_) | Event::BatchDecided { .. } => self.batch.asked = None,
            _ => {}
        }
    }

    /// Whether an event of the batch can happen in this step.
    pub(super) fn allows_batch(&self, event: &Event, step: &Step) -> bool {
        match event {
            Event::BatchReviewed(reviewed) => {
                matches!(step, Step::ReviewBatch) && reviewed.batch == self.batch_digest()
            }
            Event::BatchIntended(intended) => {
                let planned = match step {
                    Step::SignBatch { holder, .. } => *holder == intended.signer.holder,
                    step => matches!(step, Step::Collect),
                };
                let mut batch = self.batch();
                planned
                    && !self.is_asking()
                    && batch.all(|known| known.reviewed && known.shadowed)
                    && intended.batch == self.batch_digest()
            }
            Event::BatchEnded(ended) => self.asked() == Some(&ended.signer),
            Event::BatchDecided { signer } => self.asked() == Some(signer),
            _ => false,
        }
    }

    /// Whether a signature that the token was asked for in a batch can come now: each once.
    pub(super) fn is_awaited(&self, document: &Document, signer: &Signer) -> bool {
        let new = |known: &DocumentProgress| known.batched && !known.is_signed_by(&signer.keyid);
        self.asked() == Some(signer) && self.document(document).is_some_and(new)
    }

    /// Whether a token is being asked, and nobody knows what it did.
    pub(super) fn is_asking(&self) -> bool {
        self.pending.is_some() || self.batch.asked.is_some()
    }
}
