//! Ceremonies at the screen: the real program in a real terminal of 80 columns and 24 rows, with SoftHSM tokens, answered by keys alone; and the same
//! ceremonies without a screen, which must come to the same.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod ceremony_ui {
    mod backup;
    mod provision;
    mod trouble;
}

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use portable_pty::CommandBuilder;
use support::ceremony::Ceremony;
use support::likeness::normalised;
use support::peers::Peer;
use support::record;
use support::scripts::example;
use support::stage::{EVERYBODY, PIN, Stage};
use support::terminal::{End, Session};

const FINISHED: &str = "Finished, exit code";

/// Six tokens as they were bought, and a first root made headless on a copy of them; made once for all tests that run at a time.
struct Before {
    blank: Stage,
    rooted: Stage,
}

fn before() -> Arc<Before> {
    static MADE: Mutex<Weak<Before>> = Mutex::new(Weak::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.upgrade().unwrap_or_else(|| {
        let blank = Stage::with_tokens(&EVERYBODY);
        let rooted = blank.copy();
        rooted
            .ceremony("genesis", example("genesis-458", None))
            .finish();
        let before = Arc::new(Before { blank, rooted });
        *made = Arc::downgrade(&before);
        before
    })
}

/// The ceremony's command without what makes it headless.
fn at_the_screen(ceremony: &Ceremony<'_>) -> CommandBuilder {
    let headless = ceremony.command();
    let mut command = CommandBuilder::new(headless.get_program());
    command.args(
        headless
            .get_args()
            .take_while(|argument| *argument != "--headless"),
    );
    for (name, value) in headless.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.env("TERM", "linux");
    command.env_remove("NO_COLOR");
    command
}

fn open(ceremony: &Ceremony<'_>) -> Session {
    Session::start(at_the_screen(ceremony), 24, 80)
}

/// Reads the finish page to its end and leaves it; the terminal must be as before.
fn leave(mut session: Session, code: u32) -> (String, End) {
    session.sees(&format!("{FINISHED} {code}"));
    let mut page = session.screen();
    session.types("\x1b[6~");
    session.rests();
    page.push_str(&session.screen());
    session.types("q");
    let end = session.end();
    assert!(end.restored, "{}", end.text());
    assert_eq!(end.code, code, "{}", end.text());
    (page, end)
}

/// A whole ceremony at the screen.
fn finish_at_the_screen(ceremony: &Ceremony<'_>) -> PathBuf {
    let mut session = open(ceremony);
    session.answers_until(FINISHED, PIN);
    let bytes = session.bytes();
    assert!(!holds(&bytes, PIN), "{}: the PIN was shown", ceremony.name);
    let (page, _) = leave(session, 0);
    let bundle = ceremony.output();
    let told: String = page.split_whitespace().collect();
    let name: String = bundle.display().to_string();
    assert!(
        told.contains(&name),
        "the finish page does not name {name}:\n{page}"
    );
    let head = record::transcript(&bundle).head();
    let words = tuf_ceremony::words::of(&head.0).join("");
    let told: String = page.chars().filter(char::is_ascii_alphabetic).collect();
    assert!(
        told.contains(&words),
        "the head's words are not on the finish page:\n{page}"
    );
    assert!(record::transcript(&bundle).is_complete());
    bundle
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

fn assert_alike(name: &str, screen: &Path, headless: &Path) {
    let (screen, headless) = (normalised(screen), normalised(headless));
    let names = |files: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        files.keys().cloned().collect()
    };
    assert_eq!(names(&screen), names(&headless), "{name}");
    for (file, text) in &screen {
        let other = &headless[file];
        let differing = text
            .lines()
            .zip(other.lines())
            .find(|(one, other)| one != other);
        assert!(text == other, "{name}: {file}: {differing:?}");
    }
}

fn accepted(first_root: &Path, bundle: &Path, version: u64, stage: &Stage) {
    let (code, report) = stage.verify(first_root, bundle);
    assert_eq!((code, &report["ok"]), (0, &true.into()), "{report:#}");
    let verdict = Peer::PythonTuf.root_chain(first_root, &bundle.join("metadata"));
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.root_version, Some(version));
}

