//! What goes wrong in a ceremony: tokens taken out, wrong PINs, screens that shrink, power cuts, terminals that are closed.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::scripts::{example, keyids};
use crate::support::stage::{PIN, Stage};
use crate::support::terminal::Session;
use crate::{FINISHED, accepted, at_the_screen, before, holds, leave, open};

/// A PIN that is wrong; it must not be anywhere either.
const WRONG_PIN: &str = "Wq4-PIN-8k2M";
const SIGN: &str = "Sign root v2: these bytes and no others";

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
    session.answers_until("carol signs root v2", PIN);
    session.sees("3 needed [######----] 2 signed");
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

/// A screen's text without its line breaks.
fn one_line(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}
