//! The whole way: sealed, drilled, lost, restored, signed again.

use std::fs;
use std::path::Path;

use tuf_ceremony::backup;
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::pypi::holders::Holders;
use tuf_ceremony::tuf::digest::Sha256;

use crate::stage::{Act, Stage};
use crate::support::scripts;

fn act<'a>(name: &'a str, script: String, before: &'a Path) -> Act<'a> {
    Act {
        name,
        script,
        before: Some(before),
        room: Vec::new(),
        carried: None,
    }
}

#[test]
fn a_key_whose_token_is_lost_comes_back_from_the_backup_and_signs_for_the_same_root() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let medium = stage.medium("genesis");
    let drill = stage.drill("drill", &genesis, &medium);
    let drilled = stage.run(&drill).unwrap();
    let drilled_as = |events: &[Event]| {
        events.iter().find_map(|event| match event {
            Event::Drilled(drilled) => Some((drilled.opened, drilled.refused, drilled.keys.len())),
            _ => None,
        })
    };
    assert_eq!(drilled_as(&stage.events.0), Some((4, 6, 2)));

    stage.lose_alices_token();
    let restore = Act {
        carried: Some(medium.clone()),
        ..act(
            "restore",
            stage.opening("restore", &drilled, &medium),
            &drilled,
        )
    };
    let restored = stage.run(&restore).unwrap();
    assert_eq!(drilled_as(&stage.events.0), Some((1, 3, 2)));
    let keyid = &scripts::keyids(&genesis)["alice.root"];
    let back = stage.events.0.iter().any(|event| {
        matches!(event, Event::Restored(back) if back.keyid.0 == *keyid && back.token.is_some())
    });
    assert!(back, "the record says that the key came back");
    let holders = fs::read_to_string(restored.join("ceremony/holders.toml")).unwrap();
    assert!(holders.contains(&stage.serials["alice"]), "{holders}");

    let renew = stage.example("renew-ephemeral", Some(&restored));
    let renewed = stage.run(&act("renew", renew, &restored)).unwrap();
    let signed = stage.events.0.iter().any(|event| {
        matches!(event, Event::Signed { document, signer, .. } if document.role == "root" && signer.keyid.0 == *keyid)
    });
    assert!(signed, "the key that came back signs root");
    let root = |bundle: &Path| fs::read(bundle.join("metadata/1.root.json")).unwrap();
    assert_eq!(root(&renewed), root(&genesis), "the same chain");
}

#[test]
fn the_register_says_where_keys_and_pins_are_and_when_the_backup_was_last_opened() {
    let register = |bundle: &Path| {
        let bytes = fs::read(bundle.join("ceremony/holders.toml")).unwrap();
        Holders::parse("holders.toml", &bytes).unwrap()
    };
    let mut stage = Stage::new();
    let person = "person = \"Alice Example, administrator\"\n";
    let kept = format!("{person}pin_kept = \"envelope 12, safe of the board\"\n");
    let script = stage.example("genesis-backup", None);
    let genesis = Act {
        before: None,
        ..act("genesis", script.replacen(person, &kept, 1), Path::new(""))
    };
    let genesis = stage.run(&genesis).unwrap();
    let medium = stage.medium("genesis");
    let sha256 = Sha256::of(&fs::read(medium.join("everything.age")).unwrap());
    let drill = stage.drill("drill", &genesis, &medium);
    let drill = stage.run(&drill).unwrap();
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for bundle in [&genesis, &drill] {
        let register = register(bundle);
        let person = |name: &str| register.holders.iter().find(|holder| holder.name == name);
        let (alice, bob) = (person("alice").unwrap(), person("bob").unwrap());
        let backup = alice.keys[0].backup.as_ref().unwrap();
        assert_eq!((backup.sha256, &backup.opened), (sha256, &today));
        assert_eq!(
            alice.keys[0].pin_kept.as_deref(),
            Some("envelope 12, safe of the board")
        );
        assert_eq!((&bob.keys[0].backup, &bob.keys[0].pin_kept), (&None, &None));
        let [online] = &register.online[..] else {
            panic!("{:?}", register.online);
        };
        assert_eq!(
            (online.name.as_str(), online.storage.as_str()),
            ("online-1", "medium")
        );
        assert_eq!(online.opened_by.len(), 1);
        assert_eq!(online.backup.as_ref().unwrap().sha256, sha256);
    }
}

