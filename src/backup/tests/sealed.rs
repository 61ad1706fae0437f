//! Backups sealed and opened, in memory.

use std::collections::BTreeMap;

use aes_kw::{KeyInit as _, KwpAes256};
use p256::pkcs8::EncodePrivateKey as _;

use super::super::{
    About, Everything, Identities, Infrastructure, OnlineKey, PublicHalf, Recipient, WRAP_KEY,
    Wrapped, WrappedKey, drill, open, open_shared, passphrase, proves, seal_shared, seal_to,
};
use super::{Fault, Scheme, held, refused, said, secret};
use crate::ceremony::event::Mode;
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::key::{Algorithm, Key, PublicKey};

/// What is public of a key whose private number is this byte all over, and the number.
pub(in crate::backup) fn pair(algorithm: Algorithm, number: u8) -> (PublicHalf, Secret) {
    let private = vec![
        number;
        if algorithm == Algorithm::EcdsaP384 {
            48
        } else {
            32
        }
    ];
    let public = match algorithm {
        Algorithm::Ed25519 => {
            let key = ed25519_dalek::SigningKey::from_bytes(&private[..].try_into().unwrap());
            PublicKey::Ed25519(key.verifying_key().to_bytes())
        }
        Algorithm::EcdsaP256 => {
            let key = p256::SecretKey::from_slice(&private).unwrap();
            PublicKey::P256(key.public_key().to_sec1_bytes().into_vec())
        }
        Algorithm::EcdsaP384 => {
            let key = p384::SecretKey::from_slice(&private).unwrap();
            PublicKey::P384(key.public_key().to_sec1_bytes().into_vec())
        }
        Algorithm::RsaPss => panic!("no RSA here"),
    };
    let half = PublicHalf {
        keyid: Key::from_public(&public).unwrap().keyid(),
        roles: vec!["timestamp".to_owned()],
        public,
    };
    (half, secret(private))
}

/// The P-256 key with this number as a token wraps it.
fn wrapped(number: u8, wrap_key: &[u8; WRAP_KEY]) -> WrappedKey {
    let (half, private) = pair(Algorithm::EcdsaP256, number);
    let der = private.expose(|private| p256::SecretKey::from_slice(private).unwrap());
    let der = der.to_pkcs8_der().unwrap();
    let mut blob = vec![0; der.as_bytes().len().next_multiple_of(8) + 8];
    let cipher = KwpAes256::new_from_slice(wrap_key).unwrap();
    cipher.wrap_key(der.as_bytes(), &mut blob).unwrap();
    WrappedKey::new(half, blob)
}

pub(in crate::backup) fn infrastructure() -> Infrastructure {
    let algorithms = [
        Algorithm::Ed25519,
        Algorithm::EcdsaP256,
        Algorithm::EcdsaP384,
    ];
    let online = (1..).zip(algorithms).map(|(number, algorithm)| {
        let (half, private) = pair(algorithm, number);
        OnlineKey::new(half, &private).unwrap()
    });
    let files = [
        ("metadata/1.root.json", b"{}".to_vec()),
        ("metadata/empty.json", Vec::new()),
        ("transcript.jsonl", vec![b'x'; 200_000]),
    ];
    Infrastructure {
        about: About {
            ceremony: Sha256::of(b"ceremony"),
            mode: Mode::Rehearsal,
            time: "2026-11-22T12:00:00Z".parse().unwrap(),
        },
        files: BTreeMap::from(files.map(|(path, bytes)| (path.to_owned(), bytes))),
        online: online.collect(),
    }
}

pub(in crate::backup) fn everything() -> Everything {
    let wrap_key = [7; WRAP_KEY];
    Everything {
        infrastructure: infrastructure(),
        wrapped: Some(Wrapped {
            keys: vec![wrapped(8, &wrap_key), wrapped(9, &wrap_key)],
            wrap_key: secret(wrap_key),
        }),
    }
}

fn same(one: &Secret, other: &Secret) -> bool {
    one.expose(|one| other.expose(|other| one == other))
}

pub(in crate::backup) fn assert_same(found: &Everything, expected: &Everything) {
    let (one, other) = (&found.infrastructure, &expected.infrastructure);
    assert_eq!((&one.about, &one.files), (&other.about, &other.files));
    assert!(found.keys().eq(expected.keys()));
    for (one, other) in one.online.iter().zip(&other.online) {
        assert!(same(one.pem(), other.pem()));
    }
    assert_eq!(found.wrapped.is_some(), expected.wrapped.is_some());
    if let (Some(one), Some(other)) = (&found.wrapped, &expected.wrapped) {
        assert!(same(&one.wrap_key, &other.wrap_key));
        let blobs = |wrapped: &Wrapped| -> Vec<Vec<u8>> {
            let keys = wrapped.keys.iter();
            keys.map(|key| key.blob().to_vec()).collect()
        };
        assert_eq!(blobs(one), blobs(other));
    }
    assert_eq!(found.check().unwrap(), []);
}

