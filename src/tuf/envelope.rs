//! A metadata file: `{"signed": …, "signatures": […]}`, its bytes kept exactly as found. Adding a signature edits
//! the text of the `signatures` array only, so `signed` stays byte for byte what it was.

use std::borrow::Cow;
use std::ops::Range;

use super::digest::Sha256;
use super::finding::Finding;
use super::json::{Json, Limits};
use super::key::KeyId;

/// A metadata file in memory: one buffer, spans into it.
#[derive(Clone)]
pub struct Envelope {
    bytes: Vec<u8>,
    signed: Range<usize>,
    signatures_span: Range<usize>,
    signatures: Vec<Signature>,
    canonical: bool,
    payload_digest: Sha256,
}

/// One entry of `signatures`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The keyid as found.
    pub keyid: KeyId,
    /// `sig` as found: hexadecimal, or empty for a placeholder.
    pub sig: String,
}

impl Envelope {
    /// Reads a file strictly. Member order, unknown members beside `signed` and `signatures`, and unknown members of a
    /// signature (`bundle` of TAP 18) are kept.
    ///
    /// # Errors
    /// A finding of rule `JSON-STRICT` (with the position) or `ENVELOPE-FORM`, its `file` set to `file`.
    pub fn parse(file: &str, bytes: Vec<u8>, limits: Limits) -> Result<Self, Finding> {
        let _ = (file, bytes, limits);
        todo!()
    }
    /// The file as found.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// The signed part.
    pub fn signed(&self) -> Json<'_> {
        todo!()
    }
    /// What signatures are made over: the canonical form of the signed part, borrowed where it is canonical as written.
    pub fn payload(&self) -> Cow<'_, [u8]> {
        todo!()
    }
    /// SHA-256 of [`Self::payload`].
    pub fn payload_digest(&self) -> Sha256 {
        self.payload_digest
    }
    /// The signatures in the order found.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }
    /// The same file with `sig` added for `keyid`: an entry that `replaceable` says is empty or invalid is replaced in
    /// place; of two valid ones the smaller hexadecimal text stays; a new one is inserted after the existing ones, new ones in keyid
    /// order among themselves (architecture, "End to end" 5). The text around is untouched.
    #[must_use]
    pub fn with_signature(
        &self,
        keyid: &KeyId,
        sig: &[u8],
        replaceable: &dyn Fn(&Signature) -> bool,
    ) -> Self {
        let _ = (keyid, sig, replaceable);
        todo!()
    }
    /// The same file with an empty `signatures` list.
    #[must_use]
    pub fn without_signatures(&self) -> Self {
        todo!()
    }
    /// A new unsigned file around `signed`, in the style of [`super::style`] (`signatures` before `signed`, both sorted as python-tuf does).
    ///
    /// # Errors
    /// As [`Self::parse`]: what we write passes the reader too.
    pub fn unsigned(file: &str, signed: &super::value::Value) -> Result<Self, Finding> {
        let _ = (file, signed);
        todo!()
    }
}
