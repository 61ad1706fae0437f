//! From script and input to the vetting: dates and digests of the reviewed script, archives of the input, identities judged by the carried roots of Sigstore. It is
//! derived once a session; every step and proof that needs it asks the same.

use std::sync::Arc;

use super::identities::Identities;
use super::intake::Trusted;
use super::intake::requests::REQUESTS;
use super::script::{Claim, Script};
use crate::pypi::delegation;
use crate::pypi::requests::is_identity;
use crate::pypi::shards;
use crate::pypi::vetting::{self, Archived, Input, Policy, Vetting};
use crate::sigstore::{self, Identity};
use crate::tuf::expires::Expires;
use crate::tuf::finding::{Finding, Level, shown};
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::Snapshot;
use crate::tuf::value::Value;

const RULE: &str = "CLAIM-ARCHIVES";

/// The newest snapshot and two earlier ones: one alone shows nothing of time, and of two nobody could say which was changed.
pub const FEWEST_ARCHIVES: usize = 3;

/// A timestamp lives a day (PEP 458); the longest that anybody was seen to use is a week. A later expiry than that says that an archive is younger than its name.
const TIMESTAMP_DAYS: i64 = 8;

/// So many roles are named in one finding.
const TOLD: usize = 5;

impl Trusted {
    /// What the requests come to; the same on every call.
    ///
    /// # Errors
    /// Rules `CLAIM-SCRIPT`, `CLAIM-ARCHIVES`, and what is wrong with `claimed` or with the roots of Sigstore.
    pub fn vetting(&self, script: &Script) -> Result<Arc<Vetting>, Vec<Finding>> {
        self.vetted
            .get_or_init(|| derive(script, self).map(Arc::new))
            .clone()
    }
}

fn derive(script: &Script, trusted: &Trusted) -> Result<Vetting, Vec<Finding>> {
    let one = |finding| vec![finding];
    let refuse = |text: &str| vec![Finding::error("CLAIM-SCRIPT", "", text)];
    let Some(claim) = &script.claim else {
        return Err(refuse("a claim needs [claim] in the script"));
    };
    let policy = policy(claim).map_err(one)?;
    let Some(requests) = &trusted.asked.requests else {
        return Err(refuse("a claim needs requests/requests.jsonl in the input"));
    };
    let (Some(claimed), Some(anchor)) = (trusted.claimed(), trusted.anchor()) else {
        return Err(refuse(
            "a claim needs the root chain from 1.root.json on, and a trusted claimed",
        ));
    };
    let claimed = shards::read(&claimed)?;
    let mut archives = Vec::new();
    let files: Vec<_> = trusted
        .archives
        .iter()
        .map(|archive| move |role: &str| archive.file(role))
        .collect();
    for (archive, file) in trusted.archives.iter().zip(&files) {
        if let Some(recently) = &archive.recently {
            archives.push(Archived {
                name: &archive.name,
                day: archive.day,
                repository: &archive.repository,
                recently,
                file,
            });
        }
    }
    let mut findings = check_archives(&policy, trusted, &archives, &claimed)?;
    let (carried, dated) = (
        trusted.asked.sigstore.as_ref(),
        claim.sigstore_dated.as_deref(),
    );
    let (identities, age) = Identities::read(carried, dated, policy.on).map_err(one)?;
    findings.extend(age);
    let judge = |key: &Key, bundle: &Value, message: &[u8]| identities.judge(key, bundle, message);
    let remarks = |key: &Key| match Identity::of_key(REQUESTS, key) {
        Ok(identity) => identity.map(|it| it.remarks(REQUESTS)).unwrap_or_default(),
        Err(finding) => vec![finding],
    };
    let owners = trusted.asked.owners.clone().unwrap_or_default();
    let input = Input {
        file: REQUESTS,
        policy: &policy,
        anchor,
        requests,
        claimed: &claimed,
        archives: &archives,
        owners: &owners,
        top: &trusted.asked.top,
        sigstore: &judge,
        remarks: &remarks,
    };
    let mut vetting = vetting::vet(&input);
    let asked = requests.requests.iter();
    let identities = asked
        .flat_map(|request| request.keys.values())
        .filter(|key| is_identity(key));
    findings.extend(sigstore::clients(REQUESTS, identities.count()));
    findings.append(&mut vetting.findings);
    vetting.findings = findings;
    Ok(vetting)
}

/// The dates of the script, each in the one form that metadata has.
///
/// # Errors
/// Rule `CLAIM-SCRIPT`.
pub fn policy(claim: &Claim) -> Result<Policy, Finding> {
    let refuse = |text: String| Finding::error("CLAIM-SCRIPT", "", text);
    let moment = |name: &str, text: &str| {
        let read = Expires::parse(text).ok().filter(Expires::is_strict);
        read.map(|read| read.at()).ok_or_else(|| {
            refuse(format!(
                "claim.{name} is {}, not a moment YYYY-MM-DDTHH:MM:SSZ",
                shown(text)
            ))
        })
    };
    let on = moment("on", &claim.on)?;
    let next_ceremony = moment("next_ceremony", &claim.next_ceremony)?;
    let next_but_one = moment("next_but_one", &claim.next_but_one)?;
    if !(on < next_ceremony && next_ceremony < next_but_one) {
        let text = "claim.on, claim.next_ceremony and claim.next_but_one follow each other in time";
        return Err(refuse(text.to_owned()));
    }
    Ok(Policy {
        on,
        next_ceremony,
        next_but_one,
        probation_days: claim.probation_days,
        top: claim.top as usize,
    })
}

