//! What was decided about requests, in sentences.

use super::text;
use crate::ceremony::event::Event;

pub(super) fn of(event: &Event) -> Option<String> {
    let or_none = |said: &str| {
        if said.is_empty() {
            "nothing".to_owned()
        } else {
            text(said)
        }
    };
    Some(match event {
        Event::Vetted(vetted) => format!(
            "The requests (SHA-256 {}) were judged: {} green, {} need a look, {} refused. The batch digest is {}.",
            vetted.requests, vetted.green, vetted.look, vetted.refused, vetted.batch
        ),
        Event::BatchAccepted(accepted) => format!(
            "{} green requests were **accepted at once**, by the batch digest {}.",
            accepted.count, accepted.batch
        ),
        Event::Drawn(drawn) => format!(
            "The dice said {} and drew for a look: {}.",
            or_none(&drawn.dice),
            or_none(&drawn.projects.join(", "))
        ),
        Event::Decided(decided) => {
            let because = match decided.reason.as_str() {
                "" => String::new(),
                reason => format!(", because: \"{}\"", text(reason)),
            };
            format!(
                "{}: **{}**{because}.",
                text(&decided.project),
                decided.decision.word()
            )
        }
        _ => return None,
    })
}
