//! The vetting before projects move from `recently-claimed` to `claimed` (PEP 480, "Producing Consistent Snapshots"; the probation and vetting of
//! PEP 458's first version).
//!
//! `recently-claimed` is signed by a server: who has broken into it can put his own key beside any name and wait for administrators to promote it to
//! offline trust. So nothing here believes what the online side exports. Each request is judged by what signed archives of several days say, by what
//! the keys themselves have signed, and by dates of the reviewed script; the same input gives the same answer to a stranger years later.
//!
//! A request is *green* (nothing speaks against it; it may be accepted with all other green ones at once), *needs a look* (a person decides, and says
//! why), or *refused* (nobody can accept it). A doubt is never resolved in favour of green.

use super::changes::{After, Change, ChangeSet};
use super::delegation::Delegations;
use super::owners::Owners;
use super::project::Project;
use super::requests::statement::Sigstore;
use super::requests::{Action, Request, Requests};
use super::top::Top;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::Key;
use crate::tuf::repository::Repository;

mod batch;
mod change;
mod claim;
mod history;
mod lookalike;
mod marks;
mod metadata;
#[cfg(test)]
mod tests;

pub use batch::{GLANCE_SECONDS, LOOK_SECONDS, OTHER_MINUTES, check_dice};
pub use lookalike::LookAlikes;

/// What the dates and numbers of the script are.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The day that everything is judged for.
    pub on: jiff::Timestamp,
    /// When the next claim is held.
    pub next_ceremony: jiff::Timestamp,
    /// When the one after that is held.
    pub next_but_one: jiff::Timestamp,
    /// How long keys must have stood unchanged.
    pub probation_days: u32,
    /// How many of the list of most downloaded projects are always looked at.
    pub top: usize,
}

/// A published repository of one day.
pub struct Archived<'a> {
    /// What it is called: `2026-11-20`.
    pub name: &'a str,
    /// That day.
    pub day: jiff::Timestamp,
    /// Its metadata, verified when asked for.
    pub repository: &'a Repository,
    /// Its recently-claimed.
    pub recently: &'a Delegations,
    /// The bytes of a role's present version.
    pub file: &'a dyn Fn(&str) -> Option<&'a [u8]>,
}

/// Everything that requests are judged by.
pub struct Input<'a> {
    /// The name of the requests file in findings.
    pub file: &'a str,
    /// Dates and numbers.
    pub policy: &'a Policy,
    /// SHA-256 of 1.root.json.
    pub anchor: Sha256,
    /// The requests.
    pub requests: &'a Requests,
    /// `claimed` as it stands.
    pub claimed: &'a Delegations,
    /// The newest first; at least one.
    pub archives: &'a [Archived<'a>],
    /// The developers' register.
    pub owners: &'a Owners,
    /// The most downloaded projects.
    pub top: &'a Top,
    /// Judges Sigstore bundles.
    pub sigstore: Sigstore<'a>,
    /// What is to be known of an identity before it is delegated to.
    pub remarks: &'a dyn Fn(&Key) -> Vec<Finding>,
}

/// What a reason does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Is told.
    Reports,
    /// Shows the request to people one by one, though nothing speaks against it.
    Shows,
    /// A person decides.
    Looks,
    /// A person decides, and it stands on the list of what must be seen before anybody signs.
    Gates,
    /// Nobody can accept it.
    Refuses,
}

/// One thing to say of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it does.
    pub weight: Weight,
    /// What it is.
    pub finding: Finding,
}

/// Where a request lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Nothing speaks against it.
    Green,
    /// A person decides.
    Look,
    /// Nobody can accept it.
    Refused,
}

/// One request, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetted {
    /// The request.
    pub request: Request,
    /// Everything to say of it, the heaviest first.
    pub reasons: Vec<Reason>,
    /// Digest of the project's delegation in `claimed` before.
    pub before: Option<Sha256>,
    /// Digest of how it shall be: see [`after_digest`].
    pub after: Sha256,
    /// Digest of its delegation in the newest archive's recently-claimed: what the online side removes.
    pub recently: Option<Sha256>,
    /// The day of the oldest archive since which its keys stand unchanged.
    pub since: Option<jiff::Timestamp>,
    /// What accepting it does to `claimed`.
    pub change: Change,
}

/// All requests, judged.
#[derive(Clone, Debug)]
pub struct Vetting {
    /// SHA-256 of 1.root.json.
    pub anchor: Sha256,
    /// SHA-256 of the requests file.
    pub requests_sha256: Sha256,
    /// In order of projects.
    pub vetted: Vec<Vetted>,
    /// Lines that could not even be read as requests.
    pub unread: Vec<super::requests::Refused>,
    /// What is to be said of no project alone.
    pub findings: Vec<Finding>,
}

