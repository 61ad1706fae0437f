//! No secret of a backup is anywhere but where it may be: the program is held still at ten steps, and every file, what went to the terminal, /proc and what
//! a core would hold of it and its helpers are searched, for eight bytes in a row of anything. Only root can look.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

#[path = "backup_canary/dump.rs"]
mod dump;
#[path = "backup_canary/ephemeral.rs"]
mod ephemeral;
#[path = "backup_canary/headless.rs"]
mod headless;
#[path = "backup_canary/scan.rs"]
mod scan;
#[path = "backup_canary/screen.rs"]
mod screen;
#[path = "backup_canary/secrets.rs"]
mod secrets;
#[path = "backup_canary/watch.rs"]
mod watch;

use secrets::{EPHEMERAL, PINS, SERVERS, SHARE, WORDS, WRAPPING};

/// The steps, and what stands in locked pages then, which a core leaves out.
const STEPS: [(&str, &[&str]); 10] = [
    // Candidates are read before anybody signs.
    ("keys are made", &[EPHEMERAL, SERVERS]),
    // The token is asked for that gives a key away.
    ("what leaves is agreed", &[SERVERS, WRAPPING]),
    // The blob was taken; the first custodian is called, who keeps a share sealed.
    ("sealed", &[SHARE, SERVERS, WRAPPING]),
    // The next custodian is called, who keeps a share on paper.
    ("a share was read", &[SHARE, WORDS, SERVERS, WRAPPING]),
    ("a share is shown", &[SHARE, WORDS, SERVERS, WRAPPING]),
    // The page was wiped, half of the sheet is typed.
    ("a share is typed", &[SHARE, WORDS, SERVERS, WRAPPING]),
    // The PIN of the other token is typed.
    ("the blob is tried", &[PINS, SHARE, SERVERS, WRAPPING]),
    ("drilled and closed", &[]),
    // The token is asked for to which a key is brought.
    ("opened again", &[SHARE, SERVERS, WRAPPING]),
    ("restored and closed", &[]),
];
