//! Media that fail while a backup is made: full, pulled out, not there. Nothing half-written stays, what is in memory waits, and the ceremony goes on.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use crate::stage::{Act, Stage};

const ASKED: &str = "backup:medium";

fn genesis(stage: &Stage) -> Act<'static> {
    Act {
        name: "genesis",
        script: stage.example("genesis-backup", None),
        before: None,
        room: Vec::new(),
        carried: None,
    }
}

/// What was told where a medium was asked for.
fn told(stage: &Stage) -> Vec<&str> {
    let asked = stage.people.asked.iter();
    asked
        .filter(|(id, _)| id == ASKED)
        .map(|(_, text)| text.as_str())
        .collect()
}

/// Everything that lies on media.
fn on_media(stage: &Stage) -> Vec<PathBuf> {
    let media = fs::read_dir(stage.path("genesis/media")).unwrap();
    let media = media.flat_map(|medium| fs::read_dir(medium.unwrap().path()).unwrap());
    let mut files: Vec<_> = media.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn names(files: &[PathBuf]) -> Vec<&str> {
    let names = files.iter().map(|file| file.file_name().unwrap());
    names.map(|name| name.to_str().unwrap()).collect()
}

#[test]
fn a_medium_that_is_pulled_out_is_asked_for_and_no_key_is_lost() {
    // Before anything is sealed; when it is written; and when the file on it is tried, after all custodians have typed.
    for (at, said) in [
        ("backup:policy", "there is no folder"),
        ("token:wrap:root:alice", "there is no folder"),
        ("token:try:root:alice", "everything.age: cannot read: "),
    ] {
        let mut stage = Stage::new();
        let (medium, pocket) = (stage.medium("genesis"), stage.path("pocket"));
        stage.people.happens = Some(Box::new(move |asked| {
            if asked == at {
                fs::rename(&medium, &pocket).unwrap();
            }
            let back = asked == ASKED;
            back.then(|| {
                fs::rename(&pocket, &medium).unwrap();
                "again".to_owned()
            })
        }));
        let act = genesis(&stage);
        stage.run(&act).unwrap();
        let told = told(&stage);
        assert!(told.len() == 1 && told[0].contains(said), "{at}: {told:?}");
        let medium = stage.medium("genesis").display().to_string();
        assert_eq!(told[0].matches(&medium).count(), 1, "{told:?}");
        let sealed = ["everything.age", "shares.json", "infrastructure.age"];
        assert_eq!(names(&on_media(&stage)), sealed, "{at}");
    }
}

#[test]
fn where_nobody_changes_the_medium_its_failure_is_the_end_and_is_told() {
    let mut stage = Stage::new();
    let medium = stage.medium("genesis");
    stage.people.happens = Some(Box::new(move |asked| {
        if asked == "token:wrap:root:alice" {
            fs::remove_dir(&medium).unwrap();
        }
        None
    }));
    let act = genesis(&stage);
    let said = stage.run(&act).unwrap_err().join("\n");
    assert!(
        said.contains("there is no folder") && said.contains("plug in the medium for everything"),
        "{said}"
    );
    assert_eq!(on_media(&stage), [""; 0].map(PathBuf::from));
}

/// How long a file may become, until the next change. It stands for the room on a medium.
fn limit(bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}

/// Run alone in a process of its own: the limit holds for all threads.
#[test]
fn a_medium_that_is_full_keeps_nothing_and_another_one_gets_all() {
    const CHILD: &str = "TUF_CEREMONY_TEST_FULL_MEDIUM";
    if std::env::var_os(CHILD).is_none() {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--test-threads=1"])
            .arg("media::a_medium_that_is_full_keeps_nothing_and_another_one_gets_all")
            .env(CHILD, "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    // Without a handler the signal that comes with the error would end the program.
    let reached = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Signal::XFSZ.as_raw(), Arc::clone(&reached)).unwrap();
    let mut before = Stage::new();
    before.genesis();
    let files = on_media(&before);
    let (everything, infrastructure) = (size(&files[0]), size(&files[2]));
    assert!(infrastructure < everything);

    let mut stage = Stage::new();
    let media = stage.path("genesis/media");
    let left = Rc::new(RefCell::new(None));
    let found = Rc::clone(&left);
    stage.people.happens = Some(Box::new(move |asked| {
        // The first file fits, the second does not.
        if asked == "backup:policy" {
            limit(Some(u64::midpoint(everything, infrastructure)));
        }
        let full = asked == ASKED;
        full.then(|| {
            limit(None);
            let media = fs::read_dir(&media).unwrap();
            let files = media.map(|medium| fs::read_dir(medium.unwrap().path()).unwrap().count());
            *found.borrow_mut() = Some(files.sum::<usize>());
            "again".to_owned()
        })
    }));
    let act = genesis(&stage);
    let bundle = stage.run(&act).unwrap();
    assert!(reached.load(Ordering::Relaxed));
    assert_eq!(
        *left.borrow(),
        Some(0),
        "what was left of the first attempt"
    );
    let told = told(&stage);
    assert!(
        told.len() == 1 && told[0].contains("everything.age: cannot write: "),
        "{told:?}"
    );
    assert_eq!(
        names(&on_media(&stage)),
        ["everything.age", "shares.json", "infrastructure.age"]
    );
    assert!(bundle.join("manifest.json").exists());
}
