//! Shares as words, and what is said of mistakes.

use super::super::{Fault, sheet};
use super::{KNOWN, refused, secret};
use crate::secret::Secret;

/// The words of the first known share, line by line.
fn lines() -> Vec<Vec<&'static str>> {
    let lines = KNOWN[0].1.lines();
    lines.map(|line| line.split(' ').collect()).collect()
}

fn typed(lines: &[Vec<&str>]) -> Secret {
    let lines: Vec<String> = lines.iter().map(|line| line.join(" ")).collect();
    secret(lines.join("\n"))
}

fn mistake(lines: &[Vec<&str>]) -> (String, String) {
    mistake_of(sheet::read("Ada", &typed(lines)).err().unwrap())
}

fn mistake_of(fault: Fault) -> (String, String) {
    let shown = format!("{fault} {fault:?}");
    let Fault::Mistyped(finding, hint) = fault else {
        panic!("{fault}")
    };
    assert_eq!((&*finding.rule, &*finding.file), ("SHARE-WORDS", "Ada"));
    for word in lines().concat() {
        let told = shown.split(|letter: char| !letter.is_alphanumeric());
        assert!(!told.into_iter().any(|told| told == word), "{shown}");
    }
    let hint = hint.map(|hint| hint.expose(|hint| String::from_utf8(hint.to_vec()).unwrap()));
    let text = finding
        .text
        .strip_suffix(". Compare with the paper and type it again");
    (
        text.unwrap_or(&finding.text).to_owned(),
        hint.unwrap_or_default(),
    )
}

#[test]
fn words_are_read_in_any_case_and_with_any_blanks() {
    let loud = KNOWN[0].1.to_uppercase().replace(' ', " \t ");
    for text in [KNOWN[0].1.trim_end(), &loud.replace('\n', "\r\n\n ")] {
        let share = sheet::read("Ada", &secret(text)).unwrap();
        assert_eq!(share.index(), 1);
    }
    for (number, line) in (1..).zip(KNOWN[0].1.lines()) {
        assert!(sheet::line("Ada", number, &secret(line), false).is_ok());
    }
}

#[test]
fn a_word_in_each_line_that_cannot_be_read_is_found_by_the_checks() {
    let whole = sheet::read("Ada", &typed(&lines())).unwrap();
    for place in 0..sheet::WORDS {
        let mut worn = lines();
        for (number, line) in (0..).zip(&mut worn) {
            line[(place + number) % sheet::WORDS] = "?";
        }
        for (number, line) in (1..).zip(&worn) {
            let line = secret(line.join(" "));
            assert!(sheet::line("Ada", number, &line, true).is_ok());
            assert!(
                sheet::line("Ada", number, &line, false).is_err(),
                "a new sheet"
            );
        }
        let typed = typed(&worn);
        assert!(sheet::has_worn(&typed));
        let found = sheet::read("Ada", &typed).unwrap();
        assert_eq!(found.commitment(), whole.commitment());
    }
    // What the lines' checks give is a share only if the check at the end says so.
    let mut worn = lines();
    (worn[1][0], worn[1][3]) = ("?", "combustion");
    let text = "line 2 has no right word at 1 (neighbours may have changed places)";
    assert_eq!(mistake(&worn), (text.to_owned(), String::new()));
}

