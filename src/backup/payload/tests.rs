#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::tests::sealed::{assert_same, everything, infrastructure, pair};
use super::super::tests::{refused, secret};
use super::super::{Fault, OnlineKey, PublicHalf};
use super::{Everything, Payload, archive, read};
use crate::tuf::key::{Algorithm, KeyId, PublicKey};

const BLOCK: usize = 512;

fn tar(payload: &Payload<'_>) -> Vec<u8> {
    let mut tar = Vec::new();
    payload.write(&mut tar).unwrap();
    tar
}

/// Where what stands first begins, and the manifest.
fn manifest(tar: &[u8]) -> (usize, String) {
    let end = tar[BLOCK..]
        .windows(4)
        .position(|bytes| bytes == b"\n}\n\0");
    let end = BLOCK + end.unwrap() + 3;
    let text = str::from_utf8(&tar[BLOCK..end]).unwrap();
    (end.next_multiple_of(BLOCK), text.to_owned())
}

/// The same with another manifest.
fn with(tar: &[u8], text: &str) -> Vec<u8> {
    let mut changed = Vec::new();
    archive::write(
        &mut changed,
        [(
            "manifest.json".to_owned(),
            super::Content::Public(text.as_bytes()),
        )]
        .into_iter(),
    )
    .unwrap();
    changed.truncate((BLOCK + text.len()).next_multiple_of(BLOCK));
    changed.extend(&tar[manifest(tar).0..]);
    changed
}

fn no(read: Result<Everything, Fault>) -> String {
    let said = refused(read.err().unwrap());
    assert_eq!(said.len(), 1, "{said:?}");
    said[0]
        .strip_prefix("BACKUP-PAYLOAD : ")
        .unwrap()
        .to_owned()
}

#[test]
fn a_payload_is_the_same_each_time_and_is_read_as_it_was_written() {
    let tar = tar(&everything().payload());
    assert!(tar == self::tar(&everything().payload()));
    assert_same(&read(&tar[..]).unwrap(), &everything());
    let only = infrastructure();
    let alone = read(&self::tar(&only.payload())[..]).unwrap();
    assert!(alone.wrapped.is_none());
    assert_eq!(alone.infrastructure.files, only.files);
    // Belonging to nobody, at no time.
    let (first, _) = manifest(&tar);
    assert_eq!(&tar[first + 100..first + 108], b"0000600\0");
    assert!(
        tar[first + 108..first + 124]
            .iter()
            .all(|byte| b"0\0".contains(byte))
    );
    assert!(
        tar[first + 136..first + 148]
            .iter()
            .all(|byte| b"0\0".contains(byte))
    );
}

#[test]
fn secrets_stand_first_and_so_much_follows_that_no_buffer_keeps_them() {
    let mut small = everything();
    small.infrastructure.files.clear();
    for everything in [small, everything()] {
        let tar = tar(&everything.payload());
        let wrap_key = tar.windows(32).rposition(|bytes| bytes == [7; 32]).unwrap();
        assert!(tar.len() - wrap_key >= 2 * 65_536, "{}", tar.len());
        let (_, text) = manifest(&tar);
        let paths = text.split("\"path\": \"").skip(1);
        let paths: Vec<&str> = paths.map(|path| path.split('"').next().unwrap()).collect();
        // Once of the keys, once of the files.
        let files = &paths[5..];
        let ends = |path: &&str| path.rsplit('.').next().map(str::to_owned);
        let ends: Vec<String> = files[..6].iter().filter_map(ends).collect();
        assert_eq!(ends, ["pem", "pem", "pem", "kwp", "kwp", "bin"]);
        assert_eq!(files[5], "keys/wrap-key.bin");
    }
}

