#![allow(clippy::unwrap_used, reason = "tests")]

use data_encoding::HEXLOWER;
use sha2::Digest as _;

pub(super) mod sealed;
mod sheets;

use super::{Fault, Held, LENGTH, Record, Scheme, Share, combine, judge, sheet, split, subsets};
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// Shares 1, 2 and 5 of "any 3 of 5" of the bytes 0 to 31, computed by another program (polynomials s + (128 + 3i) x + (5 + 7i) x^2).
const KNOWN: [(&str, &str); 3] = [
    (
        "2124563cc31a858e9790a9a2bba4add6dff8f1cac3ccd5de272039324b747d666f08011a131cb8c60d76",
        "blackjack Capricorn egghead crossover snowcap Bradbury music inertia\n\
         orca mosquito peachy passenger rebirth publisher regain bravado\n\
         ringbolt speculate talon warranty unwind revenue snowcap aftermath\n\
         spigot specialist tactics celebrate bison corporate checkup stupendous\n\
         dragnet hydraulic klaxon gossamer gremlin antenna absurd aggregate\n\
         beehive barbecue befriend provincial southward asteroid inverse conformist\n",
    ),
    (
        "2224563cc31a092a5f6485a683e8d12f1a0120c3c6eda487556e0f2cc9221b784d8baac9cce7e5e96b0d",
        "blockade Capricorn egghead crossover snowcap Bradbury Algol tolerance\n\
         brickyard forever flytrap leprosy rematch Jamaica trauma responsive\n\
         stairway combustion beehive adviser bison replica southward alkali\n\
         tunnel Pandora Neptune equipment goldfish atmosphere Burbank potato\n\
         spearhead candidate beeswax indigo dreadful Medusa reward warranty\n\
         spearhead revolver transit travesty treadmill Hamilton ancient politeness\n",
    ),
    (
        "2524563cc31aef789833891e038d00b4590fa2226fec2cbb1db6168161f578e20fd77ae0ad2e3013265d",
        "bombast Capricorn egghead crossover snowcap Bradbury uncut mosquito\n\
         island narrative chisel matchmaker berserk aggregate optic maritime\n\
         aardvark politeness endow atmosphere rebirth candidate gremlin Babylon\n\
         tumor Chicago shamrock breakaway Scotland bodyguard minnow adviser\n\
         fallout visitor island tomorrow artist stethoscope keyboard tomorrow\n\
         tapeworm perceptive buzzard commando Aztec caretaker exceed Cherokee\n",
    ),
];

pub(super) fn secret(bytes: impl AsRef<[u8]>) -> Secret {
    Secret::take(&mut bytes.as_ref().to_vec()).unwrap()
}

fn backup() -> Sha256 {
    Sha256::of(b"the age file")
}

fn known(which: usize) -> Share {
    let bytes = HEXLOWER.decode(KNOWN[which].0.as_bytes()).unwrap();
    Share::read("Ada", secret(bytes)).unwrap()
}

fn dealt(needed: u8, of: u8, backup: Sha256) -> (Secret, Record, Vec<Share>) {
    let whole = Secret::random(32).unwrap();
    let scheme = Scheme::new("script.toml", needed, of).unwrap();
    let (record, shares) = split(&whole, scheme, backup).unwrap();
    (whole, record, shares)
}

fn held<'a>(shares: impl IntoIterator<Item = &'a Share>) -> Vec<Held<'a>> {
    let names = ["Ada", "Grace", "Edith", "Joan", "Mary"];
    let shares = names.into_iter().zip(shares);
    shares.map(|(from, share)| Held { from, share }).collect()
}

pub(super) fn said(findings: &[Finding]) -> Vec<String> {
    let said = |finding: &Finding| format!("{} {}: {}", finding.rule, finding.file, finding.text);
    findings.iter().map(said).collect()
}

pub(super) fn refused(fault: Fault) -> Vec<String> {
    match fault {
        Fault::Refused(findings) => said(&findings),
        other => panic!("{other}"),
    }
}

