#![allow(clippy::unwrap_used, reason = "tests")]
use std::collections::BTreeSet;

use super::*;
use crate::tuf::envelope::Envelope;
use crate::tuf::lookup::{Listing, Unsigned};
use crate::tuf::metadata::RoleKeys;

fn bins(bit_length: u32, name_prefix: &str) -> SuccinctRoles {
    SuccinctRoles {
        role: RoleKeys {
            keyids: Vec::new(),
            threshold: 1,
        },
        bit_length,
        name_prefix: name_prefix.to_owned(),
    }
}

const KEY: &str = r#"{"k":{"keytype":"ed25519","keyval":{"public":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},"scheme":"ed25519"}}"#;

fn listing(targets: &str, delegations: &str) -> Listing {
    let text = format!(
        r#"{{"signatures":[],"signed":{{"_type":"targets","delegations":{{"keys":{KEY},{delegations}}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{{targets}}},"version":1}}}}"#
    );
    let envelope = Envelope::parse("x", text.into_bytes(), crate::tuf::json::Limits::SMALL);
    Listing::read("x", envelope.unwrap()).unwrap()
}

fn role(name: &str, terminating: bool) -> String {
    let prefixes: Vec<_> = "0123456789abcdef".chars().map(String::from).collect();
    format!(
        r#"{{"keyids":["k"],"name":"{name}","path_hash_prefixes":{prefixes:?},"terminating":{terminating},"threshold":1}}"#
    )
}

fn succinct(bits: u32, prefix: &str) -> String {
    format!(
        r#""succinct_roles":{{"bit_length":{bits},"keyids":["k"],"name_prefix":"{prefix}","threshold":1}}"#
    )
}

/// targets with these delegations, the bins' delegator, two empty roles, and every bin; `in_bin` stands in the bin of `a/1`.
fn tree(roles: &[String], delegator: &str, bins: &SuccinctRoles, in_bin: &str) -> Unsigned {
    let mut tree = Unsigned::default();
    let roles = format!(r#""roles":[{}]"#, roles.join(","));
    tree.0.insert("targets".to_owned(), listing("", &roles));
    let delegated = succinct(bins.bit_length, &bins.name_prefix);
    tree.0.insert(delegator.to_owned(), listing("", &delegated));
    for name in ["claimed", "recently-claimed"] {
        tree.0.insert(name.to_owned(), listing("", r#""roles":[]"#));
    }
    let of_a = bins.bin(Sha256::of(b"a/1"));
    for number in 0..1 << bins.bit_length {
        let files = if number == of_a { in_bin } else { "" };
        let bin = listing(files, r#""roles":[]"#);
        tree.0.insert(bins.name(number), bin);
    }
    tree
}

const FILE: &str = r#""a/1":{"hashes":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000"},"length":1}"#;
const PATHS: [&str; 3] = ["a/1", "b/2", "c/3"];

fn compared(
    after: &Unsigned,
    new: &SuccinctRoles,
    delegator: &str,
) -> Result<usize, Box<Mismatch>> {
    let old = bins(4, "bin");
    let before = tree(&[role("bins", true)], "bins", &old, FILE);
    let comparison = Comparison {
        before: &before,
        after,
        delegators: ("bins", delegator),
        bins: (&old, new),
    };
    comparison.walk_all(PATHS.into_iter())
}

fn three() -> [String; 3] {
    [
        role("claimed", false),
        role("recently-claimed", false),
        role("unclaimed", true),
    ]
}

#[test]
fn bins_under_another_name_give_the_same_answers() {
    let same = bins(4, "bin");
    let after = tree(&three(), "unclaimed", &same, FILE);
    assert_eq!(compared(&after, &same, "unclaimed").unwrap(), 3);
    let other = bins(5, "more");
    let mut after = tree(&[role("bins", true)], "bins", &other, FILE);
    assert_eq!(compared(&after, &other, "bins").unwrap(), 3);
    after.0.remove(&other.name(other.bin(Sha256::of(b"c/3"))));
    assert_eq!(
        compared(&after, &other, "bins").unwrap_err().after.path,
        "c/3"
    );
}

#[test]
fn first_path_with_another_answer_is_told_with_both_walks() {
    let same = bins(4, "bin");
    for (wrong, text) in [
        (
            tree(&three(), "unclaimed", &same, ""),
            "a/1: before, targets, bins, bin-b: bin-b answers; after, targets, claimed, recently-claimed, unclaimed, bin-b: nobody answers: the delegation from unclaimed to bin-b is terminating",
        ),
        (
            tree(
                &[role("claimed", true), role("unclaimed", true)],
                "unclaimed",
                &same,
                FILE,
            ),
            "a/1: before, targets, bins, bin-b: bin-b answers; after, targets, claimed: nobody answers: the delegation from targets to claimed is terminating",
        ),
        (
            tree(&three(), "unclaimed", &same, &FILE.replace(":1}", ":2}")),
            "a/1: before, targets, bins, bin-b: bin-b answers; after, targets, claimed, recently-claimed, unclaimed, bin-b: bin-b answers",
        ),
    ] {
        let mismatch = compared(&wrong, &same, "unclaimed").unwrap_err();
        let digit = same.name(same.bin(Sha256::of(b"a/1")));
        assert_eq!(mismatch.to_string(), text.replace("bin-b", &digit));
    }
}

#[test]
fn sample_asks_every_bin_once() {
    for bits in [1, 4, 10] {
        let bins = bins(bits, "bin");
        let paths = sample(&bins);
        let asked: BTreeSet<u32> = paths
            .iter()
            .map(|path| bins.bin(Sha256::of(path.as_bytes())))
            .collect();
        assert_eq!(asked, (0..1 << bits).collect());
        assert_eq!(paths.len(), asked.len());
    }
    let bins = bins(20, "bin");
    let parts: BTreeSet<u32> = sample(&bins)
        .iter()
        .map(|path| bins.bin(Sha256::of(path.as_bytes())) >> 6)
        .collect();
    assert_eq!(parts, (0..1 << 14).collect());
}
