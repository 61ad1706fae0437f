#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::tuf::finding::Level::{Error, Note, Warning};
use parts::{Parts, catch_all, project, three, told};

mod parts;

#[test]
fn whole_trees_of_both_kinds_are_good() {
    let mut tree = Parts::of(three());
    tree.below("claimed")
        .change(|_, roles| *roles = vec![project("a", true), project("b", true)]);
    assert_eq!(tree.told(), []);
    let mut bins = Parts::of(vec![catch_all("bins", &[3, 4], 2, true)]);
    bins.below[1].0 = "bins";
    assert_eq!(bins.told(), []);
}

#[test]
fn repository_of_another_shape_is_passed_over() {
    let other = Parts::of(vec![catch_all("releases", &[9], 1, false)]);
    assert_eq!(other.lint(Whose::Ours), []);
}

#[test]
fn order_is_claimed_recently_claimed_unclaimed_and_nothing_else() {
    let mut wrong = three();
    wrong.swap(0, 1);
    let text = |names: &str| {
        format!(
            "targets delegates to {names}, in this order. It must be claimed, recently-claimed and unclaimed, or bins alone: what stands before claimed answers for claimed projects, and what stands behind unclaimed is never asked."
        )
    };
    let found = Parts::of(wrong).told();
    assert_eq!(
        found[0],
        told(
            Error,
            "TREE-ORDER",
            &text("recently-claimed, claimed and unclaimed")
        )
    );
    let without = three().into_iter().filter(|role| role.name != "unclaimed");
    assert_eq!(
        Parts::of(without.collect()).told(),
        [told(
            Error,
            "TREE-ORDER",
            &text("claimed and recently-claimed")
        )]
    );
    let mut more = three();
    more.push(catch_all("bins", &[3, 4], 2, true));
    assert_eq!(
        Parts::of(more).told(),
        [told(
            Error,
            "TREE-ORDER",
            &text("claimed, recently-claimed, unclaimed and bins")
        )]
    );
    let mut many = three();
    many.extend((0..7).map(|number| catch_all(&format!("more-{number}"), &[4], 1, false)));
    let found = &Parts::of(many).told()[0].2;
    assert!(found.contains("more-4 and 2 more, in"), "{found}");
}

#[test]
fn only_unclaimed_and_projects_end_the_search() {
    let mut delegations = three();
    for delegation in &mut delegations {
        delegation.terminating = !delegation.terminating;
    }
    let mut tree = Parts::of(delegations);
    tree.below("claimed").change(|_, roles| {
        *roles = vec![project("a", true), project("b", false), project("c", false)];
    });
    let rule = "PEP480-TERMINATING";
    assert_eq!(
        tree.told(),
        [
            told(
                Error,
                rule,
                "The delegation to claimed must not be terminating: every project that claimed does not list would be lost."
            ),
            told(
                Error,
                rule,
                "The delegation to recently-claimed must not be terminating: every project that recently-claimed does not list would be lost."
            ),
            told(
                Error,
                rule,
                "The delegation to unclaimed must be terminating: behind it nobody is asked."
            ),
            told(
                Error,
                rule,
                "2 of 3 delegations of claimed are not terminating, the first is project-b: a file that the project did not sign would be taken from an online bin. Make every one terminating."
            ),
        ]
    );
}

#[test]
fn catch_all_has_no_gap() {
    let prefixes = |text: &str| text.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
    let all = "0 1 2 3 4 5 6 7 8 9 a b c d e f";
    let halves = "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 1 2 3 4 5 6 7 8 9 a b c d e f";
    for (given, gap) in [
        (all, None),
        ("f e d c b a 9 8 7 6 5 4 3 2 1 0", None),
        (halves, None),
        (
            "0 00 1 10 1f 2 3 4 5 6 7 8 9 a b c d e f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe ff",
            None,
        ),
        ("", None),
        ("1 2 3 4 5 6 7 8 9 a b c d e f", Some("0")),
        ("0 1 2 3 4 5 6 7 8 9 a b c d e", Some("f")),
        ("0 1 2 3 4 5 6 8 9 a b c d e f", Some("7")),
        ("00 02 1 2 3 4 5 6 7 8 9 a b c d e f", Some("01")),
        ("0 1 2 3 4 5 6 7 8 9 A b c d e f", Some("a")),
        ("0 1 2 3 4 5 6 7 8 9 a b c d e ff", Some("f")),
    ] {
        assert_eq!(
            super::catch_all::gap(&prefixes(given)).as_deref(),
            gap,
            "{given}"
        );
    }
    assert_eq!(super::catch_all::gap(&[]).as_deref(), Some("0"));
    let mut tree = Parts::of(three());
    tree.change(|roles| {
        roles[1].path_hash_prefixes.remove(7);
        roles[2].path_hash_prefixes.clear();
        roles[2].paths = vec!["*".to_owned()];
    });
    assert_eq!(
        tree.told(),
        [
            told(
                Error,
                "TREE-CATCH-ALL",
                "recently-claimed is not asked for every path: no path whose SHA-256 begins with 7 matches its path_hash_prefixes. Give it the sixteen path_hash_prefixes \"0\" to \"f\"."
            ),
            told(
                Error,
                "TREE-CATCH-ALL",
                "unclaimed is not asked for every path: its paths are patterns, and none matches at every depth (\"*\" does not cross \"/\"). Give it the sixteen path_hash_prefixes \"0\" to \"f\"."
            ),
        ]
    );
}

