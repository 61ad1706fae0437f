//! The root chain (TUF 1.0.33, 5.3): version by version, signed by the old threshold and by the new one.

use std::collections::BTreeMap;

use super::envelope::Envelope;
use super::finding::{Finding, Level};
use super::json::Limits;
use super::metadata::{Header, RoleKeys, Root};
use super::verification::{self, ThresholdReport};

/// What python-tuf reads of a root (`root_max_length`); real ones have 5 to 10 KB and up to 10 signatures. Every signature hashes the
/// whole file, so the two caps together keep the work of a hostile one small.
const LIMITS: Limits = Limits {
    bytes: 512_000,
    ..Limits::SMALL
};
const MOST_SIGNATURES: usize = 256;

/// One root of the chain.
pub struct ChainedRoot {
    /// The name of its file.
    pub file: String,
    /// Its bytes.
    pub envelope: Envelope,
    /// Its content.
    pub root: Root,
    /// By the keys of the root before; `None` for the trusted root.
    pub old: Option<ThresholdReport>,
    /// By its own keys.
    pub new: ThresholdReport,
}

/// A judged chain: the roots that hold, and everything found on the way. An error finding ends the chain before the root it is about.
pub struct Chain {
    /// The trusted root first.
    pub roots: Vec<ChainedRoot>,
    /// In the order found.
    pub findings: Vec<Finding>,
}

impl Chain {
    /// The newest root that holds; `None` if the trusted root itself was refused.
    pub fn newest(&self) -> Option<&ChainedRoot> {
        self.roots.last()
    }
    /// Whether no finding is an error.
    pub fn holds(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.level != Level::Error)
    }
}

/// Follows `next` (file name and bytes, in any order; sorted by version here) from `trusted`. Copies of the trusted root or of one version with the same payload are
/// fine; roots older than the trusted one are passed over with a note (`ROOT-OLDER`). Errors: `ROOT-VERSION` (gap, or two different payloads of one version), `ROOT-THRESHOLD-OLD`,
/// `ROOT-THRESHOLD-NEW`, `ROOT-SIGNATURES` (more than 256), a file over 512,000 bytes, and what [`Root::read`] refuses. Expiry is not judged here.
pub fn follow(trusted: (String, Vec<u8>), next: Vec<(String, Vec<u8>)>) -> Chain {
    let mut chain = Chain {
        roots: Vec::new(),
        findings: Vec::new(),
    };
    let (file, bytes) = trusted;
    let trusted = Candidate::read(file, bytes)
        .map_err(|finding| vec![finding])
        .and_then(trust);
    match trusted {
        Ok(root) => chain.append(root),
        Err(findings) => {
            chain.findings = findings;
            return chain;
        }
    }
    let mut versions: BTreeMap<u64, Vec<Candidate>> = BTreeMap::new();
    for (file, bytes) in next {
        match Candidate::read(file, bytes) {
            Ok(candidate) => versions
                .entry(candidate.version)
                .or_default()
                .push(candidate),
            Err(finding) => chain.findings.push(finding),
        }
    }
    for (version, copies) in versions {
        let Some(newest) = chain.roots.last() else {
            break;
        };
        let newest_version = newest.root.header.version;
        if version < newest_version {
            chain
                .findings
                .extend(copies.iter().map(|copy| older(copy, newest_version)));
            continue;
        }
        match step(newest, version, copies) {
            Ok(Some(root)) => chain.append(root),
            Ok(None) => {}
            Err(findings) => {
                chain.findings.extend(findings);
                break;
            }
        }
    }
    chain
}

impl Chain {
    fn append(&mut self, root: ChainedRoot) {
        let (file, envelope) = (&root.file, &root.envelope);
        self.findings.extend(root.root.remarks(file));
        self.findings.extend(verification::remarks(file, envelope));
        self.roots.push(root);
    }
}

/// A file that says which version it is; nothing else of it is believed yet.
struct Candidate {
    file: String,
    envelope: Envelope,
    version: u64,
}

impl Candidate {
    fn read(file: String, bytes: Vec<u8>) -> Result<Self, Finding> {
        let envelope = Envelope::parse(&file, bytes, LIMITS)?;
        let signatures = envelope.signatures().len();
        if signatures > MOST_SIGNATURES {
            let text =
                format!("signatures has {signatures} entries; at most {MOST_SIGNATURES} are read");
            return Err(Finding::error("ROOT-SIGNATURES", &file, text));
        }
        let version = Header::read(&file, &envelope)?.version;
        Ok(Self {
            file,
            envelope,
            version,
        })
    }

