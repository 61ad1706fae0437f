//! What people read before they sign, derived from the exact bytes that will be signed. The screen gets a handle and draws a page at a time; only this
//! module makes a [`Reviewed`].

pub mod batch;
pub mod change;
pub mod claimed;
pub mod compare;
mod crowd;
mod index;
pub mod marks;
pub mod opening;
mod parts;
mod rows;
pub mod searched;
mod side;
#[cfg(test)]
mod tests;
pub mod watch;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::candidate::Candidate;
use super::event::{Document, Quorum, Seen, Share};
use super::progress::Progress;
use crate::tuf::compat;
use crate::tuf::diff;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, KeyId, Message};
use crate::tuf::style;
use crate::tuf::value::Value;
use rows::{change_row, finding_row, head, quorum_row, row, verdict_rows};
use searched::{Filter, Searched};

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

impl Mark {
    /// What stands before the text.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Heading | Self::Plain => "",
            Self::Same => "same",
            Self::Changed => "CHANGED",
            Self::Added => "ADDED",
            Self::Removed => "REMOVED",
            Self::Ok => "[ OK ]",
            Self::Note => "[NOTE]",
            Self::Warning => "[WARN]",
            Self::Error => "[FAIL]",
        }
    }
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
    name: String,
    payload: Sha256,
    form: Form,
}

/// How it is read.
enum Form {
    /// From the first row to the last.
    Whole(Vec<Row>),
    /// A summary to its end, then by search and by what must be seen.
    Searched(Arc<Searched>),
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
        Ok(Self::whole(
            candidate.document.to_string(),
            candidate.payload(),
            rows,
        ))
    }

    fn whole(name: String, payload: Sha256, rows: Vec<Row>) -> Self {
        Self {
            name,
            payload,
            form: Form::Whole(rows),
        }
    }
    fn searched(name: String, payload: Sha256, searched: Searched) -> Self {
        Self {
            name,
            payload,
            form: Form::Searched(Arc::new(searched)),
        }
    }

    /// What is reviewed: `claimed v8`, `the batch of 732`.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// SHA-256 of the bytes that will be signed.
    pub fn digest(&self) -> Sha256 {
        self.payload
    }
    /// What is searched, where it is not read from the first row to the last.
    pub fn entries(&self) -> Option<&Arc<Searched>> {
        match &self.form {
            Form::Whole(_) => None,
            Form::Searched(searched) => Some(searched),
        }
    }
    /// How many rows: of a searched one those of the summary, and one an entry.
    pub fn len(&self) -> usize {
        self.first_rows().len() + self.entries().map_or(0, |entries| entries.len())
    }
    /// Whether there are none (never the case for a real review).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A page.
    pub fn rows(&self, range: Range<usize>) -> Vec<Row> {
        let end = range.end.min(self.len());
        (range.start..end)
            .filter_map(|index| self.row(index))
            .collect()
    }
    /// The first row at or after `from` that contains `text`, ignoring case.
    pub fn search(&self, text: &str, from: usize) -> Option<usize> {
        let wanted = text.to_lowercase();
        let rows = self.first_rows();
        let found = (from..rows.len()).find(|&at| rows[at].text.to_lowercase().contains(&wanted));
        found.or_else(|| {
            let from = from.saturating_sub(rows.len());
            let hits = self.entries()?.hits(text, Filter::All, None);
            let hit = hits.into_iter().find(|index| *index >= from)?;
            Some(rows.len() + hit)
        })
    }
    /// What must be looked at: rows marked as warnings or errors, and entries that must be seen.
    pub fn watch_list(&self) -> Vec<usize> {
        let rows = self.first_rows();
        let marked = |index: &usize| matches!(rows[*index].mark, Mark::Warning | Mark::Error);
        let mut found: Vec<_> = (0..rows.len()).filter(marked).collect();
        if let Some(entries) = self.entries() {
            let listed = entries.watch_list().iter();
            found.extend(listed.map(|index| rows.len() + index));
        }
        found
    }
    /// What was seen of what must be; none for a review that is read to its end.
    pub fn seen(&self) -> Option<Seen> {
        self.entries().map(|entries| entries.seen())
    }
    /// Whether the phrase may be taken.
    pub fn is_seen(&self) -> bool {
        let shares = self.entries().map(|entries| entries.shares());
        shares.is_none_or(|shares| shares.into_iter().all(Share::is_full))
    }
    /// How many rows people were shown.
    pub fn rows_seen(&self) -> usize {
        match &self.form {
            Form::Whole(rows) => rows.len(),
            Form::Searched(searched) => searched.rows_seen(),
        }
    }
    /// What a printer shows in place of a screen: every row, or the summary and all that must be seen, which then counts as seen.
    pub fn in_full(&self) -> Vec<Row> {
        match &self.form {
            Form::Whole(rows) => rows.clone(),
            Form::Searched(searched) => searched.in_full(),
        }
    }
    /// A part of this review as one that is read to its end: these rows.
    #[must_use]
    pub fn part(&self, rows: Vec<Row>) -> Self {
        Self::whole(self.name.clone(), self.payload, rows)
    }
    /// The review of these rows, for tests of screens.
    #[doc(hidden)]
    #[allow(clippy::needless_pass_by_value, reason = "as tests have it")]
    pub fn for_tests(document: Document, payload: Sha256, rows: Vec<Row>) -> Self {
        Self::whole(document.to_string(), payload, rows)
    }
    /// The review of these entries, for tests of screens.
    #[doc(hidden)]
    #[allow(clippy::needless_pass_by_value, reason = "as tests have it")]
    pub fn searched_for_tests(document: Document, payload: Sha256, searched: Searched) -> Self {
        Self::searched(document.to_string(), payload, searched)
    }

    fn first_rows(&self) -> &[Row] {
        match &self.form {
            Form::Whole(rows) => rows,
            Form::Searched(searched) => searched.summary(),
        }
    }
    fn row(&self, index: usize) -> Option<Row> {
        let rows = self.first_rows();
        match rows.get(index) {
            Some(row) => Some(row.clone()),
            None => self.entries()?.line(index - rows.len()),
        }
    }
}

/// A payload that was reviewed by people, to its end or all that had to be seen of it, who typed the phrase, and rehearsed as a shadow. Only this module makes one, so signing unreviewed
/// metadata does not type-check.
#[derive(Clone, Copy)]
pub struct Reviewed<'a>(&'a Candidate);

impl<'a> Reviewed<'a> {
    /// The candidate's payload, if the record says that exactly these bytes were reviewed and rehearsed.
    pub fn of(candidate: &'a Candidate, progress: &Progress) -> Option<Self> {
        let known = progress.document(&candidate.document)?;
        (known.reviewed && known.shadowed && known.payload == candidate.payload())
            .then_some(Self(candidate))
    }
    /// The exact bytes that were reviewed.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        self.0.envelope.payload()
    }
    /// Those bytes as keys of `algorithm` sign them.
    pub fn message(&self, algorithm: Algorithm) -> Message<'a> {
        self.0.message(algorithm)
    }
    /// What they are.
    pub fn document(&self) -> &'a Document {
        &self.0.document
    }
}
