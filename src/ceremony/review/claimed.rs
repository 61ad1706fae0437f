//! The review of delegations to thousands of projects: what is counted, what must be seen, what is drawn.

use super::change::{Kind, ProjectChangeView};
use super::compare::{Comparison, compare, delegates_projects};
use super::rows::{change_row, finding_row, head, quorum_row, row, verdict_rows};
use super::searched::{Searched, draw};
use super::watch::{CROWDED, Reason, Watch};
use super::{Mark, Review, Row};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Quorum;
use crate::tuf::compat::{self, Verdict};
use crate::tuf::diff::{self, Change};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
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
        add(&mut comparison, &checks.reasons);
        let watched = comparison.changes.iter().any(ProjectChangeView::is_watched);
        if !watched && comparison.changes.len() < FEW && new.payload().len() <= READABLE {
            return whole();
        }
        let mut summary = head(candidate);
        summary.extend(counts(&comparison));
        summary.push(row(Mark::Heading, "What else differs in the file"));
        summary.extend(
            besides(Some(old), new)?
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
            Searched::new(summary, comparison.changes, spots),
        ))
    }
}

/// Adds what other checks found. A project that does not differ has no entry and needs none.
pub(super) fn add(comparison: &mut Comparison, reasons: &[(String, Reason)]) {
    for (name, reason) in reasons {
        let changes = &mut comparison.changes;
        if let Ok(index) = changes.binary_search_by(|change| change.name.cmp(name)) {
            changes[index].reasons.push(reason.clone());
        }
    }
}

/// The entries to be looked at by chance, in the order of the list: of those that must be seen anyway none is drawn. Of few all are.
pub(super) fn spots(comparison: &Comparison, seed: &[u8], count: usize) -> Vec<usize> {
    let count = if comparison.changes.len() < FEW {
        FEW
    } else {
        count
    };
    let changes = comparison.changes.iter().enumerate();
    let free = changes.filter(|(_, change)| !change.is_watched());
    draw(
        seed,
        count,
        free.map(|(index, change)| (index, &*change.name)),
    )
}

/// What differs in how many projects, and what must be looked at, side by side.
pub fn counts(comparison: &Comparison) -> Vec<Row> {
    let changes = &comparison.changes;
    let of_kind = |kind: Kind| {
        let with = changes.iter().filter(|change| change.kinds.contains(&kind));
        (kind.label(), with.count())
    };
    let mut left = vec![("same", comparison.same)];
    left.extend(Kind::ALL.map(of_kind));
    let right = Watch::ALL.map(|watch| {
        let has =
            |change: &&ProjectChangeView| change.reasons.iter().any(|reason| reason.watch == watch);
        (watch, changes.iter().filter(has).count())
    });
    let mut rows = vec![row(
        Mark::Heading,
        format!(
            "{} projects -> {}; {} differ. Delegations, and what to look at:",
            grouped(comparison.before),
            grouped(comparison.after),
            grouped(changes.len())
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
    let crowded = comparison.crowded.iter().take(TOLD);
    rows.extend(crowded.map(|(key, projects)| {
        let projects = grouped(*projects);
        row(
            Mark::Note,
            format!("one key on {projects} projects: key sha256 {key}"),
        )
    }));
    if let Some(more) = comparison
        .crowded
        .len()
        .checked_sub(TOLD)
        .filter(|more| *more > 0)
    {
        let more = grouped(more);
        rows.push(row(
            Mark::Note,
            format!("{more} more keys on more than {CROWDED} projects each"),
        ));
    }
    rows
}

/// What differs beside projects and their keys.
pub(super) fn besides(old: Option<&Envelope>, new: &Envelope) -> Result<Vec<Change>, Finding> {
    let mut changes = Vec::new();
    diff::each(old, new, &mut |change| changes.extend(beside(change)))?;
    Ok(changes)
}

/// A line that is not about projects or their keys. A value that is a list of thousands of names is told by its length.
pub fn beside(mut change: Change) -> Option<Change> {
    let subject = change.subject.as_str();
    let role = subject.strip_prefix("delegations.roles ");
    let project = |name: &str| name.trim_start_matches('"').starts_with("project-");
    // The order of thousands is their names' order; a name out of it is on the watch list.
    let listed = |role: &str| project(role) || role == "asked in this order";
    if role.is_some_and(listed) || subject.starts_with("delegations.keys") {
        return None;
    }
    for value in [&mut change.old, &mut change.new].into_iter().flatten() {
        if value.len() > LONGEST {
            *value = format!("{} bytes, see the entries", grouped(value.len()));
        }
    }
    Some(change)
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
    let mut verdicts = compat::verdicts(new);
    for verdict in &mut verdicts {
        for list in [&mut verdict.reasons, &mut verdict.notes] {
            if list.len() > ALIKE {
                let more = grouped(list.len() - ALIKE);
                list.truncate(ALIKE);
                list.push(format!("and {more} more of this sort."));
            }
        }
    }
    verdicts
}

/// `699,812`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
