//! Keys: which client reads which kind, and which signatures it can count.

use std::collections::{BTreeMap, BTreeSet};

use super::Client::{GoTuf, PythonTuf, RustTuf, Tough, TufJs};
use super::facts::{Facts, KeyFacts, RoleFacts, string};
use super::{Client, Report};
use crate::tuf::canonical;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::Json;
use crate::tuf::metadata::Root;
use crate::tuf::verification;

/// What a client does with a kind of key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Its signatures count.
    Counts,
    /// The file is read, but no signature by it ever counts.
    Never,
    /// The whole file is refused, whatever role the key is for.
    Refused,
}
use Use::{Counts, Never, Refused};

/// A kind of key and what [`Client::ALL`] do with it, in that order.
pub(super) struct Kind {
    name: &'static str,
    uses: [Use; 5],
}

const fn kind(name: &'static str, uses: [Use; 5]) -> Kind {
    Kind { name, uses }
}

impl Kind {
    //                                             python-tuf tough   go-tuf   tuf-js  rust-tuf
    const ED25519: Self = kind("Ed25519", [Counts, Counts, Counts, Counts, Counts]);
    const ED25519_PEM: Self = kind("Ed25519 as PEM", [Never, Refused, Never, Counts, Never]);
    const P256: Self = kind("P-256", [Counts, Counts, Counts, Counts, Refused]);
    const P256_HEX: Self = kind(
        "P-256 as hexadecimal point",
        [Never, Counts, Never, Counts, Refused],
    );
    const P384: Self = kind("P-384", [Counts, Refused, Counts, Counts, Refused]);
    const P384_HEX: Self = kind(
        "P-384 as hexadecimal point",
        [Never, Refused, Never, Counts, Refused],
    );
    const P384_OLD: Self = kind(
        "P-384 of keytype ecdsa-sha2-nistp384",
        [Counts, Refused, Never, Counts, Refused],
    );
    const RSA_PSS: Self = kind("RSA PSS", [Counts, Counts, Counts, Counts, Never]);
    const RSA_PSS_LONG: Self = kind(
        "RSA PSS with a longer hash",
        [Counts, Refused, Never, Counts, Never],
    );
    const RSA_PKCS1: Self = kind("RSA PKCS#1 v1.5", [Counts, Refused, Never, Never, Never]);
    const ML_DSA: Self = kind("ML-DSA", [Counts, Refused, Never, Never, Never]);
    const IDENTITY: Self = kind(
        "an identity without key",
        [Refused, Refused, Refused, Never, Never],
    );
    const UNKNOWN: Self = kind(
        "of an unknown kind",
        [Refused, Refused, Never, Never, Never],
    );

