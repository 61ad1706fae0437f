//! The union of part files by payload and keyid: order independent, only verified signatures, one payload per role and version.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER_PERMISSIVE;

use super::part::{AbandonedRecord, Part, Superseded};
use crate::ceremony::script::{delegator_of, keys_role};
use crate::ceremony::thresholds::{self, Threshold};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;
use crate::tuf::metadata::{Root, Targets};
use crate::tuf::verification::{ThresholdReport, threshold};

/// What is merged, and what says whose signatures count.
#[derive(Default)]
pub struct Input {
    /// The trusted root and the SHA-256 of its file; none at genesis.
    pub trusted_root: Option<(Sha256, Root)>,
    /// Newer roots and other delegators whose keys sign the document (a targets part after a root of the same ceremony, bins after targets): role name and content.
    pub delegators: Delegators,
    /// File name and part.
    pub parts: Vec<(String, Part)>,
    /// File name and record.
    pub abandoned: Vec<(String, AbandonedRecord)>,
}

/// Metadata that says whose signatures count for the roles it delegates.
#[derive(Clone, Default)]
pub struct Delegators {
    /// The root whose keys sign targets, if it is newer than the trusted one.
    pub root: Option<Root>,
    /// Targets, whose delegations name the keys of bins and the like.
    pub targets: Option<Targets>,
}

/// The union.
pub struct Merged {
    /// With every valid signature.
    pub part: Part,
    /// Every threshold of the document, judged.
    pub quorums: Vec<(Threshold, ThresholdReport)>,
    /// Warnings and notes: signatures that were left out, and why.
    pub findings: Vec<Finding>,
}

impl Merged {
    /// Whether every threshold is reached.
    pub fn reached(&self) -> bool {
        self.quorums.iter().all(|(_, report)| report.reached())
    }
}

/// The thresholds that `part` must reach.
///
/// # Errors
/// `MERGE-AUTHORITY`: what would name the keys is not at hand. `ROOT-VERSION`: a root that does not follow the trusted one.
fn thresholds_of(
    file: &str,
    part: &Part,
    trusted_root: Option<&Root>,
    delegators: &Delegators,
) -> Result<Vec<Threshold>, Finding> {
    let missing = |text: String| Finding::error("MERGE-AUTHORITY", file, text);
    let found = match part.document.role.as_str() {
        "root" => {
            let new = Root::read(file, &part.envelope)?;
            let (version, expected) = (
                new.header.version,
                trusted_root.map_or(1, |old| old.header.version + 1),
            );
            if version != expected {
                let text = format!("root v{version} cannot follow; version {expected} comes next");
                return Err(Finding::error("ROOT-VERSION", file, text));
            }
            thresholds::root(trusted_root, Some(&new))
        }
        "targets" => {
            let newest = delegators.root.as_ref().or(trusted_root);
            let newest = newest.ok_or_else(|| missing("the keys of targets are named in root; give the root's file along with the parts".to_owned()))?;
            thresholds::targets(trusted_root, Some(newest), true)
        }
        // Claimed gives custody the keys that targets give claimed (docs/decisions/0017).
        role if delegator_of(keys_role(role)) == Some("targets") => {
            let targets = delegators.targets.as_ref().ok_or_else(|| {
                missing(format!("the keys of {role} are named in targets; give the file of targets along with the parts"))
            })?;
            thresholds::delegated_role(keys_role(role), targets)
        }
        other => {
            return Err(missing(format!(
                "no ceremony of this program makes {other:?}"
            )));
        }
    };
    if found.is_empty() {
        return Err(missing(format!(
            "nothing names the keys of {}",
            part.document.role
        )));
    }
    Ok(found)
}