const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
/// A key of a device: there is no identity for it here.
const DEVICE: &str = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn identities(text: &str) -> Identities {
    Identities::read("id.txt", &secret(text), None).unwrap()
}

#[test]
fn what_is_sealed_to_shares_is_restored_by_every_choice_of_enough_of_them() {
    for armored in [false, true] {
        let scheme = Scheme::new("script.toml", 3, 5).unwrap();
        let set = seal_shared(&everything(), scheme, armored).unwrap();
        assert_eq!(set.file.starts_with(b"-----BEGIN AGE"), armored);
        let held = held(&set.shares);
        for record in [Some(&set.record), None] {
            let opened = open_shared(&set.file, record, &held[1..4]).unwrap();
            assert_same(&opened, &everything());
        }
        let drilled = drill(&set.file, &set.record, &held).unwrap();
        assert_eq!((drilled.restored, drilled.refused), (10, 10));
        assert_same(&drilled.everything, &everything());
        let few = refused(open_shared(&set.file, None, &held[..2]).err().unwrap());
        assert_eq!(
            few,
            ["SHARE-FEW : 2 of the 3 shares that restore are there. Enter 1 more"]
        );
    }
}

#[test]
fn what_is_sealed_to_recipients_is_opened_by_any_of_them() {
    let other = age::x25519::Identity::generate().to_public().to_string();
    let recipients = [other.as_str(), RECIPIENT].map(|text| Recipient::parse("", text).unwrap());
    let expected = Everything {
        infrastructure: infrastructure(),
        wrapped: None,
    };
    for armored in [false, true] {
        let file = seal_to(&infrastructure(), &recipients, armored).unwrap();
        assert_same(&open(&file, &identities(IDENTITY)).unwrap(), &expected);
    }
}

fn no(fault: Result<impl Sized, Fault>) -> String {
    refused(fault.err().unwrap()).join("\n")
}

#[test]
fn a_private_half_that_is_no_number_of_its_curve_makes_no_backup() {
    for (algorithm, wrong) in [
        (Algorithm::Ed25519, vec![1; 31]),
        (Algorithm::EcdsaP256, vec![0; 32]),
        (Algorithm::EcdsaP384, vec![0xff; 48]),
    ] {
        let (half, right) = pair(algorithm, 5);
        let keyid = half.keyid.clone();
        assert!(OnlineKey::new(half.clone(), &right).is_ok());
        assert_eq!(
            no(OnlineKey::new(half, &secret(wrong))),
            format!(
                "BACKUP-KEY {keyid}: its private half is no number of an Ed25519, P-256 or P-384 key. Only such keys of software are backed up"
            )
        );
    }
}

/// Sealing and [`Everything::check`] say the same of each.
#[test]
fn a_private_half_of_another_key_is_named_and_not_sealed() {
    let scheme = || Scheme::new("script.toml", 2, 3).unwrap();
    let judged = |everything: &Everything| {
        let findings = said(&everything.check().unwrap()).join("\n");
        assert_eq!(no(seal_shared(everything, scheme(), false)), findings);
        findings
    };
    let (half, _) = pair(Algorithm::EcdsaP256, 5);
    let (other, private) = pair(Algorithm::EcdsaP256, 6);
    let mut exchanged = everything();
    exchanged.infrastructure.online = vec![OnlineKey::new(half.clone(), &private).unwrap()];
    let expected = format!(
        "BACKUP-KEY {}: the private half in the backup is of another key, {}, and not of {}. Nothing that it signs will be trusted: do not rely on this backup",
        half.keyid,
        other.public.fingerprint(),
        half.public.fingerprint()
    );
    assert_eq!(judged(&exchanged), expected);
    let recipient = Recipient::parse("", RECIPIENT).unwrap();
    assert_eq!(
        no(seal_to(&exchanged.infrastructure, &[recipient], false)),
        expected
    );

    let mut other_type = everything();
    let (p384, _) = pair(Algorithm::EcdsaP384, 5);
    let blob = wrapped(5, &[7; WRAP_KEY]).blob().to_vec();
    other_type.wrapped.as_mut().unwrap().keys = vec![WrappedKey::new(p384, blob.clone())];
    assert!(judged(&other_type).ends_with(
        "the private half in the backup is no PKCS#8 of an Ed25519, P-256 or P-384 key as the public half is. Do not rely on this backup"
    ));

    let mut damaged = blob.clone();
    damaged[20] ^= 1;
    for (wrap_key, blob) in [
        (vec![7; WRAP_KEY], damaged),
        (vec![8; WRAP_KEY], blob.clone()),
        (vec![7; WRAP_KEY - 1], blob),
        (vec![7; WRAP_KEY], vec![]),
    ] {
        let mut everything = everything();
        let wrapped = everything.wrapped.as_mut().unwrap();
        wrapped.keys = vec![WrappedKey::new(half.clone(), blob)];
        wrapped.wrap_key = secret(wrap_key);
        assert!(judged(&everything).contains("the wrap key of this backup does not open it"));
    }
}

