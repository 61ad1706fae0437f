//! A file on its way in: what has come is proven and hashed while the rest is read.

use std::io::{self, Read};
use std::ops::Range;
use std::string::FromUtf8Error;

use sha2::Digest as _;

use crate::tuf::digest::Sha256;
use crate::tuf::json::{Found, JsonError, Limits, Supply, prove};

/// How much is read at once: so little that the processor has it at hand when it is looked at.
const CHUNK: u64 = 256 << 10;

/// The text so far, and where the rest comes from.
pub(super) struct Incoming<'a> {
    text: Vec<u8>,
    source: Option<&'a mut dyn Read>,
    /// Over the signed part as written, as long as that is its canonical form.
    hasher: sha2::Sha256,
    /// What of the text was hashed.
    hashed: Range<usize>,
}

impl<'a> Incoming<'a> {
    /// All of it is there.
    pub(super) fn whole(text: Vec<u8>) -> Self {
        Self {
            text,
            source: None,
            hasher: sha2::Sha256::new(),
            hashed: 0..0,
        }
    }
    /// `text` is there, and `source` has the rest.
    pub(super) fn from(source: &'a mut dyn Read, mut text: Vec<u8>, expected: usize) -> Self {
        text.reserve_exact(expected.saturating_sub(text.len()) + 1);
        Self {
            source: Some(source),
            ..Self::whole(text)
        }
    }
    pub(super) fn prove(&mut self, limits: Limits) -> Result<Found, JsonError> {
        prove(self, limits).map_err(|refused| refused.at(&self.text))
    }
    /// SHA-256 of the signed part, if it was canonical to its end.
    pub(super) fn digest(&mut self, found: &Found) -> Option<Sha256> {
        let hasher = std::mem::take(&mut self.hasher);
        (found.canonical && !self.hashed.is_empty()).then(|| Sha256(hasher.finalize().into()))
    }
    pub(super) fn into_text(mut self) -> Result<String, FromUtf8Error> {
        self.text.shrink_to_fit();
        String::from_utf8(self.text)
    }
}

impl Supply for Incoming<'_> {
    fn text(&self) -> &[u8] {
        &self.text
    }
    fn more(&mut self) -> io::Result<bool> {
        let Some(source) = &mut self.source else {
            return Ok(false);
        };
        Ok(source.take(CHUNK).read_to_end(&mut self.text)? > 0)
    }
    fn proven(&mut self, signed: Range<usize>) {
        if self.hashed.is_empty() {
            self.hashed = signed.start..signed.start;
        }
        self.hasher.update(&self.text[self.hashed.end..signed.end]);
        self.hashed.end = signed.end;
    }
}
