//! A metadata file: `{"signed": …, "signatures": […]}`, its bytes kept exactly as found. Adding a signature edits
//! the text of the `signatures` array only, so `signed` stays byte for byte what it was.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use data_encoding::HEXLOWER;
use sha2::Digest as _;

use super::canonical::{Form, to_vec};
use super::digest::Sha256;
use super::finding::Finding;
use super::json::text::{Splice, Text};
use super::json::{Json, Limits};
use super::key::{Algorithm, KeyId, Message};
use super::metadata::Targets;
use super::style;
use super::value::Value;
use incoming::Incoming;

mod incoming;
mod layout;
mod parts;
mod shared;

use layout::Layout;
use parts::read;

/// A metadata file in memory: one buffer, spans into it. A clone costs nothing. A large file that follows another, or was
/// read next to it, holds only what is new and shares the rest (docs/decisions/0020).
#[derive(Clone)]
pub struct Envelope {
    text: Arc<Text>,
    signed: Range<usize>,
    signatures_span: Range<usize>,
    signatures: Vec<Signature>,
    /// Whether the keys in the signed part are in order.
    ordered: bool,
    /// Whether it has no white space either.
    compact: bool,
    /// Whether it is canonical as written.
    canonical: bool,
    /// Found out once, when first asked for; signatures do not change it.
    known: Arc<Known>,
}

/// What follows from the signed part.
#[derive(Default)]
struct Known {
    sha256: OnceLock<Sha256>,
    sha384: OnceLock<[u8; 48]>,
    targets: OnceLock<Targets>,
}

/// One entry of `signatures`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The keyid as found.
    pub keyid: KeyId,
    /// `sig` as found: hexadecimal, or empty for a placeholder.
    pub sig: String,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Envelope({} bytes)", self.length())
    }
}

