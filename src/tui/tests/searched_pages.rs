//! How the pages of a search look, with hostile text in every place, and that only what is drawn is made.

use crossterm::event::KeyCode::{Char, Down, End, Enter, Esc, Home, PageDown};

use super::fixture::{drawn, key, type_};
use super::hostile::strings;
use super::searches::{SIZE, page, read_summary, searched, searching, searching_at, see};
use crate::tui::glyphs::Glyphs;
use crate::tui::model::Model;

/// Every screen of a search, by name.
fn screens(text: &str, size: (u16, u16)) -> Vec<(&'static str, Model)> {
    let at = |keys: &dyn Fn(&mut Model)| {
        let review = searched(text, 30, vec![2]);
        let mut model = searching_at(&review, text, size);
        keys(&mut model);
        model
    };
    vec![
        ("summary", at(&|_| {})),
        ("list", at(&|model| drop(key(model, Enter)))),
        (
            "search",
            at(&|model| drop(type_(model, &format!("/{text}")))),
        ),
        ("nothing", at(&|model| drop(type_(model, "/nowhere")))),
        ("entry", at(&|model| drop(key(model, Char('n'))))),
        (
            "entry's end",
            at(&|model| {
                key(model, Char('n'));
                key(model, End);
            }),
        ),
        (
            "reject",
            at(&|model| drop(type_(model, &format!("R{text}")))),
        ),
        ("not yet", at(&|model| drop(key(model, Char('S'))))),
        (
            "phrase",
            at(&|model| {
                read_summary(model);
                for _ in 0..2 {
                    key(model, Char('n'));
                    for _ in 0..40 {
                        key(model, End);
                    }
                    key(model, Char(' '));
                }
                key(model, Char('S'));
                type_(model, text);
            }),
        ),
    ]
}

#[test]
fn of_twenty_thousand_entries_only_those_on_the_screen_are_made() {
    let review = searched("", 20_000, vec![19_999]);
    let entries = review.entries().unwrap();
    let mut model = searching_at(&review, "", SIZE);
    let start = entries.made();
    let mut most = 0;
    let keys = [
        Enter,
        End,
        Home,
        PageDown,
        Char('f'),
        Char('f'),
        Char('n'),
        Esc,
        Char('/'),
    ];
    let typed = "project1999".chars().map(Char);
    let after = [Enter, Enter, Esc, Char('F'), Down, Char('S')];
    for code in keys.into_iter().chain(typed).chain(after) {
        let before = entries.made();
        key(&mut model, code);
        drawn(&model);
        most = most.max(entries.made() - before);
    }
    assert!(entries.made() > start);
    assert!(most <= 48, "{most} rows were made by one key");
}

#[test]
fn hostile_text_in_a_search_reaches_no_screen_unescaped_and_every_line_fits() {
    for text in strings() {
        for (name, model) in screens(&text, SIZE) {
            for row in drawn(&model) {
                assert!(row.chars().all(Glyphs::allows), "{name} {text:?}: {row:?}");
                assert_eq!(row.chars().count(), 80, "{name} {text:?}");
            }
        }
    }
    for size in [SIZE, (100, 30), (132, 43)] {
        for (name, model) in screens("alice", size) {
            let page = crate::tui::page::page(&model);
            let rows = drawn(&model);
            assert_eq!(rows[rows.len() - 1].trim(), page.keys, "{name} at {size:?}");
            assert_eq!(
                rows[rows.len() - 2].trim(),
                page.waiting,
                "{name} at {size:?}"
            );
            for line in [&page.top, &page.body, &page.bottom].into_iter().flatten() {
                assert!(line.width() <= usize::from(size.0), "{name}: {line}");
            }
            assert!(
                rows.iter().any(|row| row.contains("signed bytes sha256")),
                "{name}"
            );
        }
    }
    let (_, entry) = screens("a\u{202e}b", SIZE).remove(4);
    assert!(page(&entry).contains("a\\u{202e}b"), "{}", page(&entry));
}

/// The rows between the two rules.
fn inner(model: &Model) -> Vec<String> {
    let rows = drawn(model);
    let rows = rows[3..rows.len() - 3].iter();
    rows.map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn the_pages_look_like_this() {
    let (mut model, _) = searching();
    key(&mut model, Char('n'));
    see(&mut model);
    key(&mut model, Char('n'));
    assert_eq!(inner(&model), ENTRY);
    key(&mut model, Esc);
    assert_eq!(inner(&model), LIST);
    let last = drawn(&model);
    assert_eq!(
        last[22..],
        [
            format!("{:80}", " Waiting for: the summary to be read to its end"),
            format!(
                "{:80}",
                " / search  f filter  Enter open  n unseen  Esc summary  S sign  R reject  ? help"
            ),
        ]
    );
}

const ENTRY: &[&str] = &[
    " Compare the plan",
    " signed bytes sha256 5305 a79d f581 3130 7952 8c36 5d0e 00bf",
    "                     e6e8 0789 6fd3 d2df bd22 8419 2f66 0e97",
    " -- Entry 8 of 250: read to its end",
    " project00007: threshold down",
    " [WARN]  threshold lowered: 2 -> 1",
    " same    role: project-project00007",
    " CHANGED threshold: 2 of 6 -> 1 of 6",
    " same    terminating: true",
    " same    paths: project00007/*",
    " same    x-note:",
    " same    Ed25519 key of",
    "         keyid 49ac5de219edae62f9fdeea0fc3f3af48fd832f22fac50820ac11174d6e068bd",
    "         sha256 0289e21e62d0db827f3a761000ca37e54b06616da1a6bc1823b23adf419112d4",
    "         object 89a87a902543bd812ccafa64a09da2430ea2de19c128bfa2669cc15c271ff497",
    " same    Ed25519 key of",
    "",
    " Watch list 0 of 3 seen, spot checks 1 of 2. Signing is locked.",
];

const LIST: &[&str] = &[
    " Compare the plan",
    " signed bytes sha256 5305 a79d f581 3130 7952 8c36 5d0e 00bf",
    "                     e6e8 0789 6fd3 d2df bd22 8419 2f66 0e97",
    " -- all that differ: 250 of 250   search:",
    "     ADDED    project00000              NEW  1 of 1 keys",
    "     ADDED    project00001              NEW  1 of 1 keys",
    "     ADDED    project00002              NEW  1 of 1 keys",
    " [x] ADDED    project00003              NEW  1 of 1 keys",
    "     ADDED    project00004              NEW  1 of 1 keys",
    "     ADDED    project00005              NEW  1 of 1 keys",
    "     ADDED    project00006              NEW  1 of 1 keys",
    ">[ ] [WARN]   project00007              ! threshold lowered  threshold 2 -> 1",
    "     ADDED    project00008              NEW  1 of 1 keys",
    "     ADDED    project00009              NEW  1 of 1 keys",
    "     ADDED    project00010              NEW  1 of 1 keys",
    "     ADDED    project00011              NEW  1 of 1 keys",
    "",
    " Watch list 0 of 3 seen, spot checks 1 of 2. Signing is locked.",
];
