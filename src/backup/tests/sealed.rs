//! Backups sealed and opened, in memory.

use std::collections::BTreeMap;

use aes_kw::{KeyInit as _, KwpAes256};
use p256::pkcs8::EncodePrivateKey as _;

use super::super::{
    About, Everything, Identities, Infrastructure, OnlineKey, PublicHalf, Recipient, WRAP_KEY,
    Wrapped, WrappedKey, drill, open, open_shared, seal_shared, seal_to,
};
use super::{Scheme, held, refused, secret};
use crate::ceremony::event::Mode;
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::key::{Algorithm, Key, PublicKey};

/// What is public of a key whose private number is this byte all over, and the number.
pub(super) fn pair(algorithm: Algorithm, number: u8) -> (PublicHalf, Secret) {
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

pub(super) fn infrastructure() -> Infrastructure {
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

pub(super) fn everything() -> Everything {
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

fn assert_same(found: &Everything, expected: &Everything) {
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
