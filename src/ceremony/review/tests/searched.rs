//! Searching, filtering, what must be seen and what is drawn.

use super::*;
use crate::ceremony::review::Mark;
use crate::ceremony::review::change::kinds;
use crate::ceremony::review::searched::{Filter, Searched, draw};
use crate::ceremony::review::watch::{Reason, of_finding, of_top};
use crate::pypi::top::Top;
use crate::tuf::finding::Finding;

#[test]
fn few_changes_of_a_small_file_are_read_in_full_and_anything_else_is_searched() {
    let small: Vec<_> = (0..30)
        .map(|number| usual(&format!("p{number:02}"), &[1], 1))
        .collect();
    let plain = review(&candidate(&small[..20], &small), &Checks::default());
    assert!(plain.entries().is_none() && plain.seen().is_none() && plain.is_seen());
    assert_eq!(plain.in_full(), plain.rows(0..plain.len()));

    // One reason to look is enough.
    let mut lowered = small.clone();
    lowered[0] = usual("p00", &[1, 2], 2);
    let watched = review(&candidate(&lowered, &small), &Checks::default());
    assert_eq!(watched.entries().unwrap().watch_list(), [0]);
    // A reason from outside is as good as one of the file; one about a project that does not differ is none.
    let reason = |name: &str| Checks {
        reasons: vec![(name.to_owned(), Reason::new(Watch::TopProject, "rank 7"))],
        ..Checks::default()
    };
    let top = review(&candidate(&small[..20], &small), &reason("p25"));
    let entries = top.entries().unwrap();
    let watched: Vec<_> = entries
        .watch_list()
        .iter()
        .filter_map(|at| entries.name(*at))
        .collect();
    assert_eq!(watched, ["p25"]);
    let other = review(&candidate(&small[..20], &small), &reason("p05"));
    assert!(other.entries().is_none());

    // Forty changes, or a file that nobody reads to its end.
    let many = many();
    assert!(
        review(&candidate(&many[..150], &many), &Checks::default())
            .entries()
            .is_some()
    );
    let one = review(&candidate(&many[..199], &many), &Checks::default());
    assert_eq!(
        one.entries().unwrap().spots(),
        [0],
        "of few all are spot checks"
    );
    // Without a version before there is nothing to compare.
    let mut first = candidate(&[], &small);
    first.old = None;
    assert!(review(&first, &Checks::default()).entries().is_none());
}

#[test]
fn the_phrase_waits_for_the_watch_list_and_the_spot_checks() {
    let many = many();
    let mut new = many.clone();
    for (number, entry) in new.iter_mut().enumerate().take(60) {
        *entry = usual(&format!("p{number:03}"), &[1, 2, 3], 2);
    }
    new[70] = entry("project-p070", &[1], 1, &["*"]);
    let review = review(
        &candidate(&many, &new),
        &Checks {
            spots: Some(5),
            ..Checks::default()
        },
    );
    let entries = review.entries().unwrap();
    assert_eq!(
        (
            entries.len(),
            entries.watch_list().len(),
            entries.spots().len()
        ),
        (61, 1, 5)
    );
    assert!(
        entries
            .spots()
            .iter()
            .all(|spot| !entries.watch_list().contains(spot))
    );
    let mut left = 6;
    while let Some(index) = entries.next_unseen(None) {
        assert!(!review.is_seen() && entries.is_required(index));
        assert_eq!(entries.hits("", Filter::Unseen, None).len(), left);
        entries.see(index);
        left -= 1;
    }
    assert_eq!(left, 0);
    assert!(review.is_seen());
    let seen = review.seen().unwrap();
    assert_eq!((seen.watch.of, seen.spots.of, seen.entries), (1, 5, 61));
    let details = (0..entries.len()).filter(|index| entries.is_required(*index));
    let details: usize = details.map(|index| entries.detail(index).len()).sum();
    assert_eq!(review.rows_seen(), entries.summary().len() + details);
    // What is recorded names them: another list has another digest.
    let names: String = (0..entries.len())
        .filter(|index| entries.is_required(*index))
        .flat_map(|index| [entries.name(index).unwrap(), "\n".into()])
        .collect();
    assert_eq!(seen.list, Sha256::of(names.as_bytes()));
}