/// The share with these first bytes and a right check, as somebody makes it who knows the format.
fn forged(share: &Share, change: impl FnOnce(&mut [u8])) -> Secret {
    let mut bytes = share.bytes().expose(<[u8]>::to_vec);
    change(&mut bytes);
    let commitment = sha2::Sha256::new()
        .chain_update(b"tuf-ceremony/share/1\n")
        .chain_update(&bytes[..38])
        .finalize();
    bytes[38..].copy_from_slice(&commitment[..4]);
    secret(bytes)
}

#[test]
fn shares_of_another_program_are_read_and_give_its_secret() {
    let shares = [known(0), known(1), known(2)];
    for (share, (bytes, words)) in shares.iter().zip(KNOWN) {
        share
            .bytes()
            .expose(|found| assert_eq!(HEXLOWER.encode(found), bytes));
        let written = sheet::written(share).unwrap();
        written.expose(|written| assert_eq!(written, words.as_bytes()));
        assert_eq!(share.scheme().to_string(), "any 3 of 5");
        assert!(share.opens(backup()));
    }
    assert_eq!(shares.each_ref().map(Share::index), [1, 2, 5]);
    let restored = combine(backup(), None, &held(&shares)).unwrap();
    restored.expose(|restored| assert!(restored.iter().copied().eq(0..32)));
}

#[test]
fn a_scheme_needs_two_shares_at_least_and_has_sixteen_at_most() {
    for (needed, of) in [(2, 2), (2, 16), (16, 16)] {
        assert!(Scheme::new("script.toml", needed, of).is_ok());
    }
    for (needed, of) in [(0, 0), (0, 3), (1, 1), (1, 5), (3, 2), (2, 17), (17, 17)] {
        let finding = Scheme::new("script.toml", needed, of).unwrap_err();
        assert_eq!(
            said(&[finding]),
            [format!(
                "SHARE-SCHEME script.toml: any {needed} of {of} shares is no way to split a secret: at least 2 restore it, at most all, and there are \
                 at most 16 shares"
            )]
        );
    }
}

#[test]
fn only_32_bytes_are_split() {
    let scheme = Scheme::new("", 2, 3).unwrap();
    assert!(split(&secret([7; 32]), scheme, backup()).is_ok());
    let fault = split(&secret([7; 31]), scheme, backup()).err().unwrap();
    assert_eq!(
        refused(fault),
        [
            "SHARE-LENGTH : a secret of 31 bytes is not split: seal it to a fresh age identity and split that one's 32 bytes"
        ]
    );
}

#[test]
fn a_share_of_another_form_number_or_scheme_is_refused_with_its_name() {
    let share = known(0);
    let cut = share.bytes().expose(|bytes| bytes[..41].to_vec());
    let damaged = share.bytes().expose(|bytes| {
        let mut bytes = bytes.to_vec();
        bytes[20] ^= 1;
        bytes
    });
    let first = |byte| forged(&share, |bytes| bytes[0] = byte);
    let cases = [
        (
            secret(cut),
            "SHARE-FORM Ada: a share has 42 bytes, and this has 41: ask for the whole share",
        ),
        (
            first(0x41),
            "SHARE-FORM Ada: its first byte says version 2 of the format of shares; this program reads version 1. It is a later program's, or damaged",
        ),
        (
            secret(damaged),
            "SHARE-CHECK Ada: the check at its end does not fit what stands before it: the share is damaged or mistyped. Enter it again, or ask another custodian",
        ),
        (
            forged(&share, |bytes| bytes[1] = 0x04),
            "SHARE-SCHEME Ada: any 1 of 5 shares is no way to split a secret: at least 2 restore it, at most all, and there are at most 16 shares",
        ),
        (
            forged(&share, |bytes| bytes[1] = 0x54),
            "SHARE-SCHEME Ada: any 6 of 5 shares is no way to split a secret: at least 2 restore it, at most all, and there are at most 16 shares",
        ),
        (
            first(0x20),
            "SHARE-INDEX Ada: it says that it is number 0 of 5, and shares are counted from 1: somebody made it who did not split the secret. Do not use it",
        ),
        (
            first(0x26),
            "SHARE-INDEX Ada: it says that it is number 6 of 5, and shares are counted from 1: somebody made it who did not split the secret. Do not use it",
        ),
    ];
    for (bytes, text) in cases {
        let finding = Share::read("Ada", bytes).err().unwrap();
        assert_eq!(said(&[finding]), [text]);
    }
    for index in 1..=5 {
        let read = Share::read("Ada", first(0x20 | index)).unwrap();
        assert_eq!(read.index(), index);
    }
}