/// Enough archives, as old as they are called, none older than what it follows, and the newest with today's claimed.
fn check_archives(
    policy: &Policy,
    trusted: &Trusted,
    archives: &[Archived<'_>],
    claimed: &delegation::Delegations,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut errors = Vec::new();
    let mut findings = Vec::new();
    if archives.len() < FEWEST_ARCHIVES {
        let text = format!(
            "a claim goes by the newest snapshot and at least two earlier ones with a recently-claimed; there are {}. Carry in more and name them in [[archive]]",
            archives.len()
        );
        errors.push(Finding::error(RULE, "archives", text));
    }
    for archive in archives {
        let folder = format!("archives/{}", archive.name);
        if archive.day > policy.on {
            let text = format!(
                "it is of a day after {}, for which everything is judged (claim.on): one of the two dates is wrong",
                policy.on
            );
            errors.push(Finding::error(RULE, &folder, text));
        }
        let Some(timestamp) = archive.repository.timestamp() else {
            continue;
        };
        let expires = timestamp.header.expires.at();
        let days = expires.duration_since(archive.day).as_hours() / 24;
        if days > TIMESTAMP_DAYS {
            let text = format!(
                "its timestamp expires {days} days after the day that it is called by, on {}: it is younger than its name",
                timestamp.header.expires.text()
            );
            errors.push(Finding::error(RULE, &folder, text));
        } else if days < 0 {
            let text = format!(
                "its timestamp had expired on the day that it is called by, on {}: it shows an older state",
                timestamp.header.expires.text()
            );
            findings.push(Finding::warning(RULE, &folder, text));
        }
    }
    for pair in archives.windows(2) {
        if let [newer, older] = pair {
            for finding in went_back(newer, older) {
                match finding.level {
                    Level::Error => errors.push(finding),
                    _ => findings.push(finding),
                }
            }
        }
    }
    let begin = jiff::SignedDuration::from_hours(24 * i64::from(policy.probation_days));
    let begin = policy.on.checked_sub(begin).unwrap_or_default();
    if archives.last().is_some_and(|oldest| oldest.day > begin) {
        let text = format!(
            "none is as old as the probation of {} days, so nothing can be claimed: carry in one of {} or before",
            policy.probation_days,
            begin.strftime("%Y-%m-%d")
        );
        findings.push(Finding::warning(RULE, "archives", text));
    }
    let published = trusted.archives.first().and_then(|newest| {
        let role = newest.repository.role(&["claimed"]).ok()?;
        Some((newest, role.listing()))
    });
    if let Some((newest, listing)) = published {
        let (here, there) = (claimed.header.version, listing.targets().header.version);
        let own = trusted.envelope("claimed");
        let same =
            own.is_some_and(|own| own.payload_digest() == listing.envelope().payload_digest());
        if there > here || (there == here && !same) {
            let text = format!(
                "it publishes claimed v{there} and the input has v{here}, another one: carry in the claimed that is published"
            );
            errors.push(Finding::error(RULE, &newest.folder(), text));
        } else if there < here {
            let text = format!(
                "it publishes claimed v{there}; v{here}, which this claim starts from, was not published yet on that day"
            );
            findings.push(Finding::warning(RULE, &newest.folder(), text));
        }
    }
    if errors.is_empty() {
        Ok(findings)
    } else {
        Err(errors)
    }
}

/// Versions never go back, but where root changed the keys of timestamp or snapshot (TUF 5.3.11). Of the tree's own roles that is an error: one of the two is not
/// what was published on its day. A project's role is told: who can write a snapshot shall not stop the month's work with it.
fn went_back(newer: &Archived<'_>, older: &Archived<'_>) -> Vec<Finding> {
    let (Some(new), Some(old)) = (newer.repository.snapshot(), older.repository.snapshot()) else {
        return Vec::new();
    };
    let stamp = |archive: &Archived<'_>| archive.repository.timestamp().map(|it| it.header.version);
    let mut tree = Vec::new();
    if stamp(newer) < stamp(older) {
        tree.push("timestamp");
    }
    if new.header.version < old.header.version {
        tree.push("snapshot");
    }
    let mut others = Vec::new();
    for role in old.roles() {
        let version = |snapshot: &Snapshot| snapshot.role(role).map(|meta| meta.version);
        if version(new) < version(old) {
            let is_others = role.starts_with("project-");
            if is_others { &mut others } else { &mut tree }.push(role);
        }
    }
    let finding = |roles: &[&str]| {
        let first = roles.iter().take(TOLD).map(|role| shown(role));
        let first: Vec<_> = first.collect();
        let more = match roles.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "older in it than in the older archive {}, or gone: {}{more}. Versions never go back, unless root changes the keys of timestamp or snapshot",
            older.name,
            first.join(", ")
        );
        let folder = format!("archives/{}", newer.name);
        (!roles.is_empty()).then(|| Finding::warning(RULE, &folder, text))
    };
    let is_error = online_keys(newer) == online_keys(older);
    let tree = finding(&tree).map(|mut finding| {
        if is_error {
            finding.level = Level::Error;
        }
        finding
    });
    tree.into_iter().chain(finding(&others)).collect()
}

/// Who signs timestamp and snapshot.
fn online_keys<'a>(archive: &Archived<'a>) -> Option<[&'a [KeyId]; 2]> {
    let root = &archive.repository.roots().last()?.root;
    let keys = |role: &str| root.role(role).map(|role| role.keyids.as_slice());
    Some([keys("timestamp")?, keys("snapshot")?])
}