#[test]
fn a_printer_shows_the_summary_and_all_that_must_be_seen() {
    let many = many();
    let mut new = many.clone();
    new[70] = entry("project-p070", &[1], 1, &["*"]);
    let review = review(&candidate(&many, &new), &Checks::default());
    assert!(!review.is_seen());
    let printed = texts(&review.in_full());
    assert!(review.is_seen());
    for text in [
        "claimed v2: the bytes to be signed",
        "[WARN] wildcard wider than project/*: *",
        &key(1).keyid().0,
        "no rule has anything to say",
    ] {
        assert!(printed.contains(text), "{text}\n{printed}");
    }
}

#[test]
fn entries_are_found_by_all_that_is_shown_of_them() {
    let many = many();
    let mut new = many.clone();
    new[5] =
        usual("p005", &[57], 1).replace("\"threshold\"", "\"x-Note\":\"b\\u202ed\",\"threshold\"");
    new.push(usual("requests", &[58], 1));
    let review = review(&candidate(&many, &new), &Checks::default());
    let entries = review.entries().unwrap();
    let found = |text: &str, filter| {
        let hits = entries.hits(text, filter, None);
        hits.iter()
            .filter_map(|index| entries.name(*index))
            .collect::<Vec<_>>()
    };
    assert_eq!(found("REQuests", Filter::All), ["requests"]);
    assert_eq!(found(&key(57).keyid().0, Filter::All), ["p005"]);
    assert_eq!(
        found(&key(58).public().fingerprint().to_string(), Filter::All),
        ["requests"]
    );
    assert_eq!(found("x-note", Filter::All), ["p005"]);
    assert_eq!(found("b\u{202e}d", Filter::All), ["p005"]);
    assert_eq!(found("\\u{202e}", Filter::All), ["p005"]);
    assert_eq!(found("p", Filter::All), ["p005"]);
    assert_eq!(found("r", Filter::Kind(Kind::Added)), ["requests"]);
    assert_eq!(
        found("r", Filter::Kind(Kind::KeysChanged)),
        Vec::<&str>::new()
    );
    // Digests are found by how they begin.
    let keyid = key(57).keyid().0;
    let some = entries.hits(&keyid[..7], Filter::All, None);
    assert_eq!(some, Vec::<usize>::new());
    assert_eq!(entries.hits(&keyid[..8], Filter::All, Some(&some)), [0]);
    assert_eq!(found(&keyid[..8].to_uppercase(), Filter::All), ["p005"]);
    assert_eq!(
        found(&format!("{}0", &keyid[..63]), Filter::All),
        Vec::<&str>::new()
    );
    assert_eq!(found(&keyid[1..], Filter::All), Vec::<&str>::new());
    assert_eq!(
        found("", Filter::Reason(Watch::WidePath)),
        Vec::<&str>::new()
    );
    // Two entries are never one text.
    assert_eq!(found("p005\nrequests", Filter::All), Vec::<&str>::new());
    let within = entries.hits("p", Filter::All, None);
    assert_eq!(
        entries.hits("p0", Filter::All, Some(&within)),
        entries.hits("p0", Filter::All, None)
    );
    // Row by row, as one that is read to its end.
    let summary = entries.summary().len();
    assert!(summary < 60, "{}", texts(entries.summary()));
    assert_eq!(review.len(), summary + 2);
    assert_eq!(review.search("REQuests", 0), Some(summary + 1));
    assert_eq!(review.search("requests", summary + 2), None);
    assert_eq!(review.rows(summary..summary + 2).len(), 2);
    let filters: Vec<_> = std::iter::successors(Some(Filter::All), |filter| {
        Some(entries.next_filter(*filter, true)).filter(|next| *next != Filter::All)
    })
    .map(Filter::label)
    .collect();
    assert_eq!(
        filters,
        [
            "all that differ",
            "still to be seen",
            "spot checks",
            "added",
            "keys changed",
            "other fields"
        ]
    );
    assert_eq!(
        entries.next_filter(Filter::All, false),
        Filter::Kind(Kind::OtherFields)
    );
    assert_eq!(entries.next_filter(Filter::Spots, false), Filter::Unseen);
}

