//! What comes in, what is learnt of it, and why it is refused.

use std::io;
use std::ops::Range;

use super::text::Entries;
use super::{JsonError, JsonFault};

/// What the one pass learns of a text.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Where the document's value lies.
    pub(crate) document: Range<usize>,
    /// Whether the keys in the value of the member `signed` are in order.
    pub(crate) ordered: bool,
    /// Whether it has no white space either.
    pub(crate) compact: bool,
    /// Whether it is canonical as written: compact, and without escapes that the canonical form does not have.
    pub(crate) canonical: bool,
    /// The two long lists of metadata: the members of `signed.delegations.keys`, the elements of `signed.delegations.roles`.
    pub(crate) entries: Entries,
}

/// A text that may still be coming in.
pub(crate) trait Supply {
    /// What has come so far.
    fn text(&self) -> &[u8];
    /// Waits for more; `false` at the end.
    ///
    /// # Errors
    /// What the medium says.
    fn more(&mut self) -> io::Result<bool>;
    /// Called where everything before `at` has been proven; `signed` lies there so far, canonical as written.
    fn proven(&mut self, signed: Range<usize>) {
        let _ = signed;
    }
}

/// A text that is there.
pub(super) struct Whole<'a>(pub(super) &'a [u8]);

impl Supply for Whole<'_> {
    fn text(&self) -> &[u8] {
        self.0
    }
    fn more(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

/// Why a text was refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// At this offset.
    Fault(usize, JsonFault),
    /// The medium failed.
    Medium(io::Error),
}

impl Refused {
    /// With its position in what has come of the text; what is no UTF-8 is told before all else.
    pub(crate) fn at(self, text: &[u8]) -> JsonError {
        let (offset, fault) = match self {
            Self::Fault(offset, fault) => (offset, fault),
            Self::Medium(error) => (text.len(), JsonFault::Medium(error.to_string())),
        };
        let first = matches!(
            fault,
            JsonFault::TooLong(..) | JsonFault::ByteOrderMark | JsonFault::InvalidUtf8
        );
        match std::str::from_utf8(text) {
            Err(error) if !first && error.error_len().is_some() => {
                JsonError::at(text, error.valid_up_to(), JsonFault::InvalidUtf8)
            }
            _ => JsonError::at(text, offset, fault),
        }
    }
}

pub(super) fn not_utf8(error: std::str::Utf8Error) -> Refused {
    Refused::Fault(error.valid_up_to(), JsonFault::InvalidUtf8)
}

impl JsonError {
    fn at(text: &[u8], offset: usize, fault: JsonFault) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |newline| newline + 1);
        Self {
            offset,
            line: before.split(|&b| b == b'\n').count(),
            column: 1 + before.len() - line_start,
            fault,
        }
    }
}
