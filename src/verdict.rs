//! Re-derives every claim of a repository or a bundle from its bytes, without token or network: what `verify` says, and what every ceremony hears before it
//! closes. It trusts one thing, the bytes of the trusted root; the time is an argument.

pub mod claim;
mod claimed;
pub mod house;
pub mod load;
mod nonces;
mod record;
mod repository;
mod rotation;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::bundle::files::File;
use crate::tuf::chain::ChainedRoot;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;
use crate::tuf::verification::ThresholdReport;

/// What is judged.
pub struct Input {
    /// Name and bytes of the trusted root.
    pub trusted_root: (String, Vec<u8>),
    /// Name and bytes of loose metadata files.
    pub metadata: Vec<(String, Vec<u8>)>,
    /// Names of those of them that a person asked for one by one: each must be judged, none passed over.
    pub named: BTreeSet<String>,
    /// Whole bundles.
    pub bundles: Vec<Bundle>,
    /// When expiry is judged.
    pub at: jiff::Timestamp,
    /// Whether the rehearsal marker is demanded instead of refused.
    pub rehearsal: bool,
    /// What was found while reading the input.
    pub findings: Vec<Finding>,
}

/// A folder with a manifest.
pub struct Bundle {
    /// What the person called it; put before the names of its files.
    pub name: String,
    /// Everything in it.
    pub files: Vec<File>,
    /// False during the ceremony itself: the transcript has not ended yet.
    pub finished: bool,
}

/// The verdict. Its JSON form is what other programs rely on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    schema: &'static str,
    /// False exactly when a finding is an error.
    pub ok: bool,
    /// The roots that hold, the trusted one first.
    pub roots: Vec<RootReport>,
    /// Everything found.
    pub findings: Vec<Finding>,
    /// Versions of root that were given, from the trusted one on.
    #[serde(skip)]
    pub given: usize,
}

/// One root of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RootReport {
    /// Its version.
    pub version: u64,
    /// By the keys of the root before; none for the trusted root.
    pub old: Option<Count>,
    /// By its own keys.
    pub new: Count,
    /// Keyids that were counted.
    pub signed_by: Vec<KeyId>,
}

/// Distinct public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The threshold.
    pub needed: u32,
    /// Distinct keys with a valid signature.
    pub signed: usize,
}

impl Report {
    fn new(roots: Vec<RootReport>, findings: Vec<Finding>, given: usize) -> Self {
        Self {
            schema: "tuf-ceremony/verify/1",
            ok: findings.iter().all(|finding| finding.level != Level::Error),
            roots,
            findings,
            given,
        }
    }
}

impl RootReport {
    fn of(chained: &ChainedRoot) -> Self {
        let counted = chained.old.iter().chain([&chained.new]);
        let keyids: BTreeSet<&KeyId> = counted.flat_map(|report| &report.signed).collect();
        Self {
            version: chained.root.header.version,
            old: chained.old.as_ref().map(Count::of),
            new: Count::of(&chained.new),
            signed_by: keyids.into_iter().cloned().collect(),
        }
    }
}

impl Count {
    fn of(report: &ThresholdReport) -> Self {
        Self {
            needed: report.needed,
            signed: report.signed.len(),
        }
    }
}

/// Judges a bundle's record against its files, where there is no metadata yet.
pub fn judge_record(bundle: &Bundle, rehearsal: bool) -> Vec<Finding> {
    record::Claims::default().take(bundle, b"", rehearsal)
}

/// Judges: each bundle's record against its files, then the metadata of all of them together against the trusted root.
pub fn judge(input: Input) -> Report {
    let mut findings = input.findings;
    let mut claims = record::Claims::default();
    let mut metadata = input.metadata;
    metadata.retain(|(name, bytes)| !claims.take_record(name, bytes));
    for bundle in input.bundles {
        findings.extend(claims.take(&bundle, &input.trusted_root.1, input.rehearsal));
        let Bundle { name, files, .. } = bundle;
        metadata.extend(
            files
                .into_iter()
                .filter(|file| file.path.starts_with("metadata/"))
                .map(|file| (format!("{name}/{}", file.path), file.bytes)),
        );
    }
    let judged = repository::judge(repository::Input {
        trusted_root: input.trusted_root,
        metadata,
        claims: &claims,
        named: &input.named,
        at: input.at,
        rehearsal: input.rehearsal,
    });
    findings.extend(judged.findings);
    let roots = judged.roots.iter().map(RootReport::of).collect();
    Report::new(roots, findings, judged.given)
}
