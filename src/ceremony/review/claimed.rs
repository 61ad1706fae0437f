//! The review of delegations to thousands of projects: what is counted, what must be seen, what is drawn.

use super::change::Kind;
use super::compare::{Comparison, compare, delegates_projects};
use super::marks::Marks;
use super::rows::{change_row, finding_row, head, quorum_row, row, verdict_rows};
use super::searched::{Entries as _, Searched, draw};
use super::watch::{CROWDED, Reason, Watch};
use super::{Mark, Review, Row};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Quorum;
use crate::tuf::compat::{self, Verdict};
use crate::tuf::diff::{self, Change, Diff};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level, grouped};
use crate::tuf::key::KeyId;

/// Up to so many entries without a reason to look, of a file that can be read in full, are reviewed in full.
const FEW: usize = 40;
/// A file of up to so many bytes can be read in full: about fourteen hundred rows.
const READABLE: usize = 32 << 10;
/// How many entries are drawn where nothing else is said.
pub const SPOTS: usize = 20;
/// Rows of one sort that the summary tells singly.
const TOLD: usize = 10;
/// Sentences of one client that the summary tells.
const ALIKE: usize = 4;
/// The longest value that the summary tells: a list of thousands of names stands in the entries.
const LONGEST: usize = 2_000;

/// What is known beside the two files.
#[derive(Default)]
pub struct Checks<'a> {
    /// Why a project must be seen, by its name: what the checks before the review found.
    pub reasons: Vec<(String, Reason)>,
    /// What draws the spot checks: the witnesses' dice.
    pub seed: Option<&'a [u8]>,
    /// How many are drawn; none: [`SPOTS`].
    pub spots: Option<usize>,
}

impl Review {
    /// The review of a candidate, in the form that its size asks for: searched where it changes delegations to many projects, else as
    /// [`Review::of`] has it.
    ///
    /// # Errors
    /// What the readers refuse.
    pub fn of_claimed(
        candidate: &Candidate,
        quorums: &[Quorum],
        findings: &[Finding],
        vouchers: Vec<Row>,
        holder_of: &dyn Fn(&KeyId) -> Option<String>,
        checks: &Checks<'_>,
    ) -> Result<Self, Finding> {
        let new = &candidate.envelope;
        let whole = || Self::of(candidate, quorums, findings, vouchers.clone(), holder_of);
        let Some(old) = candidate.old.as_ref().filter(|_| delegates_projects(new)) else {
            return whole();
        };
        let mut comparison = compare(Some(old), new)?;
        for (name, reason) in &checks.reasons {
            comparison.add(name, reason);
        }
        let watched = (0..comparison.len()).any(|index| comparison.marks(index).is_watched());
        if !watched && comparison.len() < FEW && new.payload_length() <= READABLE {
            return whole();
        }
        let mut summary = head(candidate);
        summary.extend(counts(&comparison));
        summary.push(row(Mark::Heading, "What else differs in the file"));
        summary.extend(
            besides(difference(Some(old), new)?)
                .iter()
                .map(|change| change_row(change, holder_of)),
        );
        if !vouchers.is_empty() {
            summary.push(row(Mark::Heading, "Who vouches for the keys"));
            summary.extend(vouchers);
        }
        summary.push(row(Mark::Heading, "Who must sign"));
        summary.extend(quorums.iter().map(quorum_row));
        summary.push(row(Mark::Heading, "What the rules say"));
        summary.extend(said(findings));
        summary.push(row(Mark::Heading, "Which clients accept it"));
        summary.extend(clients(new).iter().flat_map(verdict_rows));
        let payload = candidate.payload();
        let seed = checks.seed.unwrap_or(&payload.0);
        let spots = spots(&comparison, seed, checks.spots.unwrap_or(SPOTS));
        Ok(Self::searched(
            candidate.document.to_string(),
            payload,
            Searched::new(summary, comparison, spots),
        ))
    }
}

/// The entries to be looked at by chance, in the order of the list: of those that must be seen anyway none is drawn. Of few all are.
pub(super) fn spots(comparison: &Comparison, seed: &[u8], count: usize) -> Vec<usize> {
    let count = if comparison.len() < FEW { FEW } else { count };
    let free = (0..comparison.len()).filter(|index| !comparison.marks(*index).is_watched());
    draw(
        seed,
        count,
        free.map(|index| (index, comparison.name(index))),
    )
}

