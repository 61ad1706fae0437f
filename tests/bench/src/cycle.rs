//! The whole cycle with our library, through what it offers to everybody; the only place that would change with its calls.
//!
//! A difference between the two lists counts as what `expected.json` says, by number and by the digest of the names, so that
//! no shortcut can win here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use serde::Serialize;
use tuf_ceremony::bundle::{ahead, files};
use tuf_ceremony::tuf::diff::{self, Change, ChangeKind, Diff, Paired};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::{Algorithm, Key, KeyId, PublicKey};
use tuf_ceremony::tuf::metadata::{RoleKeys, Root, Targets};
use tuf_ceremony::tuf::verification;

use crate::stages::Stages;
use crate::{Expected, Failure, SIGNER, refused};

/// How the name of a project's role begins.
const PROJECT: &str = "project-";

/// What was found.
#[derive(Serialize)]
struct Counts {
    added: usize,
    removed: usize,
    rekeyed: usize,
}

/// Does the cycle over a data set and writes the signed new list to `out`, which must not be there.
///
/// # Errors
/// Anything refused, or a difference other than the expected one.
pub fn run(folder: &Path, out: &Path, stages: &mut Stages<'_>) -> Result<(), Failure> {
    let expected = Expected::read(folder)?;
    let trusted = stages.run("trust", || trust(folder))?;
    let administrators = Administrators::of(&trusted)?;
    let old = stages.run("read old", || parse(folder, "1.claimed.json", None))?;
    stages.run("verify old", || administrators.verify(&old))?;
    let claimed = stages.run("validate old", || {
        Targets::signed("1.claimed.json", &old).map_err(|finding| refused(&finding))
    })?;
    let new = stages.run("read new", || {
        parse(folder, "2.claimed.unsigned.json", Some(&old))
    })?;
    let followed = stages.run("validate new", || {
        Targets::following("2.claimed.unsigned.json", &new, &claimed)
            .map_err(|finding| refused(&finding))
    })?;
    let difference = stages.run("diff", || {
        // As the review of a claim: what came and went is told in words when its row is drawn, all the rest at once.
        let paired = diff::delegated(claimed.delegations.as_ref(), followed.delegations.as_ref());
        let rest = diff::besides(Some(&old), &new, &|name| name.starts_with(PROJECT));
        Ok((paired, rest.map_err(|finding| refused(&finding))?))
    })?;
    let counts = stages.run("count", || {
        count((&claimed, &followed), &difference, &expected)
    })?;
    drop((claimed, followed, difference));
    let digests = stages.run("hash new", || {
        Ok([&old, &new].map(|file| file.payload_digest().to_string()))
    })?;
    expected.digests(&digests[0], &digests[1])?;
    drop(old);
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(folder.join(SIGNER))?)?;
    let (keyid, public) = administrators.find(&key)?;
    let sig = stages.run("sign", || {
        let sig: Signature = key.sign_prehash(&new.payload_digest().0)?;
        Ok(sig.to_der().as_bytes().to_vec())
    })?;
    stages.run("verify own", || {
        if public.signed(&new.message(Algorithm::EcdsaP256), &sig) {
            Ok(())
        } else {
            Err("our own signature is wrong".into())
        }
    })?;
    let signed = stages.run("splice", || Ok(new.with_signature(keyid, &sig, &|_| false)))?;
    drop(new);
    let pieces: Vec<&[u8]> = signed.pieces().collect();
    stages.run("write and read back", || {
        Ok(files::create_new_of(out, &pieces)?)
    })?;
    let listed = stages.run("manifest", || {
        Ok(files::digest_of("2.claimed.json", &pieces))
    })?;
    if listed.size != out.metadata()?.len() {
        return Err("the manifest does not say how long the file is".into());
    }
    stages.print(&counts)
}

/// Whether the file at `path` has a right signature by the data set's signer, and only right ones.
///
/// # Errors
/// What our verification says against it.
pub fn accept(folder: &Path, path: &Path) -> Result<(), Failure> {
    let trusted = trust(folder)?;
    let administrators = Administrators::of(&trusted)?;
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(folder.join(SIGNER))?)?;
    let (keyid, _) = administrators.find(&key)?;
    let envelope = Envelope::parse("the new list", fs::read(path)?, Limits::LARGE)
        .map_err(|finding| refused(&finding))?;
    let report =
        verification::threshold(&envelope, &administrators.keys, &administrators.role, &[]);
    if report.signed == [keyid.clone()] && report.signatures.len() == 1 {
        Ok(())
    } else {
        Err(report.shortfall("the new list", "the signer").into())
    }
}

