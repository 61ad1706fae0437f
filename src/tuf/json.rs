//! The strict JSON reader: one pass that refuses everything two readers could disagree about
//! (duplicate keys, floats, integers beyond 2^53, invalid UTF-8, lone surrogates, trailing data), with
//! the position. What passed is walked through [`Json`], a view into the proven text that copies nothing.

use std::borrow::Cow;
use std::ops::Range;

mod reader;
pub(super) mod string;
mod view;

pub use reader::check;
pub(super) use view::Walk;

/// Caps that hold before and while a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects; [`check`] never allows more than [`Limits::DEEPEST`].
    pub depth: usize,
    /// Longest string, in bytes as written.
    pub string: usize,
}

impl Limits {
    /// The reader itself keeps its own stack; whoever walks a value calls itself once a level, which this bounds.
    pub const DEEPEST: usize = 128;
    /// Root-sized metadata and every file of our own: 16 MiB, depth 32, strings of 64 KiB.
    pub const SMALL: Self = Self {
        bytes: 16 << 20,
        depth: 32,
        string: 64 << 10,
    };
    /// Large delegated roles (`claimed`): 1 GiB.
    pub const LARGE: Self = Self {
        bytes: 1 << 30,
        depth: 32,
        string: 64 << 10,
    };
}

/// Why a text was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct JsonError {
    /// Byte offset, from 0.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// What is wrong there.
    pub fault: JsonFault,
}

/// What the reader refuses. `Display` is a short sentence without a final stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant is its own message")]
pub enum JsonFault {
    #[error("the text is {0} bytes long; at most {1} are read")]
    TooLong(usize, usize),
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    #[error("a string longer than {0} bytes")]
    StringTooLong(usize),
    #[error("the text ends too early")]
    Truncated,
    #[error("expected {expected}, found {found}")]
    Unexpected {
        expected: &'static str,
        found: String,
    },
    #[error("data after the end of the document")]
    TrailingData,
    #[error("the key {0} occurs twice in one object")]
    DuplicateKey(String),
    #[error("a number with a fraction or exponent; TUF metadata has integers only")]
    Float,
    #[error("an integer beyond 2^53 - 1, which some readers would round")]
    IntegerTooLarge,
    #[error("a number written as {0}; leading zeros and minus zero are refused")]
    NumberForm(String),
    #[error("bytes that are not UTF-8")]
    InvalidUtf8,
    #[error("a byte order mark")]
    ByteOrderMark,
    #[error("a lone surrogate in an escape")]
    LoneSurrogate,
    #[error("an escape that JSON does not have")]
    BadEscape,
    #[error("a control character in a string; JSON wants it escaped")]
    ControlCharacter,
}

/// The six kinds of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of JSON")]
pub enum Kind {
    Null,
    Bool,
    Integer,
    String,
    Array,
    Object,
}

/// A value inside a text that passed [`check`]: a position, nothing copied.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Json<'a> {
    /// Which kind of value this is.
    pub fn kind(self) -> Kind {
        match self.bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Integer,
        }
    }
    /// Where the value lies in the checked text.
    pub fn span(self) -> Range<usize> {
        self.start..self.end
    }
    /// The value exactly as written.
    pub fn bytes(self) -> &'a [u8] {
        self.written().as_bytes()
    }
    /// The string, unescaped; borrowed where nothing was escaped.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.written().strip_prefix('"')?.strip_suffix('"')?;
        Some(string::unescape(inner))
    }
    /// The integer.
    pub fn as_i64(self) -> Option<i64> {
        self.written().parse().ok()
    }
    /// The boolean.
    pub fn as_bool(self) -> Option<bool> {
        self.written().parse().ok()
    }
    /// The members of an object in the order written; none for any other kind.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.entries()
            .filter_map(|(key, value)| Some((key.as_str()?, value)))
    }
    /// The elements of an array; none for any other kind.
    pub fn elements(self) -> impl Iterator<Item = Json<'a>> {
        self.walk(Kind::Array)
    }
    /// The member called `name` of an object (a linear scan).
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.members()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
    /// The members with their keys as they stand in the text.
    pub(super) fn entries(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let mut walk = self.walk(Kind::Object);
        std::iter::from_fn(move || Some((walk.next()?, walk.next()?)))
    }
    fn walk(self, kind: Kind) -> impl Iterator<Item = Json<'a>> {
        let walk = (self.kind() == kind).then(|| Walk::into(self.text, self.start));
        walk.into_iter().flatten()
    }
    /// The whole checked text.
    pub(super) fn text(self) -> &'a str {
        self.text
    }
    /// The value that lies at `span` of a text that passed [`check`].
    pub(super) fn proven(text: &'a str, span: Range<usize>) -> Self {
        let Range { start, end } = span;
        Self { text, start, end }
    }
    fn written(self) -> &'a str {
        &self.text[self.start..self.end]
    }
}
