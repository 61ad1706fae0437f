//! Digests as PGP words (Juola and Zimmermann 1995), to be read aloud: even bytes have words of two syllables, odd ones of three, so that a
//! swapped, doubled or dropped word is heard.
//!
//! ```
//! assert_eq!(tuf_ceremony::words::of(&[0xe5, 0x82]), ["topmost", "Istanbul"]);
//! ```

mod list;

/// One word a byte, in order.
pub fn of(bytes: &[u8]) -> Vec<&'static str> {
    let words = bytes.iter().enumerate();
    words.map(|(place, byte)| word(place, *byte)).collect()
}

/// The word of a byte at this place, counted from 0.
pub fn word(place: usize, byte: u8) -> &'static str {
    list_of(place)[usize::from(byte)]
}

/// The byte of a word at this place, in capitals or not. None for what is no word, and for a word of the other list.
pub fn byte(place: usize, word: &[u8]) -> Option<u8> {
    let same = |known: &&str| known.as_bytes().eq_ignore_ascii_case(word);
    let found = list_of(place).iter().position(same)?;
    u8::try_from(found).ok()
}

fn list_of(place: usize) -> &'static [&'static str; 256] {
    if place.is_multiple_of(2) {
        &list::EVEN
    } else {
        &list::ODD
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::{byte, list, of, word};

    #[test]
    fn known_fingerprint_gives_the_published_words() {
        let fingerprint = data_encoding::HEXUPPER
            .decode(b"E58294F2E9A227486E8B061B31CC528FD7FA3F19")
            .unwrap();
        assert_eq!(
            of(&fingerprint).join(" "),
            "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado chatter revolver Dupont \
             midsummer stopwatch whimsical cowbell bottomless"
        );
    }

    #[test]
    fn each_list_is_256_distinct_words_in_alphabetical_order() {
        for (list, published_inversions) in [
            (list::EVEN, vec![]),
            // The one place where the published list is not in order; other programs have it so too.
            (list::ODD, vec![["applicant", "Apollo"]]),
        ] {
            let inversions: Vec<_> = list
                .array_windows::<2>()
                .filter(|[first, second]| first.to_lowercase() > second.to_lowercase())
                .copied()
                .collect();
            assert_eq!(inversions, published_inversions);
            assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), 256);
        }
    }

    #[test]
    fn no_word_is_in_both_lists_so_a_dropped_word_is_noticed() {
        let even: BTreeSet<String> = list::EVEN.iter().map(|word| word.to_lowercase()).collect();
        assert!(
            list::ODD
                .iter()
                .all(|word| !even.contains(&word.to_lowercase()))
        );
    }

    #[test]
    fn ends_of_the_lists_are_where_they_belong() {
        assert_eq!(of(&[0x00, 0x00]), ["aardvark", "adroitness"]);
        assert_eq!(of(&[0xff, 0xff]), ["Zulu", "Yucatan"]);
        assert_eq!(of(&[]), Vec::<&str>::new());
    }

    #[test]
    fn every_word_is_read_back_at_its_place_and_at_no_other_kind_of_place() {
        for value in 0..=255 {
            for place in [0, 1] {
                let typed = word(place, value).to_uppercase();
                assert_eq!(byte(place, typed.as_bytes()), Some(value));
                assert_eq!(byte(place + 1, typed.as_bytes()), None);
                assert_eq!(byte(place + 2, typed.as_bytes()), Some(value));
            }
        }
        assert_eq!(byte(0, b"topmos"), None);
        assert_eq!(byte(0, b""), None);
    }
}
