//! Keys: which client reads which kind, and which signatures it can count.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use data_encoding::HEXLOWER_PERMISSIVE;

use super::Client::{GoTuf, PythonTuf, RustTuf, Tough, TufJs};
use super::facts::{Facts, Role, string};
use super::{Client, Report};
use crate::tuf::canonical;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::Json;
use crate::tuf::key::{KeyId, PublicKey};
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

/// The keys of a file. Of most nothing is to be told, and of those only a hash of the keyid is kept: seeded, so that nobody can make two that are alike.
pub(super) struct Keys<'a> {
    hasher: RandomState,
    plain: HashSet<u64>,
    odd: Vec<Odd<'a>>,
    /// The places of the odd ones by keyid.
    places: HashMap<Cow<'a, str>, usize>,
}

/// A key that not every client can use as it stands.
struct Odd<'a> {
    keyid: Cow<'a, str>,
    kind: &'static Kind,
    /// Whether its keyid is not the SHA-256 of its object.
    is_misnamed: bool,
    /// The first field that TUF does not have.
    field: Option<Cow<'a, str>>,
    /// The roles that list it, as shown to people.
    users: Vec<String>,
}

impl<'a> Keys<'a> {
    /// In one walk over the keys.
    pub(super) fn of(facts: &Facts<'a>) -> Self {
        let mut keys = Self {
            hasher: RandomState::new(),
            plain: HashSet::new(),
            odd: Vec::new(),
            places: HashMap::new(),
        };
        for (keyid, object) in facts.keys() {
            match Odd::of(&keyid, object) {
                None => drop(keys.plain.insert(keys.hasher.hash_one(&*keyid))),
                Some(odd) => {
                    keys.places.insert(keyid, keys.odd.len());
                    keys.odd.push(odd);
                }
            }
        }
        keys
    }

    /// What a role's list of keyids means: by itself, and for its threshold.
    pub(super) fn role(&mut self, role: &Role<'_>, listed: &mut Report, thresholds: &mut Report) {
        let name = role.shown();
        let mut seen = BTreeSet::new();
        let mut odd = Vec::new();
        for keyid in &role.keyids {
            if role.keyids.len() > 1 && !seen.insert(keyid) {
                listed.refuse(
                    &[PythonTuf, TufJs],
                    format_args!("Role {name} lists the keyid {keyid} twice."),
                );
            }
            if let Some(place) = self.places.get(keyid) {
                let key = &mut self.odd[*place];
                odd.push((keyid, key.kind));
                let name = name.to_string();
                if key.users.last() != Some(&name) {
                    key.users.push(name);
                }
            } else if !self.plain.contains(&self.hasher.hash_one(&**keyid)) {
                listed.refuse(
                    &[GoTuf],
                    format_args!("Role {name} lists the keyid {keyid}, and there is no such key."),
                );
            }
        }
        if !odd.is_empty() {
            for client in Client::ALL {
                threshold(role, &odd, client, thresholds);
            }
        }
    }