impl Envelope {
    /// Reads a file strictly. Member order, unknown members beside `signed` and `signatures`, and unknown members of a
    /// signature (`bundle` of TAP 18) are kept, and so are several entries with one keyid.
    ///
    /// # Errors
    /// A finding of rule `JSON-STRICT` (with the position) or `ENVELOPE-FORM`, its `file` set to `file`.
    pub fn parse(file: &str, bytes: Vec<u8>, limits: Limits) -> Result<Self, Finding> {
        Self::incoming(file, Incoming::whole(bytes), limits)
    }
    /// As [`Self::parse`], from a medium; what has come is proven and hashed while the rest is read. `expected` is how long it
    /// is said to be, in bytes. Next to `base`, an earlier version, entries that are the same are not held again.
    ///
    /// # Errors
    /// As [`Self::parse`]; a medium that fails is a fault at the place reached.
    pub fn read(
        file: &str,
        source: &mut dyn Read,
        expected: usize,
        limits: Limits,
        base: Option<&Self>,
    ) -> Result<Self, Finding> {
        let mut begun = Vec::new();
        if let Some(base) = base
            && let Some(like) = shared::read(source, limits, base, &mut begun)
        {
            return Ok(like);
        }
        let expected = expected.min(limits.bytes);
        Self::incoming(file, Incoming::from(source, begun, expected), limits)
    }
    fn incoming(file: &str, mut incoming: Incoming<'_>, limits: Limits) -> Result<Self, Finding> {
        let not_strict = |fault: &dyn std::fmt::Display| {
            Finding::error(
                "JSON-STRICT",
                file,
                format!("This is not strict JSON: {fault}."),
            )
        };
        let found = incoming.prove(limits).map_err(|error| not_strict(&error))?;
        let digest = incoming.digest(&found);
        let own = incoming.into_text().map_err(|error| not_strict(&error))?;
        let document = found.document.clone();
        let (ordered, compact, canonical) = (found.ordered, found.compact, found.canonical);
        let text = Text::new(own, found.entries);
        let envelope = Self::of(text, document, (ordered, compact), canonical)
            .map_err(|text| Finding::error("ENVELOPE-FORM", file, text))?;
        if let Some(digest) = digest {
            let _ = envelope.known.sha256.set(digest);
        }
        Ok(envelope)
    }
    fn of(
        text: Text,
        document: Range<usize>,
        (ordered, compact): (bool, bool),
        canonical: bool,
    ) -> Result<Self, String> {
        let (signed, signatures_span, signatures) = read(Json::of(&text, document))?;
        Ok(Self {
            signed: signed.span(),
            text: Arc::new(text),
            signatures_span,
            signatures,
            ordered,
            compact,
            canonical,
            known: Arc::default(),
        })
    }
    /// The file as found; put together where it shares entries with another.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        self.document().bytes()
    }
    /// The file in pieces, one behind the other: to be written without holding it once more.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.text.pieces(0..self.text.own().len())
    }
    /// Whether both are the same bytes; what they share is not read.
    pub fn is_written_as(&self, other: &Self) -> bool {
        self.document().is_written_as(other.document())
    }
    /// How long the file is, in bytes.
    pub fn length(&self) -> usize {
        self.text.len()
    }
    /// The signed part.
    pub fn signed(&self) -> Json<'_> {
        Json::of(&self.text, self.signed.clone())
    }
    /// What signatures are made over: the canonical form of the signed part, borrowed where it is canonical as written.
    pub fn payload(&self) -> Cow<'_, [u8]> {
        if self.canonical {
            self.signed().bytes()
        } else {
            Cow::Owned(to_vec(self.signed()))
        }
    }
    /// How long [`Self::payload`] is, in bytes.
    pub fn payload_length(&self) -> usize {
        let mut length = 0;
        self.form().write(&mut |piece| length += piece.len());
        length
    }
    /// SHA-256 of [`Self::payload`].
    pub fn payload_digest(&self) -> Sha256 {
        *self.known.sha256.get_or_init(|| self.form().sha256())
    }
    /// What keys of `algorithm` sign of it; hashed once, however many there are.
    pub fn message(&self, algorithm: Algorithm) -> Message<'_> {
        let long = |algorithm| {
            (algorithm == Algorithm::EcdsaP384).then(|| {
                self.known.sha384.get_or_init(|| {
                    let mut hasher = sha2::Sha384::new();
                    self.form().write(&mut |piece| hasher.update(piece));
                    hasher.finalize().into()
                })
            })
        };
        long(algorithm)
            .and_then(|digest| Message::of_digest(algorithm, digest))
            .unwrap_or_else(|| {
                Message::known(algorithm, || self.payload_digest(), || self.payload())
            })
    }
    fn form(&self) -> Form<'_> {
        if self.compact {
            Form::compact(self.signed(), self.canonical)
        } else if self.ordered {
            Form::ordered(self.signed())
        } else {
            Form::of(self.signed())
        }
    }
    fn document(&self) -> Json<'_> {
        Json::of(&self.text, 0..self.text.own().len())
    }
    /// Element `place` of `signed.delegations.roles`, from 0.
    pub fn role_at(&self, place: usize) -> Option<Json<'_>> {
        self.text.entry(false, place)
    }
    /// Member `place` of `signed.delegations.keys`, from 0: its keyid and its object.
    pub fn key_at(&self, place: usize) -> Option<(Cow<'_, str>, Json<'_>)> {
        Some((self.text.name(true, place)?, self.text.key(place)?))
    }
    /// Its text, with what is known of the two long lists.
    pub(super) fn text(&self) -> &Arc<Text> {
        &self.text
    }
    /// Whether the keys in the signed part are in order.
    pub(super) fn is_ordered(&self) -> bool {
        self.ordered
    }
    /// The content, once [`Targets::read`] has judged it.
    pub(super) fn targets(&self) -> &OnceLock<Targets> {
        &self.known.targets
    }
    /// The signatures in the order found.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }
    /// The same file with `sig` added for `keyid`. An entry that `replaceable` says is empty or invalid gets its
    /// `sig` replaced in place; of two valid ones the smaller hexadecimal text stays. The text around is untouched.
    ///
    /// A new entry goes to its place in keyid order within the longest run of entries at the end of the list that is
    /// in keyid order already: anywhere in a sorted list, behind the last disorder in another. That run only ever
    /// grows, so signatures added in any order, at one sitting or in files passed along, give the same bytes.
    #[must_use]
    pub fn with_signature(
        &self,
        keyid: &KeyId,
        sig: &[u8],
        replaceable: &dyn Fn(&Signature) -> bool,
    ) -> Self {
        let sig = HEXLOWER.encode(sig);
        let entry = Signature {
            keyid: keyid.clone(),
            sig,
        };
        let mut same_key = (0..self.signatures.len())
            .filter(|&index| self.signatures[index].keyid == *keyid)
            .peekable();
        let Some(&first) = same_key.peek() else {
            return self.with_new(entry);
        };
        match same_key.find(|&index| !replaceable(&self.signatures[index])) {
            None => self.with_replaced(first, entry),
            Some(valid) if entry.sig < self.signatures[valid].sig.to_ascii_lowercase() => {
                self.with_replaced(valid, entry)
            }
            Some(_) => self.clone(),
        }
    }
    /// The same file with an empty `signatures` list.
    #[must_use]
    pub fn without_signatures(&self) -> Self {
        self.spliced(self.signatures_span.clone(), "[]", Vec::new())
    }
    /// A new unsigned file around `signed`, in the style of [`super::style`] (`signatures` before `signed`, both sorted as python-tuf does).
    ///
    /// # Errors
    /// As [`Self::parse`]: what we write passes the reader too.
    pub fn unsigned(file: &str, signed: &Value) -> Result<Self, Finding> {
        let envelope = Value::Object(vec![
            ("signatures".to_owned(), Value::Array(Vec::new())),
            ("signed".to_owned(), signed.clone()),
        ]);
        Self::parse(file, style::to_vec(&envelope), Limits::LARGE)
    }

    /// The signed part with both its long lists empty, and their entries, all shared; `None` for a file without them, or
    /// one that is not compact.
    pub(super) fn skeleton(&self) -> Option<(Value, Splice)> {
        let (own, splice) =
            shared::skeleton(&self.text, self.canonical).filter(|_| self.compact)?;
        let document = super::json::check(own.as_bytes(), Limits::LARGE).ok()?;
        Some((Value::from_json(document.get("signed")?), splice))
    }
    /// An unsigned file around `signed`, whose two long lists are empty, with the entries of `splice` in them.
    ///
    /// # Errors
    /// As [`Self::parse`]: what we write passes the reader too.
    pub(super) fn around(file: &str, signed: &Value, splice: Splice) -> Result<Self, Finding> {
        let signed = style::to_line(signed);
        let signed = String::from_utf8_lossy(signed.trim_ascii_end());
        let own = format!("{{\"signatures\":[],\"signed\":{signed}}}");
        Self::with_entries(file, own, splice)
    }
    fn with_entries(file: &str, own: String, splice: Splice) -> Result<Self, Finding> {
        shared::put_together(own, splice).ok_or_else(|| {
            let text = "The file that was made here is no compact metadata file with delegations.";
            Finding::error("ENVELOPE-FORM", file, text)
        })
    }
    /// The same file, unsigned, its signed part without white space and with its keys in order; every value as written.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(super) fn compact(&self, file: &str) -> Result<Self, Finding> {
        let mut text = br#"{"signatures":[],"signed":"#.to_vec();
        text.extend(self.form().to_compact());
        text.push(b'}');
        Self::parse(file, text, Limits::LARGE)
    }
    /// The same file, where it is large enough for it as one that shares all its entries with itself: what is edited then is
    /// what lies outside the lists.
    pub(super) fn shared(&self) -> Self {
        let parts = shared::skeleton(&self.text, self.canonical).filter(|_| self.compact);
        let parts = parts.and_then(|(own, splice)| shared::put_together(own, splice));
        parts.unwrap_or_else(|| self.clone())
    }
    /// The same file, unsigned, with each text in place of what lies at its span: outside the long lists, in ascending order.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(super) fn edited(
        &self,
        file: &str,
        edits: &[(Range<usize>, String)],
    ) -> Result<Self, Finding> {
        let blank = self.without_signatures();
        let mut own = String::with_capacity(blank.text.own().len());
        let mut from = 0;
        for (span, new) in edits {
            own.push_str(&blank.text.own()[from..span.start]);
            own.push_str(new);
            from = span.end;
        }
        own.push_str(&blank.text.own()[from..]);
        match blank.text.splice() {
            None => Self::parse(file, own.into_bytes(), Limits::LARGE),
            Some(splice) => Self::with_entries(file, own, splice.clone()),
        }
    }

    fn with_replaced(&self, index: usize, entry: Signature) -> Self {
        let list = Json::proven(self.text.own(), self.signatures_span.clone());
        let old = list.elements().nth(index).and_then(|old| old.get("sig"));
        let Some(old) = old else {
            return self.clone();
        };
        let mut signatures = self.signatures.clone();
        let new = format!("\"{}\"", entry.sig);
        signatures[index] = entry;
        self.spliced(old.span(), &new, signatures)
    }

    fn with_new(&self, entry: Signature) -> Self {
        let index = place(&self.signatures, &entry.keyid);
        let list = Json::proven(self.text.own(), self.signatures_span.clone());
        let layout = Layout::of(self.text.own(), list);
        let (span, new) = layout.insertion(list, index, &entry);
        let mut signatures = self.signatures.clone();
        signatures.insert(index, entry);
        self.spliced(span, &new, signatures)
    }

    /// The same file with `new` in place of what lies at `span`, somewhere in the `signatures` list.
    fn spliced(&self, span: Range<usize>, new: &str, signatures: Vec<Signature>) -> Self {
        let moved = |offset: usize| {
            if offset < span.end {
                offset
            } else {
                offset - span.len() + new.len()
            }
        };
        let moved = |range: &Range<usize>| moved(range.start)..moved(range.end);
        Self {
            text: Arc::new(self.text.edited(&span, new)),
            signed: moved(&self.signed),
            signatures_span: moved(&self.signatures_span),
            signatures,
            ordered: self.ordered,
            compact: self.compact,
            canonical: self.canonical,
            known: Arc::clone(&self.known),
        }
    }
}

/// Where in the list an entry for `keyid` belongs; see [`Envelope::with_signature`].
fn place(signatures: &[Signature], keyid: &KeyId) -> usize {
    let disorder = signatures
        .windows(2)
        .rposition(|pair| pair[0].keyid > pair[1].keyid);
    let run = disorder.map_or(0, |index| index + 1);
    run + signatures[run..].partition_point(|entry| entry.keyid < *keyid)
}
