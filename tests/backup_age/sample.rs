//! A backup to seal: two keys of software, two of tokens under a wrap key, and files.

use std::collections::BTreeMap;

use aes_kw::{KeyInit as _, KwpAes256};
use p256::pkcs8::EncodePrivateKey as _;
use tuf_ceremony::backup::{
    About, Everything, Infrastructure, OnlineKey, PublicHalf, Wrapped, WrappedKey,
};
use tuf_ceremony::ceremony::event::Mode;
use tuf_ceremony::secret::{Secret, SecretError};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::{Key, PublicKey};

/// A number that stands nowhere but in locked memory: each byte is computed when it is asked for.
pub(crate) fn number(which: u64) -> Secret {
    let number = Secret::filled(32, |room| {
        let mut state = which.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for byte in room {
            state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
            *byte = state.to_be_bytes()[2] | 1;
        }
        Ok::<(), SecretError>(())
    });
    number.unwrap()
}

fn half(role: &str, public: PublicKey) -> PublicHalf {
    PublicHalf {
        keyid: Key::from_public(&public).unwrap().keyid(),
        roles: vec![role.to_owned()],
        public,
    }
}

fn online(which: u64) -> OnlineKey {
    let private = number(which);
    let public = private.expose(|private| {
        let key = ed25519_dalek::SigningKey::from_bytes(private.try_into().unwrap());
        PublicKey::Ed25519(key.verifying_key().to_bytes())
    });
    OnlineKey::new(half("timestamp", public), &private).unwrap()
}

/// As a token wraps it.
fn wrapped(which: u64, wrap_key: &Secret) -> WrappedKey {
    number(which).expose(|private| {
        let key = p256::SecretKey::from_slice(private).unwrap();
        let der = key.to_pkcs8_der().unwrap();
        let mut blob = vec![0; der.as_bytes().len().next_multiple_of(8) + 8];
        let cipher = wrap_key.expose(|wrap_key| KwpAes256::new_from_slice(wrap_key).unwrap());
        cipher.wrap_key(der.as_bytes(), &mut blob).unwrap();
        let public = PublicKey::P256(key.public_key().to_sec1_bytes().into_vec());
        WrappedKey::new(half("root", public), blob)
    })
}

/// Keys 1 and 2 of software, and a file of so many bytes.
pub(crate) fn infrastructure(size: usize) -> Infrastructure {
    let files = [
        ("metadata/1.root.json", b"{}".to_vec()),
        ("transcript.jsonl", vec![b'x'; size]),
    ];
    Infrastructure {
        about: About {
            ceremony: Sha256::of(b"ceremony"),
            mode: Mode::Rehearsal,
            time: jiff::Timestamp::UNIX_EPOCH,
        },
        files: BTreeMap::from(files.map(|(path, bytes)| (path.to_owned(), bytes))),
        online: vec![online(1), online(2)],
    }
}

/// The same, and keys 4 and 5 of tokens under wrap key 3.
pub(crate) fn everything(size: usize) -> Everything {
    let wrap_key = number(3);
    Everything {
        infrastructure: infrastructure(size),
        wrapped: Some(Wrapped {
            keys: [4, 5].map(|which| wrapped(which, &wrap_key)).into(),
            wrap_key,
        }),
    }
}