#[test]
fn no_key_of_a_server_stands_before_claimed_or_in_an_offline_role() {
    let rule = "TREE-ONLINE-FIRST";
    // The keys of timestamp, snapshot, recently-claimed and the bins.
    for online in [8, 7, 9, 10] {
        let mut delegations = three();
        delegations[0] = catch_all("claimed", &[1, online], 2, false);
        assert_eq!(
            Parts::of(delegations).told(),
            [told(
                Error,
                rule,
                "A key of a server is a key of the offline role claimed: who breaks into the server has it. Give claimed keys of its own."
            )],
            "{online}"
        );
    }
    let mut wrong = three();
    wrong.swap(0, 1);
    assert_eq!(
        Parts::of(wrong).told()[1],
        told(
            Error,
            rule,
            "recently-claimed is signed by a key of a server and stands before claimed: who breaks into the server answers for claimed projects. Put claimed first."
        )
    );
    let mut tree = Parts::of(three());
    let online = tree.root.role("snapshot").unwrap().clone();
    tree.root.roles.insert("targets".to_owned(), online);
    assert_eq!(
        tree.told(),
        [told(
            Error,
            rule,
            "A key of a server is a targets key: who breaks into the server decides over every delegation. Give targets keys of its own."
        )]
    );
}

#[test]
fn custody_is_signed_by_those_who_sign_claimed() {
    let mut tree = Parts::of(three());
    let delegations = tree.targets.delegations.clone().unwrap();
    let of_claimed = delegations.at(0).unwrap().role;
    let keys = delegations.keys().collect();
    tree.below("claimed").change(|known, _| *known = keys);
    let mut custody = project("x", true);
    custody.name = "custody".to_owned();
    custody.role = of_claimed.clone();
    tree.below("claimed")
        .change(|_, roles| *roles = vec![custody]);
    assert_eq!(tree.told(), []);
    let text = "custody must be signed by the keys that sign claimed, as many of them: it answers for projects in claimed's place. Give it claimed's keys and threshold.";
    let expected = [told(Error, "CUSTODY-SIGNERS", text)];
    tree.below("claimed")
        .change(|_, roles| roles[0].role.threshold = 1);
    assert_eq!(tree.told(), expected);
    tree.below("claimed").change(|_, roles| {
        roles[0].role = of_claimed;
        roles[0].role.keyids.pop();
    });
    assert_eq!(tree.told(), expected);
}

#[test]
fn other_numbers_of_bins_are_told_with_what_they_cost() {
    let mut tree = Parts::of(three());
    tree.below("unclaimed")
        .succinct
        .as_mut()
        .unwrap()
        .bit_length = 10;
    assert_eq!(
        tree.told(),
        [told(
            Warning,
            "TREE-BINS",
            "There are 1024 hash bins (bit_length 10); PEP 458 has 16384 (bit_length 14). With its 2.27 million targets a bin has about 864 KB where 16384 have 54 KB each, and the bins take about 36 KB of the snapshot, which every client reads, where 16384 take 590 KB. More than 16384 are due from about 22 million targets on."
        )]
    );
}

#[test]
fn what_the_tree_means_in_each_client_is_noted() {
    let notes = |tree: &Parts| -> Vec<String> {
        let findings = tree.lint(Whose::Ours).into_iter();
        let notes = findings.filter(|finding| finding.rule == "TREE-COMPATIBILITY");
        notes
            .map(|finding| {
                assert_eq!(finding.level, Note);
                finding.text
            })
            .collect()
    };
    let mut tree = Parts::of(three());
    assert_eq!(
        notes(&tree),
        [
            "tough 0.24 cannot read the delegator of the hash bins (TAP 15) and reads every role before it answers, so it finds nothing in this tree.",
            "go-tuf v2.4.2 resolves path_hash_prefixes rightly only from its change 783 (2026-09-22) on.",
            "rust-tuf 0.3.0-beta14 reads neither path_hash_prefixes nor hash bins (TAP 15), so it finds nothing in this tree.",
        ]
    );
    tree.below("unclaimed").succinct = None;
    assert_eq!(
        notes(&tree)[0],
        "tough 0.24 ignores terminating: a file forged in an online bin is taken for a claimed project."
    );
}

#[test]
fn trees_of_others_are_warned_of() {
    let mut wrong = three();
    wrong.swap(0, 2);
    wrong[0].terminating = false;
    let findings = Parts::of(wrong).lint(Whose::Others);
    let rules: Vec<_> = findings
        .iter()
        .filter(|finding| finding.level == Warning)
        .map(|finding| finding.rule.as_str())
        .collect();
    assert_eq!(
        rules,
        ["TREE-ORDER", "PEP480-TERMINATING", "TREE-ONLINE-FIRST"]
    );
    assert!(findings.iter().all(|finding| finding.level <= Warning));
}
