//! Shares of a secret, over every way to split it among up to seven: all that are enough restore it, none that are one too few do, and every damage, lie
//! and slip of the pen is named before shares are put together, with whose share it is. What a secret restores to is found here by another Lagrange.
#![allow(clippy::unwrap_used, reason = "tests")]

use sha2::{Digest as _, Sha256 as Hasher};
use tuf_ceremony::backup::{
    Fault, Held, LENGTH, Record, Scheme, Share, combine, judge, sheet, split, subsets,
};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::words;

const NAMES: [&str; 7] = ["Ada", "Grace", "Edith", "Joan", "Mary", "Hedy", "Radia"];

/// A secret and its set.
struct Dealt {
    secret: Secret,
    record: Record,
    shares: Vec<Share>,
}

impl Dealt {
    fn new(needed: u8, of: u8) -> Self {
        let secret = Secret::random(32).unwrap();
        let scheme = Scheme::new("script.toml", needed, of).unwrap();
        let (record, shares) = split(&secret, scheme, backup()).unwrap();
        Self {
            secret,
            record,
            shares,
        }
    }
    fn held(&self, places: &[usize]) -> Vec<Held<'_>> {
        let held = places.iter().map(|place| Held {
            from: NAMES[*place],
            share: &self.shares[*place],
        });
        held.collect()
    }
    fn is_secret(&self, bytes: &[u8]) -> bool {
        self.secret.expose(|secret| secret == bytes)
    }
}

fn backup() -> Sha256 {
    Sha256::of(b"the age file")
}

/// Every way to split among two to seven.
fn schemes() -> impl Iterator<Item = (u8, u8)> {
    (2..=7).flat_map(|of| (2..=of).map(move |needed| (needed, of)))
}

fn copy(share: &Share) -> Vec<u8> {
    share.bytes().expose(<[u8]>::to_vec)
}

fn secret(mut bytes: Vec<u8>) -> Secret {
    Secret::take(&mut bytes).unwrap()
}

fn times(mut one: u8, mut other: u8) -> u8 {
    let mut product = 0;
    while other > 0 {
        if other & 1 == 1 {
            product ^= one;
        }
        one = (one << 1) ^ ((one >> 7) * 0x1d);
        other >>= 1;
    }
    product
}

/// The value at 0 of the polynomials through these shares, without the library.
fn interpolated(shares: &[&Share]) -> Vec<u8> {
    let inverse = |x: u8| (0..=255).find(|y| times(x, *y) == 1).unwrap();
    let mut secret = vec![0; 32];
    for share in shares {
        let x = share.index();
        let others = shares.iter().map(|other| other.index());
        let weight = others.filter(|other| *other != x).fold(1, |weight, other| {
            times(weight, times(other, inverse(other ^ x)))
        });
        for (byte, value) in secret.iter_mut().zip(&copy(share)[6..38]) {
            *byte ^= times(weight, *value);
        }
    }
    secret
}

#[test]
fn all_that_are_enough_restore_and_none_that_are_one_too_few() {
    for (needed, of) in schemes() {
        let dealt = Dealt::new(needed, of);
        let mut tried = 0;
        for places in subsets(of, needed) {
            let held = dealt.held(&places);
            for record in [Some(&dealt.record), None] {
                let restored = combine(backup(), record, &held).unwrap();
                assert!(restored.expose(|restored| dealt.is_secret(restored)));
            }
            let shares: Vec<&Share> = held.iter().map(|held| held.share).collect();
            assert!(dealt.is_secret(&interpolated(&shares)));
            tried += 1;
        }
        let ways = (1..=usize::from(needed)).fold(1, |ways, place| {
            ways * (usize::from(of) + 1 - place) / place
        });
        assert_eq!(tried, ways);
        for places in subsets(of, needed - 1) {
            let held = dealt.held(&places);
            let Err(Fault::Refused(findings)) = combine(backup(), Some(&dealt.record), &held)
            else {
                panic!("{needed} of {of} with {places:?}")
            };
            assert_eq!(findings[0].rule, "SHARE-FEW");
            // Nor does it help to leave this program out.
            let shares: Vec<&Share> = held.iter().map(|held| held.share).collect();
            assert!(!dealt.is_secret(&interpolated(&shares)));
        }
    }
}

/// 256 damages: each place of a share six times or more, each with another change.
fn damages() -> impl Iterator<Item = (usize, u8)> {
    (0..=255_u8).map(|number| (usize::from(number) % LENGTH, number.max(1)))
}

#[test]
fn every_damage_of_every_share_is_noticed_and_is_its_custodians() {
    for (needed, of) in schemes() {
        let dealt = Dealt::new(needed, of);
        for (share, from) in dealt.shares.iter().zip(NAMES) {
            for (place, change) in damages() {
                let mut bytes = copy(share);
                bytes[place] ^= change;
                let finding = Share::read(from, secret(bytes)).err().unwrap();
                assert!(["SHARE-CHECK", "SHARE-FORM"].contains(&&*finding.rule));
                assert_eq!(finding.file, from);
            }
        }
    }
}

