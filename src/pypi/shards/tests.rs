#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn shards_are_called_by_beginnings_of_names() {
    for role in [
        "claimed-r",
        "claimed-re",
        "claimed-py-",
        "claimed-py-t",
        "claimed-0",
    ] {
        assert!(is_shard(role), "{role}");
    }
    let long = format!("claimed-{}", "a".repeat(201));
    for role in [
        "claimed",
        "claimed-",
        "claimed--",
        "claimed-a--b",
        "claimed-Re",
        "claimed-r_2",
        "claimed-r.e",
        "recently-claimed",
        "custody",
        "project-claimed-re",
        &long,
    ] {
        assert!(!is_shard(role), "{role}");
    }
}

fn paths(layout: &Layout) -> Vec<String> {
    let shards = layout.shards();
    shards
        .map(|(role, form)| form.path(role.strip_prefix(PREFIX).unwrap()))
        .collect()
}

#[test]
fn shards_are_divided_where_they_are_full_and_stay_else() {
    let names = ["a", "ab", "b", "pip", "py", "py-x", "pya", "pyb1", "pyb2"];
    let one = Layout::default().successor(&names, 9);
    assert_eq!(paths(&one), ["a*/*", "b*/*", "p*/*"]);
    let two = Layout::default().successor(&names, 2);
    let divided = [
        "a*/*", "b*/*", "pi*/*", "py/*", "py-*/*", "pya*/*", "pyb*/*",
    ];
    assert_eq!(paths(&two), divided);
    // Of the first layout only the full one is divided; nothing is put together again.
    assert_eq!(paths(&one.successor(&names, 2)), divided);
    assert_eq!(two.successor(&names, 9), two);
    assert_eq!(two.successor(&[], 9), two);
    // New names: into the shard that answers, else into the shortest that is free; alone where none is.
    let more = ["pa", "pyc", "py0", "z"];
    let mut all = [&names[..], &more[..]].concat();
    all.sort_unstable();
    let three = two.successor(&all, 2);
    let added: Vec<_> = paths(&three)
        .into_iter()
        .filter(|it| !divided.contains(&&**it))
        .collect();
    assert_eq!(added, ["pa*/*", "py0*/*", "pyc*/*", "z*/*"]);
    assert_eq!(paths(&three.successor(&["p"], 2))[2], "p/*");
    for name in all {
        let owner = three.owner(name).unwrap();
        let form = three.form(&owner).unwrap();
        let prefix = owner.strip_prefix(PREFIX).unwrap();
        assert!(name == prefix || form == Form::Beginning && name.starts_with(prefix));
    }
    assert_eq!(two.owner("p"), None);
    assert_eq!(two.owner("pz"), None);
    assert_eq!(two.owner("py"), Some("claimed-py".to_owned()));
    assert_eq!(two.owner("pyq"), None);
    assert_eq!(two.parent("pyb1"), Some("claimed-pyb".to_owned()));
    assert_eq!(two.parent("pyc"), None);
}

#[test]
fn shards_that_overlap_are_no_layout() {
    let shards = |list: &[(&str, Form)]| {
        let list: Vec<_> = list
            .iter()
            .map(|(prefix, form)| ((*prefix).to_owned(), *form))
            .collect();
        Layout::new(list).err()
    };
    use Form::{Beginning, Exact};
    assert_eq!(
        shards(&[("py", Exact), ("py-", Beginning), ("pya", Beginning)]),
        None
    );
    let overlap = Overlap("p".to_owned(), "py".to_owned());
    assert_eq!(
        shards(&[("p", Beginning), ("py", Exact), ("q", Beginning)]),
        Some(overlap)
    );
}

#[test]
fn names_with_a_long_beginning_in_common_cost_no_more() {
    let beginning = "a".repeat(180);
    let names: Vec<String> = (0..200_000)
        .map(|number| format!("{beginning}{number:06}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layout = Layout::default().successor(&names, 2048);
    // Three digits in front: 200 shards of 1,000 names.
    assert_eq!(layout.shards().count(), 200);
    assert!(
        layout
            .shards()
            .all(|(role, _)| role.len() == PREFIX.len() + 183)
    );
    let again = layout.successor(&names, 2048);
    assert_eq!(again, layout);
}

#[test]
fn dates_are_spread_over_the_names() {
    let dates = [
        "2027-01-01T00:00:00Z",
        "2027-02-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
    ];
    let dates = dates.map(|date| Expires::parse(date).unwrap());
    let early: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut count = [0_usize; 3];
    for number in 0..3000 {
        let date = expires(&format!("claimed-{number}"), &dates, early).unwrap();
        count[dates.iter().position(|it| it == date).unwrap()] += 1;
    }
    assert!(
        count.iter().all(|count| (900..1100).contains(count)),
        "{count:?}"
    );
    let late = "2027-02-15T00:00:00Z".parse().unwrap();
    assert_eq!(
        expires("claimed-1", &dates, late).unwrap().text(),
        "2027-03-01T00:00:00Z"
    );
    assert!(expires("claimed-1", &dates, "2027-03-02T00:00:00Z".parse().unwrap()).is_none());
    assert!(expires("claimed-1", &[], early).is_none());
}
