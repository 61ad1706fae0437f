//! Whether a keyid is one of a few, asked for a million.

use std::borrow::Cow;
use std::collections::HashSet;

/// A few keyids among a million that are asked for: most are told apart by their first bytes.
pub(super) struct Keyids<'a> {
    all: HashSet<Cow<'a, str>>,
    /// One bit for each of 65,536 beginnings.
    begin: Vec<u64>,
}

impl Keyids<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
    pub(super) fn has(&self, keyid: &str) -> bool {
        let (word, bit) = Self::bit(keyid);
        self.begin[word] & bit != 0 && self.all.contains(keyid)
    }
    fn bit(keyid: &str) -> (usize, u64) {
        /// Two hexadecimal digits have one byte of information; a product's upper bits depend on all of eight.
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let first = keyid.as_bytes().first_chunk::<8>().copied();
        let mixed = u64::from_le_bytes(first.unwrap_or_default()).wrapping_mul(MIX) >> 48;
        ((mixed >> 6) as usize, 1 << (mixed & 63))
    }
}

impl<'a> FromIterator<Cow<'a, str>> for Keyids<'a> {
    fn from_iter<I: IntoIterator<Item = Cow<'a, str>>>(keyids: I) -> Self {
        let all: HashSet<_> = keyids.into_iter().collect();
        let mut begin = vec![0; 1 << 10];
        for keyid in &all {
            let (word, bit) = Self::bit(keyid);
            begin[word] |= bit;
        }
        Self { all, begin }
    }
}
