use super::super::*;
use super::assert_refused;
use crate::tuf::fixture;

fn read_targets(signed: &str) -> Result<Targets, Finding> {
    Targets::read(
        "targets.json",
        &fixture::parse(fixture::envelope(signed, &[])),
    )
}

/// A targets role with these `delegations`.
fn delegating(delegations: &str) -> String {
    format!(
        r#"{{"_type":"targets","delegations":{delegations},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{"a":{{}},"b":{{}}}},"version":1}}"#
    )
}

/// The same with one delegated role by key 1 that has these further members.
fn delegating_to(name: &str, members: &str) -> String {
    let keyid = fixture::keyid(1);
    delegating(&format!(
        r#"{{"keys":{},"roles":[{{"keyids":["{keyid}"],"name":"{name}","threshold":1{members}}}]}}"#,
        fixture::keys(&[1])
    ))
}

#[test]
fn targets_are_read_with_their_delegations_in_order() {
    let targets = read_targets(&delegating_to(
        "pep-458",
        r#","paths":["a/*"],"terminating":true"#,
    ))
    .unwrap();
    assert_eq!(targets.targets, 2);
    let delegations = targets.delegations.as_ref().unwrap();
    let role = RoleKeys {
        keyids: vec![fixture::keyid(1)],
        threshold: 1,
    };
    let expected = DelegatedRole {
        name: "pep-458".to_owned(),
        role: role.clone(),
        terminating: true,
        paths: vec!["a/*".to_owned()],
        path_hash_prefixes: Vec::new(),
    };
    assert!(delegations.roles().eq([expected]));
    assert_eq!(targets.remarks("targets.json"), []);

    let keyid = fixture::keyid(1);
    let bins = delegating(&format!(
        r#"{{"keys":{},"succinct_roles":{{"bit_length":14,"keyids":["{keyid}"],"name_prefix":"bin","threshold":1}}}}"#,
        fixture::keys(&[1])
    ));
    let succinct = SuccinctRoles {
        role,
        bit_length: 14,
        name_prefix: "bin".to_owned(),
    };
    let bins = read_targets(&bins).unwrap().delegations.unwrap();
    assert_eq!(bins.succinct, Some(succinct));
    assert!(bins.is_empty());

    let none = delegating("0").replace(r#""delegations":0,"#, "");
    assert!(read_targets(&none).unwrap().delegations.is_none());
}

#[test]
fn delegations_of_the_wrong_form_are_refused() {
    let paths = r#","paths":[],"terminating":true"#;
    let keys = fixture::keys(&[1]);
    let one = "signed.delegations.roles[0]";
    let bits = |bits: i64| {
        let role = format!(
            r#"{{"bit_length":{bits},"keyids":["{}"],"name_prefix":"bin","threshold":1}}"#,
            fixture::keyid(1)
        );
        delegating(&format!(r#"{{"keys":{keys},"succinct_roles":{role}}}"#))
    };
    let twice = {
        let role = format!(
            r#"{{"keyids":["{}"],"name":"x","threshold":1{paths}}}"#,
            fixture::keyid(1)
        );
        delegating(&format!(r#"{{"keys":{keys},"roles":[{role},{role}]}}"#))
    };
    let form = "DELEGATION-FORM";
    let cases = [
        (
            "roles and bins",
            delegating(&format!(
                r#"{{"keys":{keys},"roles":[],"succinct_roles":{{}}}}"#
            )),
            form,
            "signed.delegations must have exactly one of roles and succinct_roles".to_owned(),
        ),
        (
            "neither",
            delegating(&format!(r#"{{"keys":{keys}}}"#)),
            form,
            "signed.delegations must have exactly one of roles and succinct_roles".to_owned(),
        ),
        (
            "paths and prefixes",
            delegating_to("x", r#","paths":[],"path_hash_prefixes":[]"#),
            form,
            format!("{one} must have exactly one of paths and path_hash_prefixes"),
        ),
        (
            "no paths",
            delegating_to("x", r#","terminating":true"#),
            form,
            format!("{one} must have exactly one of paths and path_hash_prefixes"),
        ),
        (
            "no terminating",
            delegating_to("x", r#","paths":[]"#),
            form,
            format!("{one} has no member terminating"),
        ),
        (
            "terminating 1",
            delegating_to("x", r#","paths":[],"terminating":1"#),
            form,
            format!("{one}.terminating must be true or false"),
        ),
        (
            "path not a string",
            delegating_to("x", r#","paths":[1],"terminating":true"#),
            form,
            format!("{one}.paths[0] must be a string"),
        ),
        (
            "name twice",
            twice,
            form,
            "signed.delegations.roles[1] delegates to x a second time".to_owned(),
        ),
        (
            "bit_length 0",
            bits(0),
            form,
            "signed.delegations.succinct_roles.bit_length is 0; expected 1 to 32".to_owned(),
        ),
        (
            "bit_length 33",
            bits(33),
            form,
            "signed.delegations.succinct_roles.bit_length is 33; expected 1 to 32".to_owned(),
        ),
        // CVE-2026-24686 and CVE-2021-41131: a role name as a path.
        (
            "cve_2026_24686",
            delegating_to("../x", paths),
            "ROLE-NAME",
            format!("{one}.name is ../x, which would be a path as a file name"),
        ),
        (
            "..",
            delegating_to("..", paths),
            "ROLE-NAME",
            format!("{one}.name is .., which would be a path as a file name"),
        ),
        (
            "backslash",
            delegating_to(r"a\\b", paths),
            "ROLE-NAME",
            format!(r"{one}.name is a\b, which would be a path as a file name"),
        ),
        (
            "empty",
            delegating_to("", paths),
            "ROLE-NAME",
            format!(r#"{one}.name is "", which is empty"#),
        ),
        (
            "escape",
            delegating_to(r"\u001b[2J", paths),
            "ROLE-NAME",
            format!(r#"{one}.name is "\u{{1b}}[2J", which has control characters"#),
        ),
        (
            "top-level",
            delegating_to("snapshot", paths),
            "ROLE-NAME",
            format!("{one}.name is snapshot, which is the name of a top-level role"),
        ),
        (
            "a root",
            fixture::root(1, &[1], 1),
            "TARGETS-TYPE",
            "signed._type is root; expected targets".to_owned(),
        ),
        (
            "targets a list",
            delegating_to("x", paths).replace(r#"{"a":{},"b":{}}"#, "[]"),
            "SIGNED-FORM",
            "signed.targets must be an object".to_owned(),
        ),
    ];
    for (name, signed, rule, text) in cases {
        assert_refused(name, read_targets(&signed), rule, &text);
    }
    let long = "x".repeat(201);
    let text = format!(
        "{one}.name is \"{}\" (the first 200 of 201 characters), which is longer than 200 bytes",
        "x".repeat(200)
    );
    assert_refused(
        "long",
        read_targets(&delegating_to(&long, paths)),
        "ROLE-NAME",
        &text,
    );
}

#[test]
fn role_names_that_clients_write_differently_are_remarked() {
    let targets = read_targets(&delegating_to(
        "r\u{f6}le",
        r#","paths":[],"terminating":true"#,
    ))
    .unwrap();
    assert_eq!(
        targets.remarks("f"),
        [Finding::warning(
            "ROLE-NAME-FOREIGN",
            "f",
            r#"the role name "r\u{f6}le" has characters besides letters, digits, -, _ and .; clients write its file name in different ways"#
        )]
    );
}
