//! A first root with backups, and a restoration, at the screen. Custodians write their sheets from it, and the test learns all secrets from these sheets.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portable_pty::CommandBuilder;
use tuf_ceremony::backup::{Identities, open_share};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::tuf::digest::Sha256;

use crate::STEPS;
use crate::secrets::{OPENS, SERVERS, WORDS, learnt};
use crate::support::ceremony::Ceremony;
use crate::support::scripts::example;
use crate::support::stage::{PIN, Stage};
use crate::support::terminal::{Session, Sheet, written};
use crate::watch::{Watch, in_files};

const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "spare"];
/// Custodians with sheets of paper.
const CUSTODIANS: [&str; 4] = ["ben", "cleo", "dov", "eli"];
const DEALT: &str = "Press Enter to show it; then it is typed from the paper.";
const ASKED: &str = "Press Enter to type it from the paper.";
const FINISHED: &str = "Finished, exit code 0";
/// How the pages begin and end that only a custodian may see.
const CAMERA: &str = "TURN THE CAMERA AWAY. Only";
const WIPE: &str = "\x1b[2J\x1b[3J";

/// Tokens, media, and who opens what is not opened with shares: the infrastructure its export, and ada, the first custodian, her share.
struct Room {
    stage: Stage,
    recipients: [String; 2],
}

/// Files with identities.
const IDENTITIES: [&str; 2] = ["infrastructure.txt", "ada.txt"];

impl Room {
    fn new() -> Self {
        let stage = Stage::with_tokens(&PEOPLE);
        fs::create_dir(stage.path("tmp")).unwrap();
        let recipients = IDENTITIES.map(|name| {
            let (identity, recipient) = Identities::fresh().unwrap();
            let write = |identity: &[u8]| fs::write(stage.path(name), identity);
            identity.expose(write).unwrap();
            recipient
        });
        Self { stage, recipients }
    }

    fn media(&self, name: &str) -> String {
        let media = self.stage.path(name).join("media");
        for medium in ["everything", "infrastructure", "restored"] {
            fs::create_dir_all(media.join(medium)).unwrap();
        }
        let ada = self.stage.path("ada");
        fs::create_dir_all(&ada).unwrap();
        let [media, ada] = [media.display(), ada.display()];
        let infrastructure = self.stage.path(IDENTITIES[0]).display().to_string();
        let identity = self.stage.path(IDENTITIES[1]).display().to_string();
        format!(
            "\n[backup]\neverything = \"{media}/everything\"\ninfrastructure = \"{media}/infrastructure\"\nrestored = \"{media}/restored\"\nidentities = [\"{infrastructure}\"]\n\n[[backup.custodian]]\nname = \"ada\"\nmedium = \"{ada}\"\nidentity = \"{identity}\"\n"
        )
    }

    fn genesis(&self) -> Ceremony<'_> {
        let [infrastructure, ada] = &self.recipients;
        let script = example("genesis-backup", None).replace("age1example", infrastructure)
            + &format!("\n[backup.sealed]\nada = \"{ada}\"\n");
        let mut ceremony = self.stage.ceremony("genesis", script).pins("");
        ceremony.more_room = format!(
            "\n[[holder]]\nname = \"spare\"\ntoken = \"pkcs11:serial={}\"\n{}",
            self.stage.serial("spare"),
            self.media("genesis")
        );
        ceremony
    }

    /// Alice's key to the token that was the spare one, and the servers' key into a file.
    fn restore(&mut self) -> Ceremony<'_> {
        let spare = self.stage.serial("spare").to_owned();
        self.stage.put("alice", &spare);
        let genesis = self.stage.bundle("genesis");
        let medium = self.stage.path("genesis/media/everything");
        let file = fs::read(medium.join("everything.age")).unwrap();
        let digest = Sha256::of(&file).to_string();
        let root = fs::read_to_string(genesis.join("metadata/1.root.json")).unwrap();
        let root: serde_json::Value = serde_json::from_str(&root).unwrap();
        let servers = &root["signed"]["roles"]["timestamp"]["keyids"][0];
        let script = example("restore", Some(&genesis))
            .replacen(&"0".repeat(64), &digest, 1)
            .replace("\"ben\"", "\"ada\"")
            + &format!("\n[[restore.key]]\nkeyid = {servers}\n");
        let mut ceremony = self.stage.ceremony("restore", script);
        ceremony = ceremony.pins("").after(&genesis);
        for name in ["everything.age", "shares.json"] {
            ceremony = ceremony.carry_in(&medium.join(name), &format!("backup/{name}"));
        }
        ceremony.more_room = self.media("restore");
        ceremony
    }

    /// What ada's identity opens on her medium.
    fn sealed_sheet(&self) -> Sheet {
        let identity = fs::read(self.stage.path("ada.txt")).unwrap();
        let identity = Secret::take(&mut identity.clone()).unwrap();
        let identity = Identities::read("ada.txt", &identity, None).unwrap();
        let file = fs::read(self.stage.path("ada/share.age")).unwrap();
        let words = open_share(&file, &identity).unwrap();
        words.expose(|words| {
            str::from_utf8(words)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect()
        })
    }

    fn open(stage: &Path, ceremony: &Ceremony<'_>) -> Session {
        let headless = ceremony.command();
        let mut command = CommandBuilder::new(headless.get_program());
        let arguments = headless.get_args();
        command.args(arguments.take_while(|argument| *argument != "--headless"));
        for (name, value) in headless.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.env("TERM", "linux");
        command.env("TMPDIR", stage.join("tmp"));
        Session::start(command, 24, 80)
    }
}