#[test]
fn a_recipient_is_read_whole_and_an_identity_in_its_place_is_not_repeated() {
    for text in [RECIPIENT, DEVICE] {
        let recipient = Recipient::parse("script.toml", &format!(" {text}\n")).unwrap();
        assert_eq!(recipient.to_string(), text);
    }
    for (text, expected) in [
        ("", "\"\" is no recipient of age"),
        (&RECIPIENT[..40], "is no recipient of age: it is mistyped"),
        ("age1\u{202e}x", "\"age1\\u{202e}x\" is no recipient"),
        ("ssh-ed25519 AAAA", "is no recipient of age"),
        (IDENTITY, "this is an identity, which opens backups"),
        ("age-plugin-yubikey-1qqq", "this is an identity"),
    ] {
        let finding = Recipient::parse("script.toml", text).unwrap_err();
        assert_eq!(
            (&*finding.rule, &*finding.file),
            ("BACKUP-RECIPIENT", "script.toml")
        );
        assert!(finding.text.contains(expected), "{}", finding.text);
        assert!(!finding.text.contains("GQ9778"));
    }
}

#[test]
fn a_recipient_that_nobody_in_the_room_can_open_is_no_recipient() {
    let recipient = Recipient::parse("", RECIPIENT).unwrap();
    assert!(proves(&recipient, &identities(IDENTITY)).is_ok());
    let other = Recipient::parse("", DEVICE).unwrap();
    assert_eq!(
        no(proves(&other, &identities(IDENTITY))),
        format!(
            "BACKUP-RECIPIENT : nobody in the room can open what is sealed to {DEVICE}: none of the identities opens it: it was sealed to others. Look for the identity of this backup, or the backup of this identity. Bring its identity, or name another recipient: a backup that nobody opened is none"
        )
    );
    let nobody = no(seal_to(&infrastructure(), &[], false));
    assert_eq!(
        nobody,
        "BACKUP-SEAL : no recipient was named, so nobody could open it"
    );
}

#[test]
fn an_identity_file_is_read_line_by_line_and_never_quoted() {
    let file = format!("# created: today\n\n{IDENTITY}\r\n# end\n");
    let recipient = Recipient::parse("", RECIPIENT).unwrap();
    assert!(proves(&recipient, &identities(&file)).is_ok());
    for (file, expected) in [
        ("", "there is no identity in it"),
        ("# nothing\n", "there is no identity in it"),
        (
            &format!("\n{}\n", &IDENTITY[..60]),
            "line 2 is no identity of age",
        ),
        (RECIPIENT, "line 1 is no identity of age"),
        ("\u{e9}", "line 1 is no identity of age"),
    ] {
        let said = no(Identities::read("id.txt", &secret(file), None));
        assert!(
            said.starts_with(&format!("BACKUP-IDENTITY id.txt: {expected}")),
            "{said}"
        );
        assert!(!said.contains("GQ9778"), "{said}");
    }
    let bytes = no(Identities::passphrase(&secret([0xff, 0xfe])));
    assert!(bytes.starts_with("BACKUP-IDENTITY : the passphrase is no UTF-8 text"));
}

#[test]
fn a_passphrase_is_twelve_words_and_each_word_is_as_likely_as_any() {
    let mut seen = [[false; 256]; 2];
    // That one of 512 words is not among 36,000 has a chance of one in 10^27.
    for _ in 0..3_000 {
        let text = passphrase().unwrap();
        text.expose(|text| {
            let words: Vec<&[u8]> = text.split(|byte| *byte == b'-').collect();
            assert_eq!(words.len(), 12);
            for (place, word) in words.iter().enumerate() {
                let byte = crate::words::byte(place, word).unwrap();
                seen[place % 2][usize::from(byte)] = true;
            }
        });
    }
    assert!(seen.concat().iter().all(|seen| *seen));
}
