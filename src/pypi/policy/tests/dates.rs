//! Versions and expiry.
use super::*;

#[test]
fn versions_go_up_by_one_or_stay_with_their_content() {
    let root = |version, expires| {
        tree(&[dated(
            role("root", RoleClass::Root, &[1, 2, 3, 4, 5], 3),
            version,
            expires,
        )])
    };
    let old = root(7, "2027-06-01T00:00:00Z");
    for (version, expires, expected) in [
        (8, "2027-07-01T00:00:00Z", vec![]),
        (7, "2027-06-01T00:00:00Z", vec![]),
        (
            9,
            "2027-07-01T00:00:00Z",
            vec![finding(
                Error,
                "VERSION-SKIP",
                "Role root would go from version 7 to 9. Give it version 8.",
            )],
        ),
        (
            6,
            "2027-07-01T00:00:00Z",
            vec![finding(
                Error,
                "VERSION-SKIP",
                "Role root would go from version 7 to 6. Give it version 8.",
            )],
        ),
        (
            7,
            "2027-07-01T00:00:00Z",
            vec![finding(
                Error,
                "VERSION-SKIP",
                "Role root would go from version 7 to 7. Give it version 8.",
            )],
        ),
    ] {
        assert_eq!(
            found(Some(&old), &root(version, expires), Whose::Ours),
            expected,
            "{version} {expires}"
        );
    }
}

#[test]
fn expiry_is_neither_past_nor_soon_nor_far() {
    let root = |expires| {
        dated(
            role("root", RoleClass::Root, &[1, 2, 3, 4, 5], 3),
            1,
            expires,
        )
    };
    let online = |expires| dated(role("timestamp", Online, &[9], 1), 1, expires);
    for (role, expected) in [
        (root("2027-11-22T00:00:00Z"), vec![]),
        (root("2027-12-27T00:00:00Z"), vec![]),
        (root("2026-11-29T00:00:00Z"), vec![]),
        (online("2026-11-23T00:00:00Z"), vec![]),
        (
            online("2026-11-12T00:00:00Z"),
            vec![finding(
                Error,
                "EXPIRY-PAST",
                "Role timestamp expired on 2026-11-12T00:00:00Z, 10 days ago. Choose a date in the future.",
            )],
        ),
        (
            root("2026-11-25T00:00:00Z"),
            vec![finding(
                Warning,
                "EXPIRY-SOON",
                "Role root expires on 2026-11-25T00:00:00Z, in 3 days: sooner than the 7 days that another ceremony needs. Choose a later date.",
            )],
        ),
        (
            root("2027-12-28T00:00:00Z"),
            vec![finding(
                Error,
                "EXPIRY-FAR",
                "Role root expires on 2027-12-28T00:00:00Z, in 401 days: later than the 400 days that an offline role may stand. Choose an earlier date.",
            )],
        ),
    ] {
        assert_eq!(judged(&[role]), expected);
    }
}
