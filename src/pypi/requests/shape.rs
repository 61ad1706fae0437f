//! Which members go with which action, and which keyids with which keys: what a line shows without anything beside it.

use std::collections::BTreeSet;

use super::{Action, Evidence, Proof, Request, keys};
use crate::pypi::fault::Fault;
use crate::tuf::finding::shown;
use crate::tuf::key::KeyId;

/// The first thing in the line that contradicts the rest of it.
pub(super) fn check(request: &Request) -> Result<(), Fault> {
    members(request)?;
    threshold(request)?;
    owners(request)?;
    once("possession", &request.possession)?;
    once("authorised", &request.authorised)?;
    for proof in &request.possession {
        possession(request, proof)?;
    }
    Ok(())
}

fn members(request: &Request) -> Result<(), Fault> {
    let action = request.action;
    let refuse = |rule: &'static str, what: &str| Err(Fault::new(rule, format!("{action} {what}")));
    let has_keys = !request.keys.is_empty();
    match (action, request.custody) {
        (Action::Unclaim, _) if has_keys => {
            return refuse("REQUEST-KEYS", "has keys; it leaves the project none");
        }
        (Action::Rotate, Some(_)) if has_keys => {
            return refuse(
                "REQUEST-KEYS",
                "has keys and a custody; a project with keys needs no custody",
            );
        }
        (Action::Rotate, None) if !has_keys => {
            return refuse(
                "REQUEST-KEYS",
                "has neither keys nor a custody; give the new keys, or say custody: files or tombstone",
            );
        }
        (Action::Rotate | Action::Unclaim, None) | (Action::Rotate, Some(_)) => {}
        (_, Some(_)) => {
            return refuse(
                "REQUEST-MEMBERS",
                "has a custody, which only rotate may have",
            );
        }
        (_, None) if !has_keys => {
            return refuse("REQUEST-KEYS", "has no keys; give the project's keys");
        }
        (_, None) => {}
    }
    match (action, request.replaces) {
        (Action::Claim, Some(_)) => {
            return refuse(
                "REQUEST-REPLACES",
                "has replaces, but a project that is claimed now has nothing to replace",
            );
        }
        (Action::Claim, None) | (_, Some(_)) => {}
        (_, None) => {
            return refuse(
                "REQUEST-REPLACES",
                "has no replaces; give the digest of the present delegation",
            );
        }
    }
    match action {
        Action::AddKey | Action::RemoveKey | Action::Threshold if request.authorised.is_empty() => {
            return refuse(
                "REQUEST-AUTHORITY",
                "has no authorised; the present keys must sign it, and if they are lost it is a reset",
            );
        }
        Action::Claim if !request.authorised.is_empty() => {
            return refuse(
                "REQUEST-MEMBERS",
                "has authorised, but there are no present keys that could sign it",
            );
        }
        _ => {}
    }
    let may_rename = matches!(action, Action::Reset | Action::Transfer | Action::Rotate);
    if request.new_name && !may_rename {
        return refuse(
            "REQUEST-MEMBERS",
            "has new_name, which only reset, transfer and rotate may have",
        );
    }
    Ok(())
}

fn threshold(request: &Request) -> Result<(), Fault> {
    let (threshold, keys) = (request.threshold, request.keys.len());
    let refuse = |text: String| Err(Fault::new("REQUEST-THRESHOLD", text));
    match (threshold, keys) {
        (0, 0) => Ok(()),
        (0, _) => refuse("threshold is missing; say how many of the keys must sign".to_owned()),
        (_, 0) => refuse("threshold is given, but there are no keys; leave it out".to_owned()),
        _ if threshold as usize > keys => refuse(format!(
            "threshold is {threshold}, but there {}: nobody could ever sign",
            match keys {
                1 => "is 1 key".to_owned(),
                keys => format!("are {keys} keys"),
            }
        )),
        _ => Ok(()),
    }
}

/// Each key has its owner, and nobody owns a key that is not there.
fn owners(request: &Request) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::new("REQUEST-OWNER", text));
    if let Some(keyid) = missing(request.keys.keys(), |keyid| {
        request.owners.contains_key(keyid)
    }) {
        return refuse(format!("owners does not say who holds the key {keyid}"));
    }
    let is_listed = |keyid: &KeyId| request.keys.contains_key(keyid);
    if let Some(keyid) = missing(request.owners.keys(), is_listed) {
        let keyid = shown(&keyid.0);
        return refuse(format!("owners names {keyid}, which is not among the keys"));
    }
    if let Some(keyid) = missing(request.first_seen.keys(), is_listed) {
        let keyid = shown(&keyid.0);
        return refuse(format!(
            "first_seen names {keyid}, which is not among the keys"
        ));
    }
    Ok(())
}

fn missing<'a>(
    mut keyids: impl Iterator<Item = &'a KeyId>,
    is_there: impl Fn(&KeyId) -> bool,
) -> Option<&'a KeyId> {
    keyids.find(|keyid| !is_there(keyid))
}

fn once(list: &str, proofs: &[Proof]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    let again = proofs.iter().find(|proof| !seen.insert(&proof.keyid));
    again.map_or(Ok(()), |proof| {
        let keyid = shown(&proof.keyid.0);
        let text = format!("{list} has two proofs by {keyid}; give one a key");
        Err(Fault::new("REQUEST-PROOF", text))
    })
}

fn possession(request: &Request, proof: &Proof) -> Result<(), Fault> {
    let keyid = shown(&proof.keyid.0);
    let refuse = |text: String| Err(Fault::new("REQUEST-PROOF", text));
    let Some(key) = request.keys.get(&proof.keyid) else {
        return refuse(format!(
            "possession has a proof by {keyid}, which is not among the keys"
        ));
    };
    match (keys::is_identity(key), &proof.evidence) {
        (true, Evidence::Signature(_)) => refuse(format!(
            "possession has a signature by {keyid}, which is an identity; give its bundle"
        )),
        (false, Evidence::Bundle(_)) => refuse(format!(
            "possession has a bundle by {keyid}, which is a key; give its signature"
        )),
        _ => Ok(()),
    }
}