#[test]
fn a_mistyped_word_is_named_with_what_should_stand_there() {
    /// Line, place, and what stands there.
    type Other = (usize, usize, &'static str);
    let change = |changes: &[Other]| {
        let mut changed = lines();
        for (line, word, other) in changes {
            changed[line - 1][word - 1] = other;
        }
        mistake(&changed)
    };
    let cases: [(&[Other], &str, &str); 9] = [
        (
            &[(3, 5, "upshot")],
            "line 3, word 5 is wrong",
            "line 3, word 5: unwind\n",
        ),
        (
            &[(3, 5, "unwin")],
            "line 3, word 5 is wrong",
            "line 3, word 5: unwind\n",
        ),
        // A word that cannot be read is no mistake; what else is wrong is told with it.
        (
            &[(3, 5, "?"), (1, 1, "blockade")],
            "line 1, word 1 is wrong; line 3, word 5 is wrong",
            "line 1, word 1: blackjack\nline 3, word 5: unwind\n",
        ),
        (
            &[(3, 5, "warranty")],
            "line 3, word 5 is wrong",
            "line 3, word 5: unwind\n",
        ),
        (
            &[(6, 8, "Eskimo")],
            "line 6, word 8 is wrong",
            "line 6, word 8: conformist\n",
        ),
        (
            &[(1, 1, "blockade"), (4, 2, "Medusa"), (6, 7, "Zulu")],
            "line 1, word 1 is wrong; line 4, word 2 is wrong; line 6, word 7 is wrong",
            "line 1, word 1: blackjack\nline 4, word 2: specialist\nline 6, word 7: inverse\n",
        ),
        // More than can be told for certain: the lines only.
        (
            &[
                (1, 1, "blockade"),
                (2, 1, "Zulu"),
                (4, 2, "Medusa"),
                (6, 7, "Zulu"),
            ],
            "line 1 has a wrong word; line 2 has a wrong word; line 4 has a wrong word; line 6 has a wrong word",
            "",
        ),
        (
            &[(2, 3, "?"), (2, 6, "?")],
            "line 2 has no right word at 3, 6 (neighbours may have changed places)",
            "",
        ),
        // Each could be told alone; together in one line a guess would be wrong.
        (
            &[(3, 5, "?"), (3, 1, "Zulu")],
            "line 3 has no right word at 5 (neighbours may have changed places)",
            "",
        ),
    ];
    for (changes, text, hint) in cases {
        assert_eq!(change(changes), (text.to_owned(), hint.to_owned()));
    }
}

#[test]
fn lines_with_words_exchanged_dropped_or_doubled_are_named() {
    type Change<'a> = &'a dyn Fn(&mut Vec<Vec<&str>>);
    let change = |change: Change<'_>| {
        let mut changed = lines();
        change(&mut changed);
        mistake(&changed).0
    };
    let cases: [(Change<'_>, &str); 7] = [
        (
            &|lines| lines[4].swap(2, 3),
            "line 5 has no right word at 3, 4 (neighbours may have changed places)",
        ),
        (&|lines| lines[4].swap(2, 4), "line 5 has a wrong word"),
        (
            &|lines| lines.swap(1, 2),
            "line 2 has a wrong word; line 3 has a wrong word",
        ),
        (
            &|lines| lines[2] = [&lines[2][..3], &lines[2][4..]].concat(),
            "line 3 has 7 words and not 8, from word 4 on",
        ),
        (
            &|lines| lines[2].truncate(7),
            "line 3 has 7 words and not 8",
        ),
        (
            &|lines| lines[2].insert(3, "warranty"),
            "line 3 has 9 words and not 8, from word 5 on",
        ),
        (
            &|lines| lines.truncate(5),
            "a share has 6 lines, and 5 were typed. Type each line of the paper as one line",
        ),
    ];
    for (to, text) in cases {
        assert_eq!(change(to), text);
    }
    // As many lines as a page of memory holds.
    let fault = sheet::read("Ada", &secret("a\n".repeat(2048)))
        .err()
        .unwrap();
    assert!(mistake_of(fault).0.contains("and 2048 were typed"));
}

#[test]
fn a_line_is_judged_as_soon_as_it_was_typed() {
    let judged = |number, text: &str| {
        let fault = sheet::line("Ada", number, &secret(text), true)
            .err()
            .unwrap();
        mistake_of(fault)
    };
    let right = "orca mosquito peachy passenger rebirth publisher regain bravado";
    let unclear = right.replace("peachy", "p??chy");
    let place = "line 2 has no right word at 3 (neighbours may have changed places)";
    assert_eq!(judged(2, &unclear), (place.to_owned(), String::new()));
    for (number, text) in [(2, right.replace("peachy", "Zulu")), (3, right.to_owned())] {
        let text = judged(number, &text);
        assert_eq!(
            text,
            (format!("line {number} has a wrong word"), String::new())
        );
    }
}

#[test]
fn lines_that_are_right_each_and_not_together_are_refused() {
    // The first line of one share before the others of another.
    let [one, two] = [KNOWN[0].1, KNOWN[1].1].map(|text| text.split_once('\n').unwrap());
    let mixed = secret(format!("{}\n{}", one.0, two.1));
    let fault = sheet::read("Ada", &mixed).err().unwrap();
    assert!(refused(fault)[0].starts_with("SHARE-CHECK Ada: the check at its end does not fit"));
}