/// The abort example, for a root v2 that somebody has begun.
fn abort(before: &Path) -> (String, String) {
    let abandoned = "ab".repeat(32);
    let script = example("abort", Some(before)).replace(&"0".repeat(64), &abandoned);
    (script, format!("abandon:{abandoned}"))
}

#[test]
fn a_chain_made_at_the_screen_is_the_one_made_headless_and_python_accepts_it() {
    let before = before();
    let screen = before.blank.copy();
    let headless = before.rooted.copy();
    let made = finish_at_the_screen(&screen.ceremony("genesis", example("genesis-458", None)));
    let first_root = made.join("metadata/1.root.json");
    accepted(&first_root, &made, 1, &screen);
    let schemes = support::scripts::keytypes(&first_root);
    let all = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ed25519"];
    assert_eq!(schemes, all);
    let mut bundles = (made, headless.bundle("genesis"));
    assert_alike("genesis", &bundles.0, &bundles.1);
    for (name, version) in [("admin-key", 2), ("renew", 3)] {
        let ceremony = |stage: &Stage, bundle: &Path| -> PathBuf {
            let ceremony = stage
                .ceremony(name, example(name, Some(bundle)))
                .after(bundle);
            if std::ptr::eq(stage, &raw const screen) {
                finish_at_the_screen(&ceremony)
            } else {
                ceremony.finish()
            }
        };
        bundles = (
            ceremony(&screen, &bundles.0),
            ceremony(&headless, &bundles.1),
        );
        accepted(&first_root, &bundles.0, version, &screen);
        assert_alike(name, &bundles.0, &bundles.1);
    }
}

#[test]
fn ephemeral_kinds_at_the_screen_are_the_ones_made_headless() {
    let before = before();
    let stages = [before.blank.copy(), before.blank.copy()];
    let mut bundles: [Option<PathBuf>; 2] = [None, None];
    for name in ["genesis-ephemeral", "renew-ephemeral"] {
        let made = |at: usize| {
            let before = bundles[at].as_deref();
            let ceremony = stages[at].ceremony(name, example(name, before));
            let ceremony = match before {
                Some(bundle) => ceremony.after(bundle),
                None => ceremony,
            };
            if at == 0 {
                finish_at_the_screen(&ceremony)
            } else {
                ceremony.finish()
            }
        };
        bundles = [Some(made(0)), Some(made(1))];
        assert_alike(
            name,
            bundles[0].as_deref().unwrap(),
            bundles[1].as_deref().unwrap(),
        );
    }
}

#[test]
fn from_the_home_screen_an_abort_comes_to_what_it_comes_to_headless() {
    let before = before();
    let stages = [before.rooted.copy(), before.rooted.copy()];
    let ceremonies = stages.each_ref().map(|stage| {
        let bundle = stage.bundle("genesis");
        let (script, prompt) = abort(&bundle);
        let ceremony = stage.ceremony("abort", script).after(&bundle);
        ceremony.answer(&prompt, "give up root v2")
    });
    let headless = ceremonies[1].finish();
    // The command writes the files; the home screen is started where they lie.
    let mut command = at_the_screen(&ceremonies[0]);
    let folder = stages[0].path("abort");
    *command.get_argv_mut() = vec![support::stage::PROGRAM.into()];
    command.cwd(&folder);
    let mut session = Session::start(command.clone(), 24, 80);
    session.sees("What are we doing today?");
    session.sees("The ceremony of 2026-11-30 is given up");
    session.types("q");
    let end = session.end();
    assert!(end.code == 0 && end.restored, "{}", end.text());

    let mut session = Session::start(command, 24, 80);
    session.sees("The ceremony of 2026-11-30 is given up");
    session.types("\r");
    session.sees("Waiting for: the paths");
    session.types("room.toml\rin\rout\r");
    session.sees("Waiting for: Enter, to begin");
    session.answers_until(FINISHED, PIN);
    leave(session, 0);
    assert_alike("abort", &ceremonies[0].output(), &headless);
}
