//! Entries that nobody judges twice, and what is judged all the same (docs/decisions/0021).

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::*;
use super::assert_refused;
use crate::tuf::fixture;
use crate::tuf::json::Limits;
use crate::tuf::style;
use crate::tuf::value::Value;

/// A role of a list: its name and the numbers of its keys.
type Listed<'a> = (&'a str, &'a [u8]);

/// The rule that refuses, and how its text begins.
type Refusal<'a> = Option<(&'a str, &'a str)>;

/// An Ed25519 key that is no point of the curve, under the keyid of key 9.
const BROKEN: &str = r#"{"keytype":"ed25519","keyval":{"public":"0200000000000000000000000000000000000000000000000000000000000000"},"scheme":"ed25519"}"#;

/// A file whose keys are those of `signers`, key 9 a broken one, in order or not.
fn file(signers: &[u8], roles: &[Listed<'_>]) -> String {
    let mut members: Vec<String> = signers
        .iter()
        .map(|signer| {
            let key = if *signer == 9 {
                BROKEN.to_owned()
            } else {
                fixture::key_json(*signer)
            };
            format!(r#""{}":{key}"#, fixture::keyid(*signer))
        })
        .collect();
    members.sort();
    let roles = roles.iter().map(|(name, keys)| {
        let keyids: Vec<String> = keys.iter().map(|key| fixture::keyid(*key).0).collect();
        let name = style::to_line(&Value::string(*name));
        let name = String::from_utf8(name).unwrap();
        format!(
            r#"{{"keyids":{keyids:?},"name":{},"paths":["x/*"],"terminating":true,"threshold":1}}"#,
            name.trim()
        )
    });
    let roles = roles.collect::<Vec<_>>().join(",");
    let signed = format!(
        r#"{{"_type":"targets","delegations":{{"keys":{{{}}},"roles":[{roles}]}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{}},"version":1}}"#,
        members.join(",")
    );
    String::from_utf8(fixture::envelope(&signed, &[])).unwrap()
}

fn parse(text: &str) -> Envelope {
    fixture::parse(text.as_bytes().to_vec())
}

fn beside(text: &str, base: &Envelope) -> Envelope {
    let mut source = text.as_bytes();
    Envelope::read("new", &mut source, text.len(), Limits::LARGE, Some(base)).unwrap()
}

const OLD: [Listed<'_>; 3] = [("a", &[1]), ("b", &[9]), ("c", &[1, 2])];

#[test]
fn what_signers_answer_for_is_useless_where_it_is_broken_and_never_trusted() {
    let text = file(&[1, 2, 9], &OLD);
    let refused = Targets::read("old", &parse(&text)).unwrap_err();
    assert_eq!(refused.rule, "KEY-MATERIAL");
    let found = Targets::signed("old", &parse(&text)).unwrap();
    let delegations = found.delegations.unwrap();
    let role = delegations.role("b").unwrap().role;
    assert_eq!(role.keyids, [fixture::keyid(9)]);
    // Under a lenient verifier this signature would be right for the identity.
    let key = delegations.key(&fixture::keyid(9)).unwrap();
    let sig = [&[1][..], &[0; 63]].concat();
    assert!(!key.verifies(b"anything", &sig));
    let weak = file(&[1, 2, 9], &OLD).replace("\"02", "\"01");
    let weak = Targets::signed("old", &parse(&weak)).unwrap().delegations;
    let key = weak.unwrap().key(&fixture::keyid(9)).unwrap();
    assert!(!key.verifies(b"anything", &sig));
}

#[test]
fn one_bad_name_among_many_good_ones_is_refused_as_it_is_alone() {
    let long = "p".repeat(201);
    let good = [
        "project-b",
        "project-a",
        "a name of its own",
        &"p".repeat(200),
    ];
    assert!(Targets::signed("f", &parse(&file(&[1], &good.map(|name| (name, &[1][..]))))).is_ok());
    for bad in [
        "root", "targets", "", ".", "..", "p/q", "p\\q", "p\u{1}", "p\u{7f}", &long,
    ] {
        let alone = Targets::signed("f", &parse(&file(&[1], &[(bad, &[1])]))).unwrap_err();
        assert_eq!(alone.rule, "ROLE-NAME", "{bad:?}");
        for place in 0..=3 {
            let mut names = ["project-d", "project-b", "project-c"].to_vec();
            names.insert(place, bad);
            let roles: Vec<Listed<'_>> = names.iter().map(|name| (*name, &[1][..])).collect();
            let among = Targets::signed("f", &parse(&file(&[1], &roles))).unwrap_err();
            let expected = alone.text.replace("roles[0]", &format!("roles[{place}]"));
            assert_eq!(among.text, expected);
        }
    }
    let twice = [
        ("project-b", &[1][..]),
        ("project-a", &[1]),
        ("project-b", &[1]),
    ];
    let text = "signed.delegations.roles[2] delegates to project-b a second time";
    assert_refused(
        "twice",
        Targets::signed("f", &parse(&file(&[1], &twice))),
        "DELEGATION-FORM",
        text,
    );
}

#[test]
fn names_are_judged_on_nobodys_word() {
    let one = "signed.delegations.roles[1]";
    for (name, text) in [
        (
            "..",
            format!("{one}.name is .., which would be a path as a file name"),
        ),
        (
            "root",
            format!("{one}.name is root, which is the name of a top-level role"),
        ),
    ] {
        let envelope = parse(&file(&[1], &[("a", &[1]), (name, &[1])]));
        assert_refused(name, Targets::signed("f", &envelope), "ROLE-NAME", &text);
    }
    let twice = parse(&file(&[1], &[("b", &[1]), ("a", &[1]), ("b", &[1])]));
    let text = "signed.delegations.roles[2] delegates to b a second time";
    assert_refused(
        "twice",
        Targets::signed("f", &twice),
        "DELEGATION-FORM",
        text,
    );
    let nameless = parse(&file(&[1], &[("a", &[1])]).replace(r#""name":"a","#, ""));
    let text = "signed.delegations.roles[0] has no member name";
    assert_refused(
        "none",
        Targets::signed("f", &nameless),
        "DELEGATION-FORM",
        text,
    );
}

#[test]
fn what_stands_in_an_earlier_version_is_not_judged_again_and_all_else_is() {
    let base = parse(&file(&[1, 2, 9], &OLD));
    let earlier = Targets::signed("old", &base).unwrap();
    let cases: [(&str, String, Refusal<'_>); 6] = [
        ("the same", file(&[1, 2, 9], &OLD), None),
        (
            "another order",
            file(&[1, 2, 9], &[OLD[2], OLD[1], OLD[0]]),
            None,
        ),
        (
            "one more",
            file(&[1, 2, 3, 9], &[OLD[0], OLD[1], OLD[2], ("d", &[3])]),
            None,
        ),
        (
            "a key goes, its role stays",
            file(&[1, 9], &OLD),
            Some(("ROLE-UNKNOWN-KEYID", "signed.delegations.roles[2].keyids")),
        ),
        (
            "a role changes for the worse",
            file(&[1, 2, 9], &OLD).replacen(r#""threshold":1"#, r#""threshold":2"#, 1),
            Some((
                "ROLE-THRESHOLD",
                "signed.delegations.roles[0].threshold is 2",
            )),
        ),
        (
            "a name comes twice",
            file(&[1, 2, 9], &[OLD[0], OLD[1], OLD[2], OLD[1]]),
            Some((
                "DELEGATION-FORM",
                "signed.delegations.roles[3] delegates to b a second time",
            )),
        ),
    ];
    for (name, text, expected) in cases {
        for new in [parse(&text), beside(&text, &base)] {
            let found = Targets::following("new", &new, &earlier);
            match expected {
                None => assert!(found.is_ok(), "{name}: {found:?}"),
                Some((rule, begins)) => {
                    let finding = found.unwrap_err();
                    assert_eq!(finding.rule, rule, "{name}");
                    assert!(finding.text.starts_with(begins), "{name}: {}", finding.text);
                }
            }
        }
    }
    let changed = file(&[1, 2, 9], &OLD).replace("\"0200", "\"0201");
    for new in [parse(&changed), beside(&changed, &base)] {
        let finding = Targets::following("new", &new, &earlier).unwrap_err();
        assert_eq!(finding.rule, "KEY-MATERIAL");
    }
}

proptest! {
    /// Every name leads to its entry and no other name does, in whatever way the text is held.
    #[test]
    fn entries_are_found_by_name(
        old in proptest::collection::vec(r#"[ab"é]{1,3}"#, 0..12),
        new in proptest::collection::vec(r#"[ab"é]{1,3}"#, 0..12),
        sorted: bool,
    ) {
        let list = |names: Vec<String>| -> Vec<String> {
            if sorted {
                return names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            }
            let mut seen = BTreeSet::new();
            names.into_iter().filter(|name| seen.insert(name.clone())).collect()
        };
        let (old, new) = (list(old), list(new));
        let text = |names: &[String]| {
            let roles: Vec<Listed<'_>> = names.iter().map(|name| (&**name, &[1][..])).collect();
            file(&[1], &roles)
        };
        let base = parse(&text(&old));
        let earlier = Targets::read("old", &base).unwrap();
        let alone = Targets::read("new", &parse(&text(&new))).unwrap();
        let shared = beside(&text(&new), &base);
        let shared = Targets::following("new", &shared, &earlier).unwrap();
        for (targets, listed) in [(&earlier, &old), (&alone, &new), (&shared, &new)] {
            let delegations = targets.delegations.as_ref().unwrap();
            for name in old.iter().chain(&new).map(String::as_str).chain(["", "c"]) {
                let expected = listed.iter().position(|listed| listed == name);
                prop_assert_eq!(delegations.place(name), expected, "{}", name);
            }
        }
    }
}