#[test]
fn shares_that_do_not_belong_together_are_named_before_they_are_put_together() {
    let (whole, record, shares) = dealt(2, 3, backup());
    let (_, _, foreign) = dealt(2, 3, Sha256::of(b"another"));
    let (_, _, mixed) = dealt(3, 3, backup());
    let (_, _, again) = dealt(2, 3, backup());
    let lie = forged(&shares[1], |bytes| bytes[10] ^= 1);
    let lie = Share::read("Grace", lie).unwrap();
    let [one, two, three] = [&shares[0], &shares[1], &shares[2]];
    let good = [[one, two], [three, one], [two, three]];
    for pair in good {
        assert_eq!(judge(backup(), Some(&record), &held(pair)), []);
        let restored = combine(backup(), Some(&record), &held(pair)).unwrap();
        whole.expose(|whole| restored.expose(|restored| assert_eq!(whole, restored)));
    }
    let cases: [(&[&Share], &str); 5] = [
        (
            &[one, &foreign[1]],
            "SHARE-FOREIGN Grace: share 2 opens another backup than this. Look for the share of this backup, or for the backup of this share",
        ),
        (
            &[one, &mixed[1]],
            "SHARE-MIXED Grace: share 2 is one of a set where any 3 of 3 restore, and this set is any 2 of 3: the backup was split more than once. Put together shares of one set",
        ),
        (
            &[one, two, one],
            "SHARE-TWICE Edith: share 1 was already entered, from Ada. Enter another custodian's",
        ),
        (
            &[one, &lie],
            "SHARE-FALSE Grace: share 2 is not what was dealt: the record has another commitment. It was dealt another time for the same backup, or somebody changed it and its check. Keep it aside and ask another custodian",
        ),
        (
            &[one, &again[1]],
            "SHARE-FALSE Grace: share 2 is not what was dealt: the record has another commitment. It was dealt another time for the same backup, or somebody changed it and its check. Keep it aside and ask another custodian",
        ),
    ];
    for (shares, text) in cases {
        let fault = combine(backup(), Some(&record), &held(shares.iter().copied()));
        assert_eq!(refused(fault.err().unwrap()), [text]);
    }
    // Several at once, each with its own.
    let all = judge(
        backup(),
        Some(&record),
        &held([&foreign[0], one, &mixed[2], one, two]),
    );
    let rules: Vec<_> = all.iter().map(|one| [&*one.rule, &*one.file]).collect();
    assert_eq!(
        rules,
        [
            ["SHARE-FOREIGN", "Ada"],
            ["SHARE-MIXED", "Edith"],
            ["SHARE-TWICE", "Joan"]
        ]
    );
}

#[test]
fn without_a_record_the_scheme_is_what_most_shares_say() {
    let (whole, _, shares) = dealt(2, 3, backup());
    let (_, _, mixed) = dealt(3, 4, backup());
    for places in [[0, 1], [2, 0]] {
        let pair = held(places.map(|place| &shares[place]));
        let restored = combine(backup(), None, &pair).unwrap();
        whole.expose(|whole| restored.expose(|restored| assert_eq!(whole, restored)));
    }
    for order in [
        [&mixed[3], &shares[0], &shares[1]],
        [&shares[0], &mixed[3], &shares[1]],
    ] {
        let findings = judge(backup(), None, &held(order));
        let [finding] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!(finding.rule, "SHARE-MIXED");
        assert!(
            finding
                .text
                .starts_with("share 4 is one of a set where any 3 of 4 restore")
        );
    }
    let one_each = judge(backup(), None, &held([&mixed[3], &shares[0]]));
    assert_eq!(one_each[0].file, "Grace");
}

