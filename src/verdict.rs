//! Re-derives every claim of a repository or a bundle from its bytes, without token or network: what `verify` says, and what every ceremony hears before it
//! closes. It trusts one thing, the bytes of the trusted root; the time is an argument.

pub mod load;

use serde::Serialize;

use crate::bundle::files::File;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;

/// What is judged.
pub struct Input {
    /// Name and bytes of the trusted root.
    pub trusted_root: (String, Vec<u8>),
    /// Name and bytes of loose metadata files.
    pub metadata: Vec<(String, Vec<u8>)>,
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

/// Judges.
pub fn judge(input: Input) -> Report {
    let _ = (&input, Report::new);
    todo!()
}