#[test]
fn the_export_for_the_infrastructure_has_metadata_and_online_keys_and_nothing_else() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let media = stage.path("genesis/media");
    let exported = fs::read(media.join("infrastructure/infrastructure.age")).unwrap();
    let exported = backup::open(&exported, &stage.identity()).unwrap();
    assert!(exported.wrapped.is_none());
    assert_eq!(exported.check().unwrap(), []);
    let infrastructure = &exported.infrastructure;
    assert_eq!(infrastructure.online.len(), 1);
    assert!(
        infrastructure
            .files
            .keys()
            .all(|path| path.starts_with("metadata/"))
    );
    for (path, bytes) in &infrastructure.files {
        assert_eq!(*bytes, fs::read(genesis.join(path)).unwrap(), "{path}");
    }
    let online = infrastructure.online[0].half();
    assert_eq!(online.roles, ["timestamp", "snapshot", "bin-n"]);
    let root = fs::read_to_string(genesis.join("metadata/1.root.json")).unwrap();
    assert!(root.contains(&online.keyid.0), "metadata names the key");
    // What custodians open is another file, for which this identity is nobody.
    let everything = fs::read(media.join("everything/everything.age")).unwrap();
    assert!(backup::open(&everything, &stage.identity()).is_err());
}

#[test]
fn an_online_key_is_restored_into_a_file_after_a_phrase_and_nowhere_else() {
    let mut stage = Stage::new();
    let genesis = stage.genesis();
    let medium = stage.medium("genesis");
    let exported = fs::read(stage.path("genesis/media/infrastructure/infrastructure.age")).unwrap();
    let exported = backup::open(&exported, &stage.identity()).unwrap();
    let online = &exported.infrastructure.online[0];
    let script = stage.opening("restore", &genesis, &medium);
    let start = script.find("[[restore.key]]").unwrap();
    let script = format!(
        "{}[[restore.key]]\nkeyid = \"{}\"\n",
        &script[..start],
        online.half().keyid
    );
    let restore = Act {
        carried: Some(medium),
        ..act("restore", script, &genesis)
    };
    stage.run(&restore).unwrap();
    let restored = stage.path("restore/media/restored");
    let path = restored.join(format!("{}.pem", online.half().keyid));
    let pem = fs::read(path).unwrap();
    assert!(online.pem().expose(|known| known == pem));
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 1);
    let asked = stage.people.asked.iter();
    let mut warned = asked.filter(|(id, _)| id.starts_with("restore:file:"));
    assert!(warned.next().unwrap().1.contains("unsealed"));
}

#[test]
fn no_share_and_no_private_key_is_in_what_is_carried_away() {
    let mut stage = Stage::new();
    let bundle = stage.genesis();
    let exported = fs::read(stage.path("genesis/media/infrastructure/infrastructure.age")).unwrap();
    let exported = backup::open(&exported, &stage.identity()).unwrap();
    let pem = exported.infrastructure.online[0].pem();
    let pem = pem.expose(|pem| String::from_utf8(pem.to_vec()).unwrap());
    let mut secrets: Vec<&str> = stage
        .people
        .sheets
        .values()
        .flat_map(|sheet| sheet.lines())
        .collect();
    assert_eq!(secrets.len(), 5 * 6);
    secrets.extend(pem.lines().filter(|line| !line.starts_with("-----")));
    let mut folders = vec![bundle, stage.path("genesis/media")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            for secret in &secrets {
                assert!(!text.contains(secret), "{}", path.display());
            }
        }
    }
}
