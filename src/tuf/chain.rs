//! The root chain (TUF 1.0.33, 5.3): version by version, signed by the old threshold and by the new one.

use super::envelope::Envelope;
use super::finding::Finding;
use super::metadata::Root;
use super::verification::ThresholdReport;

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
        todo!()
    }
}

/// Follows `next` (file name and bytes, in any order; sorted by version here) from `trusted`. Copies of the trusted root or of one version with the same payload are
/// fine; roots older than the trusted one are passed over with a note. Errors: `ROOT-VERSION` (gap, or two different payloads of one version), `ROOT-THRESHOLD-OLD`,
/// `ROOT-THRESHOLD-NEW`, and what [`Root::read`] refuses. Expiry is not judged here.
pub fn follow(trusted: (String, Vec<u8>), next: Vec<(String, Vec<u8>)>) -> Chain {
    let _ = (trusted, next);
    todo!()
}
