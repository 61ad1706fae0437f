//! Whether two trees give the same answers: the lookup-equivalence test of a redelegation. Every path is walked in both, and the role that answers, what it
//! says of the file and why the search ends there must be the same but for the names that change on purpose. Linear in the number of paths.

use std::fmt;

use crate::tuf::digest::Sha256;
use crate::tuf::finding::shown;
use crate::tuf::lookup::{Answer, End, Limits, Source, Walk, walk};
use crate::tuf::metadata::SuccinctRoles;

#[cfg(test)]
mod tests;

/// Bins that a sample asks one path each; of more bins one in so many is asked.
const MOST_SAMPLED: u64 = 1 << 14;
/// Paths tried for each bin: what is left out after so many is left out by a chance below 2^-80.
const TRIES: u64 = 64;

/// Two trees, and what differs between them on purpose.
pub struct Comparison<'a> {
    /// Before.
    pub before: &'a dyn Source,
    /// After.
    pub after: &'a dyn Source,
    /// The delegator of the bins before and after: `bins` became `unclaimed`.
    pub delegators: (&'a str, &'a str),
    /// Their bins: the same ones, or others where their number or name changes.
    pub bins: (&'a SuccinctRoles, &'a SuccinctRoles),
}

/// The first path that would be answered otherwise.
#[derive(Debug)]
pub struct Mismatch {
    /// In the old tree.
    pub before: Walk,
    /// In the new one.
    pub after: Walk,
}

impl Comparison<'_> {
    /// Walks every path in both trees.
    ///
    /// # Errors
    /// The first path that is answered otherwise; else how many were walked.
    pub fn walk_all<'p>(
        &self,
        paths: impl Iterator<Item = &'p str>,
    ) -> Result<usize, Box<Mismatch>> {
        let mut walked = 0;
        for path in paths {
            let before = walk(self.before, path, Limits::default());
            let after = walk(self.after, path, Limits::default());
            if self.renamed(path, &before.answer) != after.answer {
                return Err(Box::new(Mismatch { before, after }));
            }
            walked += 1;
        }
        Ok(walked)
    }

    /// The old tree's answer in the words of the new one.
    fn renamed(&self, path: &str, answer: &Answer) -> Answer {
        let digest = Sha256::of(path.as_bytes());
        let bin = |bins: &SuccinctRoles| bins.name(bins.bin(digest));
        let (old, new) = (bin(self.bins.0), bin(self.bins.1));
        let rename = |role: &mut String| {
            if *role == self.delegators.0 {
                self.delegators.1.clone_into(role);
            } else if *role == old {
                role.clone_from(&new);
            }
        };
        let mut answer = answer.clone();
        match &mut answer {
            Answer::Found { role, .. } | Answer::Missing { role, .. } => rename(role),
            Answer::Nothing { role, end } => {
                rename(role);
                if let End::Terminating { delegator, role } = end {
                    rename(delegator);
                    rename(role);
                }
            }
        }
        answer
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: before, {}; after, {}",
            shown(&self.before.path),
            told(&self.before),
            told(&self.after)
        )
    }
}

/// `targets, bins, bin-0001: bin-0001 answers`.
fn told(walk: &Walk) -> String {
    let roles: Vec<_> = walk.steps.iter().map(|step| shown(&step.role)).collect();
    let answer = match &walk.answer {
        Answer::Found { role, .. } => format!("{} answers", shown(role)),
        Answer::Nothing { end, .. } => format!("nobody answers: {end}"),
        Answer::Missing { role, finding } => {
            format!("{} cannot be asked: {}", shown(role), finding.text)
        }
    };
    format!("{}: {answer}", roles.join(", "))
}

/// One path for each bin (of more than 16,384, for each of as many equal parts), as a project's file would be called.
pub fn sample(bins: &SuccinctRoles) -> Vec<String> {
    let shift = bins.bit_length.saturating_sub(MOST_SAMPLED.ilog2());
    let parts = 1_u64 << (bins.bit_length - shift);
    let mut asked = vec![false; usize::try_from(parts).unwrap_or(0)];
    let mut paths = Vec::new();
    for number in 0..parts * TRIES {
        let path = format!("sample-{number}/sample_{number}-1.0.tar.gz");
        let bin = bins.bin(Sha256::of(path.as_bytes())) >> shift;
        if let Some(asked) = asked.get_mut(bin as usize).filter(|asked| !**asked) {
            *asked = true;
            paths.push(path);
        }
        if paths.len() == asked.len() {
            break;
        }
    }
    paths
}