#[test]
fn every_change_with_its_check_made_right_is_found_by_the_record_and_is_its_custodians() {
    for (needed, of) in schemes() {
        let dealt = Dealt::new(needed, of);
        for (mine, from) in NAMES.iter().enumerate().take(usize::from(of)) {
            for (place, change) in damages().filter(|(place, _)| *place < 38) {
                let mut bytes = copy(&dealt.shares[mine]);
                bytes[place] ^= change;
                let hash = Hasher::new().chain_update("tuf-ceremony/share/1\n");
                let hash = hash.chain_update(&bytes[..38]).finalize();
                bytes[38..].copy_from_slice(&hash[..4]);
                let findings = match Share::read(from, secret(bytes)) {
                    Err(finding) => vec![finding],
                    Ok(changed) => {
                        let places: Vec<usize> = (0..usize::from(of)).collect();
                        let mut held = dealt.held(&places);
                        held[mine].share = &changed;
                        judge(backup(), Some(&dealt.record), &held)
                    }
                };
                assert_eq!(findings.len(), 1, "{findings:?}");
                assert_eq!(findings[0].file, *from);
            }
        }
    }
}

/// The words of a share as lines, and its text with some changed.
fn lines(share: &Share) -> Vec<Vec<String>> {
    let text = sheet::written(share).unwrap();
    let text = text.expose(|text| String::from_utf8(text.to_vec()).unwrap());
    let lines = text.lines();
    lines
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect()
}

fn typed(lines: &[Vec<String>]) -> Secret {
    let lines: Vec<String> = lines.iter().map(|line| line.join(" ")).collect();
    secret(lines.join("\n").into_bytes())
}

/// What is said of mistyped lines, and the hint.
fn said(lines: &[Vec<String>]) -> (String, Option<String>) {
    match sheet::read("Ada", &typed(lines)).err().unwrap() {
        Fault::Mistyped(finding, hint) => {
            assert_eq!((&*finding.rule, &*finding.file), ("SHARE-WORDS", "Ada"));
            let text = |hint: &[u8]| String::from_utf8(hint.to_vec()).unwrap();
            (finding.text, hint.map(|hint| hint.expose(text)))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_share_is_read_from_its_own_words() {
    for (needed, of) in schemes() {
        for share in Dealt::new(needed, of).shares {
            let lines = lines(&share);
            assert!(lines.iter().all(|line| line.len() == sheet::WORDS));
            let read = sheet::read("Ada", &typed(&lines)).unwrap();
            assert_eq!(copy(&read), copy(&share));
        }
    }
}

#[test]
fn every_word_exchanged_for_any_other_is_named_with_the_right_one() {
    let dealt = Dealt::new(3, 5);
    let right = lines(&dealt.shares[1]);
    for line in 0..sheet::LINES {
        for place in 0..sheet::WORDS {
            let own = words::byte(place, right[line][place].as_bytes()).unwrap();
            for other in (0..=255).filter(|other| *other != own) {
                let mut changed = right.clone();
                words::word(place, other).clone_into(&mut changed[line][place]);
                let (text, hint) = said(&changed);
                let at = format!("line {}, word {}", line + 1, place + 1);
                assert!(text.starts_with(&format!("{at} is wrong. ")), "{text}");
                assert_eq!(hint, Some(format!("{at}: {}\n", right[line][place])));
            }
        }
    }
}

#[test]
fn every_word_exchanged_dropped_or_doubled_is_noticed_in_its_line() {
    let dealt = Dealt::new(2, 3);
    let right = lines(&dealt.shares[2]);
    let names = |text: &str, line: usize| text.contains(&format!("line {}", line + 1));
    for line in 0..sheet::LINES {
        for one in 0..sheet::WORDS {
            for other in one + 1..sheet::WORDS {
                let mut changed = right.clone();
                changed[line].swap(one, other);
                if changed != right {
                    assert!(names(&said(&changed).0, line));
                }
            }
            let mut dropped = right.clone();
            dropped[line].remove(one);
            assert!(names(&said(&dropped).0, line));
            let mut doubled = right.clone();
            doubled[line].insert(one, right[line][one].clone());
            assert!(names(&said(&doubled).0, line));
        }
    }
    // Neighbours over the end of a line, and whole lines.
    for line in 1..sheet::LINES {
        let mut changed = right.clone();
        let last = right[line - 1][sheet::WORDS - 1].clone();
        changed[line - 1][sheet::WORDS - 1] = std::mem::replace(&mut changed[line][0], last);
        let (text, hint) = said(&changed);
        assert!(names(&text, line - 1) && names(&text, line) && hint.is_some());
        let mut changed = right.clone();
        changed.swap(line - 1, line);
        let (text, _) = said(&changed);
        assert!(names(&text, line - 1) && names(&text, line));
    }
}
