//! What people read before they sign. The screen gets a handle and draws a page at a time; only this module makes a [`Reviewed`].

use std::ops::Range;

use super::event::Document;
use crate::tuf::digest::Sha256;

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

/// The review of one document, derived from the exact bytes that will be signed.
pub struct Review {
    document: Document,
    payload: Sha256,
    rows: Vec<Row>,
}

impl Review {
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
        self.rows
            .get(range.start.min(self.rows.len())..range.end.min(self.rows.len()))
            .unwrap_or_default()
            .to_vec()
    }
    /// The first row at or after `from` that contains `text`, ignoring case.
    pub fn search(&self, text: &str, from: usize) -> Option<usize> {
        let text = text.to_lowercase();
        (from..self.rows.len()).find(|&row| self.rows[row].text.to_lowercase().contains(&text))
    }
    /// Rows marked as warnings or errors: what must be looked at.
    pub fn watch_list(&self) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&row| matches!(self.rows[row].mark, Mark::Warning | Mark::Error))
            .collect()
    }
}

/// A payload that was reviewed to its end by people who typed the phrase. Only this module makes one, so signing unreviewed metadata does not
/// type-check.
#[derive(Clone)]
pub struct Reviewed {
    document: Document,
    payload: std::sync::Arc<[u8]>,
}

impl Reviewed {
    /// The exact bytes that were reviewed.
    pub fn bytes(&self) -> &[u8] {
        &self.payload
    }
    /// What they are.
    pub fn document(&self) -> &Document {
        &self.document
    }
}
