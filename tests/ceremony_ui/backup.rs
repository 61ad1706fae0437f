//! Backups at the screen: custodians read their shares from it and type them from the paper, and open the backup with them in the ceremonies after it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portable_pty::CommandBuilder;
use tuf_ceremony::room::rehearsal::PIN;
use tuf_ceremony::tuf::digest::Sha256;

use crate::support::record;
use crate::support::stage::{PROGRAM, softhsm};
use crate::support::terminal::{Session, Sheet, written};
use crate::{FINISHED, leave};

const DEALT: &str = "Press Enter to show it; then it is typed from the paper.";
const ASKED: &str = "Press Enter to type it from the paper.";
const CUSTODIANS: [&str; 5] = ["ada", "ben", "cleo", "dov", "eli"];

/// Starts a rehearsal at the screen, whose folder is made in `temporary`.
fn rehearse(kind: &str, temporary: &Path, more: &[&str]) -> Session {
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["rehearse", kind, "--require-softhsm"]);
    command.args(more);
    command.env("TERM", "linux");
    command.env("TMPDIR", temporary);
    Session::start(command, 24, 80)
}

fn type_sheet(session: &mut Session, sheet: &Sheet) {
    session.sees(", from the paper.");
    for (number, line) in (1..).zip(sheet) {
        session.types(&format!("{line}\r"));
        if number < sheet.len() {
            session.sees(&format!(" {}  _", number + 1));
        }
    }
}

/// Until a custodian's share stands on the screen; gives what is written down.
fn shown(session: &mut Session, custodian: &str) -> Sheet {
    session.answers_until(DEALT, PIN);
    session.sees(&format!("for {custodian}"));
    session.types("\r");
    session.sees(&format!("Only {custodian} looks at this screen"));
    session.sees("Esc: stop.");
    let sheet = written(&session.screen());
    session.types("\r");
    sheet
}

fn hand_out(session: &mut Session, custodian: &str) -> Sheet {
    let sheet = shown(session, custodian);
    type_sheet(session, &sheet);
    sheet
}

fn bring(session: &mut Session, custodian: &str, sheet: &Sheet) {
    session.answers_until(ASKED, PIN);
    session.sees(&format!("The share of {custodian}"));
    session.types("\r");
    type_sheet(session, sheet);
}

/// Reads the finish page to its end, which tells the counts, and goes on to the next ceremony of the rehearsal.
fn finished(session: &mut Session, counts: &str) {
    session.answers_until(FINISHED, PIN);
    let mut page = session.screen();
    while page.contains("below: PgDn") {
        session.types("\x1b[6~");
        session.rests();
        if page.ends_with(&session.screen()) {
            break;
        }
        page.push_str(&session.screen());
    }
    let told = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(counts), "{page}");
    session.types("q");
    session.sees("Waiting for: Enter, to begin");
}

#[test]
fn a_key_is_backed_up_and_brought_to_another_token_at_the_screen_and_signs_for_the_same_root() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("bundles");
    let mut session = rehearse(
        "restore",
        temporary.path(),
        &["--out", out.to_str().unwrap()],
    );
    let mut sheets = BTreeMap::new();
    for custodian in CUSTODIANS {
        let sheet = shown(&mut session, custodian);
        if custodian == "ben" {
            // A slip of the pen is told by its line, and the line stands to be corrected.
            session.sees(", from the paper.");
            let slip = sheet[0].replacen(sheet[0].split(' ').next().unwrap(), "?", 1);
            session.types(&format!("{slip}\r"));
            session.sees("[FAIL] line 1");
            session.types("\x15");
            session.sees(" 1  _");
        }
        type_sheet(&mut session, &sheet);
        sheets.insert(custodian, sheet);
    }
    finished(
        &mut session,
        "Groups of shares that opened the backup: 10; smaller ones that did not: 10; whole keys: 2.",
    );
    // The drill, and the restoration after alice's token was erased: what was the spare one is hers.
    for (custodians, counts) in [
        (
            &["ada", "cleo", "dov", "eli"][..],
            "Groups of shares that opened the backup: 4; smaller ones that did not: 6",
        ),
        (
            &["ben", "dov", "eli"],
            "Groups of shares that opened the backup: 1; smaller ones that did not: 3",
        ),
    ] {
        for custodian in custodians {
            bring(&mut session, custodian, &sheets[custodian]);
        }
        finished(&mut session, counts);
    }
    session.answers_until(FINISHED, PIN);
    let (page, _) = leave(session, 0);
    assert!(page.contains("Signatures on root v2"), "{page}");

    let mut command = Command::new(PROGRAM);
    command.args(["verify", "--rehearsal", "--trusted-root"]);
    command.arg(out.join("genesis-backup/metadata/1.root.json"));
    let verified = command.arg(out.join("renew-ephemeral")).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let restored = record::transcript(&out.join("restore"));
    let restored = restored.progress().backup().restored().to_vec();
    assert!(
        restored.len() == 1 && restored[0].token.is_some(),
        "{restored:?}"
    );
    let renewed = record::transcript(&out.join("renew-ephemeral"));
    let mut documents = renewed.progress().documents().iter();
    let root = documents.find(|known| known.document.to_string() == "root v2");
    assert!(root.unwrap().is_signed_by(&restored[0].keyid));
}