/// What differs in how many projects, and what must be looked at, side by side.
pub fn counts(comparison: &Comparison) -> Vec<Row> {
    let with = |mark: Marks| {
        let marks = (0..comparison.len()).map(|index| comparison.marks(index));
        marks.filter(|marks| marks.has(mark)).count()
    };
    let mut left = vec![("same", comparison.same)];
    left.extend(Kind::ALL.map(|kind| (kind.label(), with(kind.into()))));
    let right = Watch::ALL.map(|watch| (watch, with(watch.into())));
    let mut rows = vec![row(
        Mark::Heading,
        format!(
            "{} projects -> {}; {} differ. Delegations, and what to look at:",
            grouped(comparison.before),
            grouped(comparison.after),
            grouped(comparison.len())
        ),
    )];
    rows.extend(
        left.iter()
            .zip(right)
            .map(|((label, count), (watch, hits))| {
                let (mark, sign) = match (hits, watch.is_gating()) {
                    (0, _) => (Mark::Plain, ' '),
                    (_, true) => (Mark::Warning, '!'),
                    (_, false) => (Mark::Note, '+'),
                };
                let (count, hits) = (grouped(*count), grouped(hits));
                let watch = watch.label();
                row(
                    mark,
                    format!("{label:15}{count:>9}  | {sign} {watch:30}{hits:>9}"),
                )
            }),
    );
    let crowded = comparison.crowded();
    rows.extend(crowded.iter().take(TOLD).map(|(key, projects)| {
        let projects = grouped(*projects);
        row(
            Mark::Note,
            format!("one key on {projects} projects: key sha256 {key}"),
        )
    }));
    if let Some(more) = crowded.len().checked_sub(TOLD).filter(|more| *more > 0) {
        let more = grouped(more);
        rows.push(row(
            Mark::Note,
            format!("{more} more keys on more than {CROWDED} projects each"),
        ));
    }
    rows
}

/// Whether a role is called as a project's.
fn is_project(role: &str) -> bool {
    role.starts_with("project-")
}

/// The difference without projects and their keys, which are compared by themselves.
///
/// # Errors
/// What the typed readers refuse.
pub fn difference(old: Option<&Envelope>, new: &Envelope) -> Result<Diff, Finding> {
    diff::besides(old, new, &is_project)
}

/// What differs beside projects and their keys. Values that are lists of thousands of names are told by their length.
pub fn besides(diff: Diff) -> Vec<Change> {
    let of_projects = |change: &Change| {
        let subject = change.subject.as_str();
        let role = subject.strip_prefix("delegations.roles ");
        // The order of thousands is their names' order; a name out of it is on the watch list.
        let listed =
            |role: &str| is_project(role.trim_start_matches('"')) || role == "asked in this order";
        role.is_some_and(listed) || subject.starts_with("delegations.keys")
    };
    let mut changes = diff.changes;
    changes.retain(|change| !of_projects(change));
    for change in &mut changes {
        for value in [&mut change.old, &mut change.new].into_iter().flatten() {
            if value.len() > LONGEST {
                *value = format!("{} bytes, see the entries", grouped(value.len()));
            }
        }
    }
    changes
}

/// The findings: those of a rule that has much to say by their number and the first few, for each stands at its entry.
pub(super) fn said(findings: &[Finding]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut counts = std::collections::BTreeMap::<(&str, Level), usize>::new();
    for finding in findings {
        let count = counts.entry((&finding.rule, finding.level)).or_default();
        *count += 1;
        if *count <= TOLD {
            rows.push(finding_row(finding));
        }
    }
    for ((rule, level), count) in counts.into_iter().filter(|(_, count)| *count > TOLD) {
        let more = grouped(count - TOLD);
        let text = format!("{more} more of this rule");
        rows.push(finding_row(&Finding {
            level,
            ..Finding::note(rule, "", text)
        }));
    }
    if rows.is_empty() {
        rows.push(row(Mark::Ok, "no rule has anything to say"));
    }
    rows
}

/// What each client will do with the file. Most clients say the same of every project, so that only the first few are told and the number of the others.
pub fn clients(new: &Envelope) -> Vec<Verdict> {
    compat::verdicts_of(new, ALIKE)
}