    pub(super) fn of(key: Json<'_>) -> &'static Self {
        let public = key.get("keyval").and_then(|keyval| keyval.get("public"));
        let Some(public) = public.and_then(Json::as_str) else {
            return &Self::IDENTITY;
        };
        let pem = public.starts_with("-----BEGIN ");
        match (&*string(key, "keytype"), &*string(key, "scheme")) {
            ("ed25519", "ed25519") if pem => &Self::ED25519_PEM,
            ("ed25519", "ed25519") => &Self::ED25519,
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") if pem => &Self::P256,
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => &Self::P256_HEX,
            ("ecdsa", "ecdsa-sha2-nistp384") if pem => &Self::P384,
            ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") if !pem => &Self::P384_HEX,
            ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => &Self::P384_OLD,
            ("rsa", "rsassa-pss-sha256") => &Self::RSA_PSS,
            ("rsa", "rsassa-pss-sha384" | "rsassa-pss-sha512") => &Self::RSA_PSS_LONG,
            ("rsa", scheme) if scheme.starts_with("rsa-pkcs1v15-") => &Self::RSA_PKCS1,
            ("ml-dsa", "ml-dsa-44/1" | "ml-dsa-65/1" | "ml-dsa-87/1") => &Self::ML_DSA,
            _ => &Self::UNKNOWN,
        }
    }
    fn uses(&self, client: Client) -> Use {
        self.uses[client as usize]
    }
}

/// Keys that a client cannot read, each kind of a role once: one of them is enough to refuse the file.
fn unread(facts: &Facts<'_>, report: &mut Report) {
    let mut alike: BTreeMap<(&str, String), Vec<&KeyFacts<'_>>> = BTreeMap::new();
    let refused = |key: &&KeyFacts<'_>| key.kind.uses.contains(&Refused);
    for key in facts.keys.iter().filter(refused) {
        let users = facts.users(&key.keyid);
        alike.entry((key.kind.name, users)).or_default().push(key);
    }
    for ((kind, users), keys) in alike {
        let first = keys[0];
        let refusing = Client::ALL
            .into_iter()
            .filter(|client| first.kind.uses(*client) == Refused);
        let more = match keys.len() {
            1 => String::new(),
            all => format!(" and {} more", all - 1),
        };
        report.refuse(
            &refusing.collect::<Vec<_>>(),
            format_args!(
                "Key {}{more} ({kind}, {users}) cannot be read here, so the whole file is refused.",
                first.keyid
            ),
        );
    }
}

/// What clients refuse a file for, key by key.
pub(super) fn keys(facts: &Facts<'_>, report: &mut Report) {
    unread(facts, report);
    for key in &facts.keys {
        let KeyFacts {
            keyid,
            kind,
            object,
        } = key;
        let users = || facts.users(keyid);
        if kind.name.starts_with("P-384") {
            report.note(
                &[TufJs],
                format_args!("Key {keyid} ({}, {}) cannot be verified by tuf-js with @tufjs/models 5.0.0 and older.", kind.name, users()),
            );
        }
        if canonical::sha256(*object).to_string() != keyid.to_ascii_lowercase() {
            report.refuse(
                &[Tough, RustTuf],
                format_args!("The keyid {keyid} ({}) is not the SHA-256 of its key object, which is checked here.", users()),
            );
        }
        let known = ["keytype", "scheme", "keyval", "keyid_hash_algorithms"];
        if let Some((name, _)) = object.members().find(|(name, _)| !known.contains(&&**name)) {
            report.refuse(
                &[RustTuf],
                format_args!(
                    "Key {keyid} ({}) has the field {name:?}, which changes its keyid here.",
                    users()
                ),
            );
        }
    }
}

/// Keys whose signatures a client never counts: whether the roles can do without them.
pub(super) fn thresholds(facts: &Facts<'_>, report: &mut Report) {
    for client in Client::ALL {
        let never = never(facts, client);
        if never.is_empty() {
            continue;
        }
        for role in &facts.roles {
            let useless: Vec<&str> = role
                .keyids
                .iter()
                .map(String::as_str)
                .filter(|keyid| never.contains(keyid))
                .collect();
            if useless.is_empty() {
                continue;
            }
            let RoleFacts {
                name,
                keyids,
                threshold,
            } = role;
            let (all, left) = (keyids.len(), keyids.len() - useless.len());
            let useless = useless.join(", ");
            if left < *threshold {
                report.refuse(
                    &[client],
                    format_args!("Role {name} has a threshold of {threshold}, and only {left} of its {all} keys can be verified here (not {useless})."),
                );
            } else {
                report.note(
                    &[client],
                    format_args!("Role {name} has a threshold of {threshold}, to be reached by the {left} of its {all} keys that can be verified here (not {useless})."),
                );
            }
        }
    }
}

/// A complete root whose signatures a client cannot all count.
pub(super) fn signatures(envelope: &Envelope, facts: &Facts<'_>, report: &mut Report) {
    if facts.role_type != "root" {
        return;
    }
    let Ok(root) = Root::read("", envelope) else {
        return;
    };
    let Some(role) = root.role("root") else {
        return;
    };
    let signed = verification::threshold(envelope, &root.keys, role, &[]);
    if !signed.reached() {
        return;
    }
    for client in Client::ALL {
        let never = never(facts, client);
        let counted = signed
            .signed
            .iter()
            .filter(|keyid| !never.contains(keyid.0.as_str()))
            .count();
        let (all, needed) = (signed.signed.len(), signed.needed as usize);
        if counted < needed {
            report.refuse(
                &[client],
                format_args!("Of the {all} valid signatures by role root only {counted} can be verified here, and {needed} are needed. Let a holder of another key sign too."),
            );
        }
    }
}

/// The keyids whose signatures `client` never counts.
fn never<'a>(facts: &'a Facts<'_>, client: Client) -> BTreeSet<&'a str> {
    let keys = facts
        .keys
        .iter()
        .filter(|key| key.kind.uses(client) == Never);
    keys.map(|key| key.keyid.as_str()).collect()
}

/// Clients that read keyids as hexadecimal, or as any text.
pub(super) const HEXADECIMAL_KEYIDS: [Client; 1] = [Tough];

/// Clients that refuse a file with two signatures under one keyid.
pub(super) const ONE_SIGNATURE_A_KEYID: [Client; 4] = [PythonTuf, Tough, GoTuf, TufJs];
