//! What RSTUF would do with a payload: what it drops, what its signers cannot do, what its clients would then see.

use std::collections::BTreeSet;

use super::{Document, Payload, is_plain, model, strict, walked};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{RoleKeys, Root};
use crate::tuf::value::Value;
use crate::tuf::verification::{SignatureClass, threshold};

/// The name that RSTUF's command line gives a key, and the place where its worker finds the private half of the online key.
const KEY_NAME: &str = "x-rstuf-key-name";
const KEY_URI: &str = "x-rstuf-online-key-uri";
/// The roles that RSTUF signs itself.
const ONLINE: [&str; 3] = ["timestamp", "snapshot", "targets"];
/// Where the paths begin that signatures are about.
const SIGNED: &str = "metadata.root.signed.";
/// Most findings of one kind: a hostile payload would have a million.
const MOST: usize = 100;

/// Reads a payload and says what RSTUF would make of it. Errors are what breaks signatures or makes RSTUF give up, warnings what works and harms.
///
/// `RSTUF-DROPS` (one finding for each JSON path), `RSTUF-KEYID`, `RSTUF-ONLINE-KEY`, `RSTUF-ONLINE-URI`, `RSTUF-SETTINGS`, `RSTUF-SIGNATURES`.
///
/// # Errors
/// As [`super::read`].
pub fn lint(file: &str, bytes: &[u8]) -> Result<Vec<Finding>, Vec<Finding>> {
    let json = strict(file, bytes).map_err(|finding| vec![finding])?;
    let (payload, walk) = walked(file, json)?;
    let mut findings = drops(file, &walk.dropped);
    let mut look = |document: &Document| {
        let root = Root::read(file, &document.envelope)?;
        findings.extend(repeated(file, document));
        findings.extend(keyids(file, &root));
        findings.extend(online_key(file, &root));
        Ok(root)
    };
    match &payload {
        Payload::Sign { .. } => {}
        Payload::Update { root } => {
            look(root).map_err(|finding: Finding| vec![finding])?;
        }
        Payload::Pending { documents } => {
            for (_, document) in documents.iter().filter(|(name, _)| name == "root") {
                look(document).map_err(|finding| vec![finding])?;
            }
            findings.extend(hidden(file, json, "data.metadata.root"));
        }
        Payload::Bootstrap { settings, root } => {
            let content = look(root).map_err(|finding| vec![finding])?;
            findings.extend(signatures(file, root, &content));
            findings.extend(settings_of(file, settings));
            findings.extend(hidden(file, json, "metadata.root"));
        }
    }
    Ok(findings)
}

