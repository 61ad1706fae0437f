use super::*;

#[test]
fn what_clients_read_differently_is_said_once_with_examples() {
    let dialects = |entries: &[String]| {
        let role = listing(1, &[], &roles(entries));
        let findings = dialect::of_delegations("claimed.json", role.targets());
        let short = findings.iter().map(|finding| {
            let (start, end) = (
                finding.text[..50].trim_end(),
                finding.text.rsplit_once(": ").unwrap().1,
            );
            format!("{:?} {} {start} … {end}", finding.level, finding.rule)
        });
        short.collect::<Vec<_>>()
    };
    assert_eq!(
        dialects(&[to("a", false, ALL), to("b", false, &paths(&["x/y"]))]),
        [""; 0]
    );
    let projects: Vec<String> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| to(name, true, &paths(&[&format!("{name}/*")])))
        .collect();
    assert_eq!(
        dialects(&projects),
        [
            "Note PATH-DIALECT 4 of 4 delegations have a pattern with a wildcard … a/*, b/*, c/*, …",
            "Note TERMINATING-DIALECT 4 of 4 delegations are terminating; tough ignores … a, b, c, …",
        ]
    );
    let odd = [
        to("1", false, &paths(&["a/[bc]"])),
        to("x", false, &paths(&["b/c", "a*/*"])),
        to("01", false, r#""path_hash_prefixes":["0","F"]"#),
    ];
    assert_eq!(
        dialects(&odd),
        [
            "Warning PATH-DIALECT 1 of 3 delegations have a pattern with one of [ ] … a/[bc]",
            "Warning PATH-DIALECT 1 of 3 delegations have a pattern with a wildcard … a*/*",
            "Warning PATH-HASH-FORM 1 of 3 delegations have a hash prefix that is not … F",
            "Warning ROLE-ORDER 1 of 3 delegations lead to a role with a whole num … 1",
        ]
    );
}

#[test]
fn where_clients_would_leave_a_walk_is_said() {
    let said = |path: &str| {
        let findings = dialect::of_walk(&walk(&pypi(), path, Limits::default()));
        let short = findings
            .iter()
            .map(|finding| format!("{} {}", finding.rule, finding.text));
        short.collect::<Vec<_>>()
    };
    assert_eq!(said("django/d-1.tar.gz"), [""; 0]);
    assert_eq!(
        said("django/.x"),
        [
            "PATH-DIALECT tuf-js does not ask project-django: there the wildcard of django/* matches neither a dot that begins a segment nor an empty segment",
            "TERMINATING-DIALECT the search ends at project-django because the delegation to it is terminating; tough ignores that and asks on",
        ]
    );
    let bins = said("six/s-1.tar.gz");
    assert!(bins[0].starts_with("BINS-DIALECT the bin bin-"), "{bins:?}");
    let tree = tree(vec![
        (
            "targets",
            listing(1, &[], &roles(&[to("a", false, &paths(&["x/[y]"]))])),
        ),
        ("a", listing(1, &["x/[y]"], "")),
    ]);
    let findings = dialect::of_walk(&walk(&tree, "x/[y]", Limits::default()));
    assert_eq!(
        findings[0].text,
        "the pattern x/[y] of a has characters that clients read as a choice or an escape; they may not ask a"
    );
}
