//! Ceremonies at the screen: the real program in a real terminal of 80 columns and 24 rows, with SoftHSM tokens, answered by keys alone; and the same
//! ceremonies without a screen, which must come to the same.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "no test program uses every helper"
)]
mod support {
    pub mod ceremony;
    pub mod likeness;
    pub mod peers;
    pub mod record;
    pub mod scripts;
    pub mod stage;
    pub mod terminal;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use support::ceremony::Ceremony;
use support::likeness::normalised;
use support::peers::Peer;
use support::record;
use support::scripts::{example, keyids};
use support::stage::{EVERYBODY, PIN, Stage};
use support::terminal::{End, Session};

/// A PIN that is wrong; it must not be anywhere either.
const WRONG_PIN: &str = "Wq4-PIN-8k2M";
const FINISHED: &str = "Finished, exit code";
const SIGN: &str = "Sign root v2: these bytes and no others";

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
            .ceremony("genesis", example("genesis", None))
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

/// A screen's text without its line breaks.
fn one_line(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
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
    let made = finish_at_the_screen(&screen.ceremony("genesis", example("genesis", None)));
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

/// The folder in which SoftHSM keeps a holder's token.
fn token_folder(stage: &Stage, holder: &str) -> PathBuf {
    let mut tokens = fs::read_dir(stage.path("tokens"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let label = format!("{holder} ");
    tokens
        .find(|token| holds(&fs::read(token.join("token.object")).unwrap(), &label))
        .unwrap()
}

/// Takes a holder's token away; what it gives puts the token back.
fn take_out(stage: &Stage, holder: &str) -> impl FnOnce() + use<> {
    let (token, pocket) = (token_folder(stage, holder), stage.path("pocket"));
    fs::rename(&token, &pocket).unwrap();
    move || fs::rename(pocket, token).unwrap()
}

/// The opening page says where the ceremony goes on.
fn goes_on(session: &mut Session, bundle: &Path) {
    let transcript = record::transcript(bundle);
    let (step, steps) = (
        transcript.progress().current() + 1,
        transcript.progress().steps().len(),
    );
    session.sees(&format!("Goes on at step {step} of {steps}"));
}

fn signed(bundle: &Path) -> usize {
    record::signatures(bundle).len()
}

/// Nothing that the system shows of a process holds a PIN.
fn assert_no_pin_in_the_process(process: u32) {
    for what in ["environ", "cmdline"] {
        let bytes = fs::read(format!("/proc/{process}/{what}")).unwrap_or_default();
        assert!(!holds(&bytes, PIN) && !holds(&bytes, WRONG_PIN), "{what}");
    }
}

#[test]
fn what_goes_wrong_in_a_ceremony_is_said_and_it_goes_on_from_there() {
    let before = before();
    let stage = before.rooted.copy();
    let genesis = stage.bundle("genesis");
    let renewal = stage.ceremony("renew", renewal(&genesis)).after(&genesis);
    let bundle = renewal.output();

    // A token is taken out while its prompt is open. SoftHSM sees what was put back only when it is loaded again: the ceremony is paused and goes on.
    let mut session = open(&renewal);
    session.answers_until(SIGN, PIN);
    digest_is_shown(&session.screen(), &bundle);
    let put_back = take_out(&stage, "alice");
    session.types("\r");
    session.sees("That token is not there. Nothing was done");
    assert_eq!(signed(&bundle), 0);
    put_back();

    // Ctrl-C asks; Esc stays; pausing keeps everything.
    session.types("\x03");
    session.sees("Pause and save?");
    session.types("\x1b");
    session.sees("That token is not there. Nothing was done");
    session.types("\x03");
    session.sees("Pause and save?");
    session.types("p");
    let mut seen = session.bytes();
    let (page, _) = leave(session, 3);
    assert!(
        page.contains("the same command goes on from here"),
        "{page}"
    );

    // A wrong PIN.
    let mut session = open(&renewal);
    goes_on(&mut session, &bundle);
    session.answers_until("PIN: _", PIN);
    digest_is_shown(&session.screen(), &bundle);
    session.types(&format!("{WRONG_PIN}\r"));
    session.sees("The token refused the PIN.");
    let screen = session.screen();
    assert!(
        screen.contains("tries left: few; the token does not say how many"),
        "{screen}"
    );
    assert!(
        one_line(&screen).contains("nothing was signed or written"),
        "{screen}"
    );

    // The window becomes far too small and large again.
    session.resize(5, 20);
    session.sees("REHEARSAL");
    session.resize(24, 80);
    session.sees("The token refused the PIN.");

    // The right one, twice; then a token is taken out while its PIN is typed, and the power fails.
    session.answers_until("3 needed [######----] 2 signed", PIN);
    session.types("\r");
    session.sees("Press Enter to open the PIN field.");
    session.types("\r");
    session.sees("PIN: _");
    assert_no_pin_in_the_process(session.process());
    let put_back = take_out(&stage, "carol");
    session.types(&format!("{PIN}\r"));
    session.sees("Nothing was counted.");
    assert_no_pin_in_the_process(session.process());
    assert_eq!(signed(&bundle), 2);
    seen.extend(session.bytes());
    session.signal("KILL");
    drop(session.end());
    put_back();

    // The terminal is closed under the program: it ends, and the record stays good.
    hang_up(&renewal);
    assert_eq!(signed(&bundle), 2);

    let mut session = open(&renewal);
    goes_on(&mut session, &bundle);
    session.answers_until(FINISHED, PIN);
    seen.extend(session.bytes());
    leave(session, 0);
    accepted(&genesis.join("metadata/1.root.json"), &bundle, 2, &stage);

    for pin in [PIN, WRONG_PIN] {
        assert!(!holds(&seen, pin), "a PIN was shown");
        let found = stage
            .command("grep")
            .args(["-rlF", pin])
            .arg(&bundle)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
}

/// The renewal example as the second ceremony of its chain, and of root alone.
fn renewal(genesis: &Path) -> String {
    let script = example("renew", Some(genesis)).replace("version = 3", "version = 2");
    let (head, rest) = script.split_once("[targets]").unwrap();
    let (_, holders) = rest.split_once("[[holder]]").unwrap();
    let holders = holders
        .lines()
        .filter(|line| !line.starts_with("targets.") && !line.starts_with("bins."));
    let holders = holders.collect::<Vec<_>>().join("\n");
    let holders = holders.replace("frank.root", &keyids(genesis)["erin.root"]);
    let holders = holders.replace("frank", "erin").replace("Frank", "Erin");
    format!("{head}[[holder]]{holders}\n")
}

/// Closes the terminal at a question: `script` keeps it, and is killed.
fn hang_up(ceremony: &Ceremony<'_>) {
    let direct = at_the_screen(ceremony);
    let words = direct.get_argv().iter().map(|word| word.to_str().unwrap());
    let line = format!("exec {}", words.collect::<Vec<_>>().join(" "));
    let mut command = direct.clone();
    let argv = ["script", "-qfc", &line, "/dev/null"];
    *command.get_argv_mut() = argv.map(Into::into).to_vec();
    let mut session = Session::start(command, 24, 80);
    session.answers_until(SIGN, PIN);
    let keeper = session.process();
    let children = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).unwrap();
    let program = children.trim().to_owned();
    session.signal("KILL");
    let begun = Instant::now();
    // Nobody may have collected its exit code.
    let state = || fs::read_to_string(format!("/proc/{program}/stat")).unwrap_or_default();
    while !state().is_empty() && !state().contains(") Z ") {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "it runs on without a terminal: {}",
            state()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// The digest of the root to be signed stands on the screen in full.
fn digest_is_shown(screen: &str, bundle: &Path) {
    let transcript = record::transcript(bundle);
    let document = &transcript.progress().documents()[0];
    let shown: String = screen.chars().filter(|c| !c.is_whitespace()).collect();
    let digest = document.payload.to_string();
    let (first, second) = digest.split_at(32);
    assert!(
        shown.contains(first) && shown.contains(second),
        "{digest} on\n{screen}"
    );
}
