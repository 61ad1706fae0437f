//! What the archives say of a project's keys over time. Only signed `recently-claimed` files are asked; what the export says of dates is compared, never
//! believed.

use std::collections::BTreeSet;

use super::{Archived, Judge, Weight};
use crate::pypi::delegation::{Delegation, Place};
use crate::tuf::finding::shown;
use crate::tuf::key::PublicKey;

/// How one archive has a project.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// With the keys of today.
    Same,
    /// With others.
    Other,
    /// With an entry that breaks a rule.
    Broken,
    /// Not at all.
    Absent,
}

impl Judge<'_, '_> {
    /// Probation: the keys of today stand in every archive back to one that is old enough.
    pub(super) fn history(&mut self, today: &Delegation) {
        let policy = self.input.policy;
        let project = &self.request.project;
        let states: Vec<(&Archived<'_>, State)> = self
            .input
            .archives
            .iter()
            .map(|archive| (archive, state(archive, project, today)))
            .collect();
        let run = states
            .iter()
            .take_while(|(_, state)| *state == State::Same)
            .count();
        let Some((oldest, _)) = run.checked_sub(1).and_then(|last| states.get(last)) else {
            return;
        };
        self.since = Some(oldest.day);
        let days = days(oldest.day, policy.on);
        let wanted = i64::from(policy.probation_days);
        let is_served = days >= wanted;
        if !is_served {
            let ends = oldest
                .day
                .checked_add(jiff::SignedDuration::from_hours(wanted * 24))
                .map(|day| day.strftime("%Y-%m-%d").to_string())
                .unwrap_or_default();
            self.refuse(
                "CLAIM-PROBATION",
                format!(
                    "its keys stand unchanged since the archive of {}, {days} days; the probation is {wanted} days. It can be claimed from {ends}",
                    oldest.name
                ),
            );
        }
        // What was otherwise before: within the probation it is a reason to wait, before it a reason to ask.
        let before = &states[run..];
        let weight = if is_served {
            Weight::Gates
        } else {
            Weight::Refuses
        };
        let mut last_present = None;
        for (archive, state) in before {
            let what = match state {
                State::Other => "other keys or another threshold",
                State::Broken => "an entry that breaks a rule",
                State::Absent => continue,
                State::Same => "today's keys, and an archive after it does not",
            };
            last_present = Some((archive.name, what));
            break;
        }
        if let Some((name, what)) = last_present {
            self.say(
                weight,
                "CLAIM-UNCHANGED",
                format!("the archive of {name} has {what} for it; ask the project when and why its keys changed"),
            );
        }
        self.compare_first_seen(oldest, days >= wanted);
    }

    /// The export's dates decide nothing; where they contradict the archives, one of the two is wrong.
    fn compare_first_seen(&mut self, oldest: &Archived<'_>, is_served: bool) {
        let late: Vec<String> = self
            .request
            .first_seen
            .iter()
            .filter(|(_, seen)| is_served && **seen > end_of(oldest.day))
            .map(|(keyid, seen)| format!("{} ({seen})", shown(&keyid.0)))
            .collect();
        if !late.is_empty() {
            self.say(
                Weight::Looks,
                "CLAIM-FIRST-SEEN",
                format!(
                    "PyPI says that it first saw {} after the day of an archive that has the key already, {}; one of the two is wrong",
                    late.join(", "),
                    oldest.name
                ),
            );
        }
    }
}

fn end_of(day: jiff::Timestamp) -> jiff::Timestamp {
    day.checked_add(jiff::SignedDuration::from_hours(24))
        .unwrap_or(day)
}

/// Whole days from one moment to another; none if it comes before.
pub(super) fn days(from: jiff::Timestamp, until: jiff::Timestamp) -> i64 {
    until.duration_since(from).as_hours() / 24
}

fn state(
    archive: &Archived<'_>,
    project: &crate::pypi::project::Project,
    today: &Delegation,
) -> State {
    match archive.recently.place(project) {
        Place::Delegated(then) if is_same(&then, today) => State::Same,
        Place::Delegated(_) => State::Other,
        Place::Refused | Place::Custody => State::Broken,
        Place::Absent => State::Absent,
    }
}

/// Who must sign is the same: role, threshold and key material, under whatever keyids.
fn is_same(one: &Delegation, other: &Delegation) -> bool {
    let keys = |delegation: &'_ Delegation| -> BTreeSet<PublicKey> {
        let keys = delegation.keys.iter();
        keys.map(|(_, key)| key.public().clone()).collect()
    };
    one.digest == other.digest
        || (one.role == other.role && one.threshold == other.threshold && keys(one) == keys(other))
}