#[test]
fn whoever_renumbers_a_share_is_named_and_not_the_one_whose_number_it_takes() {
    let (_, record, shares) = dealt(2, 3, backup());
    let renumbered = Share::read("Ada", forged(&shares[0], |bytes| bytes[0] = 0x22)).unwrap();
    let both = held([&renumbered, &shares[1]]);
    let findings = judge(backup(), Some(&record), &both);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        [&*findings[0].rule, &*findings[0].file],
        ["SHARE-FALSE", "Ada"]
    );
    // Without the record nobody can tell which of the two it is.
    assert_eq!(
        said(&judge(backup(), None, &both)),
        [
            "SHARE-TWICE Grace: share 2 was already entered, from Ada, and the two are not the same, so one of them is false. Enter another custodian's"
        ]
    );
}

#[test]
fn fewer_shares_than_needed_are_refused() {
    let (_, record, shares) = dealt(3, 4, backup());
    let few = |count: usize| {
        let fault = combine(backup(), Some(&record), &held(&shares[..count]));
        refused(fault.err().unwrap())
    };
    assert_eq!(
        few(0),
        ["SHARE-FEW : 0 of the 3 shares that restore are there. Enter 3 more"]
    );
    assert_eq!(
        few(2),
        ["SHARE-FEW : 2 of the 3 shares that restore are there. Enter 1 more"]
    );
    assert!(combine(backup(), Some(&record), &held(&shares)).is_ok());
}

#[test]
fn a_record_is_read_as_it_was_written_and_in_no_other_form() {
    let (_, record, shares) = dealt(2, 3, backup());
    let text = String::from_utf8(record.to_vec()).unwrap();
    let read = |text: &str| Record::parse("shares.json", text.as_bytes());
    assert_eq!(read(&text), Ok(record.clone()));
    assert!(shares.iter().all(|share| record.has(share)));
    let short = format!("\"{}\"", shares[2].commitment());
    let cases = [
        (
            text.replace("shares/1", "shares/2"),
            "SHARE-RECORD",
            "the schema is \"tuf-ceremony/shares/2\"",
        ),
        (
            text.replace("needed", "wanted"),
            "SHARE-RECORD",
            "unknown field `wanted`",
        ),
        (
            text.replace("\"needed\"", "\"needed\": 2, \"needed\""),
            "SHARE-RECORD",
            "",
        ),
        (
            text.replace(&short, "\"00\""),
            "SHARE-RECORD",
            "expected 64",
        ),
        (
            text.replace("\"needed\": 2", "\"needed\": 4"),
            "SHARE-SCHEME",
            "any 4 of 3 shares",
        ),
    ];
    for (changed, rule, part) in cases {
        let finding = read(&changed).unwrap_err();
        assert_eq!((&*finding.rule, &*finding.file), (rule, "shares.json"));
        assert!(finding.text.contains(part), "{}", finding.text);
    }
    let other = judge(Sha256::of(b"another"), Some(&record), &held(&shares));
    assert_eq!(
        said(&other),
        [
            "SHARE-RECORD : this record is of shares that open another backup. Take the record that lies beside the backup, or none"
        ]
    );
}

#[test]
fn subsets_are_all_and_each_once() {
    let found: Vec<_> = subsets(4, 2).collect();
    assert_eq!(
        found,
        [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]].map(Vec::from)
    );
    assert_eq!(subsets(16, 8).count(), 12_870);
    assert_eq!(subsets(3, 0).collect::<Vec<_>>(), [Vec::<usize>::new()]);
    assert_eq!(LENGTH, sheet::LINES * (sheet::WORDS - 1));
}
