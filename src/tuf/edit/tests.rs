#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::tuf::envelope::Envelope;
use crate::tuf::fixture;
use crate::tuf::metadata::Targets;
use crate::tuf::value::Value;

const DATE: &str = "2028-01-02T03:04:05Z";

fn role(numbers: &[u8], threshold: u32) -> RoleSpec {
    RoleSpec {
        keys: numbers.iter().map(|number| fixture::key(*number)).collect(),
        threshold,
    }
}

fn root_spec() -> RootSpec {
    RootSpec {
        version: 1,
        expires: DATE.to_owned(),
        root: role(&[1, 2, 3], 2),
        timestamp: role(&[9], 1),
        snapshot: role(&[9], 1),
        targets: role(&[4, 5], 2),
    }
}

fn text(envelope: &Envelope) -> String {
    String::from_utf8(envelope.bytes().to_vec()).unwrap()
}

fn signed(envelope: &Envelope) -> Value {
    Value::from_json(envelope.signed())
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

#[test]
fn renewal_keeps_every_byte_but_version_expiry_and_signatures() {
    let compact = fixture::root(7, &[1, 2], 2);
    let spaced = compact
        .replace(':', " : ")
        .replace("2027-11-22T00 : 00 : 00Z", "2027-11-22T00:00:00Z")
        .replace(',', ",\r\n\t");
    let odd = compact
        .replace(
            "\"_type\"",
            "\"a\\u0062\\/\":[1, \"\\u00e9\u{1}\"],\"_type\"",
        )
        .replace('\u{1}', "\\u0001");
    let late = compact
        .replace(",\"version\":7", "")
        .replace("\"_type\"", "\"version\":7,\"_type\"");
    for (name, style) in [
        ("compact", &compact),
        ("spaced", &spaced),
        ("odd", &odd),
        ("late", &late),
    ] {
        let before = String::from_utf8(fixture::envelope(style, &[("ab", "cd")])).unwrap();
        let renewed = renew(
            "root.json",
            &fixture::parse(before.clone().into_bytes()),
            DATE,
        )
        .unwrap();
        let expected = before
            .replace("2027-11-22T00:00:00Z", DATE)
            .replace("version\":7", "version\":8")
            .replace("version\" : 7", "version\" : 8")
            .replace(r#"[{"keyid":"ab","sig":"cd"}]"#, "[]");
        assert_eq!(text(&renewed), expected, "{name}");
    }
}

#[test]
fn expiry_of_another_form_is_refused() {
    let old = fixture::parse(fixture::envelope(&fixture::root(7, &[1], 1), &[]));
    let finding = renew("root.json", &old, "2028-01-02T03:04:05+00:00")
        .err()
        .unwrap();
    assert_eq!(finding.rule, "EXPIRES-FORM");
    assert_eq!(
        finding.text,
        "The new expiry \"2028-01-02T03:04:05+00:00\" is not of the form YYYY-MM-DDTHH:MM:SSZ, which every client reads. Write it so, in UTC."
    );
}

#[test]
fn first_root_has_the_safe_profile() {
    let root = root("1.root.json", None, &root_spec()).unwrap();
    let signed = signed(&root);
    assert_eq!(
        at(&signed, &["spec_version"]),
        Some(&Value::string("1.0.0"))
    );
    assert_eq!(
        at(&signed, &["consistent_snapshot"]),
        Some(&Value::Bool(true))
    );
    assert!(text(&root).starts_with("{\n \"signatures\": [],\n \"signed\": {\n  \"_type\": \"root\",\n  \"consistent_snapshot\": true,"));
    let read = Root::read("1.root.json", &root).unwrap();
    assert_eq!(read.header.version, 1);
    assert_eq!(
        read.role("root").unwrap().keyids,
        [1, 2, 3].map(fixture::keyid)
    );
    assert_eq!(read.keys.len(), 6);
}

#[test]
fn successor_keeps_what_it_does_not_know_and_keyids_as_found() {
    let foreign = fixture::key_json(1).replace("\"keytype\"", "\"x-owner\":\"@ada\",\"keytype\"");
    let keys = format!(
        r#"{{"ada":{foreign},"{two}":{key_two},"{three}":{key_three}}}"#,
        two = fixture::keyid(2),
        key_two = fixture::key_json(2),
        three = fixture::keyid(3),
        key_three = fixture::key_json(3),
    );
    let listed = format!(
        r#"{{"keyids":["{}","ada"],"threshold":1,"x-role":{{"n":1}}}}"#,
        fixture::keyid(2)
    );
    let mirrors = format!(r#""roles":{{"mirrors":{},"#, fixture::role(&[3], 1));
    let before = fixture::root_with(4, &keys, &listed)
        .replace("\"roles\":{", &mirrors)
        .replace("\"1.0.0\"", "\"1.0.31\",\"x-note\":[2,1]");
    let old = fixture::parse(fixture::envelope(&before, &[]));
    let mut spec = RootSpec::successor(&Root::read("4.root.json", &old).unwrap(), DATE).unwrap();
    spec.root = role(&[5, 1], 2);
    let new = root("5.root.json", Some(&old), &spec).unwrap();
    let signed = signed(&new);
    let five = Value::string(fixture::keyid(5).0);
    assert_eq!(
        at(&signed, &["roles", "root", "keyids"]),
        Some(&Value::Array(vec![Value::string("ada"), five]))
    );
    for (path, expected) in [
        (&["spec_version"][..], Value::string("1.0.31")),
        (&["version"], Value::Integer(5)),
        (&["expires"], Value::string(DATE)),
        (
            &["x-note"],
            Value::Array(vec![Value::Integer(2), Value::Integer(1)]),
        ),
        (&["roles", "root", "x-role", "n"], Value::Integer(1)),
        (&["roles", "root", "threshold"], Value::Integer(2)),
        (&["roles", "targets", "threshold"], Value::Integer(1)),
        (&["roles", "mirrors", "threshold"], Value::Integer(1)),
        (&["keys", "ada", "x-owner"], Value::string("@ada")),
    ] {
        assert_eq!(at(&signed, path), Some(&expected), "{path:?}");
    }
    let read = Root::read("5.root.json", &new).unwrap();
    assert_eq!(
        read.role("targets"),
        Root::read("4.root.json", &old).unwrap().role("targets")
    );
    assert!(
        read.keys.contains_key(&fixture::keyid(3)),
        "mirrors still uses it"
    );
}

#[test]
fn successor_drops_keys_that_no_role_uses() {
    let old = fixture::parse(fixture::envelope(&fixture::root(1, &[1, 2], 1), &[]));
    let mut spec = RootSpec::successor(&Root::read("old", &old).unwrap(), DATE).unwrap();
    for role_spec in [
        &mut spec.root,
        &mut spec.targets,
        &mut spec.snapshot,
        &mut spec.timestamp,
    ] {
        *role_spec = role(&[1, 3], 1);
    }
    let new = Root::read("new", &root("new", Some(&old), &spec).unwrap()).unwrap();
    assert!(new.keys.keys().eq(&std::collections::BTreeSet::from(
        [1, 3].map(fixture::keyid)
    )));
}

#[test]
fn unchanged_successor_differs_by_version_and_expiry_only() {
    let old = fixture::parse(fixture::envelope(&fixture::root(1, &[1, 2], 1), &[]));
    let spec = RootSpec::successor(&Root::read("old", &old).unwrap(), DATE).unwrap();
    let new = root("new", Some(&old), &spec).unwrap();
    assert!(
        crate::tuf::diff::between(Some(&old), &new)
            .unwrap()
            .is_renewal()
    );
}

#[test]
fn impossible_roles_are_refused() {
    let id = fixture::keyid(1);
    for (name, spec, rule, expected) in [
        ("none", role(&[1], 0), "ROLE-THRESHOLD", "The threshold of role root would be 0, the number of its keys 1. Choose a threshold from 1 to the number of keys.".to_owned()),
        ("too many", role(&[1, 2], 3), "ROLE-THRESHOLD", "The threshold of role root would be 3, the number of its keys 2. Choose a threshold from 1 to the number of keys.".to_owned()),
        ("twice", role(&[1, 1], 1), "KEY-TWICE", format!("Role root would list the key {id} twice. One key counts once; name each key once.")),
    ] {
        let spec = RootSpec { root: spec, ..root_spec() };
        let finding = root("1.root.json", None, &spec).err().unwrap();
        assert_eq!((finding.rule.as_str(), finding.text), (rule, expected), "{name}");
    }
}

#[test]
fn keyid_over_another_key_is_not_taken() {
    let keys = format!(r#"{{"{}":{}}}"#, fixture::keyid(2), fixture::key_json(1));
    let listed = fixture::role(&[2], 1);
    let old = fixture::parse(fixture::envelope(
        &fixture::root_with(1, &keys, &listed),
        &[],
    ));
    let mut spec = RootSpec::successor(&Root::read("old", &old).unwrap(), DATE).unwrap();
    spec.root = role(&[1, 2], 1);
    let finding = root("2.root.json", Some(&old), &spec).err().unwrap();
    assert_eq!(finding.rule, "KEYID-TAKEN");
    assert_eq!(
        finding.text,
        format!(
            "The keyid {} of a new key stands in the old file over another key. That keyid must be corrected there first.",
            fixture::keyid(2)
        )
    );
}

fn tree() -> Envelope {
    let spec = TargetsSpec {
        version: 1,
        expires: DATE.to_owned(),
        delegations: vec![
            CatchAllSpec {
                name: "claimed".to_owned(),
                role: role(&[6, 7], 1),
                terminating: false,
            },
            CatchAllSpec {
                name: "bins".to_owned(),
                role: role(&[4, 5], 2),
                terminating: true,
            },
        ],
    };
    targets("1.targets.json", &spec).unwrap()
}

#[test]
fn targets_delegate_everything_in_order() {
    let read = Targets::read("1.targets.json", &tree()).unwrap();
    let delegations = read.delegations.unwrap();
    let roles: Vec<_> = delegations
        .roles()
        .map(|role| {
            (
                role.name.clone(),
                role.terminating,
                role.path_hash_prefixes.concat(),
            )
        })
        .collect();
    assert_eq!(
        roles,
        [
            ("claimed".to_owned(), false, "0123456789abcdef".to_owned()),
            ("bins".to_owned(), true, "0123456789abcdef".to_owned())
        ]
    );
    assert_eq!(read.targets, 0);
}

#[test]
fn bins_are_succinct_roles() {
    let spec = BinsSpec {
        version: 1,
        expires: DATE.to_owned(),
        bit_length: 14,
        name_prefix: "bin".to_owned(),
        role: role(&[9], 1),
    };
    let read = Targets::read("1.bins.json", &bins("1.bins.json", &spec).unwrap()).unwrap();
    let succinct = read.delegations.unwrap().succinct.unwrap();
    assert_eq!(
        (succinct.bit_length, succinct.name_prefix.as_str()),
        (14, "bin")
    );
    assert_eq!(succinct.role.keyids, [fixture::keyid(9)]);
    let changed = with_delegated_keys(
        "2.bins.json",
        &bins("1.bins.json", &spec).unwrap(),
        &[("bin", role(&[8], 1))],
        DATE,
    )
    .unwrap();
    let read = Targets::read("2.bins.json", &changed).unwrap();
    assert_eq!(read.header.version, 2);
    let delegations = read.delegations.unwrap();
    assert_eq!(
        delegations.succinct.clone().unwrap().role.keyids,
        [fixture::keyid(8)]
    );
    let keyids: Vec<_> = delegations.keys().map(|(keyid, _)| keyid).collect();
    assert_eq!(keyids, [fixture::keyid(8)]);
}

#[test]
fn delegated_keys_change_and_nothing_else() {
    let old = with_member("1.targets.json", &tree(), "x-note", Value::Integer(3)).unwrap();
    let new = with_delegated_keys(
        "2.targets.json",
        &old,
        &[("bins", role(&[5, 8], 1))],
        "2029-01-01T00:00:00Z",
    )
    .unwrap();
    let mut expected = signed(&old);
    expected.set("version", Value::Integer(2));
    expected.set("expires", Value::string("2029-01-01T00:00:00Z"));
    let mut found = signed(&new);
    for value in [&mut expected, &mut found] {
        let delegations = value.get_mut("delegations").unwrap();
        delegations.remove("keys");
        if let Some(Value::Array(roles)) = delegations.get_mut("roles") {
            roles[1].remove("keyids");
            roles[1].remove("threshold");
        }
    }
    assert_eq!(found.canonical(), expected.canonical());
    let delegations = Targets::read("2.targets.json", &new)
        .unwrap()
        .delegations
        .unwrap();
    let bins = delegations.at(1).unwrap().role;
    assert_eq!(bins.keyids, [5, 8].map(fixture::keyid));
    assert_eq!(bins.threshold, 1);
    assert!(delegations.key(&fixture::keyid(4)).is_none());
}

#[test]
fn unknown_delegation_is_refused() {
    let finding = with_delegated_keys("2.targets.json", &tree(), &[("bin", role(&[5], 1))], DATE)
        .err()
        .unwrap();
    assert_eq!(finding.rule, "DELEGATION-UNKNOWN");
    assert_eq!(
        finding.text,
        "2.targets.json does not delegate to a role named \"bin\". Check the name in the ceremony script."
    );
}
