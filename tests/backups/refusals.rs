//! What is refused, by which rule, and what then stands.

use std::fs;
use std::path::Path;

use crate::stage::{Act, Stage};
use crate::support::scripts;

fn refused(result: Result<std::path::PathBuf, Vec<String>>) -> String {
    result.unwrap_err().join("\n")
}

#[test]
fn a_backup_that_nobody_here_can_open_or_that_has_no_medium_is_refused_before_anything_is_sealed() {
    let cases: [(&str, &str, &str, &str); 4] = [
        (
            "no identity",
            "identities = [",
            "identities = [] #",
            "BACKUP-RECIPIENT",
        ),
        ("no medium", "everything =", "restored =", "BACKUP-MEDIUM"),
        ("no other medium", "infrastructure =", "#", "BACKUP-MEDIUM"),
        (
            "in the bundle",
            "/media/everything",
            "/out/backup",
            "BACKUP-MEDIUM",
        ),
    ];
    for (name, from, to, rule) in cases {
        let mut stage = Stage::new();
        let mut room = vec![(from, to.to_owned())];
        if name == "no medium" {
            room = vec![("restored =", "#"), (from, "#")]
                .into_iter()
                .map(|(a, b)| (a, b.to_owned()))
                .collect();
        }
        let act = Act {
            name: "genesis",
            script: stage.example("genesis-backup", None),
            before: None,
            room,
            carried: None,
        };
        let said = refused(stage.run(&act));
        assert!(said.contains(rule), "{name}: {said}");
        assert!(
            !stage
                .path("genesis/media/infrastructure/infrastructure.age")
                .exists(),
            "{name}"
        );
        assert!(
            !stage.medium("genesis").join("everything.age").exists(),
            "{name}"
        );
    }
}

#[test]
fn what_the_room_file_does_not_name_is_told_before_anything_begins() {
    for (from, to, rule, said) in [
        (
            "everything =",
            "#",
            "BACKUP-MEDIUM",
            "give backup.everything",
        ),
        (
            "infrastructure =",
            "#",
            "BACKUP-MEDIUM",
            "give backup.infrastructure",
        ),
        (
            "identities =",
            "#",
            "BACKUP-RECIPIENT",
            "(backup.identities)",
        ),
        ("spare", "", "ROOM-HOLDER", "as the holder spare"),
    ] {
        let mut stage = Stage::new();
        let spare = format!(
            "\n[[holder]]\nname = \"spare\"\ntoken = \"pkcs11:serial={}\"\n",
            stage.serials["spare"]
        );
        let from = if from == "spare" { &spare } else { from };
        let act = Act {
            name: "genesis",
            script: stage.example("genesis-backup", None),
            before: None,
            room: vec![(from, to.to_owned())],
            carried: None,
        };
        let lines = refused(stage.run(&act));
        assert!(lines.contains(rule) && lines.contains(said), "{lines}");
        assert!(lines.contains("Nothing was begun and nothing was written."));
        assert!(!stage.path("genesis/out/transcript.jsonl").exists());
    }
}

#[test]
fn a_variable_that_has_age_print_pins_is_refused_before_any_secret_is_there() {
    let run = |debug: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"));
        command
            .args(["rehearse", "abort", "--headless"])
            .env_remove("AGEDEBUG");
        command.envs(debug.map(|value| ("AGEDEBUG", value)));
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    assert_eq!(run(None).0, Some(0));
    let (code, said) = run(Some("plugin"));
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("AGEDEBUG is set: it has age print"), "{said}");
}

#[test]
fn an_online_key_that_is_gone_before_it_was_sealed_ends_the_ceremony() {
    let mut stage = Stage::new();
    stage.people.stop_at = Some("backup:policy");
    let act = Act {
        name: "genesis",
        script: stage.example("genesis-backup", None),
        before: None,
        room: Vec::new(),
        carried: None,
    };
    let said = refused(stage.run(&act));
    assert!(said.contains("stopped by a person"), "{said}");
    stage.people.stop_at = None;
    let said = refused(stage.run(&act));
    let text = "ONLINE-LOST: the online key online-1 was in memory only and is gone before it was sealed; nothing that names it left this machine: start again with an empty output folder";
    assert!(
        said.contains("ONLINE-LOST") && said.contains(text.split_once(": ").unwrap().1),
        "{said}"
    );
}

#[test]
fn a_sheet_of_another_backup_another_custodian_or_with_a_slip_is_told_and_asked_for_again() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let old = stage.people.sheets.clone();
    let again = Act {
        name: "backup",
        script: stage.example("backup", Some(&genesis)),
        before: Some(&genesis),
        room: Vec::new(),
        carried: None,
    };
    // Ben types the sheet of the backup before, Cleo one with two words exchanged.
    let mut words: Vec<&str> = old["cleo"].lines().collect();
    words.swap(0, 1);
    stage
        .people
        .slips
        .insert("ben".to_owned(), old["ben"].clone());
    stage
        .people
        .slips
        .insert("cleo".to_owned(), words.join("\n"));
    stage.run(&again).unwrap();
    let said = stage.people.refused.join("\n");
    assert!(
        said.contains("SHARE-FOREIGN: share 2 opens another backup"),
        "{said}"
    );
    assert!(said.contains("SHARE-WORDS: "), "{said}");

    // In the drill Dov brings Ada's sheet as well: one person, two shares.
    stage.people.refused.clear();
    let medium = stage.medium("backup");
    let ada = stage.people.sheets["ada"].clone();
    stage.people.slips.insert("dov".to_owned(), ada);
    let drill = stage.drill("drill", &genesis, &medium);
    stage.run(&drill).unwrap();
    let said = stage.people.refused.join("\n");
    assert!(said.contains("SHARE-TWICE"), "{said}");
}

