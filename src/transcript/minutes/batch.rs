//! A batch in sentences. What happens to each of hundreds of documents alike is told once.

use super::text;
use crate::ceremony::event::{Document, Event};
use crate::ceremony::progress::pace;
use crate::transcript::Transcript;
use std::time::Duration;

/// What the events of one run have in common; none: each is told by itself.
pub(super) fn kind<'e>(
    event: &'e Event,
    transcript: &Transcript,
) -> Option<(&'static str, &'e str)> {
    let (document, kind, whose): (&Document, _, _) = match event {
        Event::ShadowPassed { document, .. } => (document, "shadow", ""),
        Event::RegisterChecked {
            document, holder, ..
        } => (document, "register", holder),
        Event::Signed {
            document, signer, ..
        } => (document, "signed", &signer.holder),
        Event::Skipped { document, signer } => (document, "skipped", &signer.holder),
        _ => return None,
    };
    let known = transcript.progress().document(document);
    known
        .is_some_and(|known| known.batched)
        .then_some((kind, whose))
}

pub(super) fn of(event: &Event) -> Option<String> {
    Some(match event {
        Event::BatchReviewed(reviewed) => {
            let seen = match &reviewed.seen {
                None => format!("{} rows were read to their end", reviewed.rows),
                Some(seen) => format!(
                    "{} rows were shown: the summary, {} of {} on the watch list and {} of {} spot checks",
                    reviewed.rows, seen.watch.seen, seen.watch.of, seen.spots.seen, seen.spots.of
                ),
            };
            format!(
                "The batch of {} documents was reviewed as one: {seen}. The phrase was typed.\n{}",
                reviewed.documents,
                super::indented(reviewed.batch)
            )
        }
        Event::BatchIntended(intended) => format!(
            "The token of {} (key {}) is asked for {} signatures of the batch.",
            text(&intended.signer.holder),
            text(&intended.signer.keyid.0),
            intended.signatures
        ),
        Event::BatchEnded(ended) => {
            let took = pace::words(Duration::from_micros(ended.micros));
            let stopped = ended.stopped.as_ref();
            let stopped = stopped.map_or_else(String::new, |why| {
                format!(" It stopped before the last: {}.", text(why))
            });
            format!(
                "{} signatures of {} came and verify; the token took {took}.{stopped}",
                ended.signed,
                text(&ended.signer.holder)
            )
        }
        Event::BatchDecided { signer } => format!(
            "The token of {} may have signed more of the batch than is on record before an interruption; people decided to go on.",
            text(&signer.holder)
        ),
        _ => return None,
    })
}
