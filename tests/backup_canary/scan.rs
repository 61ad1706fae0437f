//! What is looked for: a secret in every form in which it could leave, and any piece of it that would already help.

use std::collections::HashMap;

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

/// Bytes in a row that count as a piece of what is random in every byte.
const PIECE: usize = 8;
/// Letters in a row that count, of its hexadecimal or base 64 text or another that says less than a byte a letter.
const LETTERS: usize = 12;
/// Words in a row that count: two may stand in a row by accident, since digests are read aloud with the same words.
const IN_A_ROW: usize = 3;
/// How far words stand apart on the page of a share.
const COLUMN: usize = 14;

/// Secrets by name, cut into pieces.
#[derive(Default)]
pub(crate) struct Needles {
    names: Vec<String>,
    /// By their first bytes: whose they are, and all their bytes.
    pieces: HashMap<[u8; PIECE], Vec<(usize, Vec<u8>)>>,
}

impl Needles {
    /// A secret that is random in every byte: raw, and as text.
    pub(crate) fn bytes(&mut self, name: &str, secret: &[u8]) {
        self.cut(name, secret, PIECE);
        for encoding in [&HEXLOWER, &HEXUPPER, &BASE64] {
            self.letters(name, encoding.encode(secret).trim_end_matches('='));
        }
    }

    /// A text of which every letter is secret.
    pub(crate) fn letters(&mut self, name: &str, text: &str) {
        self.cut(name, text.as_bytes(), LETTERS);
    }

    /// Bytes that say half of what a byte can.
    pub(crate) fn digits(&mut self, name: &str, digits: &[u8]) {
        self.cut(name, digits, 2 * PIECE);
    }

    /// Words of a sheet, in the same line.
    pub(crate) fn words(&mut self, name: &str, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        for row in words.windows(IN_A_ROW) {
            let columns = row.iter().map(|word| format!("{word:COLUMN$}"));
            let columns: String = columns.collect();
            for text in [row.join(" "), row.concat(), columns.trim_end().to_owned()] {
                self.piece(name, text.as_bytes());
            }
        }
    }

    fn cut(&mut self, name: &str, secret: &[u8], size: usize) {
        for piece in secret.windows(size.min(secret.len())) {
            self.piece(name, piece);
        }
    }

    fn piece(&mut self, name: &str, piece: &[u8]) {
        let known = self.names.iter().position(|known| known == name);
        let whose = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        let first = piece.first_chunk().expect("a piece is no shorter");
        let pieces = self.pieces.entry(*first).or_default();
        pieces.push((whose, piece.to_owned()));
    }

    /// Whose pieces are in there, and how many.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> HashMap<&str, usize> {
        let mut begins = vec![false; 1 << 16];
        let pair = |one: u8, other: u8| usize::from(one) << 8 | usize::from(other);
        for first in self.pieces.keys() {
            begins[pair(first[0], first[1])] = true;
        }
        let mut found = HashMap::new();
        for (place, two) in bytes.windows(2).enumerate() {
            if !begins[pair(two[0], two[1])] {
                continue;
            }
            let here = &bytes[place..];
            let Some(pieces) = here.first_chunk().and_then(|first| self.pieces.get(first)) else {
                continue;
            };
            for (whose, piece) in pieces {
                if here.starts_with(piece) {
                    *found.entry(self.names[*whose].as_str()).or_default() += 1;
                }
            }
        }
        found
    }
}

#[test]
fn every_form_of_a_secret_is_found_and_nothing_else() {
    let secret: Vec<u8> = (0..32_u8).map(|byte| byte.wrapping_mul(37)).collect();
    let mut needles = Needles::default();
    needles.bytes("bytes", &secret);
    needles.words("words", "adult bravado aimless Brazilian");
    needles.letters("letters", "QPZRY9X8GF2TVDW0");
    let in_text = |text: &str| needles.found_in(text.as_bytes()).into_keys().next();
    assert_eq!(needles.found_in(&secret), HashMap::from([("bytes", 25)]));
    let mut among_others = vec![7; 1000];
    among_others[500..508].copy_from_slice(&secret[11..19]);
    assert_eq!(
        needles.found_in(&among_others),
        HashMap::from([("bytes", 1)])
    );
    among_others[503] ^= 1;
    assert_eq!(needles.found_in(&among_others), HashMap::new());
    assert_eq!(in_text(&HEXLOWER.encode(&secret)), Some("bytes"));
    assert_eq!(in_text(&HEXUPPER.encode(&secret)), Some("bytes"));
    assert_eq!(in_text(&BASE64.encode(&secret)), Some("bytes"));
    assert_eq!(in_text("key: 9X8GF2TVDW0,"), None);
    assert_eq!(in_text("key: Y9X8GF2TVDW0,"), Some("letters"));
    assert_eq!(in_text("bravado aimless Brazilian"), Some("words"));
    assert_eq!(in_text("bravadoaimlessBrazilian"), Some("words"));
    assert_eq!(
        in_text("adult         bravado       aimless"),
        Some("words")
    );
    assert_eq!(in_text("adult bravado adult bravado"), None);
}
