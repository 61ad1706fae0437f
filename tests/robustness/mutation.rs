//! Damage.

use proptest::prelude::*;
use proptest::sample::Index;

/// One piece of damage to a text.
#[derive(Debug, Clone)]
pub(crate) enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Truncate(Index),
    Remove(Index, usize),
    Duplicate(Index, usize),
    /// A piece of another document.
    Splice(Index, Index, usize),
    /// Something that readers trip over.
    Insert(Index, &'static str),
}

const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    ",",
    ":",
    "\n",
    "\r",
    "\0",
    "-1",
    "0",
    "9007199254740993",
    "18446744073709551616",
    "1e400",
    "null",
    "true",
    "\u{feff}",
    "\u{202e}",
    "\u{10000}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// One to four pieces of damage.
pub(crate) fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<Index>;
    let length = || prop_oneof![1_usize..8, 8_usize..400];
    let mutation = prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, 1 << bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        at().prop_map(Mutation::Truncate),
        (at(), length()).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (at(), length()).prop_map(|(at, length)| Mutation::Duplicate(at, length)),
        (at(), at(), length()).prop_map(|(at, from, length)| Mutation::Splice(at, from, length)),
        (at(), prop::sample::select(&TOKENS[..])).prop_map(|(at, text)| Mutation::Insert(at, text)),
    ];
    prop::collection::vec(mutation, 1..=4)
}

/// `bytes`, damaged; splices come from `other`.
pub(crate) fn mutate(bytes: &[u8], other: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        let size = bytes.len();
        let range = |at: &Index, length: usize, size: usize| {
            let start = at.index(size);
            start..(start + length).min(size)
        };
        match mutation {
            Mutation::Flip(at, bits) => bytes[at.index(size)] ^= bits,
            Mutation::Set(at, byte) => bytes[at.index(size)] = *byte,
            Mutation::Truncate(at) => bytes.truncate(at.index(size)),
            Mutation::Remove(at, length) => drop(bytes.drain(range(at, *length, size))),
            Mutation::Duplicate(at, length) => {
                let range = range(at, *length, size);
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, again);
            }
            Mutation::Splice(at, from, length) => {
                let piece = other[range(from, *length, other.len())].to_vec();
                bytes.splice(range(at, *length, size), piece);
            }
            Mutation::Insert(at, text) => {
                let at = at.index(size);
                bytes.splice(at..at, text.bytes());
            }
        }
    }
    bytes
}
