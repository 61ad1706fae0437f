use proptest::prelude::*;

use super::*;

#[test]
fn patterns_match_as_the_specification_says() {
    let yes = [
        ("a", "a"),
        ("*", "a"),
        ("*", ""),
        ("a/*", "a/"),
        ("a/*", "a/b.c"),
        ("a/*", "a/.hidden"),
        ("?/?", "\u{e9}/\u{1f600}"),
        ("*.tar.gz", "x.tar.tar.gz"),
        ("a*b*c", "aXbYbZc"),
        ("a/*/*", "a/b/c"),
        ("a[bc]", "a[bc]"),
        ("{a,b}", "{a,b}"),
        ("a\\*", "a\\x"),
    ];
    for (pattern, path) in yes {
        assert!(pattern::matches(pattern, path), "{pattern} {path}");
    }
    let no = [
        ("*", "a/b"),
        ("a/*", "a/b/c"),
        ("a/*", "a"),
        ("a?b", "a/b"),
        ("?", ""),
        ("a*b*c", "aXbYb"),
        ("a/b", "a//b"),
        ("a[bc]", "ab"),
        ("{a,b}", "a"),
        ("A/*", "a/b"),
        ("a", "a/"),
    ];
    for (pattern, path) in no {
        assert!(!pattern::matches(pattern, path), "{pattern} {path}");
    }
}

#[test]
fn a_pattern_made_of_stars_takes_no_exponential_time() {
    let (pattern, path) = ("*a".repeat(2_000), "a".repeat(5_000) + "b");
    let started = std::time::Instant::now();
    assert!(!pattern::matches(&pattern, &path));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// The plain definition, by all ways to give a star a length.
fn slow(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.iter().take_while(|c| **c != '/').count())
            .any(|length| slow(rest, &text[length..])),
        Some((wanted, rest)) => text.split_first().is_some_and(|(found, text)| {
            (wanted == found || *wanted == '?' && *found != '/') && slow(rest, text)
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]
    #[test]
    fn patterns_match_as_their_definition(pattern in "[ab/*?]{0,8}", path in "[ab/]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(pattern::matches(&pattern, &path), slow(&chars(&pattern), &chars(&path)));
    }

    #[test]
    fn the_index_finds_what_a_search_through_all_delegations_finds(
        patterns in proptest::collection::vec("[ab*?]{0,3}/[ab*?]{0,3}", 1..30), path in "[ab]{0,3}/[ab]{0,3}",
    ) {
        let entries: Vec<String> = patterns.iter().enumerate().map(|(number, pattern)| to(&format!("r{number}"), false, &paths(&[pattern]))).collect();
        let role = listing(1, &[], &roles(&entries));
        let target = TargetPath::new(&path);
        let found: Vec<String> = role.matches(&target).map(|found| found.role).collect();
        let expected: Vec<String> = patterns.iter().enumerate().filter(|(_, pattern)| pattern::matches(pattern, &path)).map(|(number, _)| format!("r{number}")).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn twenty_thousand_projects_are_each_looked_up_in_no_time() {
    let name = |number: u32| format!("name-{number}");
    let entries: Vec<String> = (0..20_000)
        .map(|number| {
            let name = name(number);
            to(
                &format!("project-{name}"),
                true,
                &paths(&[&format!("{name}/*")]),
            )
        })
        .collect();
    let mut tree = Unsigned::default();
    tree.0
        .insert("targets".to_owned(), listing(1, &[], &roles(&entries)));
    let started = std::time::Instant::now();
    for number in 0..20_000 {
        let path = format!("{}/x", name(number));
        let walk = walk(&tree, &path, Limits::default());
        assert_eq!(walk.steps[1].role, format!("project-{}", name(number)));
        assert_eq!(walk.steps.len(), 2);
    }
    // A search through all would compare 400 million patterns.
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
