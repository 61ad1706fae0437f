//! Shares that are not copied by hand: sealed to their custodians, or printed.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use portable_pty::{MasterPty, PtySize, native_pty_system};
use tuf_ceremony::backup::{Identities, sheet};
use tuf_ceremony::ceremony::event::{Event, ShareRead};
use tuf_ceremony::tuf::digest::Sha256;

use crate::plugin;
use crate::stage::{Act, Stage, secret};

/// Ada keeps her share on a medium.
struct Ada {
    recipient: String,
    medium: PathBuf,
    identity: PathBuf,
}

impl Ada {
    fn of(stage: &Stage) -> Self {
        let (identity, recipient) = Identities::fresh().unwrap();
        let path = stage.path("ada-identity.txt");
        identity
            .expose(|identity| fs::write(&path, identity))
            .unwrap();
        let medium = stage.path("ada");
        fs::create_dir(&medium).unwrap();
        Self {
            recipient,
            medium,
            identity: path,
        }
    }

    fn script(&self, script: &str) -> String {
        let sealed = format!(
            "[backup.sealed]\nada = \"{}\"\n\n[backup]\n",
            self.recipient
        );
        script.replacen("[backup]\n", &sealed, 1)
    }

    fn room(&self) -> Vec<(&'static str, String)> {
        self.room_with(&self.medium)
    }

    fn room_with(&self, medium: &Path) -> Vec<(&'static str, String)> {
        let custodian = format!(
            "[[backup.custodian]]\nname = \"ada\"\nmedium = \"{}\"\nidentity = \"{}\"\n\n[backup]\n",
            medium.display(),
            self.identity.display()
        );
        vec![("[backup]\n", custodian)]
    }

    fn share(&self) -> PathBuf {
        self.medium.join("share.age")
    }
}