/// Types a sheet; `half` is done when half of it is typed.
fn type_sheet(session: &mut Session, sheet: &Sheet, half: &mut dyn FnMut(&Session)) {
    session.sees(", from the paper.");
    for (number, line) in (1..).zip(sheet) {
        session.types(&format!("{line}\r"));
        if number < sheet.len() {
            session.sees(&format!(" {}  _", number + 1));
        }
        if number == 3 {
            session.types("aardvark");
            session.sees("aardvark_");
            half(session);
            session.types("\x15");
            session.sees(" 4  _");
        }
    }
}

/// What was written to the terminal on pages that all may see, and on the others.
fn apart(bytes: &[u8]) -> [String; 2] {
    let text = String::from_utf8_lossy(bytes);
    let mut pages = [String::new(), String::new()];
    for (number, part) in text.split(CAMERA).enumerate() {
        let (closed, open) = match part.split_once(WIPE) {
            Some((closed, open)) if number > 0 => (closed, open),
            _ if number > 0 => (part, ""),
            _ => ("", part),
        };
        pages[0] += open;
        pages[1] += closed;
    }
    pages
}

#[test]
fn at_the_screen_nothing_is_found_at_any_step() {
    let mut room = Room::new();
    let stage = room.stage.path("");
    let mut watch = Watch::default();
    let mut session = Room::open(&stage, &room.genesis());
    let mut sheets = Vec::new();

    session.answers_until("Review targets v1 before anybody signs it", PIN);
    session.sees("Read to the end to enable signing");
    watch.look("keys are made", session.process());
    session.answers_until("Take a key out as a blob", PIN);
    watch.look("what leaves is agreed", session.process());
    session.answers_until("A share on its custodian's medium", PIN);
    watch.look("sealed", session.process());
    for custodian in CUSTODIANS {
        session.answers_until(DEALT, PIN);
        session.sees(&format!("for {custodian}"));
        watch.look("a share was read", session.process());
        session.types("\r");
        session.sees(&format!("Only {custodian} looks at this screen"));
        session.sees("Esc: stop.");
        let sheet = written(&session.screen());
        watch.look("a share is shown", session.process());
        session.types("\r");
        type_sheet(&mut session, &sheet, &mut |session| {
            watch.look("a share is typed", session.process());
        });
        sheets.push(sheet);
    }
    session.answers_until("Try the blob on another token", PIN);
    session.answers_until("PIN: _", PIN);
    session.types(PIN);
    session.sees("PIN: ********");
    // The field says that something was typed, and not how much of it was read.
    for _ in 0..20 {
        watch.look("the blob is tried", session.process());
        let mut locked = watch.locked("the blob is tried");
        if locked.any(|page| page.windows(PIN.len()).any(|found| found == PIN.as_bytes())) {
            break;
        }
        session.rests();
    }
    session.types("\r");
    session.answers_until(FINISHED, PIN);
    watch.look("drilled and closed", session.process());
    session.types("q");
    let mut bytes = session.end().bytes;

    let mut session = Room::open(&stage, &room.restore());
    for (number, custodian) in [(2, "dov"), (3, "eli")] {
        session.answers_until(ASKED, PIN);
        session.sees(&format!("The share of {custodian}"));
        session.types("\r");
        type_sheet(&mut session, &sheets[number], &mut |_| {});
    }
    session.answers_until("Restore a key to a token", PIN);
    watch.look("opened again", session.process());
    session.answers_until(FINISHED, PIN);
    watch.look("restored and closed", session.process());
    session.types("q");
    bytes.extend(session.end().bytes);

    let identities = IDENTITIES.map(|name| fs::read_to_string(stage.join(name)).unwrap());
    sheets.push(room.sealed_sheet());
    let medium = stage.join("genesis/media/everything");
    let mut needles = learnt(&sheets, &medium, &identities);
    needles.ephemeral(watch.locked("keys are made"));
    watch.holds(&STEPS, &needles);
    watch.finds_nothing(&needles);
    let [open, closed] = apart(&bytes);
    let found = needles.found_in(open.as_bytes());
    assert!(found.is_empty(), "{found:?}");
    let found = needles.found_in(closed.as_bytes());
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [WORDS]);
    // What the infrastructure's people and ada brought, and what was restored into a file after a phrase.
    let restored = fs::read_dir(stage.join("restore/media/restored")).unwrap();
    let restored: Vec<_> = restored.map(|entry| entry.unwrap().path()).collect();
    let meant = [
        (stage.join(IDENTITIES[0]), OPENS.to_owned()),
        (stage.join(IDENTITIES[1]), OPENS.to_owned()),
        (restored[0].clone(), SERVERS.to_owned()),
    ];
    assert_eq!(in_files(&stage, &needles), BTreeSet::from(meant));
}
