//! The pages of a share, byte by byte.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Entry, LONGEST, WIPE, page};
use crate::backup::{Scheme, sheet, split};
use crate::ceremony::prompt::SharePrompt;
use crate::secret::Secret;
use crate::tuf::digest::Sha256;

const LABEL: &str = "backup 0123456789abcdef   share 16 of 16   any 16 open it";

fn prompt() -> SharePrompt {
    SharePrompt {
        custodian: "ada".to_owned(),
        index: Some(2),
        text: Vec::new(),
        after: None,
    }
}

fn share() -> Secret {
    let scheme = Scheme::new("", 2, 3).unwrap();
    let (_, shares) = split(&Secret::random(32).unwrap(), scheme, Sha256::of(b"")).unwrap();
    sheet::written(&shares[1]).unwrap()
}

fn text(secret: &Secret) -> String {
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn line(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_share_fits_a_screen_of_80_by_24_and_every_word_is_there() {
    let share = share();
    let label = [LABEL.to_owned(), "ada   2026-11-23".to_owned()];
    let shown = text(&page(&prompt(), &share, &label).unwrap());
    let rows: Vec<_> = shown.split("\r\n").collect();
    assert!(rows.len() <= 24, "{}", rows.len());
    for row in &rows {
        let seen = row.replace("\x1b[0m", "").replace("\x1b[1m", "");
        assert!(seen.len() <= 80 || seen.contains("CAMERA"), "{seen}");
    }
    for word in text(&share).split_whitespace() {
        assert!(shown.contains(word), "{word}");
    }
    assert!(shown.contains(LABEL), "{shown}");
}

#[test]
fn a_right_line_is_kept_and_a_wrong_one_stands_to_be_corrected() {
    let share = text(&share());
    let lines: Vec<_> = share.lines().collect();
    let mut entry = Entry::new().unwrap();
    entry.line = line(&lines[0].replacen(lines[0].split(' ').next().unwrap(), "?", 1));
    entry.enter(&prompt()).unwrap();
    assert_eq!(entry.done, 0);
    assert!(entry.note.as_deref().unwrap().contains("line 1"));
    assert!(!entry.line.is_empty());
    for right in &lines {
        entry.line = line(right);
        entry.enter(&prompt()).unwrap();
    }
    assert_eq!((entry.done, entry.note), (sheet::LINES, None));
    assert_eq!(text(&entry.lines), share);
}

#[test]
fn what_is_typed_cannot_command_the_terminal() {
    let mut entry = Entry::new().unwrap();
    entry.line = line("aardvark \x1b[2J\u{202e}?");
    let shown = text(&entry.page(&prompt()).unwrap());
    assert_eq!(shown.matches("\x1b[2J").count(), 1);
    assert!(shown.contains("aardvark #[2J###?"), "{shown}");
}

/// The rows of a page as they are seen.
fn rows(page: &Secret) -> Vec<String> {
    let page = text(page);
    let seen = [WIPE, "\x1b[0m", "\x1b[1m", "\x1b[7m"];
    let seen = seen.iter().fold(page, |page, code| page.replace(code, ""));
    seen.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn the_longest_line_is_typed_in_whole_words_and_all_that_is_said_of_it_is_read() {
    let mut entry = Entry::new().unwrap();
    // Eight words of the most letters, and then somebody leans on the keyboard.
    let longest = "chairlift Wilmington goldfish sympathizer ratchet underfoot ? Burlington";
    entry.line = line(&format!("{longest} {}", "x ".repeat(200)));
    entry.edited();
    assert_eq!(entry.line.len(), LONGEST);
    entry.enter(&prompt()).unwrap();
    let rows = rows(&entry.page(&prompt()).unwrap());
    assert!(rows.len() <= 24, "{rows:?}");
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{rows:?}");
    let seen = rows.join("\n");
    for word in longest.split(' ') {
        assert!(
            seen.split_whitespace().any(|shown| shown == word),
            "{word}: {seen}"
        );
    }
    let told = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("words and not 8, from word 4 on. Compare with the paper and type it again"),
        "{told}"
    );
}

#[test]
fn a_line_that_is_right_is_not_shown_any_more() {
    let share = text(&share());
    let first = share.lines().next().unwrap();
    let mut entry = Entry::new().unwrap();
    entry.line = line(first);
    assert!(text(&entry.page(&prompt()).unwrap()).contains(first.split(' ').next().unwrap()));
    entry.enter(&prompt()).unwrap();
    let rows = rows(&entry.page(&prompt()).unwrap());
    assert!(
        rows.contains(&" 1  [ OK ]".to_owned()) && rows.contains(&" 2  _".to_owned()),
        "{rows:?}"
    );
}