/// `RSTUF-TREE`: the offline roles of a tree, which RSTUF has no payload for.
pub fn tree<'a>(roles: impl IntoIterator<Item = &'a str>) -> Option<Finding> {
    let offline: BTreeSet<&str> = roles
        .into_iter()
        .filter(|role| !["root", "timestamp", "snapshot"].contains(role))
        .collect();
    let first: Vec<_> = offline.iter().take(5).map(|role| shown(role)).collect();
    let more = offline.len().saturating_sub(first.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let text = format!(
        "RSTUF has no payload for {}{more}: it makes targets and what it delegates itself. Publish the folder metadata/ as plain files; see docs/rstuf.md.",
        first.join(", ")
    );
    (!offline.is_empty()).then(|| Finding::warning("RSTUF-TREE", "", text))
}

fn drops(file: &str, dropped: &model::Paths) -> Vec<Finding> {
    let mut findings: Vec<_> = dropped
        .kept
        .iter()
        .map(|path| {
            if path.starts_with(SIGNED) {
                let text = format!("{path} is dropped by RSTUF before it looks at the signatures, so none of them is right any more. Make a root without it.");
                Finding::error("RSTUF-DROPS", file, text)
            } else {
                let text = format!("{path} is dropped by RSTUF; no signature is about it.");
                Finding::warning("RSTUF-DROPS", file, text)
            }
        })
        .collect();
    findings.extend((dropped.more > 0).then(|| {
        let text = format!("{} more members are dropped by RSTUF.", dropped.more);
        Finding::error("RSTUF-DROPS", file, text)
    }));
    findings
}

/// RSTUF keeps every member of a bootstrap's root, but shows a root without these to whoever signs later.
fn hidden(file: &str, json: Json<'_>, at: &str) -> Vec<Finding> {
    let mut root = Some(json);
    for name in at.split('.') {
        root = root.and_then(|json| json.get(name));
    }
    let Some(root) = root else {
        return Vec::new();
    };
    let walk = model::walk(root, &model::ROOT, at);
    let signed = format!("{at}.signed.");
    let kept = walk.dropped.kept.iter();
    let mut findings: Vec<_> = kept
        .filter(|path| path.starts_with(&signed))
        .map(|path| {
            let text = format!("{path} is not in what RSTUF shows to those who have yet to sign: they sign something else. Collect all signatures first, or make a root without it.");
            Finding::warning("RSTUF-DROPS", file, text)
        })
        .collect();
    findings.extend((walk.dropped.more > 0).then(|| {
        let text = format!("{} more members are not shown.", walk.dropped.more);
        Finding::warning("RSTUF-DROPS", file, text)
    }));
    findings
}

/// python-tuf, with which RSTUF reads, refuses a file in which a keyid has signed twice.
fn repeated(file: &str, document: &Document) -> Option<Finding> {
    let mut seen = BTreeSet::new();
    let mut entries = document.envelope.signatures().iter();
    let twice = entries.find(|entry| !seen.insert(&entry.keyid))?;
    let text = format!(
        "signatures has the keyid {} twice; RSTUF cannot read that. Leave one of them.",
        shown(&twice.keyid.0)
    );
    Some(Finding::error("RSTUF-SIGNATURES", file, text))
}

/// A bootstrap has at least one signature, and none that its own root keys did not make.
fn signatures(file: &str, document: &Document, root: &Root) -> Option<Finding> {
    let refuse = |text: String| Some(Finding::error("RSTUF-SIGNATURES", file, text));
    let report = threshold(&document.envelope, &root.keys, root.role("root")?, &[]);
    let good = |class| matches!(class, SignatureClass::Valid | SignatureClass::DuplicateKey);
    let bad = report.signatures.iter().find(|(_, class)| !good(*class));
    match bad {
        Some((keyid, _)) => refuse(format!(
            "the signature of {} is not a right one by a root key; RSTUF refuses the whole bootstrap for it. Take it out.",
            shown(&keyid.0)
        )),
        None if report.signatures.is_empty() => refuse(
            "root has no signature; RSTUF refuses a bootstrap without one. Let one holder sign first."
                .to_owned(),
        ),
        None => None,
    }
}

/// `RSTUF-KEYID`: RSTUF's command line names keys after it has computed their keyids, and leaves these as they are.
fn keyids(file: &str, root: &Root) -> Vec<Finding> {
    let wrong = root
        .keys
        .iter()
        .filter(|(keyid, key)| key.keyid() != **keyid);
    let mut findings: Vec<_> = wrong
        .take(MOST)
        .map(|(keyid, key)| {
            let why = if unnamed(key) == *keyid {
                "was computed before RSTUF's command line added its own members to the key"
            } else {
                "is not the digest of the key"
            };
            let text = format!(
                "the keyid {} {why}; it should be {}. tough and what is built on it refuse the whole root. List the key under its own keyid in the next root; it signs that under both.",
                shown(&keyid.0),
                key.keyid()
            );
            Finding::warning("RSTUF-KEYID", file, text)
        })
        .collect();
    findings.extend(
        (findings.len() == MOST)
            .then(|| Finding::warning("RSTUF-KEYID", file, "there may be more such keyids")),
    );
    findings
}

/// The keyid of a key without what RSTUF's command line adds.
fn unnamed(key: &Key) -> KeyId {
    let mut value = key.value().clone();
    value.remove(KEY_NAME);
    value.remove(KEY_URI);
    KeyId(Sha256::of(&value.canonical()).to_string())
}

/// `RSTUF-ONLINE-KEY`, `RSTUF-ONLINE-URI`: the worker signs timestamp, snapshot and targets with the first key of timestamp, and finds it by its URI.
fn online_key(file: &str, root: &Root) -> Vec<Finding> {
    let mut findings = Vec::new();
    let roles = ONLINE.map(|name| root.role(name));
    let one = |role: &RoleKeys| role.keyids.len() == 1 && role.threshold == 1;
    let shared =
        roles[0].is_some_and(|first| one(first) && roles.iter().all(|role| *role == Some(first)));
    if !shared {
        let text = "timestamp, snapshot and targets do not have one online key in common. RSTUF takes this root all the same and signs all three with the first key of timestamp: clients refuse what it publishes. Do not post it; publish the plain files (docs/rstuf.md).";
        findings.push(Finding::warning("RSTUF-ONLINE-KEY", file, text));
    }
    let first = roles[0].and_then(|role| role.keyids.first());
    if let Some((keyid, key)) = first.and_then(|keyid| root.keys.get_key_value(keyid))
        && key.value().get(KEY_URI).and_then(Value::as_str).is_none()
    {
        let text = format!(
            "the online key {} has no {KEY_URI}, by which RSTUF's worker finds its private half; it cannot sign anything.",
            shown(&keyid.0)
        );
        findings.push(Finding::warning("RSTUF-ONLINE-URI", file, text));
    }
    findings
}

/// `RSTUF-SETTINGS`: what the API demands of settings beyond their form.
fn settings_of(file: &str, settings: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let part = |name| {
        let value = settings.get("roles")?.get(name)?;
        (*value != Value::Null).then_some(value)
    };
    let mut refuse = |text: String| findings.push(Finding::error("RSTUF-SETTINGS", file, text));
    let (bins, delegations) = (part("bins"), part("delegations"));
    if bins.is_some() == delegations.is_some() {
        refuse("settings.roles must have exactly one of bins and delegations".to_owned());
    }
    let roles = delegations.and_then(|delegations| delegations.get("roles"));
    let Some(Value::Array(roles)) = roles else {
        findings.extend(bins.and_then(|bins| rounded(file, bins)));
        return findings;
    };
    let name = |role: &Value| {
        let name = role.get("name").and_then(Value::as_str);
        name.unwrap_or_default().to_owned()
    };
    let mut names = roles.iter().map(name);
    if let Some(name) = names.find(|name| !is_plain(name)) {
        refuse(format!(
            "settings.roles.delegations names a role {}; RSTUF takes letters, digits, - and _",
            shown(&name)
        ));
    }
    let empty = |role: &&Value| matches!(role.get("paths"), Some(Value::Array(paths)) if paths.contains(&Value::string("")));
    if let Some(role) = roles.iter().find(empty) {
        refuse(format!(
            "settings.roles.delegations gives {} an empty path; RSTUF refuses that",
            shown(&name(role))
        ));
    }
    findings
}

/// RSTUF makes 2^n bins, n being rounded down.
fn rounded(file: &str, bins: &Value) -> Option<Finding> {
    let Some(Value::Integer(number)) = bins.get("number_of_delegated_bins") else {
        return None;
    };
    let number = u64::try_from(*number).ok()?;
    if number.is_power_of_two() {
        return None;
    }
    let made = number.checked_ilog2().map_or(0, |bits| 1_u64 << bits);
    let text = format!(
        "settings.roles.bins asks for {number} bins, which is no power of two; RSTUF makes {made}. Give {made} or {}.",
        made * 2
    );
    Some(Finding::warning("RSTUF-SETTINGS", file, text))
}
