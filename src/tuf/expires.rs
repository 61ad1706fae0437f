//! `expires`: the text as found, and the instant it means.

/// An expiry date. The original text is what was signed and is never re-formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expires {
    text: String,
    at: jiff::Timestamp,
    strict: bool,
}

/// A text that is no date at all, or one no client reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date of the form YYYY-MM-DDTHH:MM:SSZ")]
pub struct NotADate(pub String);

impl Expires {
    /// Reads the strict form `YYYY-MM-DDTHH:MM:SSZ` and the foreign forms that real roots have (offsets,
    /// fractions: Sigstore v1 to v3), which are kept and marked as not strict.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        let _ = text;
        todo!()
    }
    /// The text as found.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The instant.
    pub fn at(&self) -> jiff::Timestamp {
        self.at
    }
    /// Whether the text has the one form that every client reads.
    pub fn is_strict(&self) -> bool {
        self.strict
    }
}