fn genesis(stage: &Stage, ada: &Ada, room: Vec<(&'static str, String)>) -> Act<'static> {
    Act {
        name: "genesis",
        script: ada.script(&stage.example("genesis-backup", None)),
        before: None,
        room,
        carried: None,
    }
}

fn reads(stage: &Stage) -> Vec<ShareRead> {
    let events = stage.events.0.iter();
    let reads = events.filter_map(|event| match event {
        Event::ShareRead(read) => Some(read.clone()),
        _ => None,
    });
    reads.collect()
}

/// What was said where `id` was asked for, but for the first time.
fn said_again(stage: &Stage, id: &str) -> Vec<String> {
    let asked = stage.people.asked.iter().filter(|(asked, _)| asked == id);
    asked.skip(1).map(|(_, text)| text.clone()).collect()
}

#[test]
fn a_share_that_is_sealed_to_its_custodian_is_never_on_the_screen_and_opens_the_backup() {
    let mut stage = Stage::new();
    let ada = Ada::of(&stage);
    let bundle = stage.run(&genesis(&stage, &ada, ada.room())).unwrap();
    assert!(!stage.people.sheets.contains_key("ada"), "on paper");
    assert_eq!(stage.people.sheets.len(), 4);
    let read = reads(&stage);
    assert_eq!(read.len(), 5);
    let file = read[0].sealed.clone().unwrap();
    assert_eq!(
        (read[0].custodian.as_str(), file.path.as_str()),
        ("ada", "share.age")
    );
    assert!(read[1..].iter().all(|read| read.sealed.is_none()));

    // What Debian's age gives is a sheet.
    let opened = Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(&ada.identity)
        .arg(ada.share())
        .output();
    let opened = opened.expect("age is needed: apt-get install age");
    assert!(opened.status.success(), "{opened:?}");
    let words = String::from_utf8(opened.stdout).unwrap();
    assert_eq!(sheet::read("ada", &secret(&words)).unwrap().index(), 1);

    let medium = stage.medium("genesis");
    let drill = |stage: &Stage, name| Act {
        room: ada.room(),
        ..stage.drill(name, &bundle, &medium)
    };
    let act = drill(&stage, "drill");
    stage.run(&act).unwrap();
    assert!(
        reads(&stage)
            .iter()
            .any(|read| read.sealed.as_ref() == Some(&file))
    );

    // A damaged file is told, and asked for again.
    let whole = fs::read_to_string(ada.share()).unwrap();
    fs::write(ada.share(), whole.replacen("AGE", "AGF", 1)).unwrap();
    stage.people.asked.clear();
    stage.people.patience = 2;
    let act = drill(&stage, "damaged");
    stage.run(&act).unwrap_err();
    let said = said_again(&stage, "share:medium:ada");
    assert!(
        said[0].contains("Nothing was counted: BACKUP-SEAL: "),
        "{said:?}"
    );
}

#[test]
fn a_medium_that_is_missing_shared_or_whose_identity_is_anothers_gets_no_share() {
    let mut stage = Stage::new();
    let ada = Ada::of(&stage);
    let none = stage.run(&genesis(&stage, &ada, Vec::new())).unwrap_err();
    let text = "the share of ada is to be sealed, and the room names no medium for it";
    assert!(none.join("\n").contains(text), "{none:?}");

    for (medium, said) in [
        (
            "media/everything",
            "a share lies neither with the backup nor with another share",
        ),
        (
            "media/everything/ada",
            "a share lies neither with the backup nor with another share",
        ),
        ("out/ada", "a backup lies on a medium of its own"),
    ] {
        let mut stage = Stage::new();
        let ada = Ada::of(&stage);
        let medium = stage.path("genesis").join(medium);
        if !medium.starts_with(stage.path("genesis/out")) {
            fs::create_dir_all(&medium).unwrap();
        }
        stage.people.patience = 2;
        stage
            .run(&genesis(&stage, &ada, ada.room_with(&medium)))
            .unwrap_err();
        let again = said_again(&stage, "share:medium:ada");
        assert!(
            again[0].contains("Nothing was counted: BACKUP-MEDIUM: "),
            "{again:?}"
        );
        assert!(again[0].contains(said), "{again:?}");
        assert!(!medium.join("share.age").exists());
    }

    let mut stage = Stage::new();
    let ada = Ada::of(&stage);
    let (other, _) = Identities::fresh().unwrap();
    other
        .expose(|other| fs::write(&ada.identity, other))
        .unwrap();
    stage.people.patience = 2;
    stage.run(&genesis(&stage, &ada, ada.room())).unwrap_err();
    let again = said_again(&stage, "share:medium:ada");
    assert!(again[0].contains("BACKUP-RECIPIENT: "), "{again:?}");
    assert!(!ada.share().exists());
}

#[test]
fn an_identity_on_a_device_gets_its_pin_and_a_wrong_one_is_not_tried_twice() {
    let test = "shares::an_identity_on_a_device_gets_its_pin_and_a_wrong_one_is_not_tried_twice";
    if !plugin::is_installed(test) {
        return;
    }
    let (recipient, identity) = plugin::trial();
    let mut stage = Stage::new();
    let ada = Ada {
        recipient,
        ..Ada::of(&stage)
    };
    fs::write(&ada.identity, identity).unwrap();
    stage.people.pins = vec!["4321", "1234"];
    stage.run(&genesis(&stage, &ada, ada.room())).unwrap();
    let asked = stage.people.asked.iter();
    let asked: Vec<_> = asked.filter(|(id, _)| id == "pin:ada").collect();
    let file = ada.identity.display().to_string();
    assert_eq!(
        asked.iter().map(|(_, of)| of).collect::<Vec<_>>(),
        [&file, &file]
    );
    let again = said_again(&stage, "share:medium:ada");
    assert_eq!(again.len(), 1);
    assert!(
        again[0].contains("BACKUP-RECIPIENT: ") && again[0].contains("wrong PIN"),
        "{again:?}"
    );
    assert!(reads(&stage)[0].sealed.is_some());
}

#[test]
fn what_lies_on_a_custodians_medium_is_not_written_over() {
    let mut stage = Stage::new();
    let ada = Ada::of(&stage);
    // Somebody's only share of something: it is not written over, and once it is taken away the ceremony goes on.
    fs::write(ada.share(), "another share").unwrap();
    let away = ada.share();
    stage.people.between = Some(Box::new(move || {
        let _ = fs::remove_file(&away);
    }));
    stage.run(&genesis(&stage, &ada, ada.room())).unwrap();
    let again = said_again(&stage, "share:medium:ada");
    assert!(
        again[0].contains("a file is there already that this ceremony did not record"),
        "{again:?}"
    );
    assert!(reads(&stage)[0].sealed.is_some());
}

#[test]
fn scripts_seal_shares_of_custodians_only() {
    let stage = Stage::new();
    let ada = Ada::of(&stage);
    let script = ada
        .script(&stage.example("genesis-backup", None))
        .replacen("\nada = ", "\nzoe = ", 1);
    let said = tuf_ceremony::ceremony::script::Script::parse("script.toml", script.as_bytes());
    let said = said.unwrap_err();
    assert_eq!(said.rule, "SCRIPT-BACKUP");
    assert_eq!(
        said.text,
        "backup.sealed.zoe: backup.custodians does not list zoe"
    );
}

/// A line printer: what came out of it so far.
struct Printer {
    path: PathBuf,
    paper: Arc<Mutex<String>>,
    _master: Box<dyn MasterPty + Send>,
    _slave: Box<dyn portable_pty::SlavePty + Send>,
}

impl Printer {
    fn new() -> Self {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let path = pair.master.tty_name().unwrap();
        let mut out = pair.master.try_clone_reader().unwrap();
        let paper = Arc::new(Mutex::new(String::new()));
        let tray = Arc::clone(&paper);
        thread::spawn(move || {
            let mut byte = [0];
            while out.read_exact(&mut byte).is_ok() {
                tray.lock().unwrap().push(char::from(byte[0]));
            }
        });
        Self {
            path,
            paper,
            _master: pair.master,
            _slave: pair.slave,
        }
    }

    fn room(path: &Path) -> Vec<(&'static str, String)> {
        vec![(
            "[backup]\n",
            format!("[backup]\nprinter = \"{}\"\n", path.display()),
        )]
    }
}

#[test]
fn printed_shares_are_typed_from_the_paper() {
    let mut stage = Stage::new();
    let printer = Printer::new();
    stage.people.printer = Some(Arc::clone(&printer.paper));
    let act = Act {
        name: "genesis",
        script: stage.example("genesis-backup", None),
        before: None,
        room: Printer::room(&printer.path),
        carried: None,
    };
    stage.run(&act).unwrap();
    assert_eq!(reads(&stage).len(), 5);
    let paper = printer.paper.lock().unwrap().clone();
    let file = fs::read(stage.medium("genesis").join("everything.age")).unwrap();
    let digits = Sha256::of(&file).to_string();
    for (index, name) in (1..).zip(["ada", "ben", "cleo", "dov", "eli"]) {
        let heading =
            format!("  backup {digits:.16}   share {index} of 5 for {name}; any 3 open it");
        assert!(paper.contains(&heading), "{heading}");
    }
    assert_eq!(paper.matches('\x0c').count(), 5);
}

#[test]
fn a_share_is_never_printed_into_a_file() {
    let mut stage = Stage::new();
    let file = stage.path("queue");
    fs::write(&file, "").unwrap();
    stage.people.patience = 2;
    let act = Act {
        name: "genesis",
        script: stage.example("genesis-backup", None),
        before: None,
        room: Printer::room(&file),
        carried: None,
    };
    stage.run(&act).unwrap_err();
    let again = said_again(&stage, "share:print:ada");
    assert!(
        again[0].contains("It was not printed: BACKUP-PRINTER: "),
        "{again:?}"
    );
    assert_eq!(fs::read(&file).unwrap(), b"");
}
