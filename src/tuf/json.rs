//! The strict JSON reader: one pass that refuses everything two readers could disagree about
//! (duplicate keys, floats, integers beyond 2^53, invalid UTF-8, lone surrogates, trailing data), with
//! the position. What passed is walked through [`Json`], a view into the proven text that copies nothing.

use std::borrow::Cow;
use std::ops::Range;

mod reader;
pub(super) mod string;
mod supply;
pub(super) mod text;
mod view;

pub use reader::check;
pub(super) use reader::{prove, prove_text};
pub(super) use supply::{Found, Supply};
use text::Text;
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
    #[error("the rest cannot be read: {0}")]
    Medium(String),
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
#[derive(Clone, Copy)]
pub struct Json<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    /// What is known of the text, where the value may have one of the two long lists in it.
    document: Option<&'a Text>,
}

impl<'a> Json<'a> {
    /// Which kind of value this is.
    pub fn kind(self) -> Kind {
        match self.text.as_bytes().get(self.start) {
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
    /// The value exactly as written; borrowed but where entries are held elsewhere.
    pub fn bytes(self) -> Cow<'a, [u8]> {
        match self.spliced() {
            None => Cow::Borrowed(self.written().as_bytes()),
            Some(_) => Cow::Owned(self.pieces().collect::<Vec<_>>().concat()),
        }
    }
    /// The value as written, in pieces one behind the other.
    pub(super) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let whole = self.spliced().is_none().then(|| self.written().as_bytes());
        let parts = self.spliced().map(|text| text.pieces(self.span()));
        whole.into_iter().chain(parts.into_iter().flatten())
    }
    /// Whether both are written alike.
    pub(super) fn is_written_as(self, other: Json<'_>) -> bool {
        match (self.spliced(), other.spliced()) {
            (None, None) => self.written() == other.written(),
            _ => text::alike(self.pieces(), other.pieces()),
        }
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
        let is = |key: Json<'_>| {
            let written = key.written().as_bytes();
            let plain = written.get(1..written.len() - 1) == Some(name.as_bytes());
            plain || key.as_str().is_some_and(|key| key == name)
        };
        let mut entries = self.entries();
        entries.find(|(key, _)| is(*key)).map(|(_, value)| value)
    }
    /// The members with their keys as they stand in the text.
    pub(super) fn entries(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let mut walk = self.walk(Kind::Object);
        std::iter::from_fn(move || Some((walk.next()?, walk.next()?)))
    }
    fn walk(self, kind: Kind) -> Values<'a> {
        if self.kind() != kind {
            return Values::None;
        }
        let held = self.document.and_then(|text| text.held_at(self.start));
        held.map_or_else(
            || Values::Walked(Walk::into(self.text, self.start, self.document)),
            |held| Values::Held(Box::new(held)),
        )
    }
    /// The text that this value reaches beyond, into entries that are held elsewhere.
    fn spliced(self) -> Option<&'a Text> {
        self.document.filter(|text| text.is_spliced(self.span()))
    }
    /// The whole checked text.
    pub(super) fn text(self) -> &'a str {
        self.text
    }
    /// What is known of it, where the value may have one of the two long lists in it.
    pub(super) fn document(self) -> Option<&'a Text> {
        self.document
    }
    /// The value that lies at `span` of a text that passed [`check`].
    pub(super) fn proven(text: &'a str, span: Range<usize>) -> Self {
        let Range { start, end } = span;
        Self {
            text,
            start,
            end,
            document: None,
        }
    }
    /// As [`Self::proven`], in a document.
    pub(super) fn of(document: &'a Text, span: Range<usize>) -> Self {
        Self {
            document: Some(document),
            ..Self::proven(document.own(), span)
        }
    }
    fn written(self) -> &'a str {
        &self.text[self.start..self.end]
    }
}

/// The values inside a container: where they are written, or held elsewhere.
enum Values<'a> {
    None,
    Walked(Walk<'a>),
    Held(Box<dyn Iterator<Item = Json<'a>> + 'a>),
}

impl<'a> Iterator for Values<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        match self {
            Self::None => None,
            Self::Walked(walk) => walk.next(),
            Self::Held(held) => held.next(),
        }
    }
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { start, end, .. } = self;
        write!(f, "Json({start}..{end})")
    }
}
