//! The cycle with tough, as far as it goes: its schema is public, so is its verification; it has no difference, no reading back
//! and no adding of a signature to a file, so lists are compared over its fields and the whole is serialised again. Its
//! `RepositoryLoader` would do more (a path matcher for every project); what is measured here is the least.

use std::collections::HashMap;
use std::fs;
use std::io::stdout;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use bench::stages::Stages;
use bench::{Expected, Failure, SIGNER};
use clap::Parser;
use p256::ecdsa::SigningKey;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tough::schema::{DelegatedRole, Delegations, Role as _, Root, Signature, Signed, Targets};
use tough::sign::Sign as _;

#[derive(Parser)]
struct Args {
    /// A data set.
    folder: PathBuf,
    /// Where the signed new list is written.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Serialize)]
struct Counts {
    added: usize,
    removed: usize,
    rekeyed: usize,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut out = stdout().lock();
    cycle(&args.folder, &args.out, &mut Stages::new(&mut out))
}

fn cycle(folder: &Path, out: &Path, stages: &mut Stages<'_>) -> Result<(), Failure> {
    let expected = Expected::read(folder)?;
    let targets: Signed<Targets> = stages.run("trust", || {
        let root: Signed<Root> = read(folder, "1.root.json")?;
        root.signed.verify_role(&root)?;
        let targets = read(folder, "1.targets.json")?;
        root.signed.verify_role(&targets)?;
        Ok(targets)
    })?;
    let old: Signed<Targets> = stages.run("read old", || read(folder, "1.claimed.json"))?;
    stages.run("verify old", || {
        Ok(delegations(&targets)?.verify_role(&old, "claimed")?)
    })?;
    let mut new: Signed<Targets> =
        stages.run("read new", || read(folder, "2.claimed.unsigned.json"))?;
    let counts = stages.run("diff", || Ok(count(delegations(&old)?, delegations(&new)?)))?;
    let found = (counts.added, counts.removed, counts.rekeyed);
    if found != (expected.added, expected.removed, expected.rekeyed) {
        return Err("the difference is not that of expected.json".into());
    }
    drop(old);
    let payload = stages.run("canonicalise", || Ok(new.signed.canonical_form()?))?;
    let signature = stages.run("sign", || sign(folder, &payload))?;
    drop(payload);
    new.signatures.push(signature);
    stages.run("write", || Ok(fs::write(out, serde_json::to_vec(&new)?)?))?;
    stages.print(&counts)
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Failure> {
    Ok(serde_json::from_slice(&fs::read(folder.join(name))?)?)
}

fn delegations(targets: &Signed<Targets>) -> Result<&Delegations, Failure> {
    let delegations = targets.signed.delegations.as_ref();
    delegations.ok_or_else(|| "the file delegates nothing".into())
}

fn count(old: &Delegations, new: &Delegations) -> Counts {
    let by_name = |list: &[DelegatedRole]| -> HashMap<_, _> {
        let entries = list.iter();
        entries
            .map(|role| (role.name.clone(), role.keyids.clone()))
            .collect()
    };
    let (before, after) = (by_name(&old.roles), by_name(&new.roles));
    let common = after
        .iter()
        .filter_map(|(name, keyids)| Some((before.get(name)?, keyids)));
    Counts {
        added: after
            .keys()
            .filter(|name| !before.contains_key(*name))
            .count(),
        removed: before
            .keys()
            .filter(|name| !after.contains_key(*name))
            .count(),
        rekeyed: common.filter(|(before, after)| before != after).count(),
    }
}

fn sign(folder: &Path, payload: &[u8]) -> Result<Signature, Failure> {
    // tough takes a P-256 key as DER only.
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(folder.join(SIGNER))?)?;
    let key = tough::sign::parse_keypair(key.to_pkcs8_der()?.as_bytes())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let sig = runtime.block_on(key.sign(payload, &SystemRandom::new()));
    Ok(Signature {
        keyid: key.tuf_key().key_id()?,
        sig: sig.map_err(|said| said.to_string())?.into(),
    })
}
