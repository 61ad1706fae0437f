//! The metadata: the root chain from the trusted root, targets by the newest root, delegated roles by their delegators.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::house;
use super::load::role_of_name;
use super::nonces::Nonces;
use super::record::Claims;
use crate::bundle::part;
use crate::pypi::shards::{self, is_shard};
use crate::tuf::chain::{self, ChainedRoot};
use crate::tuf::compat;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Delegations, Header, RoleKeys, RoleType, Targets};
use crate::tuf::verification::{self, threshold};

pub(super) struct Input<'a> {
    pub trusted_root: (String, Vec<u8>),
    pub metadata: Vec<(String, Vec<u8>)>,
    pub claims: &'a Claims,
    pub named: &'a BTreeSet<String>,
    pub at: jiff::Timestamp,
    pub rehearsal: bool,
}

pub(super) struct Judged {
    pub roots: Vec<ChainedRoot>,
    pub findings: Vec<Finding>,
    pub given: usize,
}

pub(super) fn judge(input: Input<'_>) -> Judged {
    let rules = Rules {
        claims: input.claims,
        at: input.at,
        rehearsal: input.rehearsal,
        named: input.named,
        trusted: Sha256::of(&input.trusted_root.1),
    };
    let mut findings = Vec::new();
    let (roots, others) = sorted(input.metadata, &rules, &mut findings);
    let trusted_version = version_of(&input.trusted_root.0, &input.trusted_root.1);
    let versions: BTreeSet<u64> = roots
        .iter()
        .filter_map(|(name, bytes)| version_of(name, bytes))
        .filter(|version| trusted_version.is_none_or(|trusted| *version >= trusted))
        .chain(trusted_version)
        .collect();
    let chain = chain::follow(input.trusted_root, roots);
    let expiring = chain.newest().map(|newest| rules.newest_root(newest));
    findings.extend(chain.findings);
    for root in &chain.roots {
        findings.extend(rules.document("root", &root.file, &root.envelope));
    }
    findings.extend(expiring.into_iter().flatten());
    let mut nonces = Nonces::of_chain(&chain.roots);
    if let Some(newest) = chain.roots.last() {
        let judged = roles(newest, others, &rules, &mut findings, &mut nonces);
        findings.extend(house::findings(newest, &judged, input.claims, input.at));
    }
    findings.extend(nonces.finding());
    Judged {
        roots: chain.roots,
        findings,
        given: versions.len(),
    }
}

/// One file of targets or a delegated role.
struct Other {
    name: String,
    envelope: Envelope,
    content: Targets,
}

// Roots go to the chain as they are, broken ones too; the others must be readable to be of use.
fn sorted(
    metadata: Vec<(String, Vec<u8>)>,
    rules: &Rules<'_>,
    findings: &mut Vec<Finding>,
) -> (Vec<(String, Vec<u8>)>, Vec<Other>) {
    let mut roots = Vec::new();
    let mut others = Vec::new();
    // Next to another version of the role, what both have is held and judged once.
    let mut known: BTreeMap<String, Envelope> = BTreeMap::new();
    for (name, bytes) in metadata {
        let role = role_of_name(&name).map_or("", |(_, role)| role);
        if role == "root" {
            roots.push((name, bytes));
            continue;
        }
        let (mut source, length) = (&*bytes, bytes.len());
        let read = Envelope::read(&name, &mut source, length, Limits::LARGE, known.get(role))
            .and_then(|envelope| Ok((Header::read(&name, &envelope)?, envelope)));
        if let Ok((_, envelope)) = &read {
            known
                .entry(role.to_owned())
                .or_insert_with(|| envelope.clone());
        }
        match read {
            Err(finding) => findings.push(finding),
            Ok((header, envelope)) => match header.role_type {
                RoleType::Root => roots.push((name, envelope.bytes().to_vec())),
                RoleType::Targets => match Targets::read(&name, &envelope) {
                    Ok(content) => others.push(Other {
                        name,
                        envelope,
                        content,
                    }),
                    Err(finding) => findings.push(finding),
                },
                RoleType::Timestamp | RoleType::Snapshot => {
                    findings.push(rules.online(&name));
                }
            },
        }
    }
    (roots, others)
}

fn version_of(name: &str, bytes: &[u8]) -> Option<u64> {
    Envelope::parse(name, bytes.to_vec(), Limits::SMALL)
        .and_then(|envelope| Header::read(name, &envelope))
        .map(|header| header.version)
        .ok()
        .or_else(|| role_of_name(name)?.0)
}