#[test]
fn spot_checks_hang_on_the_seed_and_the_names_alone() {
    let names: Vec<String> = (0..500).map(|number| format!("p{number}")).collect();
    let drawn = |seed: &[u8], names: &mut dyn Iterator<Item = (usize, &str)>| draw(seed, 20, names);
    let forward = |seed: &[u8]| drawn(seed, &mut names.iter().map(|name| &**name).enumerate());
    let first = forward(b"4 2 6 1 1 5");
    assert_eq!(first.len(), 20);
    assert!(first.is_sorted());
    assert_ne!(first, forward(b"4 2 6 1 1 6"));
    let mut backward = names.iter().map(|name| &**name).enumerate().rev();
    assert_eq!(first, drawn(b"4 2 6 1 1 5", &mut backward));
    assert_eq!(
        draw(b"", 20, names[..3].iter().map(|name| &**name).enumerate()),
        [0, 1, 2]
    );
}

#[test]
fn a_warning_about_a_project_is_a_reason_and_nothing_else_is() {
    let cases = [
        (Finding::warning("LOOK", "project-six", "why"), Some("six")),
        (
            Finding::warning("LOOK", "project-six_2", "why"),
            Some("six"),
        ),
        (Finding::note("LOOK", "project-six", "why"), None),
        (Finding::warning("LOOK", "claimed", "why"), None),
        (Finding::warning("LOOK", "", "why"), None),
        (Finding::warning("LOOK", "project-Six", "why"), None),
    ];
    for (finding, expected) in cases {
        let found = of_finding(&finding);
        assert_eq!(
            found.as_ref().map(|(name, _)| &**name),
            expected,
            "{finding:?}"
        );
        if let Some((_, reason)) = found {
            assert_eq!(reason.text, "LOOK: why");
        }
    }
}

#[test]
fn a_file_that_delegates_to_no_project_is_no_such_file() {
    assert!(delegates_projects(&claimed(1, &[usual("a", &[1], 1)])));
    assert!(!delegates_projects(&claimed(
        1,
        &[entry("claimed", &[1], 1, &["*"])]
    )));
    assert!(!delegates_projects(&claimed(1, &[])));
}

#[test]
fn what_is_not_seen_is_never_said_to_be() {
    let searched = Searched::new(vec![], Vec::<ProjectChangeView>::new(), vec![]);
    searched.see(3);
    assert!(!searched.is_seen(3));
    assert_eq!(searched.rows_seen(), 0);
    let absent = Standing::Absent;
    assert_eq!(kinds(&absent, &absent), Vec::<Kind>::new());
    assert!(
        Review::for_tests(
            Document {
                role: "claimed".to_owned(),
                version: 1
            },
            Sha256::of(b""),
            vec![Row {
                mark: Mark::Plain,
                text: String::new()
            }],
        )
        .is_seen()
    );
}

#[test]
fn rules_of_the_vetting_have_their_place_on_the_watch_list() {
    let cases = [
        ("CLAIM-TOP", Watch::TopProject),
        ("CLAIM-LOOK-ALIKE", Watch::LookAlike),
        ("CLAIM-THRESHOLD", Watch::ThresholdLowered),
        ("CLAIM-UNCHANGED", Watch::OtherInArchive),
        ("CLAIM-EVENTS", Watch::Recovery),
        ("CLAIM-TRANSFER", Watch::Recovery),
        ("OWNER-SHARED", Watch::SharedKey),
        ("CLAIM-CHANNEL", Watch::Other),
    ];
    for (rule, watch) in cases {
        let (_, reason) = of_finding(&Finding::warning(rule, "project-six", "why")).unwrap();
        assert_eq!(reason.watch, watch, "{rule}");
    }
    let top = Top::parse("top", b"six\nflask\npip\n").unwrap();
    let names = |count| {
        let found = of_top(&top, count).into_iter();
        found.map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(2), ["six", "flask"]);
    assert_eq!(names(9), ["six", "flask", "pip"]);
}
