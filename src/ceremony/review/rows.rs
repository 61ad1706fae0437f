//! The rows that reviews of every form have: what the bytes are, who must sign, what the rules and the clients say.

use super::{Mark, Row};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Quorum;
use crate::tuf::compat;
use crate::tuf::diff::{Change, ChangeKind};
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;
use crate::words;

pub(super) fn row(mark: Mark, text: impl Into<String>) -> Row {
    Row {
        mark,
        text: text.into(),
    }
}

pub(super) fn head(candidate: &Candidate) -> Vec<Row> {
    let payload = candidate.payload();
    let mut rows = vec![
        row(
            Mark::Heading,
            format!("{}: the bytes to be signed", candidate.document),
        ),
        row(
            Mark::Plain,
            format!(
                "{} bytes, SHA-256 {payload}",
                candidate.envelope.payload_length()
            ),
        ),
    ];
    rows.extend(
        words::of(&payload.0)
            .chunks(8)
            .map(|line| row(Mark::Plain, line.join(" "))),
    );
    rows
}

pub(super) fn change_row(change: &Change, holder_of: &dyn Fn(&KeyId) -> Option<String>) -> Row {
    let mark = match change.kind {
        ChangeKind::Same => Mark::Same,
        ChangeKind::Added => Mark::Added,
        ChangeKind::Removed => Mark::Removed,
        ChangeKind::Changed | ChangeKind::Reordered | ChangeKind::SameKeyNewKeyid => Mark::Changed,
    };
    let holder = change
        .keyid
        .as_ref()
        .and_then(holder_of)
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    let values = match (&change.old, &change.new) {
        (Some(old), Some(new)) if old == new => old.clone(),
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (Some(value), None) | (None, Some(value)) => value.clone(),
        (None, None) => String::new(),
    };
    let what = match change.kind {
        ChangeKind::SameKeyNewKeyid => " (same key, new keyid)",
        ChangeKind::Reordered => " (order)",
        _ => "",
    };
    row(mark, format!("{}{holder}{what}: {values}", change.subject))
}

/// `by the keys of root v7 (old): 3 of these must sign: alice, bob, carol`: never "2/2 (4/2)".
pub(super) fn quorum_row(quorum: &Quorum) -> Row {
    let names: Vec<_> = quorum
        .signers
        .iter()
        .map(|signer| signer.holder.as_str())
        .collect();
    row(
        Mark::Plain,
        format!(
            "by {}: {} of these {} must sign: {}",
            quorum.by,
            quorum.needed,
            names.len(),
            names.join(", ")
        ),
    )
}

pub(super) fn finding_row(finding: &Finding) -> Row {
    let mark = match finding.level {
        Level::Note => Mark::Note,
        Level::Warning => Mark::Warning,
        Level::Error => Mark::Error,
    };
    row(mark, format!("{}: {}", finding.rule, finding.text))
}

pub(super) fn verdict_rows(verdict: &compat::Verdict) -> Vec<Row> {
    let mut rows: Vec<_> = verdict
        .reasons
        .iter()
        .map(|reason| {
            row(
                Mark::Warning,
                format!("{} refuses it: {reason}", verdict.version),
            )
        })
        .collect();
    if rows.is_empty() {
        rows.push(row(Mark::Ok, format!("{} accepts it", verdict.version)));
    }
    rows.extend(
        verdict
            .notes
            .iter()
            .map(|note| row(Mark::Note, format!("{}: {note}", verdict.version))),
    );
    rows
}
