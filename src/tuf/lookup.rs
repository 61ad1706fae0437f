//! Who answers for a target path, by the specification (TUF 1.0.34, 5.6.7; TAP 15): the delegations are walked pre-order, in the order in which
//! they stand, and the first role that lists the path answers.
//!
//! Four things that the texts leave open or clients do otherwise are decided here, as python-tuf 7.0.1, go-tuf v2.4.2 and tuf-js 6.0.2 do:
//! - A terminating delegation that matches ends everything that would come after it, also when the role it leads to was visited before.
//! - A bin of TAP 15 ends the search, although the TAP calls bins non-terminating.
//! - A role is visited once, by its name, whoever delegates to it.
//! - At most 32 roles are visited besides targets.
//!
//! One thing is done as the specification says and as no client does: in a pattern only `*` and `?` mean something ([`pattern`]); where that
//! matters [`dialect`] says so. Expiry is not judged here.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::finding::{Finding, shown};
use super::metadata::TargetFile;

pub mod dialect;
mod index;
mod listing;
pub mod pattern;
#[cfg(test)]
mod tests;

pub use listing::{Delegation, Listing, Match, TargetPath};

/// Where the walk finds roles.
pub trait Source {
    /// The top-level targets role.
    ///
    /// # Errors
    /// Why it cannot be asked: it is missing or does not verify.
    fn targets(&self) -> Result<&Listing, Finding>;
    /// The role called `role`, to which `delegator` delegates. It is asked only after `delegator` itself was.
    ///
    /// # Errors
    /// Why it cannot be asked: it is missing or does not verify.
    fn delegated(&self, delegator: &str, role: &str) -> Result<&Listing, Finding>;
}

/// Roles by name, believed as they are: what a ceremony has built and nobody has signed yet.
#[derive(Default)]
pub struct Unsigned(pub BTreeMap<String, Listing>);

/// How far a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Roles visited besides targets.
    pub roles: usize,
    /// Delegations in a row.
    pub depth: usize,
}

/// One walk: the roles in the order in which they were come to, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// The target path.
    pub path: String,
    /// targets first.
    pub steps: Vec<Step>,
    /// What the walk says of the path.
    pub answer: Answer,
}

/// One role that the walk came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name.
    pub role: String,
    /// Who delegates to it; `None` for targets.
    pub delegator: Option<String>,
    /// Delegations from targets to here.
    pub depth: usize,
    /// Why it was come to.
    pub why: Why,
    /// Whether the delegation ends the search.
    pub terminating: bool,
    /// What was found there.
    pub visit: Visit,
}

/// Why a role is asked for a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is targets, where every walk begins.
    Top,
    /// The path matches this pattern.
    Pattern(String),
    /// The hash of the path begins with this.
    HashPrefix(String),
    /// The hash of the path falls into this bin (TAP 15).
    Bin(u32),
}

/// What a role says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visit {
    /// Its metadata of this version lists the path.
    Lists(u64),
    /// Its metadata of this version does not.
    ListsNot(u64),
    /// It was asked already and is passed over.
    Again,
    /// Its metadata is missing or does not verify.
    Missing,
}

/// What a walk says of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A role answers for the path.
    Found {
        /// The role.
        role: String,
        /// In bytes.
        length: u64,
        /// Hexadecimal, by algorithm.
        hashes: BTreeMap<String, String>,
    },
    /// There is no such target.
    Nothing {
        /// The role that was asked last.
        role: String,
        /// Why nobody is asked after it.
        end: End,
    },
    /// There is no answer: clients stop with an error.
    Missing {
        /// The role that cannot be asked.
        role: String,
        /// Why.
        finding: Finding,
    },
}

/// Why a search ends without a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every role that the delegations lead to was asked.
    Searched,
    /// A terminating delegation leads to this role: after it and what it delegates to nobody is asked.
    Terminating {
        /// Who delegates so.
        delegator: String,
        /// To whom.
        role: String,
    },
    /// As many roles were asked as are allowed.
    Roles(usize),
    /// As many delegations were followed in a row as are allowed.
    Depth(usize),
}

impl Default for Limits {
    /// What clients allow (`max_delegations`); they do not limit the depth by itself.
    fn default() -> Self {
        Self {
            roles: 32,
            depth: 32,
        }
    }
}

/// A role that is yet to be visited.
struct Pending {
    role: String,
    delegator: Option<String>,
    depth: usize,
    why: Why,
    terminating: bool,
}