/// The folder of the only rehearsal that was begun in `temporary`.
fn work(temporary: &Path) -> PathBuf {
    let mut entries = fs::read_dir(temporary).unwrap();
    entries.next().unwrap().unwrap().path()
}

/// The program that the rehearsal started again, which has the tokens.
fn inner(session: &Session) -> String {
    let outer = session.process();
    let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
    children.trim().to_owned()
}

/// Goes on with the rehearsal's last ceremony after it was cut short, as with any other.
fn go_on(work: &Path, room: &Path) -> Session {
    let folder = work.join("backup");
    let mut command = CommandBuilder::new(PROGRAM);
    command.arg("run");
    command.arg(folder.join("script.toml"));
    command.arg("--room");
    command.arg(room);
    command.arg("--in");
    command.arg(folder.join("in"));
    command.arg("--out");
    command.arg(work.join("bundles/backup"));
    command.env("TERM", "linux");
    command.env("SOFTHSM2_CONF", work.join("softhsm2.conf"));
    let mut session = Session::start(command, 24, 80);
    session.sees("Goes on at step");
    session.answers_until(
        "A backup was begun before and cut short. It begins anew",
        PIN,
    );
    session
}

fn kill(process: &str) {
    let killed = Command::new("kill").args(["-s", "KILL", process]).status();
    assert!(killed.unwrap().success());
}

#[test]
fn a_backup_that_was_cut_short_begins_anew_and_no_sheet_of_before_is_taken() {
    let temporary = tempfile::tempdir().unwrap();
    let mut session = rehearse("backup", temporary.path(), &[]);
    for custodian in CUSTODIANS {
        hand_out(&mut session, custodian);
    }
    finished(
        &mut session,
        "Groups of shares that opened the backup: 10; smaller ones that did not: 10",
    );
    let of_the_first = hand_out(&mut session, "ada");
    hand_out(&mut session, "ben");
    // The power fails while the third one writes.
    shown(&mut session, "cleo");
    kill(&inner(&session));
    session.end();

    let work = work(temporary.path());
    let room = work.join("backup/room.toml");
    let told = fs::read_to_string(&room).unwrap();
    let module = softhsm();
    let told = format!("{told}\n[[module]]\nname = \"rehearsal\"\npath = \"{module}\"\n");
    fs::write(&room, &told).unwrap();
    let media = work.join("media/backup");
    let sealed = |medium: &str| fs::read(media.join(medium).join("everything.age")).unwrap();
    let first = sealed("everything");
    // On the same medium, which has the file of before; and it fails once more.
    let mut session = go_on(&work, &room);
    let of_the_second = hand_out(&mut session, "ada");
    kill(&session.process().to_string());
    session.end();
    let second = sealed("everything");
    assert!(first != second, "sealed anew in place of what nobody opens");

    // On another medium, to the end.
    fs::create_dir(media.join("another")).unwrap();
    let another = told.replace("media/backup/everything", "media/backup/another");
    fs::write(&room, another).unwrap();
    let mut session = go_on(&work, &room);
    let old = BTreeMap::from([("ada", of_the_first), ("ben", of_the_second)]);
    for custodian in CUSTODIANS {
        let sheet = shown(&mut session, custodian);
        if let Some(old) = old.get(custodian) {
            type_sheet(&mut session, old);
            session.sees("[FAIL] SHARE-FOREIGN");
            assert_eq!(shown(&mut session, custodian), sheet);
        }
        type_sheet(&mut session, &sheet);
    }
    session.answers_until(FINISHED, PIN);
    leave(session, 0);
    let transcript = record::transcript(&work.join("bundles/backup"));
    assert!(transcript.is_complete());
    let drilled = transcript.progress().backup().drilled().cloned().unwrap();
    assert_eq!((drilled.opened, drilled.refused), (10, 10));
    assert_eq!(drilled.everything, Sha256::of(&sealed("another")));
    assert!(
        sealed("everything") == second,
        "nothing was done to the other"
    );
}
