//! `verify` over Sigstore's production roots as they were published.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sigstore-root");
    let absent = !folder.is_dir();
    let trial = |name: &str, test: fn(&Path)| {
        let folder: PathBuf = folder.clone();
        Trial::test(name, move || {
            test(&folder);
            Ok(())
        })
        .with_ignored_flag(absent)
    };
    let trials = vec![
        trial(
            "fifteen_of_fifteen_are_valid_and_oddities_are_warnings",
            in_time,
        ),
        trial("without_at_the_newest_root_is_expired", late),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn verify(folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder)
        .args(["verify", "--trusted-root", "./1.root.json", "."])
        .args(more)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

fn in_time(folder: &Path) {
    let (code, told) = verify(folder, &["--at", "2026-11-01T00:00:00Z"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("VERIFIED: 15 of 15 roots signature-valid; 0 errors, "),
        "{told}"
    );
    assert_eq!(told.matches("KEYID-MISMATCH").count(), 1);
    assert!(
        told.contains("warning KEYID-MISMATCH ./11.root.json: the keyid "),
        "{told}"
    );
    for version in 1..=3 {
        assert!(
            told.contains(&format!(
                "warning EXPIRES-FOREIGN ./{version}.root.json: expires is written "
            )),
            "{told}"
        );
    }
    assert_eq!(told.matches("EXPIRES-FOREIGN").count(), 3);
}

fn late(folder: &Path) {
    let (code, told) = verify(folder, &[]);
    assert_eq!(code, Some(1), "{told}");
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("error "))
        .collect();
    assert_eq!(errors.len(), 1, "{told}");
    assert!(
        errors[0].starts_with("error ROOT-EXPIRED ./15.root.json: root v15 expired at "),
        "{told}"
    );
    assert!(
        told.contains("NOT VERIFIED: 15 of 15 roots signature-valid; 1 error, "),
        "{told}"
    );
}
