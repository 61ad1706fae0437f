//! Small metadata files for the tests of this room: deterministic Ed25519 keys called by number, JSON written by hand.
#![allow(clippy::unwrap_used, reason = "tests")]

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};

use super::envelope::Envelope;
use super::json::Limits;
use super::key::{Key, KeyId, PublicKey};

fn secret(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// The public key of signer `number`.
pub(super) fn key(number: u8) -> Key {
    Key::from_public(&PublicKey::Ed25519(
        secret(number).verifying_key().to_bytes(),
    ))
    .unwrap()
}

/// Its keyid.
pub(super) fn keyid(number: u8) -> KeyId {
    key(number).keyid()
}

/// The object of signer `number` as JSON.
pub(super) fn key_json(number: u8) -> String {
    String::from_utf8(key(number).value().canonical()).unwrap()
}

/// Signer `number`'s signature over `payload`, hexadecimal.
pub(super) fn sign(number: u8, payload: &[u8]) -> String {
    HEXLOWER.encode(&secret(number).sign(payload).to_bytes())
}

pub(super) fn envelope(signed: &str, signatures: &[(&str, &str)]) -> Vec<u8> {
    let entries: Vec<String> = signatures
        .iter()
        .map(|(keyid, sig)| format!(r#"{{"keyid":"{keyid}","sig":"{sig}"}}"#))
        .collect();
    format!(
        r#"{{"signatures":[{}],"signed":{signed}}}"#,
        entries.join(",")
    )
    .into_bytes()
}

pub(super) fn parse(bytes: Vec<u8>) -> Envelope {
    Envelope::parse("file", bytes, Limits::SMALL).unwrap()
}

/// `signed` with the valid signatures of `signers`, each under its own keyid.
pub(super) fn signed_by(signed: &str, signers: &[u8]) -> Vec<u8> {
    let payload = parse(envelope(signed, &[])).payload().into_owned();
    let signatures: Vec<(String, String)> = signers
        .iter()
        .map(|&signer| (keyid(signer).0, sign(signer, &payload)))
        .collect();
    let signatures: Vec<(&str, &str)> = signatures
        .iter()
        .map(|(keyid, sig)| (keyid.as_str(), sig.as_str()))
        .collect();
    envelope(signed, &signatures)
}

/// A role whose keyids are those of `signers`.
pub(super) fn role(signers: &[u8], threshold: i64) -> String {
    let keyids: Vec<String> = signers.iter().map(|&signer| keyid(signer).0).collect();
    role_json(&keyids, threshold)
}

pub(super) fn role_json(keyids: &[String], threshold: i64) -> String {
    format!(r#"{{"keyids":{keyids:?},"threshold":{threshold}}}"#)
}

/// The `keys` object of `signers`.
pub(super) fn keys(signers: &[u8]) -> String {
    let members: Vec<String> = signers
        .iter()
        .map(|&signer| format!(r#""{}":{}"#, keyid(signer), key_json(signer)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A signed part of root version `version` whose four roles are all `role`.
pub(super) fn root_with(version: i64, keys: &str, role: &str) -> String {
    format!(
        r#"{{"_type":"root","consistent_snapshot":true,"expires":"2027-11-22T00:00:00Z","keys":{keys},"roles":{{"root":{role},"snapshot":{role},"targets":{role},"timestamp":{role}}},"spec_version":"1.0.0","version":{version}}}"#
    )
}

/// The same, with the keys of `signers`.
pub(super) fn root(version: i64, signers: &[u8], threshold: i64) -> String {
    root_with(version, &keys(signers), &role(signers, threshold))
}
