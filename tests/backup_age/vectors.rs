//! The vectors of age-encryption.org/v1 (npm `cctv-age`), each through the reader of backups.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use tuf_ceremony::backup::{Identities, plaintext};
use tuf_ceremony::tuf::digest::Sha256;

use super::{IDENTITY, refused, secret};

/// What is known of a vector, and its file.
struct Vector {
    name: String,
    known: BTreeMap<String, String>,
    file: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let js = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/js");
    assert!(
        js.join("node_modules/cctv-age").exists(),
        "age's vectors are not installed: run tests/peers/setup"
    );
    let folder = tempfile::tempdir().unwrap();
    let node = Command::new("node")
        .arg(js.join("age-vectors.mjs"))
        .arg(folder.path())
        .status();
    assert!(node.unwrap().success());
    let mut vectors = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let lines = head.lines().map(|line| line.split_once(": ").unwrap());
        vectors.push(Vector {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            known: lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            file: bytes[end + 2..].to_vec(),
        });
    }
    vectors.sort_by(|one, other| one.name.cmp(&other.name));
    vectors
}

/// Vectors for hybrid identities (`AGE-SECRET-KEY-PQ-1`), which are not used here: this one identity is refused, whatever the file.
const HYBRID: &str = "AGE-SECRET-KEY-PQ-1";
/// Headers with a stanza whose last line is missing, which the crate takes as very early versions wrote them. The header's MAC covers them and fits.
const TAKEN: [&str; 2] = ["stanza_missing_body", "stanza_missing_final_line"];

impl Vector {
    /// The SHA-256 of the plaintext, or what was said.
    fn verdict(&self) -> Result<String, String> {
        let said = |fault| refused(fault).concat();
        let identities = match (self.known.get("identity"), self.known.get("passphrase")) {
            (Some(text), _) => Identities::read("identity.txt", &secret(text), None),
            (None, Some(passphrase)) => Identities::passphrase(&secret(passphrase)),
            // Without an age file in it: any does.
            (None, None) => Identities::read("", &secret(IDENTITY), None),
        };
        let mut plain = Vec::new();
        plaintext(&self.file, &identities.map_err(said)?)
            .map_err(said)?
            .read_to_end(&mut plain)
            .unwrap();
        Ok(Sha256::of(&plain).to_string())
    }
}

#[test]
fn vectors_of_age_get_the_verdicts_that_they_expect() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 143);
    let mut hybrid = 0;
    for vector in &vectors {
        let expected = match &*vector.known["expect"] {
            _ if vector
                .known
                .get("identity")
                .is_some_and(|text| text.starts_with(HYBRID)) =>
            {
                hybrid += 1;
                Err("BACKUP-IDENTITY identity.txt: line 1 is no identity of age")
            }
            "success" => Ok(&vector.known["payload"]),
            _ if TAKEN.contains(&&*vector.name) => Ok(&vectors[0].known["payload"]),
            "no match"
                if vector.known.contains_key("passphrase") && vector.name != "scrypt_uppercase" =>
            {
                Err("BACKUP-SEAL : it does not open: the passphrase is wrong")
            }
            "no match" => Err("BACKUP-SEAL : none of the identities opens it"),
            "header failure" if vector.name == "scrypt_work_factor_23" => {
                Err("BACKUP-SEAL : its passphrase has the work factor 23, and at most 22")
            }
            _ => Err("BACKUP-SEAL : it "),
        };
        let said = vector.verdict();
        let is_expected = match (&said, expected) {
            (Ok(found), Ok(expected)) => found == expected,
            (Err(said), Err(expected)) => said.starts_with(expected),
            _ => false,
        };
        assert!(is_expected, "{}: {said:?}", vector.name);
    }
    assert_eq!(hybrid, 19);
}
