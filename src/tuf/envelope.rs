//! A metadata file: `{"signed": …, "signatures": […]}`, its bytes kept exactly as found. Adding a signature edits
//! the text of the `signatures` array only, so `signed` stays byte for byte what it was.

use std::borrow::Cow;
use std::ops::Range;

use data_encoding::HEXLOWER;

use super::canonical::{self, Form};
use super::digest::Sha256;
use super::finding::Finding;
use super::json::{Json, Kind, Limits, check};
use super::key::KeyId;
use super::style;
use super::value::Value;

mod layout;

use layout::Layout;

/// A metadata file in memory: one buffer, spans into it.
#[derive(Clone)]
pub struct Envelope {
    text: String,
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
    /// signature (`bundle` of TAP 18) are kept, and so are several entries with one keyid.
    ///
    /// # Errors
    /// A finding of rule `JSON-STRICT` (with the position) or `ENVELOPE-FORM`, its `file` set to `file`.
    pub fn parse(file: &str, bytes: Vec<u8>, limits: Limits) -> Result<Self, Finding> {
        let not_strict = |fault: &dyn std::fmt::Display| {
            Finding::error(
                "JSON-STRICT",
                file,
                format!("This is not strict JSON: {fault}."),
            )
        };
        let document = check(&bytes, limits).map_err(|error| not_strict(&error))?;
        let (signed, signatures_span, signatures) =
            read(document).map_err(|text| Finding::error("ENVELOPE-FORM", file, text))?;
        let form = Form::of(signed);
        let (canonical, payload_digest) = (form.is_canonical(), form.sha256());
        let signed = signed.span();
        Ok(Self {
            text: String::from_utf8(bytes).map_err(|error| not_strict(&error))?,
            signed,
            signatures_span,
            signatures,
            canonical,
            payload_digest,
        })
    }
    /// The file as found.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
    /// The signed part.
    pub fn signed(&self) -> Json<'_> {
        Json::proven(&self.text, self.signed.clone())
    }
    /// What signatures are made over: the canonical form of the signed part, borrowed where it is canonical as written.
    pub fn payload(&self) -> Cow<'_, [u8]> {
        if self.canonical {
            Cow::Borrowed(self.signed().bytes())
        } else {
            Cow::Owned(canonical::to_vec(self.signed()))
        }
    }
    /// SHA-256 of [`Self::payload`].
    pub fn payload_digest(&self) -> Sha256 {
        self.payload_digest
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

    fn with_replaced(&self, index: usize, entry: Signature) -> Self {
        let list = Json::proven(&self.text, self.signatures_span.clone());
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
        let list = Json::proven(&self.text, self.signatures_span.clone());
        let layout = Layout::of(&self.text, list);
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
            text: [&self.text[..span.start], new, &self.text[span.end..]].concat(),
            signed: moved(&self.signed),
            signatures_span: moved(&self.signatures_span),
            signatures,
            canonical: self.canonical,
            payload_digest: self.payload_digest,
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

type Parts<'a> = (Json<'a>, Range<usize>, Vec<Signature>);

/// Finds the parts of an envelope, or says in a sentence what it lacks.
fn read(document: Json<'_>) -> Result<Parts<'_>, String> {
    if document.kind() != Kind::Object {
        return Err("A metadata file is a JSON object with signed and signatures.".to_owned());
    }
    let signed = member(document, "The file", "signed", Kind::Object, "an object")?;
    let list = member(document, "The file", "signatures", Kind::Array, "a list")?;
    let signatures = list.elements().enumerate().map(|(index, entry)| {
        let whose = format!("signatures[{index}]");
        if entry.kind() != Kind::Object {
            return Err(format!("{whose} is not an object."));
        }
        let text = |name| {
            let value = member(entry, &whose, name, Kind::String, "a string")?;
            Ok::<_, String>(value.as_str().unwrap_or_default().into_owned())
        };
        Ok(Signature {
            keyid: KeyId(text("keyid")?),
            sig: text("sig")?,
        })
    });
    let signatures = signatures.collect::<Result<_, _>>()?;
    Ok((signed, list.span(), signatures))
}

fn member<'a>(
    object: Json<'a>,
    whose: &str,
    name: &str,
    kind: Kind,
    wanted: &str,
) -> Result<Json<'a>, String> {
    match object.get(name) {
        Some(value) if value.kind() == kind => Ok(value),
        Some(_) => Err(format!("{whose} has a member {name} that is not {wanted}.")),
        None => Err(format!("{whose} has no member {name}.")),
    }
}
