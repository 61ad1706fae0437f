//! Canonical JSON as TUF clients agree on it (OLPC style, docs/compatibility.md): only `"` and `\` escaped,
//! control characters literal, keys sorted by code point, integers only, no white space, no NFC.
//!
//! One scan finds out what has to change; then the text is copied in the longest runs that may stay, so a
//! value that is canonical as written is one run, and only objects whose keys are out of order are sorted.

use std::cmp::Ordering;
use std::ops::Range;

use sha2::Digest as _;

use super::digest::Sha256;
use super::json::{Json, Walk, string};

/// A value and what it lacks to be canonical.
#[derive(Clone, Debug)]
pub struct Form<'a> {
    value: Json<'a>,
    canonical: bool,
    compact: bool,
    /// The objects whose keys are not in order: one bit for each offset of the value; empty if there is none.
    unsorted: Vec<u64>,
}

/// Whether a text is copied with its escapes or with what they stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Kept,
    Undone,
}

/// Streams the canonical form of `value` into `out`, piece by piece.
pub fn write(value: Json<'_>, out: &mut dyn FnMut(&[u8])) {
    Form::of(value).write(out);
}

/// The canonical form in memory.
pub fn to_vec(value: Json<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// SHA-256 of the canonical form; a value that is canonical as written is hashed in place.
pub fn sha256(value: Json<'_>) -> Sha256 {
    Form::of(value).sha256()
}

/// Whether `value` is canonical as written.
pub fn is_canonical(value: Json<'_>) -> bool {
    Form::of(value).is_canonical()
}

/// Writes `text` as a canonical string.
pub(super) fn write_string(text: &str, out: &mut dyn FnMut(&[u8])) {
    out(b"\"");
    for piece in text.split_inclusive(['"', '\\']) {
        match piece.as_bytes() {
            [plain @ .., last @ (b'"' | b'\\')] => {
                out(plain);
                out(&[b'\\', *last]);
            }
            plain => out(plain),
        }
    }
    out(b"\"");
}

impl<'a> Form<'a> {
    /// Looks at `value` once, in one linear pass.
    pub fn of(value: Json<'a>) -> Self {
        let mut form = Self::compact(value, true);
        // What is spliced together is compact; escapes are undone piece by piece.
        if value.pieces().nth(1).is_some() {
            form.canonical = value.pieces().all(is_canonical_run);
        } else {
            form.scan();
        }
        form
    }
    /// The form of a value without white space whose keys are known to be in order.
    pub(super) fn compact(value: Json<'a>, canonical: bool) -> Self {
        Self {
            value,
            canonical,
            compact: true,
            unsorted: Vec::new(),
        }
    }

    /// The form of a value in one piece whose keys are known to be in order, whatever lies between them.
    pub(super) fn ordered(value: Json<'a>) -> Self {
        Self {
            compact: false,
            ..Self::compact(value, false)
        }
    }

    /// Whether the value is canonical as written.
    pub fn is_canonical(&self) -> bool {
        self.canonical
    }

    /// Whether it has no white space and its keys are in order.
    pub(super) fn is_compact(&self) -> bool {
        self.compact
    }

    /// Whether its keys are in order.
    #[cfg(test)]
    pub(super) fn is_ordered(&self) -> bool {
        self.unsorted.is_empty()
    }

    /// Streams the canonical form into `out`.
    pub fn write(&self, out: &mut dyn FnMut(&[u8])) {
        if self.canonical {
            self.value.pieces().for_each(out);
        } else {
            self.write_as(Escapes::Undone, out);
        }
    }

    /// The value without white space, its keys in order, everything else as written.
    pub(super) fn to_compact(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.value.span().len());
        self.write_as(Escapes::Kept, &mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    fn write_as(&self, escapes: Escapes, out: &mut dyn FnMut(&[u8])) {
        for piece in self.value.pieces() {
            // Only a value in one piece has anything to sort, and that one lies at its offsets.
            let (bytes, span) = if self.unsorted.is_empty() {
                (piece, 0..piece.len())
            } else {
                (self.value.text().as_bytes(), self.value.span())
            };
            self.rewrite(bytes, span, escapes, out);
        }
    }

    /// SHA-256 of the canonical form.
    pub fn sha256(&self) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        self.write(&mut |piece| hasher.update(piece));
        Sha256(hasher.finalize().into())
    }

    fn scan(&mut self) {
        let bytes = self.value.text().as_bytes();
        // Per open container: its start, and for objects in order so far the last key.
        let mut open: Vec<(usize, Option<Range<usize>>)> = Vec::new();
        let mut key_is_due = false;
        let Range { start, end } = self.value.span();
        let mut at = start;
        while at < end {
            match bytes[at] {
                b'"' => {
                    let inner = at + 1..string::end(bytes, at + 1);
                    self.canonical &= is_canonical_run(&bytes[inner.clone()]);
                    at = inner.end;
                    if key_is_due && let Some((object, last)) = open.last_mut() {
                        let follows = last.as_ref().is_none_or(|last| {
                            string::compare(&bytes[last.clone()], &bytes[inner.clone()])
                                == Ordering::Less
                        });
                        if !follows {
                            let object = *object - start;
                            self.unsorted.resize(1 + (end - start) / 64, 0);
                            self.unsorted[object / 64] |= 1 << (object % 64);
                        }
                        *last = Some(inner);
                    }
                    key_is_due = false;
                }
                opening @ (b'{' | b'[') => {
                    open.push((at, None));
                    key_is_due = opening == b'{';
                }
                b'}' | b']' => {
                    open.pop();
                    key_is_due = false;
                }
                b',' => {
                    key_is_due = open.last().is_some_and(|(start, _)| bytes[*start] == b'{');
                }
                b' ' | b'\t' | b'\n' | b'\r' => self.compact = false,
                _ => {}
            }
            at += 1;
        }
        self.compact &= self.unsorted.is_empty();
        self.canonical &= self.compact;
    }

    /// Copies `span` in runs, leaving out white space, undoing escapes if wanted and sorting the objects that need it.
    fn rewrite(
        &self,
        bytes: &[u8],
        span: Range<usize>,
        escapes: Escapes,
        out: &mut dyn FnMut(&[u8]),
    ) {
        let mut run = span.start;
        let mut at = span.start;
        while at < span.end {
            match bytes[at] {
                b'"' if escapes == Escapes::Kept => at = string::end(bytes, at + 1) + 1,
                b'"' => at = rewrite_string(bytes, at + 1, &mut run, out),
                b' ' | b'\t' | b'\n' | b'\r' => {
                    out(&bytes[run..at]);
                    let white = bytes[at..span.end].iter();
                    at += white.take_while(|byte| byte.is_ascii_whitespace()).count();
                    run = at;
                }
                b'{' if self.is_unsorted(at) => {
                    out(&bytes[run..at]);
                    at = self.rewrite_sorted(at, escapes, out);
                    run = at;
                }
                _ => at += 1,
            }
        }
        out(&bytes[run..span.end]);
    }

    fn is_unsorted(&self, at: usize) -> bool {
        let object = at.wrapping_sub(self.value.span().start);
        let word = self.unsorted.get(object / 64);
        word.is_some_and(|word| word >> (object % 64) & 1 != 0)
    }

    /// Writes the object that starts at `start` with its members in order, and returns where it ends.
    fn rewrite_sorted(&self, start: usize, escapes: Escapes, out: &mut dyn FnMut(&[u8])) -> usize {
        let bytes = self.value.text().as_bytes();
        let mut walk = Walk::into(self.value.text(), start, self.value.document());
        let mut members = Vec::new();
        while let Some(key) = walk.next()
            && let Some(value) = walk.next()
        {
            members.push((key.as_str(), key, value));
        }
        members.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
        let mut separator: &[u8] = b"{";
        for (_, key, value) in members {
            out(separator);
            self.rewrite(bytes, key.span(), escapes, out);
            out(b":");
            self.rewrite(bytes, value.span(), escapes, out);
            separator = b",";
        }
        out(b"}");
        walk.end()
    }
}

/// Goes through the string whose text starts at `at` and returns where it ends, behind its quote. Escapes that are not
/// canonical end the `run` of bytes that stay, and a new one starts behind them.
fn rewrite_string(
    bytes: &[u8],
    mut at: usize,
    run: &mut usize,
    out: &mut dyn FnMut(&[u8]),
) -> usize {
    loop {
        at = string::special(bytes, at);
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => {
                let (meant, length) = string::decode(&bytes[at..]);
                if !matches!(bytes[at + 1], b'"' | b'\\') {
                    out(&bytes[*run..at]);
                    if matches!(meant, '"' | '\\') {
                        out(b"\\");
                    }
                    out(meant.encode_utf8(&mut [0; 4]).as_bytes());
                    *run = at + length;
                }
                at += length;
            }
            Some(_) => at += 1,
        }
    }
}

/// Whether a run of compact text, cut between values, has no escapes but the two canonical ones.
pub(super) fn is_canonical_run(run: &[u8]) -> bool {
    let mut bytes = run.iter();
    while bytes.any(|b| *b == b'\\') {
        if !matches!(bytes.next(), Some(b'"' | b'\\')) {
            return false;
        }
    }
    true
}