#[test]
fn a_payload_that_was_changed_anywhere_behind_its_manifest_is_refused() {
    let whole = tar(&everything().payload());
    let (first, _) = manifest(&whole);
    for place in (first..whole.len()).step_by(97) {
        let mut changed = whole.clone();
        changed[place] ^= 0x20;
        no(read(&changed[..]));
    }
    // A cut in the zeros at the end leaves two blocks of them at least.
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let end = end.next_multiple_of(BLOCK) + 2 * BLOCK;
    for length in (0..end).step_by(173) {
        let said = no(read(&whole[..length]));
        assert!(said.starts_with("it ends within "), "{length}: {said}");
    }
    for more in [&[b'x'][..], &[0; 700], &whole[..BLOCK]] {
        let mut longer = whole.clone();
        longer.extend(more);
        if more.iter().any(|byte| *byte != 0) {
            assert_eq!(
                no(read(&longer[..])),
                "something follows that the manifest does not list. This program does not write such backups"
            );
        } else {
            assert!(read(&longer[..]).is_ok());
        }
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn a_manifest_in_another_form_is_refused() {
    let whole = tar(&everything().payload());
    let (_, text) = manifest(&whole);
    let first = everything().infrastructure.online.remove(0);
    let keyid = &first.half.keyid.0;
    let cases = [
        (
            "backup/1\"",
            "backup/2\"",
            "the schema is tuf-ceremony/backup/2; this program reads \"tuf-ceremony/backup/1\"",
        ),
        ("\"mode\"", "\"more\": 1, \"mode\"", "unknown field `more`"),
        (
            "\"mode\"",
            "\"mode\": \"production\", \"mode\"",
            "occurs twice",
        ),
        ("\"online\"", "\"offline\"", "unknown variant `offline`"),
        ("12:00:00Z", "12:00:00.5Z", "its time is not written as"),
        (
            "metadata/1.root.json",
            "Metadata/1.root.json",
            "Metadata/1.root.json is no path for every medium",
        ),
        (
            "metadata/1.root.json",
            "../1.root.json",
            "../1.root.json is no path",
        ),
        (
            "metadata/empty.json",
            "metadata/1.root.json",
            "its public files are not each once and by path",
        ),
        (
            "transcript.jsonl",
            "keys/other.json",
            "keys/other.json is a public file, and this place is for the keys or the manifest",
        ),
        (
            "transcript.jsonl",
            "manifest.json",
            "manifest.json is a public file",
        ),
        (
            "metadata/empty.json",
            "metadata/full.json",
            "where metadata/full.json should begin stands something else",
        ),
        (
            "\"size\": 200000",
            "\"size\": 200001",
            "where transcript.jsonl should begin",
        ),
        (
            "\"size\": 32",
            "\"size\": 33",
            "keys/wrap-key.bin has 33 bytes, and at most 32 are a key",
        ),
        (
            "\"size\": 119",
            "\"size\": 4097",
            "has 4097 bytes, and at most 4096 are a key",
        ),
        ("\"public\": \"30", "\"public\": \"3x", "no hexadecimal"),
        (
            "\"public\": \"30",
            "\"public\": \"31",
            "the public half of keys/",
        ),
        (
            "\"kind\": \"online\"",
            "\"kind\": \"wrapped\"",
            "must be file 1 and must be there once",
        ),
        (
            "\"keyid\": \"",
            "\"keyid\": \"x",
            "must be file 1 and must be there once",
        ),
    ];
    for (old, new, part) in cases {
        assert!(text.contains(old), "{old}");
        let said = no(read(&with(&whole, &text.replacen(old, new, 1))[..]));
        assert!(said.contains(part), "{old}: {said}");
    }
    let other = format!("keys/{keyid}.pem");
    assert!(
        no(read(
            &with(&whole, &text.replacen(&other, "keys/x.pem", 1))[..]
        ))
        .contains("a key is said to be in another file than the one of its keyid")
    );
    let digest = crate::tuf::digest::Sha256::of(b"{}").to_string();
    assert!(
        no(read(
            &with(&whole, &text.replace(&digest, &"0".repeat(64)))[..]
        ))
        .starts_with(
            "metadata/1.root.json has another SHA-256 than the manifest in the backup says"
        )
    );
    assert!(no(read(&b"MZ".repeat(400)[..])).starts_with("it does not begin with a manifest"));
    assert!(read(&with(&whole, &text)[..]).is_ok());
}

/// What could not be read is not written.
#[test]
fn a_payload_that_would_be_refused_is_not_written() {
    let written = |change: &dyn Fn(&mut Everything)| {
        let mut everything = everything();
        change(&mut everything);
        let fault = everything.payload().write(&mut Vec::new()).err().unwrap();
        refused(fault).concat()
    };
    let file = |path: &str| {
        let path = path.to_owned();
        written(&move |everything| {
            let files = &mut everything.infrastructure.files;
            files.insert(path.clone(), Vec::new());
        })
    };
    assert!(file("A.json").contains("A.json is no path for every medium"));
    assert!(file("keys/other.pem").contains("keys/other.pem is a public file"));
    assert!(file(&"a".repeat(101)).contains("has 101 bytes and does not fit into a tar"));
    let twice = written(&|everything| {
        let (half, private) = pair(Algorithm::Ed25519, 1);
        let key = OnlineKey::new(half, &private).unwrap();
        everything.infrastructure.online.push(key);
    });
    assert!(
        twice.contains("must be file 4 and must be there once"),
        "{twice}"
    );
    let strange = written(&|everything| {
        let half = PublicHalf {
            keyid: KeyId("00".to_owned()),
            roles: Vec::new(),
            public: PublicKey::Opaque(Vec::new()),
        };
        let pem = secret("pem");
        everything
            .infrastructure
            .online
            .push(OnlineKey { half, pem });
    });
    assert!(
        strange.contains("key 00 is of a type that is not known here"),
        "{strange}"
    );
}
