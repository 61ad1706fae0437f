//! What people read before they sign, derived from the exact bytes that will be signed. The screen gets a handle and draws a page at a time; only this
//! module makes a [`Reviewed`].

use std::ops::Range;

use super::candidate::Candidate;
use super::event::{Document, Quorum};
use super::progress::Progress;
use crate::tuf::compat;
use crate::tuf::diff::{self, Change, ChangeKind};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;
use crate::tuf::style;
use crate::tuf::value::Value;
use crate::words;

/// How a row is marked; always with a text tag, never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the tags")]
pub enum Mark {
    Heading,
    Plain,
    Same,
    Changed,
    Added,
    Removed,
    Ok,
    Note,
    Warning,
    Error,
}

/// One row: unwrapped text; the view wraps it and never clips a digest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// How it is marked.
    pub mark: Mark,
    /// The text; may hold untrusted text, which the view escapes.
    pub text: String,
}

/// The review of one document.
pub struct Review {
    document: Document,
    payload: Sha256,
    rows: Vec<Row>,
}

impl Review {
    /// Derives the review from a candidate's bytes. `findings` are those of the rules; `vouchers` say of each offline key in them who vouches for it;
    /// `holder_of` names people by keyid.
    ///
    /// # Errors
    /// What the readers refuse.
    pub fn of(
        candidate: &Candidate,
        quorums: &[Quorum],
        findings: &[Finding],
        vouchers: Vec<Row>,
        holder_of: &dyn Fn(&KeyId) -> Option<String>,
    ) -> Result<Self, Finding> {
        let difference = diff::between(candidate.old.as_ref(), &candidate.envelope)?;
        let mut rows = head(candidate);
        rows.push(row(
            Mark::Heading,
            match &candidate.old {
                Some(_) => "What differs from the version before",
                None => "What it says; there is no version before",
            },
        ));
        rows.extend(
            difference
                .changes
                .iter()
                .map(|change| change_row(change, holder_of)),
        );
        if !vouchers.is_empty() {
            rows.push(row(Mark::Heading, "Who vouches for the keys"));
            rows.extend(vouchers);
        }
        rows.push(row(Mark::Heading, "Who must sign"));
        rows.extend(quorums.iter().map(quorum_row));
        rows.push(row(Mark::Heading, "What the rules say"));
        rows.extend(findings.iter().map(finding_row));
        if findings.is_empty() {
            rows.push(row(Mark::Ok, "no rule has anything to say"));
        }
        rows.push(row(Mark::Heading, "Which clients accept it"));
        rows.extend(
            compat::verdicts(&candidate.envelope)
                .iter()
                .flat_map(verdict_rows),
        );
        rows.push(row(Mark::Heading, "The signed part, complete"));
        let signed = style::to_vec(&Value::from_json(candidate.envelope.signed()));
        rows.extend(
            String::from_utf8_lossy(&signed)
                .lines()
                .map(|line| row(Mark::Plain, line)),
        );
        Ok(Self {
            document: candidate.document.clone(),
            payload: candidate.payload(),
            rows,
        })
    }

    /// What is reviewed.
    pub fn document(&self) -> &Document {
        &self.document
    }
    /// SHA-256 of the bytes that will be signed.
    pub fn digest(&self) -> Sha256 {
        self.payload
    }
    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there are none (never the case for a real review).
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// A page.
    pub fn rows(&self, range: Range<usize>) -> Vec<Row> {
        let end = range.end.min(self.rows.len());
        self.rows
            .get(range.start.min(end)..end)
            .unwrap_or_default()
            .to_vec()
    }
    /// The first row at or after `from` that contains `text`, ignoring case.
    pub fn search(&self, text: &str, from: usize) -> Option<usize> {
        let text = text.to_lowercase();
        (from..self.rows.len()).find(|&index| self.rows[index].text.to_lowercase().contains(&text))
    }
    /// Rows marked as warnings or errors: what must be looked at.
    pub fn watch_list(&self) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&index| matches!(self.rows[index].mark, Mark::Warning | Mark::Error))
            .collect()
    }
    /// The review of these rows, for tests of screens.
    #[doc(hidden)]
    pub fn for_tests(document: Document, payload: Sha256, rows: Vec<Row>) -> Self {
        Self {
            document,
            payload,
            rows,
        }
    }
}

/// A payload that was reviewed to its end by people who typed the phrase, and rehearsed as a shadow. Only this module makes one, so signing unreviewed
/// metadata does not type-check.
#[derive(Clone)]
pub struct Reviewed {
    document: Document,
    payload: std::sync::Arc<[u8]>,
}

impl Reviewed {
    /// The candidate's payload, if the record says that exactly these bytes were reviewed and rehearsed.
    pub fn of(candidate: &Candidate, progress: &Progress) -> Option<Self> {
        let known = progress.document(&candidate.document)?;
        let payload = candidate.envelope.payload();
        (known.reviewed && known.shadowed && known.payload == Sha256::of(&payload)).then(|| Self {
            document: candidate.document.clone(),
            payload: payload.as_ref().into(),
        })
    }
    /// The exact bytes that were reviewed.
    pub fn bytes(&self) -> &[u8] {
        &self.payload
    }
    /// What they are.
    pub fn document(&self) -> &Document {
        &self.document
    }
}

fn row(mark: Mark, text: impl Into<String>) -> Row {
    Row {
        mark,
        text: text.into(),
    }
}

fn head(candidate: &Candidate) -> Vec<Row> {
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
                candidate.envelope.payload().len()
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

fn change_row(change: &Change, holder_of: &dyn Fn(&KeyId) -> Option<String>) -> Row {
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
fn quorum_row(quorum: &Quorum) -> Row {
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

fn finding_row(finding: &Finding) -> Row {
    let mark = match finding.level {
        Level::Note => Mark::Note,
        Level::Warning => Mark::Warning,
        Level::Error => Mark::Error,
    };
    row(mark, format!("{}: {}", finding.rule, finding.text))
}

fn verdict_rows(verdict: &compat::Verdict) -> Vec<Row> {
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