    /// What clients refuse a file for, key by key; once it is known which roles list them.
    pub(super) fn tell(&self, report: &mut Report) {
        self.tell_unread(report);
        for key in &self.odd {
            let (keyid, kind) = (&key.keyid, key.kind);
            if kind.name.starts_with("P-384") {
                report.note(
                    &[TufJs],
                    format_args!("Key {keyid} ({}, {}) cannot be verified by tuf-js with @tufjs/models 5.0.0 and older.", kind.name, key.users()),
                );
            }
            if key.is_misnamed {
                report.refuse(
                    &[Tough, RustTuf],
                    format_args!("The keyid {keyid} ({}) is not the SHA-256 of its key object, which is checked here.", key.users()),
                );
            }
            if let Some(name) = &key.field {
                report.refuse(
                    &[RustTuf],
                    format_args!(
                        "Key {keyid} ({}) has the field {name:?}, which changes its keyid here.",
                        key.users()
                    ),
                );
            }
        }
    }
    /// Keys that a client cannot read, each kind of a role once: one of them is enough to refuse the file.
    fn tell_unread(&self, report: &mut Report) {
        let mut alike: BTreeMap<(&str, String), (&Odd<'_>, usize)> = BTreeMap::new();
        let refused = |key: &&Odd<'_>| key.kind.uses.contains(&Refused);
        for key in self.odd.iter().filter(refused) {
            let like = alike.entry((key.kind.name, key.users()));
            like.or_insert((key, 0)).1 += 1;
        }
        for ((kind, users), (first, count)) in alike {
            let refusing = Client::ALL
                .into_iter()
                .filter(|client| first.kind.uses(*client) == Refused);
            let more = match count {
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

    /// A complete root whose signatures a client cannot all count.
    pub(super) fn signatures(&self, envelope: &Envelope, facts: &Facts<'_>, report: &mut Report) {
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
        let kind = |keyid: &KeyId| Some(self.odd[*self.places.get(&*keyid.0)?].kind);
        for client in Client::ALL {
            let never = |keyid| kind(keyid).is_some_and(|kind| kind.uses(client) == Never);
            let counted = signed.signed.iter().filter(|keyid| !never(keyid)).count();
            let (all, needed) = (signed.signed.len(), signed.needed as usize);
            if counted < needed {
                report.refuse(
                    &[client],
                    format_args!("Of the {all} valid signatures by role root only {counted} can be verified here, and {needed} are needed. Let a holder of another key sign too."),
                );
            }
        }
    }
}

impl<'a> Odd<'a> {
    /// None: every client can use the key.
    fn of(keyid: &Cow<'a, str>, object: Json<'a>) -> Option<Self> {
        let known = ["keytype", "scheme", "keyval", "keyid_hash_algorithms"];
        let (kind, field) = if PublicKey::plain(object).is_some() {
            (&Kind::ED25519, None)
        } else {
            let mut members = object.members();
            let field = members.find(|(name, _)| !known.contains(&&**name));
            (Kind::of(object), field.map(|(name, _)| name))
        };
        let is_misnamed = !is_named(keyid, canonical::sha256(object));
        let is_odd = is_misnamed || field.is_some() || kind.uses != [Counts; 5];
        is_odd.then(|| Self {
            keyid: keyid.clone(),
            kind,
            is_misnamed,
            field,
            users: Vec::new(),
        })
    }
    /// The roles that list it, in words.
    fn users(&self) -> String {
        match self.users.as_slice() {
            [] => "of no role".to_owned(),
            [name] => format!("of role {name}"),
            names => format!("of roles {}", names.join(", ")),
        }
    }
}

/// Whether a keyid is this digest, in digits of either case.
fn is_named(keyid: &str, digest: Sha256) -> bool {
    let mut named = [0; 32];
    let is_long = keyid.len() == 2 * named.len();
    is_long
        && HEXLOWER_PERMISSIVE
            .decode_mut(keyid.as_bytes(), &mut named)
            .is_ok()
        && named == digest.0
}

/// Keys of a role whose signatures a client never counts: whether it can do without them.
fn threshold(
    role: &Role<'_>,
    odd: &[(&Cow<'_, str>, &'static Kind)],
    client: Client,
    report: &mut Report,
) {
    let useless = odd.iter().filter(|(_, kind)| kind.uses(client) == Never);
    let useless: Vec<&str> = useless.map(|(keyid, _)| &***keyid).collect();
    if useless.is_empty() {
        return;
    }
    let Role {
        name,
        keyids,
        threshold,
        ..
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

/// Clients that read keyids as hexadecimal, or as any text.
pub(super) const HEXADECIMAL_KEYIDS: [Client; 1] = [Tough];

/// Clients that refuse a file with two signatures under one keyid.
pub(super) const ONE_SIGNATURE_A_KEYID: [Client; 4] = [PythonTuf, Tough, GoTuf, TufJs];