/// Unites the parts. The result is the same bytes in whatever order they are given.
///
/// # Errors
/// `MERGE-EMPTY`, `PART-FOREIGN` (another ceremony, mode, trusted root or document), `ONE-PAYLOAD`, `ABANDONED`, and those of [`authorities`].
pub fn merge(input: &Input) -> Result<Merged, Vec<Finding>> {
    // By digest, so that names and order of the files mean nothing.
    let mut parts: Vec<&(String, Part)> = input.parts.iter().collect();
    parts.sort_by_cached_key(|(name, part)| (Sha256::of(&part.to_vec()), name.clone()));
    let Some((file, first)) = parts.first() else {
        let text = "no part file was given, so there is nothing to merge";
        return Err(vec![Finding::error("MERGE-EMPTY", "", text)]);
    };
    let trusted = input.trusted_root.as_ref().map(|(_, root)| root);
    let foreign = foreign(input, &parts);
    if !foreign.is_empty() {
        return Err(foreign);
    }
    let authorities =
        thresholds_of(file, first, trusted, &input.delegators).map_err(|f| vec![f])?;
    let mut refused = abandoned(input, &parts);
    refused.extend(second_payload(&parts, &authorities));
    if !refused.is_empty() {
        return Err(refused);
    }
    let (signatures, findings) = valid_signatures(&parts, &authorities);
    let part = united(first, &parts, &signatures);
    let quorums = authorities
        .into_iter()
        .map(|authority| {
            let report = threshold(&part.envelope, &authority.keys, &authority.role, &[]);
            (authority, report)
        })
        .collect();
    Ok(Merged {
        part,
        quorums,
        findings,
    })
}