/// The targets file, verified from the root down.
fn trust(folder: &Path) -> Result<Targets, Failure> {
    let root_file = parse(folder, "1.root.json", None)?;
    let root = Root::read("1.root.json", &root_file).map_err(|finding| refused(&finding))?;
    let targets_file = parse(folder, "1.targets.json", None)?;
    for (file, role) in [(&root_file, "root"), (&targets_file, "targets")] {
        let keys = root.role(role).ok_or("root has no such role")?;
        let report = verification::threshold(file, &root.keys, keys, &[]);
        if !report.reached() {
            return Err(report.shortfall(role, "root's keys").into());
        }
    }
    read_targets("1.targets.json", &targets_file)
}

/// Reads a file of a data set.
///
/// # Errors
/// The disk's, or what the strict reader refuses.
pub fn parse(folder: &Path, name: &str, base: Option<&Envelope>) -> Result<Envelope, Failure> {
    ahead::envelope(&folder.join(name), name, Limits::LARGE, base)?
        .map_err(|finding| refused(&finding))
}

fn read_targets(name: &str, envelope: &Envelope) -> Result<Targets, Failure> {
    Targets::read(name, envelope).map_err(|finding| refused(&finding))
}

/// Who signs `claimed`.
struct Administrators {
    keys: BTreeMap<KeyId, Key>,
    role: RoleKeys,
}

impl Administrators {
    fn of(targets: &Targets) -> Result<Self, Failure> {
        let delegations = targets.delegations.as_ref();
        let delegations = delegations.ok_or("targets delegates nothing")?;
        let role = delegations.role("claimed");
        let role = role.ok_or("targets does not delegate claimed")?.role;
        Ok(Self {
            keys: delegations.keys_of(&role),
            role,
        })
    }

    fn verify(&self, file: &Envelope) -> Result<(), Failure> {
        let report = verification::threshold(file, &self.keys, &self.role, &[]);
        if report.reached() {
            Ok(())
        } else {
            Err(report
                .shortfall("claimed", "the keys that targets names")
                .into())
        }
    }

    fn find(&self, key: &SigningKey) -> Result<(&KeyId, &Key), Failure> {
        let point = key.verifying_key().to_sec1_point(false);
        let public = PublicKey::P256(point.as_bytes().to_vec());
        let keyids = self.role.keyids.iter();
        keyids
            .filter_map(|keyid| self.keys.get_key_value(keyid))
            .find(|(_, key)| *key.public() == public)
            .ok_or_else(|| format!("{SIGNER} is not a key of claimed").into())
    }
}

/// Counts projects that came, went or have other keys, and holds them against what is expected.
fn count(
    (old, new): (&Targets, &Targets),
    (paired, rest): &(Arc<Paired>, Diff),
    expected: &Expected,
) -> Result<Counts, Failure> {
    let is_project = |of: &Targets, place: usize| {
        let name = of.delegations.as_ref().and_then(|of| of.name(place));
        name.is_some_and(|name| name.starts_with(PROJECT))
    };
    let keys = rest.changes.iter().filter(|it| it.kind != ChangeKind::Same);
    let rekeyed: BTreeSet<&str> = keys.filter_map(rekeyed).collect();
    let names = rekeyed.iter().copied().collect::<Vec<_>>().join("\n");
    let counts = Counts {
        added: paired
            .roles
            .came()
            .filter(|place| is_project(new, *place))
            .count(),
        removed: paired
            .roles
            .gone()
            .filter(|place| is_project(old, *place))
            .count(),
        rekeyed: rekeyed.len(),
    };
    let same = (counts.added, counts.removed, counts.rekeyed)
        == (expected.added, expected.removed, expected.rekeyed)
        && Sha256::of(names.as_bytes()).to_string() == expected.rekeyed_sha256;
    if same {
        Ok(counts)
    } else {
        let found = serde_json::to_string(&counts)?;
        Err(format!("the difference {found} is not that of expected.json").into())
    }
}

/// The project whose keys a change is about.
fn rekeyed(change: &Change) -> Option<&str> {
    let role = change.subject.strip_prefix("delegations.roles ")?;
    role.strip_prefix(PROJECT)?.strip_suffix(" key")
}
