//! Digests as PGP words (Juola and Zimmermann 1995), to be read aloud: even bytes have words of two syllables, odd ones of three, so that a
//! swapped, doubled or dropped word is heard.
//!
//! ```
//! assert_eq!(tuf_ceremony::words::of(&[0xe5, 0x82]), ["topmost", "Istanbul"]);
//! ```

mod list;

/// One word a byte, in order.
pub fn of(bytes: &[u8]) -> Vec<&'static str> {
    bytes
        .iter()
        .enumerate()
        .map(|(position, byte)| {
            let list = if position % 2 == 0 {
                &list::EVEN
            } else {
                &list::ODD
            };
            list[usize::from(*byte)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::{list, of};

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
}
