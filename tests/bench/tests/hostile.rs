//! Hostile inputs at a small size: what is refused, and in which words, is the same at any size.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use bench::hostile::CASES;
use bench::made;

#[test]
fn each_is_refused_in_words_or_read() {
    let before = made::list(10).unwrap();
    let table = [
        (1000, "read: "),
        (1000, "read: "),
        (
            70_000,
            "JSON-STRICT: This is not strict JSON: line 1, column 300: a string longer than 65536 bytes.",
        ),
        (
            40,
            "JSON-STRICT: This is not strict JSON: line 1, column 330: nested deeper than 32 levels.",
        ),
        (
            1000,
            "JSON-STRICT: This is not strict JSON: line 1, column 201: the key \"k\" occurs twice in one object.",
        ),
        (
            1000,
            "DELEGATION-FORM: signed.delegations.roles[500] delegates to project-0000000 a second time",
        ),
        (1000, "read: "),
        (1000, "read: "),
        (1000, "read: "),
        (
            100,
            "64 of 64 refused; the last: JSON-STRICT: This is not strict JSON: line 1, column",
        ),
    ];
    for (case, (number, words)) in CASES.iter().zip(table) {
        let verdict = case.judge(&before, case.make(number).unwrap());
        assert!(
            verdict.text.starts_with(words),
            "{}: {}",
            case.name,
            verdict.text
        );
        assert_eq!(verdict.refused, !words.starts_with("read"), "{}", case.name);
    }
    assert_eq!(CASES.len(), table.len());
}