/// Looks `path` up in `source`.
pub fn walk(source: &dyn Source, path: &str, limits: Limits) -> Walk {
    let target = TargetPath::new(path);
    let mut steps = Vec::new();
    let answer = search(source, &target, limits, &mut steps);
    Walk {
        path: path.to_owned(),
        steps,
        answer,
    }
}

fn search(
    source: &dyn Source,
    target: &TargetPath<'_>,
    limits: Limits,
    steps: &mut Vec<Step>,
) -> Answer {
    let mut pending = vec![Pending {
        role: "targets".to_owned(),
        delegator: None,
        depth: 0,
        why: Why::Top,
        terminating: false,
    }];
    let mut visited: HashSet<String> = HashSet::new();
    let mut last = "targets".to_owned();
    let mut end = End::Searched;
    while let Some(next) = pending.pop() {
        if visited.len() > limits.roles {
            end = End::Roles(limits.roles);
            break;
        }
        if next.depth > limits.depth {
            end = End::Depth(limits.depth);
            break;
        }
        if visited.contains(&next.role) {
            steps.push(next.step(Visit::Again));
            continue;
        }
        let found = match &next.delegator {
            None => source.targets(),
            Some(delegator) => source.delegated(delegator, &next.role),
        };
        let listing = match found {
            Ok(listing) => listing,
            Err(finding) => {
                let role = next.role.clone();
                steps.push(next.step(Visit::Missing));
                return Answer::Missing { role, finding };
            }
        };
        let version = listing.targets().header.version;
        if let Some(TargetFile { length, hashes }) = listing.target(target.path()) {
            let role = next.role.clone();
            steps.push(next.step(Visit::Lists(version)));
            return Answer::Found {
                role,
                length: *length,
                hashes: hashes.clone(),
            };
        }
        let (role, depth) = (next.role.clone(), next.depth + 1);
        steps.push(next.step(Visit::ListsNot(version)));
        let mut children = Vec::new();
        for found in listing.matches(target) {
            let terminating = found.terminating;
            children.push(Pending {
                role: found.role.clone(),
                delegator: Some(role.clone()),
                depth,
                why: found.why,
                terminating,
            });
            if terminating {
                // What stands further behind, here or at a delegator's delegator, is never come to.
                pending.clear();
                end = End::Terminating {
                    delegator: role.clone(),
                    role: found.role,
                };
                break;
            }
        }
        pending.extend(children.into_iter().rev());
        last.clone_from(&role);
        visited.insert(role);
    }
    Answer::Nothing { role: last, end }
}

impl Pending {
    fn step(self, visit: Visit) -> Step {
        Step {
            role: self.role,
            delegator: self.delegator,
            depth: self.depth,
            why: self.why,
            terminating: self.terminating,
            visit,
        }
    }
}

impl Walk {
    /// The role that answers, if one does.
    pub fn answering(&self) -> Option<&str> {
        match &self.answer {
            Answer::Found { role, .. } => Some(role),
            Answer::Nothing { .. } | Answer::Missing { .. } => None,
        }
    }
    /// Whether the answer is one: found, or certainly not there.
    pub fn is_definite(&self) -> bool {
        !matches!(self.answer, Answer::Missing { .. })
    }
}

impl Source for Unsigned {
    fn targets(&self) -> Result<&Listing, Finding> {
        self.delegated("root", "targets")
    }
    fn delegated(&self, _delegator: &str, role: &str) -> Result<&Listing, Finding> {
        self.0.get(role).ok_or_else(|| {
            let file = format!("{role}.json");
            Finding::error(
                "REPOSITORY-MISSING",
                &file,
                "it is not among the candidates",
            )
        })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => f.write_str("every search begins here"),
            Self::Pattern(pattern) => write!(f, "the path matches {}", shown(pattern)),
            Self::HashPrefix(prefix) => {
                write!(f, "the path's SHA-256 begins with {}", shown(prefix))
            }
            Self::Bin(number) => write!(f, "the path's SHA-256 falls into bin {number}"),
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lists(version) => write!(f, "v{version} lists it"),
            Self::ListsNot(version) => write!(f, "v{version} does not list it"),
            Self::Again => f.write_str("was asked already"),
            Self::Missing => f.write_str("cannot be asked"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Searched => f.write_str("every role that is delegated to was asked"),
            Self::Terminating { delegator, role } => write!(
                f,
                "the delegation from {} to {} is terminating",
                shown(delegator),
                shown(role)
            ),
            Self::Roles(limit) => {
                write!(f, "{limit} roles besides targets were asked, no more are")
            }
            Self::Depth(limit) => {
                write!(f, "{limit} delegations in a row were followed, no more are")
            }
        }
    }
}