#[test]
fn a_word_that_cannot_be_read_is_no_excuse_on_a_new_sheet_and_no_loss_on_an_old_one() {
    let mut stage = Stage::new();
    stage.people.worn.insert("ben".to_owned());
    let genesis = stage.genesis();
    let said = std::mem::take(&mut stage.people.refused);
    let text = "SHARE-WORDS: this sheet is new, and a word on it cannot be read: write it again";
    assert_eq!(said, [text]);
    let medium = stage.medium("genesis");
    stage.people.worn.insert("cleo".to_owned());
    let drill = stage.drill("drill", &genesis, &medium);
    stage.run(&drill).unwrap();
    assert_eq!(stage.people.refused, [""; 0]);
}

#[test]
fn too_few_sheets_open_nothing() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let medium = stage.medium("genesis");
    let mut drill = stage.drill("drill", &genesis, &medium);
    let all = "\"ada\", \"cleo\", \"dov\", \"eli\"";
    drill.script = drill.script.replace(all, "\"ada\", \"cleo\"");
    let said = refused(stage.run(&drill));
    assert!(
        said.contains("SHARE-FEW: 2 of the 3 shares that restore are there"),
        "{said}"
    );
}

#[test]
fn only_what_metadata_list_and_the_backup_holds_is_restored() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let medium = stage.medium("genesis");
    let good = stage.opening("restore", &genesis, &medium);
    let keyids = scripts::keyids(&genesis);
    let (alice, bob) = (&keyids["alice.root"], &keyids["bob.root"]);
    let holder = |script: &str| {
        script
            .replace("name = \"alice\"", "name = \"bob\"")
            .replace("holder = \"alice\"", "holder = \"bob\"")
    };
    let backup = fs::read(medium.join("everything.age")).unwrap();
    let digest = tuf_ceremony::tuf::digest::Sha256::of(&backup).to_string();
    let cases = [
        (
            "a key that is not in the backup",
            holder(&good).replace(alice, bob),
            "RESTORE-KEY",
        ),
        (
            "a key that nothing lists",
            good.replace(
                &format!("keyid = \"{alice}\"\nholder"),
                &format!("keyid = \"{}\"\nholder", "ab".repeat(32)),
            ),
            "RESTORE-UNKNOWN",
        ),
        (
            "another backup",
            good.replace(&digest, &"cd".repeat(32)),
            "BACKUP-FILE",
        ),
        (
            "a root key into a file",
            good.replace("holder = \"alice\"\n", ""),
            "SCRIPT-ROLE",
        ),
    ];
    for (name, script, rule) in cases {
        let act = Act {
            name,
            script,
            before: Some(&genesis),
            room: Vec::new(),
            carried: Some(medium.clone()),
        };
        let said = refused(stage.run(&act));
        assert!(said.contains(rule), "{name}: {said}");
    }
}

#[test]
fn a_key_that_was_not_made_for_it_is_not_backed_up() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let script = stage.example("backup", Some(&genesis));
    let keyids = scripts::keyids(&genesis);
    let script = script
        .replace("name = \"alice\"", "name = \"bob\"")
        .replace(&keyids["alice.root"], &keyids["bob.root"]);
    let act = Act {
        name: "backup",
        script,
        before: Some(&genesis),
        room: Vec::new(),
        carried: None,
    };
    let said = refused(stage.run(&act));
    assert!(said.contains("not made to be backed up"), "{said}");
    assert!(!exists(&stage.medium("backup")));
}

fn exists(medium: &Path) -> bool {
    medium.join("everything.age").exists()
}

#[test]
fn a_kind_that_backs_nothing_up_or_opens_nothing_says_so() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let check_in = "schema = \"tuf-ceremony/script/1\"\nkind = \"check-in\"\ntitle = \"x\"\nprofile = \"room\"\n";
    let root = scripts::newest_root(&genesis);
    let keyid = &scripts::keyids(&genesis)["bob.root"];
    let holder = format!(
        "trusted_root_sha256 = \"{root}\"\n[[holder]]\nname = \"bob\"\nperson = \"Bob\"\nroot.keyid = \"{keyid}\"\n"
    );
    for (name, section, said) in [
        (
            "sealing",
            "[backup]\nneeded = 2\ncustodians = [\"ada\", \"ben\"]\n",
            "a check-in backs nothing up: remove [backup]",
        ),
        (
            "opening",
            &format!(
                "[restore]\nbackup_sha256 = \"{}\"\ncustodians = [\"ada\"]\n",
                "0".repeat(64)
            ),
            "a check-in opens no backup: remove [restore]",
        ),
    ] {
        let act = Act {
            name,
            script: format!("{check_in}{holder}{section}"),
            before: Some(&genesis),
            room: Vec::new(),
            carried: None,
        };
        let refused = refused(stage.run(&act));
        assert!(
            refused.contains(&format!("SCRIPT-BACKUP: {said}")) || refused.contains(said),
            "{refused}"
        );
    }
}

#[test]
fn a_backup_that_lies_on_the_medium_is_not_written_over() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let old = fs::read(stage.medium("genesis").join("everything.age")).unwrap();
    let act = Act {
        name: "backup",
        script: stage.example("backup", Some(&genesis)),
        before: Some(&genesis),
        room: vec![(
            "backup/media/everything",
            "genesis/media/everything".to_owned(),
        )],
        carried: None,
    };
    let said = refused(stage.run(&act));
    assert!(
        said.contains("BACKUP-MEDIUM") && said.contains("it may be the only backup of something"),
        "{said}"
    );
    assert!(fs::read(stage.medium("genesis").join("everything.age")).unwrap() == old);
}
