//! Makes small signed repositories from keys that are the same in every run.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "tests; no test program uses every helper"
)]

use ed25519_dalek::Signer as _;
use tuf_ceremony::tuf::edit::{self, CatchAllSpec, RoleSpec, RootSpec, TargetsSpec};
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::key::{Key, KeyId, PublicKey};
use tuf_ceremony::tuf::value::Value;

pub const EXPIRES: &str = "2027-06-01T00:00:00Z";

/// The key of holder `number`: Ed25519 for odd numbers, P-256 for even ones.
pub fn key(number: u8) -> Key {
    let seed = [number; 32];
    let public = if number % 2 == 1 {
        PublicKey::Ed25519(
            ed25519_dalek::SigningKey::from_bytes(&seed)
                .verifying_key()
                .to_bytes(),
        )
    } else {
        let point = p256::ecdsa::SigningKey::from_slice(&seed)
            .unwrap()
            .verifying_key()
            .to_sec1_point(false);
        PublicKey::P256(point.as_bytes().to_vec())
    };
    Key::from_public(&public).unwrap()
}

pub fn keyid(number: u8) -> KeyId {
    key(number).keyid()
}

/// The signature of holder `number`, as TUF carries it.
pub fn signature(number: u8, payload: &[u8]) -> Vec<u8> {
    let seed = [number; 32];
    if number % 2 == 1 {
        return ed25519_dalek::SigningKey::from_bytes(&seed)
            .sign(payload)
            .to_bytes()
            .to_vec();
    }
    p256_signature(&seed, payload).to_der().as_bytes().to_vec()
}

/// Another right signature by the same P-256 key: (r, n - s).
pub fn twin_signature(number: u8, payload: &[u8]) -> Vec<u8> {
    let first = p256_signature(&[number; 32], payload);
    let (r, s) = first.split_scalars();
    let twin = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    twin.to_der().as_bytes().to_vec()
}

fn p256_signature(seed: &[u8; 32], payload: &[u8]) -> p256::ecdsa::Signature {
    p256::ecdsa::SigningKey::from_slice(seed)
        .unwrap()
        .sign(payload)
}

pub fn role(holders: &[u8], threshold: u32) -> RoleSpec {
    RoleSpec {
        keys: holders.iter().map(|number| key(*number)).collect(),
        threshold,
    }
}

/// An unsigned root: `holders` for root, holders 11 and 12 (2 needed) for targets.
pub fn root(old: Option<&Envelope>, version: u64, holders: &[u8], threshold: u32) -> Envelope {
    let spec = RootSpec {
        version,
        expires: EXPIRES.to_owned(),
        root: role(holders, threshold),
        timestamp: role(&[201], 1),
        snapshot: role(&[203], 1),
        targets: role(&[11, 12], 2),
    };
    edit::root("root.json", old, &spec).unwrap()
}

/// Unsigned targets that delegate everything to `bins` (holders 13 and 14, both needed).
pub fn targets(version: u64) -> Envelope {
    let spec = TargetsSpec {
        version,
        expires: EXPIRES.to_owned(),
        delegations: vec![CatchAllSpec {
            name: "bins".to_owned(),
            role: role(&[13, 14], 2),
            terminating: true,
        }],
    };
    edit::targets("targets.json", &spec).unwrap()
}

/// Unsigned targets that delegate nothing.
pub fn leaf(version: u64, expires: &str) -> Envelope {
    let spec = TargetsSpec {
        version,
        expires: expires.to_owned(),
        delegations: Vec::new(),
    };
    edit::targets("bins.json", &spec).unwrap()
}

pub fn signed(envelope: &Envelope, holders: &[u8]) -> Envelope {
    let payload = envelope.payload().into_owned();
    holders.iter().fold(envelope.clone(), |envelope, number| {
        envelope.with_signature(&keyid(*number), &signature(*number, &payload), &|_| false)
    })
}

/// With the rehearsal marker, unsigned.
pub fn rehearsal(envelope: &Envelope) -> Envelope {
    edit::with_member(
        "root.json",
        envelope,
        "x-tuf-ceremony-rehearsal",
        Value::Bool(true),
    )
    .unwrap()
}
