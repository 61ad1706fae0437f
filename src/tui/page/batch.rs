//! The batch on the pages: how far the token is, and how many signatures each holder has made.

use ratatui::text::Line;

use super::super::model::Model;
use super::super::text::{Tone, bar_of, digest_lines, lines, tagged};
use crate::ceremony::progress::pace::Pace;

/// Columns of the bar beside a holder, and of the one of the token that signs.
const SHORT: usize = 10;
const LONG: usize = 40;

/// How far the token is that signs now, how fast, and how long it may still take.
pub(super) fn pace(model: &Model) -> Vec<Line<'static>> {
    let Some((done, all)) = model.progress.asked_count() else {
        return Vec::new();
    };
    let since = model.batch_since.unwrap_or(model.now);
    let pace = Pace::of(done, all, model.now.saturating_sub(since));
    let width = model.columns();
    let percent = (done * 100).checked_div(all).unwrap_or(100);
    let mut body = lines(
        &format!("{} {percent}%", bar_of(done, all, LONG)),
        width,
        Tone::Strong,
    );
    body.extend(lines(&pace.to_string(), width, Tone::Plain));
    body.push(Line::raw(""));
    body
}

/// Every holder whose signatures count in the batch, and how many there are.
pub(super) fn signers(model: &Model) -> Vec<Line<'static>> {
    let mut counts: Vec<(&str, &str, usize, usize)> = Vec::new();
    for known in model.progress.batch() {
        let mut here = Vec::new();
        for signer in known.quorums.iter().flat_map(|quorum| &quorum.signers) {
            if here.contains(&&signer.keyid) {
                continue;
            }
            here.push(&signer.keyid);
            let signed = usize::from(known.is_signed_by(&signer.keyid));
            let own = |entry: &&mut (&str, &str, usize, usize)| entry.1 == signer.keyid.0;
            match counts.iter_mut().find(own) {
                Some(entry) => {
                    entry.2 += signed;
                    entry.3 += 1;
                }
                None => counts.push((&signer.holder, &signer.keyid.0, signed, 1)),
            }
        }
    }
    let rows = counts.into_iter().flat_map(|(holder, _, signed, all)| {
        let tone = if signed == all {
            Tone::Good
        } else {
            Tone::Plain
        };
        let text = format!(
            "{} {signed} of {all} signed  {holder}",
            bar_of(signed, all, SHORT)
        );
        tagged("", 4, &text, model.columns(), tone)
    });
    rows.collect()
}

/// The batch as one document; nothing where there is none.
pub(super) fn whole(model: &Model) -> Vec<Line<'static>> {
    let all = model.progress.batch().count();
    if all == 0 {
        return Vec::new();
    }
    let width = model.columns();
    let complete = model.progress.batch().filter(|known| known.is_complete());
    let complete = complete.count();
    let tone = if complete == all {
        Tone::Good
    } else {
        Tone::Warn
    };
    let text = format!("The batch of {all} documents: {complete} have every signature they need.");
    let mut body = lines(&text, width, tone);
    body.extend(digest_lines("batch sha256", &model.progress.batch_digest()));
    body.extend(signers(model));
    body.push(Line::raw(""));
    body
}