impl Vetted {
    /// Where it lands.
    pub fn bucket(&self) -> Bucket {
        match self.weight() {
            Some(Weight::Refuses) => Bucket::Refused,
            Some(Weight::Looks | Weight::Gates) => Bucket::Look,
            Some(Weight::Shows | Weight::Reports) | None => Bucket::Green,
        }
    }
    /// Whether it must be seen before anybody signs.
    pub fn is_gating(&self) -> bool {
        matches!(self.weight(), Some(Weight::Gates | Weight::Shows))
            || (self.bucket() == Bucket::Look
                && self.reasons.iter().any(|it| it.weight == Weight::Shows))
    }
    /// Whether it is decided by itself, whatever the dice say.
    pub fn is_single(&self) -> bool {
        self.bucket() == Bucket::Look || self.weight() == Some(Weight::Shows)
    }
    fn weight(&self) -> Option<Weight> {
        self.reasons.iter().map(|reason| reason.weight).max()
    }
}

impl Vetting {
    /// The requests of one bucket, in order of projects.
    pub fn bucket(&self, bucket: Bucket) -> impl Iterator<Item = &Vetted> {
        self.vetted.iter().filter(move |it| it.bucket() == bucket)
    }
    /// The request for a project.
    pub fn of(&self, project: &Project) -> Option<&Vetted> {
        let place = self
            .vetted
            .binary_search_by(|it| it.request.project.cmp(project));
        self.vetted.get(place.ok()?)
    }
    /// What must be seen before anybody signs: requests with what makes them so.
    pub fn gating(&self) -> impl Iterator<Item = &Vetted> {
        self.vetted.iter().filter(|it| it.is_gating())
    }
    /// The change of `claimed` by the requests that `accepted` says.
    pub fn changes(&self, accepted: &dyn Fn(&Vetted) -> bool) -> ChangeSet {
        let changes = self
            .vetted
            .iter()
            .filter(|it| it.bucket() != Bucket::Refused && accepted(it))
            .map(|it| (it.request.project.clone(), it.change.clone()));
        ChangeSet {
            changes: changes.collect(),
        }
    }
}

/// Judges every request. Time and memory are linear in requests, archives and claimed.
pub fn vet<'a>(input: &'a Input<'a>) -> Vetting {
    let whole = marks::Whole::of(input);
    let mut vetted: Vec<Vetted> = Vec::with_capacity(input.requests.requests.len());
    for request in &input.requests.requests {
        let mut judge = Judge {
            input,
            whole: &whole,
            request,
            reasons: Vec::new(),
            recently: None,
            since: None,
            generation: 1,
        };
        match request.action {
            Action::Claim => judge.claim(),
            _ => judge.change(),
        }
        judge.mark();
        vetted.push(judge.finish());
    }
    Vetting {
        anchor: input.anchor,
        requests_sha256: input.requests.sha256,
        vetted,
        unread: input.requests.refused.clone(),
        findings: marks::Whole::findings(input),
    }
}

/// One request under judgement.
struct Judge<'j, 'a> {
    input: &'a Input<'a>,
    whole: &'j marks::Whole<'a>,
    request: &'a Request,
    reasons: Vec<Reason>,
    recently: Option<Sha256>,
    since: Option<jiff::Timestamp>,
    generation: u32,
}

impl Judge<'_, '_> {
    fn add(&mut self, weight: Weight, finding: Finding) {
        self.reasons.push(Reason { weight, finding });
    }
    fn say(&mut self, weight: Weight, rule: &str, text: impl std::fmt::Display) {
        let text = format!(
            "line {}, {}: {text}",
            self.request.line, self.request.project
        );
        let file = self.input.file;
        let finding = match weight {
            Weight::Refuses => Finding::error(rule, file, text),
            Weight::Gates | Weight::Looks => Finding::warning(rule, file, text),
            Weight::Shows | Weight::Reports => Finding::note(rule, file, text),
        };
        self.add(weight, finding);
    }
    fn refuse(&mut self, rule: &str, text: impl std::fmt::Display) {
        self.say(Weight::Refuses, rule, text);
    }
    fn is_refused(&self) -> bool {
        self.reasons.iter().any(|it| it.weight == Weight::Refuses)
    }
    fn finish(mut self) -> Vetted {
        let request = self.request;
        // The sort is stable: reasons of one weight stay in the order of the checks.
        self.reasons
            .sort_by_key(|reason| std::cmp::Reverse(reason.weight));
        let before = self.input.claimed.pre_image(&request.project);
        Vetted {
            request: request.clone(),
            reasons: self.reasons,
            before,
            after: after_digest(request, self.generation),
            recently: self.recently,
            since: self.since,
            change: Change {
                before,
                after: match request.action {
                    Action::Unclaim => After::Gone,
                    _ => After::Delegate {
                        generation: self.generation,
                        keys: request.keys.clone(),
                        threshold: request.threshold,
                    },
                },
            },
        }
    }
}

/// What a batch digest says of how a project shall be: SHA-256 over the canonical form of its key objects, role name and threshold.
pub fn after_digest(request: &Request, generation: u32) -> Sha256 {
    use crate::tuf::value::Value;
    let keys = request
        .keys
        .iter()
        .map(|(keyid, key)| (keyid.0.clone(), key.value().clone()));
    let role = request.project.generation(generation).to_string();
    let shape = Value::Object(vec![
        ("keys".to_owned(), Value::Object(keys.collect())),
        ("role".to_owned(), Value::string(role)),
        (
            "threshold".to_owned(),
            Value::Integer(request.threshold.into()),
        ),
    ]);
    Sha256::of(&shape.canonical())
}