// Breadth first from targets; each role is judged by the first delegator that names it.
fn roles(
    newest: &ChainedRoot,
    others: Vec<Other>,
    rules: &Rules<'_>,
    findings: &mut Vec<Finding>,
    nonces: &mut Nonces,
) -> Vec<(String, Targets)> {
    let mut by_role: BTreeMap<String, Vec<Other>> = BTreeMap::new();
    for other in others {
        let role = role_of_name(&other.name).map_or("targets", |(_, role)| role);
        by_role.entry(role.to_owned()).or_default().push(other);
    }
    let mut judged = Vec::new();
    let mut waiting: VecDeque<Delegation> = by_root(newest).into_iter().collect();
    while let Some(delegation) = waiting.pop_front() {
        let files = by_role.remove(&delegation.name).unwrap_or_default();
        if let Some(current) = rules.newest(&delegation.name, files, findings) {
            findings.extend(rules.role(&delegation, &current));
            nonces.add(&current.name, &current.envelope, delegation.keys.values());
            let wanted = by_role.keys().map(String::as_str);
            waiting.extend(by_targets(&delegation.name, &current.content, wanted));
            judged.push((delegation.name, current.content));
        }
    }
    let unknown: Vec<String> = by_role
        .into_values()
        .flatten()
        .map(|file| file.name)
        .collect();
    findings.extend(rules.unknown(&unknown));
    judged
}

struct Delegation {
    name: String,
    rule: &'static str,
    by: String,
    keys: BTreeMap<KeyId, Key>,
    role: RoleKeys,
}

fn by_root(newest: &ChainedRoot) -> Option<Delegation> {
    let version = newest.root.header.version;
    Some(Delegation {
        name: "targets".to_owned(),
        rule: "TARGETS-THRESHOLD",
        by: format!("the keys that root v{version} names for targets"),
        keys: newest.root.keys.clone(),
        role: newest.root.role("targets")?.clone(),
    })
}

/// What `targets` says of the roles in `wanted`, in its own order.
fn by_targets<'a>(
    delegator: &str,
    targets: &Targets,
    wanted: impl Iterator<Item = &'a str>,
) -> Vec<Delegation> {
    let version = targets.header.version;
    let Some(delegations) = &targets.delegations else {
        return Vec::new();
    };
    let mut places: Vec<usize> = wanted.filter_map(|role| delegations.place(role)).collect();
    places.sort_unstable();
    let roles = places.into_iter().filter_map(|place| delegations.at(place));
    roles
        .map(|role| Delegation {
            name: role.name.clone(),
            rule: "DELEGATION-THRESHOLD",
            by: format!(
                "the keys that {delegator} v{version} names for {}",
                role.name
            ),
            keys: delegations.keys_of(&role.role),
            role: role.role,
        })
        .collect()
}

struct Rules<'a> {
    claims: &'a Claims,
    at: jiff::Timestamp,
    rehearsal: bool,
    named: &'a BTreeSet<String>,
    trusted: Sha256,
}