fn foreign(input: &Input, parts: &[&(String, Part)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (first_name, first) = parts[0];
    for (name, part) in parts {
        let differs = if part.ceremony != first.ceremony {
            format!(
                "it belongs to the ceremony {}; {first_name} belongs to {}",
                part.ceremony, first.ceremony
            )
        } else if part.mode != first.mode {
            format!("one of a rehearsal and one of production: {name} and {first_name}")
        } else if part.trusted_root != first.trusted_root {
            format!("it and {first_name} name different trusted roots")
        } else if part.document != first.document {
            format!(
                "it carries {}; {first_name} carries {}",
                part.document, first.document
            )
        } else if part.trusted_root != input.trusted_root.as_ref().map(|(digest, _)| *digest) {
            match (part.trusted_root, &input.trusted_root) {
                (Some(digest), Some((given, _))) => {
                    format!("its trusted root is {digest}; the one given is {given}")
                }
                (Some(digest), None) => {
                    format!("its trusted root is {digest}; give that file with --trusted-root")
                }
                _ => "it belongs to a genesis, which has no trusted root; one was given".to_owned(),
            }
        } else {
            continue;
        };
        findings.push(Finding::error("PART-FOREIGN", name, differs));
    }
    findings
}

fn abandoned(input: &Input, parts: &[&(String, Part)]) -> Vec<Finding> {
    let superseded = parts.iter().flat_map(|(name, part)| {
        part.supersedes
            .iter()
            .map(move |given_up| (given_up.sha256, name))
    });
    let recorded = input.abandoned.iter().flat_map(|(name, record)| {
        record
            .abandoned
            .iter()
            .map(move |given_up| (given_up.payload, name))
    });
    let given_up: BTreeMap<Sha256, &String> = superseded.chain(recorded).collect();
    parts
        .iter()
        .filter_map(|(name, part)| {
            let by = given_up.get(&part.payload())?;
            let text = format!(
                "{} with the payload {} was abandoned, says {by}; it must not collect signatures any more",
                part.document,
                part.payload()
            );
            Some(Finding::error("ABANDONED", name, text))
        })
        .collect()
}

// Two properly signed roots of one version split the world: each client keeps the one it saw first.
fn second_payload(parts: &[&(String, Part)], authorities: &[Threshold]) -> Option<Finding> {
    let mut by_payload: BTreeMap<Sha256, Vec<&(String, Part)>> = BTreeMap::new();
    for part in parts {
        by_payload.entry(part.1.payload()).or_default().push(part);
    }
    if by_payload.len() < 2 {
        return None;
    }
    let told: Vec<String> = by_payload
        .iter()
        .map(|(payload, parts)| {
            let (signatures, _) = valid_signatures(parts, authorities);
            let signers: Vec<&str> = signatures.keys().map(|keyid| keyid.0.as_str()).collect();
            let signers = if signers.is_empty() {
                "nobody".to_owned()
            } else {
                signers.join(", ")
            };
            format!("{payload} signed by {signers}")
        })
        .collect();
    let text = format!(
        "{} has {} payloads: {}. One version has one payload; abandon all but one by a supersede step",
        parts[0].1.document,
        told.len(),
        told.join("; ")
    );
    Some(Finding::error("ONE-PAYLOAD", "", text))
}

type Signatures = BTreeMap<KeyId, Vec<u8>>;

fn valid_signatures(
    parts: &[&(String, Part)],
    authorities: &[Threshold],
) -> (Signatures, Vec<Finding>) {
    let mut kept = Signatures::new();
    let mut findings = BTreeMap::new();
    for (name, part) in parts {
        let payload = &part.envelope;
        for signature in part.envelope.signatures() {
            let mut keys = authorities
                .iter()
                .filter(|authority| authority.role.keyids.contains(&signature.keyid))
                .filter_map(|authority| authority.keys.get(&signature.keyid))
                .peekable();
            let keyid = &signature.keyid;
            if signature.sig.is_empty() {
                continue;
            }
            if keys.peek().is_none() {
                let text = format!(
                    "the key {keyid} has no part in {}; its signature is left out",
                    part.document
                );
                findings.insert(
                    (keyid, name),
                    Finding::warning("SIG-UNKNOWN-KEY", name, text),
                );
                continue;
            }
            let bytes = HEXLOWER_PERMISSIVE
                .decode(signature.sig.as_bytes())
                .unwrap_or_default();
            if !keys.any(|key| {
                key.algorithm()
                    .is_some_and(|algorithm| key.signed(&payload.message(algorithm), &bytes))
            }) {
                let text = format!(
                    "the signature of the key {keyid} over {} is wrong; it is left out",
                    part.document
                );
                findings.insert((keyid, name), Finding::warning("SIG-INVALID", name, text));
                continue;
            }
            // ECDSA may give one key several right signatures: the smaller one stays, whoever comes first.
            kept.entry(keyid.clone())
                .and_modify(|known| {
                    if bytes < *known {
                        known.clone_from(&bytes);
                    }
                })
                .or_insert(bytes);
        }
    }
    (kept, findings.into_values().collect())
}

fn united(first: &Part, parts: &[&(String, Part)], signatures: &Signatures) -> Part {
    let mut supersedes: BTreeMap<Sha256, BTreeSet<String>> = BTreeMap::new();
    for given_up in parts.iter().flat_map(|(_, part)| &part.supersedes) {
        supersedes
            .entry(given_up.sha256)
            .or_default()
            .extend(given_up.signed_by.iter().cloned());
    }
    let acknowledgements: BTreeSet<_> = parts
        .iter()
        .flat_map(|(_, part)| &part.acknowledgements)
        .collect();
    // The same payload may be laid out differently; the smallest text is as good as any and the same in every order.
    let blank = parts
        .iter()
        .map(|(_, part)| part.envelope.without_signatures())
        .min_by(|one, other| one.bytes().cmp(&other.bytes()))
        .unwrap_or_else(|| first.envelope.without_signatures());
    let envelope = signatures.iter().fold(blank, |envelope, (keyid, sig)| {
        envelope.with_signature(keyid, sig, &|_| true)
    });
    Part {
        mode: first.mode,
        ceremony: first.ceremony,
        trusted_root: first.trusted_root,
        document: first.document.clone(),
        supersedes: supersedes
            .into_iter()
            .map(|(sha256, signed_by)| Superseded {
                sha256,
                signed_by: signed_by.into_iter().collect(),
            })
            .collect(),
        acknowledgements: acknowledgements.into_iter().cloned().collect(),
        envelope,
    }
}
