//! Versions and expiry dates.

use jiff::Timestamp;

use super::{LONGEST_OFFLINE_DAYS, Role, SHORTEST_OFFLINE_DAYS, Tree, counted};
use crate::tuf::finding::{Finding, Level};
use crate::tuf::metadata::Header;

/// Rules about the headers of `new` and their step from `old`.
pub(super) fn findings(old: Option<&Tree>, new: &Tree, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for role in &new.roles {
        let Some(header) = &role.header else {
            continue;
        };
        let before = old.and_then(|old| old.role(&role.name)?.header.as_ref());
        findings.extend(before.and_then(|before| step(role, before, header)));
        let unchanged = before.is_some_and(|before| before.version == header.version);
        if let Some(mut finding) = expiry(role, header, now) {
            if unchanged {
                finding.level = finding.level.min(Level::Warning);
            }
            findings.push(finding);
        }
    }
    findings
}

/// `VERSION-SKIP`: clients follow root version by version, and other roles never go back.
fn step(role: &Role, before: &Header, header: &Header) -> Option<Finding> {
    let (old, new) = (before.version, header.version);
    let next = old + 1;
    let same = old == new && before.expires == header.expires;
    (!same && new != next).then(|| {
        Finding::error(
            "VERSION-SKIP",
            "",
            format!(
                "Role {} would go from version {old} to {new}. Give it version {next}.",
                role.name
            ),
        )
    })
}

fn expiry(role: &Role, header: &Header, now: Timestamp) -> Option<Finding> {
    let (name, expires) = (&role.name, header.expires.text());
    let left = header.expires.at().duration_since(now);
    let days = left.as_hours() / 24;
    let days_off = counted(
        usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX),
        "day",
    );
    let far = LONGEST_OFFLINE_DAYS;
    let soon = SHORTEST_OFFLINE_DAYS;
    if !left.is_positive() {
        let text = format!(
            "Role {name} expired on {expires}, {days_off} ago. Choose a date in the future."
        );
        return Some(Finding::error("EXPIRY-PAST", "", text));
    }
    if !role.class.is_offline() {
        return None;
    }
    if days < soon {
        let text = format!(
            "Role {name} expires on {expires}, in {days_off}: sooner than the {soon} days that another ceremony needs. Choose a later date."
        );
        return Some(Finding::warning("EXPIRY-SOON", "", text));
    }
    if left.as_hours() > far * 24 {
        let text = format!(
            "Role {name} expires on {expires}, in {days_off}: later than the {far} days that an offline role may stand. Choose an earlier date."
        );
        return Some(Finding::error("EXPIRY-FAR", "", text));
    }
    None
}