impl Rules<'_> {
    // Only the newest root's expiry stops a client (TUF 1.0.33, 5.3.10).
    fn newest_root(&self, newest: &ChainedRoot) -> Vec<Finding> {
        let mut findings = Vec::new();
        let expires = &newest.root.header.expires;
        if expires.at() <= self.at {
            let text = format!(
                "root v{} expired at {}; clients that reach it stop there until a newer root is published",
                newest.root.header.version,
                expires.text()
            );
            findings.push(Finding::error("ROOT-EXPIRED", &newest.file, text));
        }
        findings.extend(compatibility(&newest.file, &newest.envelope));
        findings
    }

    // What holds for every file: the marker, and that it was not given up.
    fn document(&self, role: &str, name: &str, envelope: &Envelope) -> Vec<Finding> {
        let mut findings = Vec::new();
        let file = Sha256::of(&envelope.bytes());
        let not_made_here = file == self.trusted || self.claims.taken_in.contains(&file);
        match (self.rehearsal, part::is_rehearsal(envelope)) {
            (false, true) => {
                let text = "it carries the rehearsal marker; nothing of a rehearsal is trusted in production";
                findings.push(Finding::error("REHEARSAL-MARKER", name, text));
            }
            (true, false) if !not_made_here => {
                let text = "it lacks the rehearsal marker, and --rehearsal demands it of everything but the trusted root and what the ceremony took in";
                findings.push(Finding::error("REHEARSAL-MARKER", name, text));
            }
            _ => {}
        }
        let payload = envelope.payload_digest();
        if let Some(by) = self.claims.abandoned.get(&payload) {
            let text = format!(
                "this {role} with the payload {payload} was abandoned, says {by}; it must not be published"
            );
            findings.push(Finding::error("ABANDONED", name, text));
        }
        findings
    }

    // The highest version of a role; older ones are passed over, and one version must have one payload.
    fn newest(
        &self,
        role: &str,
        mut files: Vec<Other>,
        findings: &mut Vec<Finding>,
    ) -> Option<Other> {
        files.sort_by_key(|file| file.content.header.version);
        let current = files.pop()?;
        let version = current.content.header.version;
        for other in files {
            findings.extend(self.document(role, &other.name, &other.envelope));
            if other.content.header.version != version {
                let text = format!("an older version of {role}; only v{version} is judged");
                findings.push(Finding::note("FILE-IGNORED", &other.name, text));
            } else if other.envelope.payload_digest() != current.envelope.payload_digest() {
                let text = format!(
                    "{role} v{version} has two payloads: {} in {} and {} here. One version has one payload",
                    current.envelope.payload_digest(),
                    current.name,
                    other.envelope.payload_digest()
                );
                findings.push(Finding::error("ONE-PAYLOAD", &other.name, text));
            }
        }
        Some(current)
    }

    fn online(&self, file: &str) -> Finding {
        let text = "an online role; it is not judged";
        if self.named.contains(file) {
            Finding::error("FILE-IGNORED", file, text)
        } else {
            Finding::note("FILE-IGNORED", file, text)
        }
    }

    // A file that the person named must be judged: silence would pass for a verdict.
    fn unknown(&self, files: &[String]) -> Vec<Finding> {
        let (named, found): (Vec<&String>, Vec<&String>) =
            files.iter().partition(|file| self.named.contains(*file));
        let text = "nothing that was judged delegates to it by name, so nothing says who must sign it; it is not judged";
        let mut findings: Vec<Finding> = named
            .into_iter()
            .map(|file| Finding::error("DELEGATION-UNKNOWN", file, text))
            .collect();
        if let Some(first) = found.first() {
            let text = match found.len() - 1 {
                0 => text.to_owned(),
                more => format!("{text}; nor are {more} more"),
            };
            findings.push(Finding::note("DELEGATION-UNKNOWN", first, text));
        }
        findings
    }

    fn role(&self, delegation: &Delegation, other: &Other) -> Vec<Finding> {
        let mut findings = Vec::new();
        let report = threshold(&other.envelope, &delegation.keys, &delegation.role, &[]);
        let version = other.content.header.version;
        if !report.reached() {
            let what = format!("{} v{version}", delegation.name);
            let text = report.shortfall(&what, &delegation.by);
            findings.push(Finding::error(delegation.rule, &other.name, text));
        }
        findings.extend(other.content.remarks(&other.name));
        findings.extend(verification::remarks(&other.name, &other.envelope));
        findings.extend(self.document(&delegation.name, &other.name, &other.envelope));
        let expires = &other.content.header.expires;
        if expires.at() <= self.at {
            let text = format!(
                "{} v{version} expired at {}",
                delegation.name,
                expires.text()
            );
            findings.push(Finding::warning("EXPIRES", &other.name, text));
        }
        findings.extend(compatibility(&other.name, &other.envelope));
        if delegation.name == "claimed" || is_shard(&delegation.name) {
            let projects = (other.content.delegations.as_ref()).map_or(0, Delegations::len);
            let bytes = other.envelope.length();
            findings.extend(shards::size(&other.name, &delegation.name, bytes, projects));
        }
        findings
    }
}

fn compatibility(name: &str, envelope: &Envelope) -> Vec<Finding> {
    compat::verdicts(envelope)
        .into_iter()
        .filter(|verdict| !verdict.reasons.is_empty())
        .map(|verdict| {
            let text = format!(
                "{} will not accept it: {}",
                verdict.version,
                verdict.reasons.join(" ")
            );
            Finding::note("COMPATIBILITY", name, text)
        })
        .collect()
}
