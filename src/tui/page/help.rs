//! The help page: keys and a glossary for those who see such a screen once a year.

use ratatui::text::Line;

use super::super::text::{Tone, tagged};

const HELP: &[(&str, &str)] = &[
    ("KEYS", ""),
    (
        "arrows, hjkl",
        "move or scroll; PgUp and PgDn by a page, g and G to the first and last line",
    ),
    ("Enter", "answer, after looking"),
    (
        "Tab",
        "go into the field and out of it; in a field all letters are text",
    ),
    ("Esc", "back"),
    (
        "s  c  f  o",
        "steps, signatures so far, findings, overview (F2, F3, F4, F6 also in a field)",
    ),
    (
        "L or F5",
        "large type, for the room and the camera: one fact a page",
    ),
    ("w", "the digest in words, to be read aloud"),
    (
        "/  n  N",
        "search a review, next, previous; e goes to the next marked line",
    ),
    (
        "n  space  f  S",
        "in a review that is searched: open the next that must be seen, say that it was seen, other filters, type the phrase",
    ),
    ("R", "reject a document; asks for the word"),
    (
        "q or Ctrl-C",
        "asks whether to pause and save; Ctrl-C twice pauses at once",
    ),
    ("? or F1", "this page"),
    (
        "",
        "Nothing is signed, skipped or given up by a single key.",
    ),
    ("", ""),
    ("WORDS", ""),
    (
        "root",
        "the file that says which keys count for every other file, and for the next root",
    ),
    (
        "keyid",
        "the name of a public key: 64 digits computed from the key itself",
    ),
    (
        "threshold",
        "how many different keys must sign before a file is valid",
    ),
    (
        "quorum",
        "the people whose keys reach a threshold; a new root needs those of the old root and its own",
    ),
    (
        "candidate",
        "a file that is built but not yet signed by enough keys",
    ),
    (
        "payload",
        "the exact bytes that every token signs; its sha256 is on the screen",
    ),
    (
        "targets, bins",
        "the files that say which packages are genuine",
    ),
    (
        "token",
        "the device that holds a key and never gives it away",
    ),
    (
        "PIN try",
        "a token locks itself after a few wrong PINs; the screen says how many are left",
    ),
    (
        "watch list",
        "projects of a large change that must be seen one by one, each with its reason",
    ),
    (
        "spot check",
        "a project that was drawn by chance and must be seen too",
    ),
    (
        "rehearsal",
        "the same ceremony with throwaway keys; its files are refused in production",
    ),
    (
        "transcript",
        "the record of all that happened; each line holds the digest of the line before",
    ),
    (
        "PGP words",
        "a digest as 32 words; two lists take turns, so that a missing word is heard",
    ),
    ("[ OK ] [NOTE]", "fine; worth knowing"),
    (
        "[WARN] [FAIL]",
        "worth stopping for, by your decision; refused",
    ),
];

/// The help page's lines.
pub(super) fn lines(width: usize) -> Vec<Line<'static>> {
    HELP.iter()
        .flat_map(|(term, meaning)| {
            let tone = if meaning.is_empty() {
                Tone::Strong
            } else {
                Tone::Plain
            };
            tagged(&format!(" {term}"), 17, meaning, width, tone)
        })
        .collect()
}
