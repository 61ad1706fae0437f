//! The way back without this program, as docs/restore-without-tuf-ceremony.md tells it: sheets typed into docs/restore.py, and OpenSSL for wrapped keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tuf_ceremony::backup::{Scheme, SealedSet, Share, seal_shared, sheet};
use tuf_ceremony::words;

use super::sample::{everything, number};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");

fn sealed() -> SealedSet {
    let scheme = Scheme::new("script.toml", 3, 5).unwrap();
    seal_shared(&everything(100_000), scheme, true).unwrap()
}

fn typed(shares: &[&Share]) -> String {
    let sheets = shares.iter().map(|share| {
        let sheet = sheet::written(share).unwrap();
        sheet.expose(|sheet| String::from_utf8(sheet.to_vec()).unwrap())
    });
    sheets.collect()
}

/// Runs docs/restore.py in a folder with `backup.age`.
fn restore(folder: &Path, backup: &[u8], typed: &str) -> Output {
    fs::write(folder.join("backup.age"), backup).unwrap();
    let mut child = Command::new("python3")
        .arg(Path::new(DOCS).join("restore.py"))
        .args(["backup.age", "restored"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It stops reading at the first share that is wrong.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_word_list_beside_the_script_is_ours() {
    let mut expected = String::new();
    for byte in 0..=255 {
        let [even, odd] = [0, 1].map(|place| words::word(place, byte));
        writeln!(expected, "{even} {odd}").unwrap();
    }
    assert_eq!(
        fs::read_to_string(Path::new(DOCS).join("pgp-words.txt")).unwrap(),
        expected
    );
}

#[test]
fn the_script_is_short_and_needs_python_alone() {
    let script = fs::read_to_string(Path::new(DOCS).join("restore.py")).unwrap();
    assert!(script.lines().count() <= 80);
    let imports: Vec<&str> = script
        .lines()
        .filter(|line| line.contains("import "))
        .collect();
    assert_eq!(
        imports,
        ["import hashlib, io, json, os, subprocess, sys, tarfile"]
    );
}

#[test]
fn sheets_and_the_script_restore_the_same_files() {
    let set = sealed();
    let folder = TempDir::new().unwrap();
    let [.., three, four, five] = &set.shares[..] else {
        panic!("five shares")
    };
    // The first line is mistyped once, one share is typed twice, and a word of the last cannot be read.
    let mistyped = format!("aardvark {}", typed(&[five]));
    let typed = format!("{}{}", mistyped.lines().next().unwrap(), "\n")
        + &typed(&[five, three, three])
        + &format!("? {}", typed(&[four]).split_once(' ').unwrap().1);
    let output = restore(folder.path(), &set.file, &typed);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(
        said.contains(
            "9 words of 8; not on the list: 2, 3, 4, 5, 6, 7, 8, 9. Type the line again."
        ),
        "{said}"
    );
    let restored = folder.path().join("restored");

    let expected = everything(100_000);
    let mut files: BTreeMap<String, Vec<u8>> = expected.infrastructure.files.clone();
    for key in &expected.infrastructure.online {
        let pem = key.pem().expose(<[u8]>::to_vec);
        files.insert(format!("keys/{}.pem", key.half().keyid), pem);
    }
    let wrapped = expected.wrapped.unwrap();
    for key in &wrapped.keys {
        files.insert(
            format!("keys/{}.kwp", key.half().keyid),
            key.blob().to_vec(),
        );
    }
    files.insert(
        "keys/wrap-key.bin".to_owned(),
        wrapped.wrap_key.expose(<[u8]>::to_vec),
    );
    assert!(
        said.contains(&format!("{} files are in restored.", files.len() + 1)),
        "{said}"
    );
    for (path, bytes) in &files {
        assert!(fs::read(restored.join(path)).unwrap() == *bytes, "{path}");
    }

    // And what a wrapped key is, by OpenSSL, as the guide has it.
    let key = &wrapped.keys[0];
    let script = format!(
        "openssl enc -d -id-aes256-wrap-pad -iv A65959A6 -K $(od -An -v -tx1 wrap-key.bin | tr -d ' \\n') -in {}.kwp | openssl pkey -inform DER -pubout -outform DER",
        key.half().keyid
    );
    let guide =
        fs::read_to_string(Path::new(DOCS).join("restore-without-tuf-ceremony.md")).unwrap();
    assert!(
        guide.contains(&script.replace(&key.half().keyid.0, "KEYID")),
        "{script}"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(restored.join("keys"))
        .output()
        .unwrap();
    assert_eq!(
        Some(output.stdout),
        key.half().public.to_spki_der(),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(number(3).len(), 32);
}

#[test]
fn the_script_refuses_what_does_not_belong_to_the_backup() {
    let (set, other) = (sealed(), sealed());
    let [one, two, ..] = &set.shares[..] else {
        panic!("five shares")
    };
    let lines = typed(&[two]);
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.swap(1, 2);
    let cases = [
        (
            typed(&[&other.shares[0]]),
            "This share opens another backup.",
        ),
        (typed(&[one, two]), "EOFError"),
        (format!("{}{}", typed(&[one]), lines.join("\n")), "EOFError"),
    ];
    for (typed, expected) in cases {
        let folder = TempDir::new().unwrap();
        let output = restore(folder.path(), &set.file, &typed);
        assert!(!output.status.success());
        assert!(
            text(&output.stderr).contains(expected),
            "{}",
            text(&output.stderr)
        );
        assert!(!folder.path().join("restored").exists());
    }
}
