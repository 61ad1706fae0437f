//! Delegations and targets.
use super::*;

#[test]
fn delegations_and_targets_are_told_field_by_field() {
    let old = targets();
    for (name, from, to, expected) in [
        (
            "paths",
            r#"["a/*","b/*"]"#,
            r#"["b/*","a/*"]"#,
            vec![line(
                Reordered,
                "delegations.roles claimed.paths",
                r#"["a/*","b/*"]"#,
                r#"["b/*","a/*"]"#,
            )],
        ),
        (
            "prefixes",
            r#"["0","1"]"#,
            r#"["0"]"#,
            vec![line(
                Changed,
                "delegations.roles bins.path_hash_prefixes",
                r#"["0","1"]"#,
                r#"["0"]"#,
            )],
        ),
        (
            "terminating",
            r#""name":"bins","terminating":false"#,
            r#""name":"bins","terminating":true"#,
            vec![line(
                Changed,
                "delegations.roles bins.terminating",
                "false",
                "true",
            )],
        ),
        (
            "length",
            r#""length":1"#,
            r#""length":7"#,
            vec![line(Changed, "targets.\"a/b.whl\".length", "1", "7")],
        ),
        (
            "gone",
            r#","c":{"hashes":{"sha256":"11"},"length":2}"#,
            "",
            vec![line(
                Removed,
                "targets.c",
                r#"{"hashes":{"sha256":"11"},"length":2}"#,
                "",
            )],
        ),
        (
            "unknown",
            r#""name":"bins","#,
            r#""name":"bins","x-n":1,"#,
            vec![line(Added, "delegations.roles bins.x-n", "", "1")],
        ),
        (
            "renamed",
            r#""name":"bins""#,
            r#""name":"unclaimed""#,
            vec![
                line(
                    Changed,
                    "delegations.roles asked in this order",
                    "claimed, bins",
                    "claimed, unclaimed",
                ),
                line(Removed, "delegations.roles bins", "place 2 of 2", ""),
                line(Removed, "delegations.roles bins.threshold", "1 of 1", ""),
                line(
                    Removed,
                    "delegations.roles bins key",
                    &words(3, &fixture::keyid(3).0),
                    "",
                ),
                line(
                    Removed,
                    "delegations.roles bins.path_hash_prefixes",
                    r#"["0","1"]"#,
                    "",
                ),
                line(Removed, "delegations.roles bins.terminating", "false", ""),
                line(Added, "delegations.roles unclaimed", "", "place 2 of 2"),
                line(Added, "delegations.roles unclaimed.threshold", "", "1 of 1"),
                line(
                    Added,
                    "delegations.roles unclaimed key",
                    "",
                    &words(3, &fixture::keyid(3).0),
                ),
                line(
                    Added,
                    "delegations.roles unclaimed.path_hash_prefixes",
                    "",
                    r#"["0","1"]"#,
                ),
                line(
                    Added,
                    "delegations.roles unclaimed.terminating",
                    "",
                    "false",
                ),
            ],
        ),
    ] {
        let new = old.replacen(from, to, 1);
        assert_ne!(new, old, "{name}");
        assert_eq!(told(&old, &new), expected, "{name}");
    }
}

#[test]
fn order_of_delegations_is_told() {
    let old = targets();
    let start = old.find("\"roles\":[").unwrap() + 9;
    let end = old.find("]},\"expires\"").unwrap();
    let middle = start + old[start..end].find("},{").unwrap() + 1;
    let new = format!(
        "{}{},{}{}",
        &old[..start],
        &old[middle + 1..end],
        &old[start..middle],
        &old[end..]
    );
    assert_eq!(
        told(&old, &new),
        [line(
            Reordered,
            "delegations.roles",
            "claimed, bins",
            "bins, claimed"
        )]
    );
}

#[test]
fn many_unchanged_delegations_are_told_as_a_number() {
    let role = |index: usize| {
        format!(
            r#"{{"keyids":["{}"],"name":"p{index}","paths":["p{index}/*"],"terminating":true,"threshold":1}}"#,
            fixture::keyid(1)
        )
    };
    let roles: Vec<String> = (0..40).map(role).collect();
    let file = format!(
        r#"{{"_type":"targets","delegations":{{"keys":{},"roles":[{}]}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{}},"version":3}}"#,
        fixture::keys(&[1]),
        roles.join(",")
    );
    let diff = between(
        Some(&parse(&file)),
        &parse(&file.replace("[\"p7/*\"]", "[\"p8/*\"]")),
    )
    .unwrap();
    let about = diff
        .changes
        .iter()
        .filter(|change| change.subject.starts_with("delegations"));
    let about: Vec<_> = about
        .map(|change| (change.subject.as_str(), change.new.as_deref().unwrap()))
        .collect();
    assert_eq!(about.len(), 4);
    assert_eq!(about[2], ("delegations.roles p7.paths", "[\"p8/*\"]"));
    assert_eq!(about[3], ("delegations.roles unchanged", "39 roles"));
}