    /// Reads it as a root and counts who signed it, of its own keys and of those of `previous`.
    fn judge(self, previous: Option<&Root>) -> Result<ChainedRoot, Finding> {
        let root = Root::read(&self.file, &self.envelope)?;
        let by = |signers: &Root| {
            // Every root that was read has the role; one made otherwise has a threshold that is never reached.
            let nobody = RoleKeys {
                keyids: Vec::new(),
                threshold: 0,
            };
            let role = signers.role("root").unwrap_or(&nobody);
            verification::threshold(&self.envelope, &signers.keys, role, &[])
        };
        let (old, new) = (previous.map(by), by(&root));
        Ok(ChainedRoot {
            file: self.file,
            envelope: self.envelope,
            root,
            old,
            new,
        })
    }
}

impl ChainedRoot {
    fn holds(&self) -> bool {
        self.new.reached() && self.old.as_ref().is_none_or(ThresholdReport::reached)
    }

    fn signatures_counted(&self) -> usize {
        self.new.signed.len() + self.old.as_ref().map_or(0, |old| old.signed.len())
    }

    /// The thresholds that are missed.
    fn shortfalls(&self) -> Vec<Finding> {
        let version = self.root.header.version;
        let what = format!("root v{version}");
        let old = self.old.as_ref().map(|report| {
            let whose = format!("the keys of root v{} (old)", version - 1);
            ("ROOT-THRESHOLD-OLD", report, whose)
        });
        let new = (
            "ROOT-THRESHOLD-NEW",
            &self.new,
            "its own keys (new)".to_owned(),
        );
        old.into_iter()
            .chain([new])
            .filter(|(_, report, _)| !report.reached())
            .map(|(rule, report, whose)| {
                Finding::error(rule, &self.file, report.shortfall(&what, &whose))
            })
            .collect()
    }
}

/// The trusted root is taken as it is, but a file that its own keys did not sign is no root at all.
fn trust(candidate: Candidate) -> Result<ChainedRoot, Vec<Finding>> {
    let root = candidate.judge(None).map_err(|finding| vec![finding])?;
    if root.holds() {
        Ok(root)
    } else {
        Err(root.shortfalls())
    }
}

/// TUF 1.0.34, 5.3.4 and 5.3.5: exactly one version more, signed by the old threshold and by the new one. `None` for copies of `newest` itself.
fn step(
    newest: &ChainedRoot,
    version: u64,
    copies: Vec<Candidate>,
) -> Result<Option<ChainedRoot>, Vec<Finding>> {
    let newest_version = newest.root.header.version;
    let known = (version == newest_version).then_some((&newest.file, &newest.envelope));
    one_payload(version, known, &copies)?;
    if known.is_some() {
        return Ok(None);
    }
    if version != newest_version + 1 {
        return Err(copies
            .iter()
            .map(|copy| gap(copy, newest_version))
            .collect());
    }
    // Travelling documents of one version differ in their signatures; the most complete one is the root.
    let mut judged = Vec::new();
    for copy in copies {
        judged.push(
            copy.judge(Some(&newest.root))
                .map_err(|finding| vec![finding])?,
        );
    }
    let best = judged
        .into_iter()
        .rev()
        .max_by_key(|root| (root.holds(), root.signatures_counted()));
    match best {
        Some(root) if !root.holds() => Err(root.shortfalls()),
        best => Ok(best),
    }
}

/// Two texts of one version are two repositories: nobody may be left to choose.
fn one_payload(
    version: u64,
    known: Option<(&String, &Envelope)>,
    copies: &[Candidate],
) -> Result<(), Vec<Finding>> {
    let mut files = known
        .into_iter()
        .chain(copies.iter().map(|copy| (&copy.file, &copy.envelope)));
    let Some((first, envelope)) = files.next() else {
        return Ok(());
    };
    let digest = envelope.payload_digest();
    match files.find(|(_, other)| other.payload_digest() != digest) {
        None => Ok(()),
        Some((file, other)) => {
            let text = format!(
                "root v{version} is not the same in {first} (payload SHA-256 {digest}) and {file} (payload SHA-256 {}); find out which one is right",
                other.payload_digest()
            );
            Err(vec![Finding::error("ROOT-VERSION", file, text)])
        }
    }
}

fn older(copy: &Candidate, trusted: u64) -> Finding {
    let version = copy.version;
    let text =
        format!("root v{version} is older than the trusted root v{trusted} and was passed over");
    Finding::note("ROOT-OLDER", &copy.file, text)
}

fn gap(copy: &Candidate, newest: u64) -> Finding {
    let version = copy.version;
    let text = format!(
        "root v{version} cannot follow root v{newest}: root v{} is missing",
        newest + 1
    );
    Finding::error("ROOT-VERSION", &copy.file, text)
}

#[cfg(test)]
mod tests;
