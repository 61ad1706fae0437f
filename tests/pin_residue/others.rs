//! The other rows of the matrix. Nothing of a PIN may be in the program; what their modules keep in their processes is counted and printed.

use std::fs;
use std::time::Duration;

use virtual_yubikey::Touch;
use virtual_yubikey::stage::on_stage_with;

use crate::alone::{Room, Running, TITLE};
use crate::dump::{Piece, copies, core_of, pieces};
use crate::panicking::Panicked;
use crate::points::kept;
use crate::rows::{self, Over, Token};
use crate::scene::random_pin;
use crate::support::stage::{PIN, pin};

/// Shorter than on the real one, and longer than it takes to look at two processes.
const BLINKS: Duration = Duration::from_secs(12);

/// What is found at a point of a run.
struct Point {
    name: &'static str,
    program: Vec<Piece>,
    worker: Vec<Piece>,
    whole: usize,
}

/// All points of one run with PINs of its own.
fn points(token: impl Fn(&str) -> Token) -> Vec<Point> {
    let (right, wrong) = (random_pin(), random_pin());
    let room = Room::new(token(&right));
    let mut running = room.run();
    running.types(&pin("alice", &wrong));
    running.waits();
    assert!(running.has_on_record("pin-refused"));
    let look = |cores, name, secret| look(&room, cores, name, secret);
    let mut found = vec![look(cores(&running), "after a wrong PIN", &wrong)];
    if let Some(card) = room.token().card.as_ref().filter(|_| wants_touch(&room)) {
        let controls = card.controls();
        controls.set(|faults| {
            faults.touch = Touch::ByHand;
            faults.touch_timeout = BLINKS;
        });
        running.types(&pin("alice", &right));
        running.until("it does not blink", |_| controls.is_blinking());
        let blinking = cores(&running);
        assert!(controls.is_blinking(), "too late");
        found.push(look(blinking, "logged in, while it blinks", &right));
        running.waits();
        let missed = "after a touch that nobody gave";
        found.push(look(cores(&running), missed, &right));
        running.types(&pin("alice", &right));
        running.until("it does not blink", |_| controls.is_blinking());
        assert!(controls.touch());
    } else {
        running.types(&pin("alice", &right));
    }
    running.waits();
    assert!(running.has_on_record("proven"));
    let end = "after login, signature and logout";
    found.push(look(cores(&running), end, &right));
    running.types(&pin("bob", PIN));
    running.finish();
    found
}

/// The program speaks to the card itself, and made its key.
fn wants_touch(room: &Room) -> bool {
    room.token().library.is_none()
}

/// Of the program and of the process of alice's module.
fn cores(running: &Running) -> [Vec<u8>; 2] {
    [running.program.id(), running.worker()].map(core_of)
}

fn look(room: &Room, [program, worker]: [Vec<u8>; 2], name: &'static str, secret: &str) -> Point {
    // The control: these are their memories, and what is there is found.
    for (core, known) in [(&program, TITLE), (&worker, &room.token().known)] {
        assert!(copies(core, known.as_bytes()) > 0, "{name}: no {known}");
    }
    let secret = secret.as_bytes();
    Point {
        name,
        program: pieces(&program, secret),
        worker: pieces(&worker, secret),
        whole: copies(&worker, secret),
    }
}

/// What is in the modules' processes, as rows of the table in docs/tokens.md. Something found is looked for with other PINs: what does not come again is an
/// accident.
fn measured(row: &str, token: impl Fn(&str) -> Token) -> String {
    let first = points(&token);
    let is_clean = |point: &Point| point.program.is_empty() && point.worker.is_empty();
    let again = if first.iter().all(is_clean) {
        Vec::new()
    } else {
        points(&token)
    };
    let mut table = String::new();
    for (number, one) in first.iter().enumerate() {
        let nothing = Point {
            name: one.name,
            program: Vec::new(),
            worker: Vec::new(),
            whole: 0,
        };
        let other = again.get(number).unwrap_or(&nothing);
        let mut program = kept(&one.program, &other.program);
        if !program.is_empty() {
            program = kept(&program, &points(&token)[number].program);
        }
        assert_eq!(program, [], "{row}, {}", one.name);
        let worker = kept(&one.worker, &other.worker);
        // Each whole copy of 8 bytes has 5 pieces of 4.
        let more = worker.len().saturating_sub(5 * one.whole);
        let line = format!("| {row} | {} | {} | {more} |\n", one.name, one.whole);
        table.push_str(&line);
    }
    let panicked = || after_a_panic(&token);
    let found = panicked();
    if !found.is_empty() {
        let twice = kept(&found, &panicked());
        assert!(
            twice.is_empty() || kept(&twice, &panicked()).is_empty(),
            "{row}, after a panic: {twice:?}"
        );
    }
    table
}

/// The panic comes when bob's token is asked for, with alice's login open.
fn after_a_panic(token: impl Fn(&str) -> Token) -> Vec<Piece> {
    let right = random_pin();
    let room = Room::new(token(&right));
    fs::write(room.folder().join("pins"), room.pins()).unwrap();
    let panicked = Panicked::at("token:prove:root:bob", &room.folder(), room.variables());
    let core = core_of(panicked.process());
    let record = fs::read_to_string(room.folder().join("out/transcript.jsonl")).unwrap();
    assert!(record.contains("\"event\":\"proven\""));
    pieces(&core, right.as_bytes())
}

/// What a stage's own process prints is lost when it succeeds; the table comes out through this file.
const TABLE: &str = "TUF_CEREMONY_TEST_TABLE";

fn over_cards(test: &str, row: &str, over: Over) {
    let table = tempfile::NamedTempFile::new().unwrap();
    on_stage_with(
        test,
        |_, command| {
            command.env(TABLE, table.path());
        },
        |stage| {
            let rows = measured(row, |pin| rows::card(stage, over, pin));
            fs::write(std::env::var_os(TABLE).unwrap(), rows).unwrap();
        },
    );
    print!("{}", fs::read_to_string(table.path()).unwrap());
}

#[test]
fn native_yubikey_backend_leaves_nothing_in_the_program() {
    over_cards(
        "others::native_yubikey_backend_leaves_nothing_in_the_program",
        "native YubiKey backend",
        Over::Native,
    );
}

#[test]
fn ykcs11_leaves_nothing_in_the_program() {
    over_cards(
        "others::ykcs11_leaves_nothing_in_the_program",
        "ykcs11 on a virtual YubiKey",
        Over::Ykcs11,
    );
}

#[test]
fn opensc_leaves_nothing_in_the_program() {
    over_cards(
        "others::opensc_leaves_nothing_in_the_program",
        "OpenSC on a virtual YubiKey",
        Over::OpenSc,
    );
}

#[test]
fn tpm2_pkcs11_leaves_nothing_in_the_program() {
    print!("{}", measured("tpm2-pkcs11 on swtpm", rows::tpm));
}

#[test]
fn nss_leaves_nothing_in_the_program() {
    print!("{}", measured("NSS softokn", rows::nss));
}
