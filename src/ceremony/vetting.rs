//! From script and input to the vetting: dates and digests of the reviewed script, archives of the input, identities judged by the carried roots of Sigstore. It is
//! derived once a session; every step and proof that needs it asks the same.

use std::sync::Arc;

use super::intake::Trusted;
use super::intake::requests::{REQUESTS, SIGSTORE};
use super::script::{Claim, Script};
use crate::pypi::delegation;
use crate::pypi::requests::is_identity;
use crate::pypi::vetting::{self, Archived, Input, Policy, Vetting};
use crate::sigstore::{self, Identity, TrustedRoot};
use crate::tuf::expires::Expires;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::Key;
use crate::tuf::style;
use crate::tuf::value::Value;

/// The newest snapshot and two earlier ones: one alone shows nothing of time, and of two nobody could say which was changed.
pub const FEWEST_ARCHIVES: usize = 3;

/// A timestamp lives a day (PEP 458); the longest that anybody was seen to use is a week. A later expiry than that says that an archive is younger than its name.
const TIMESTAMP_DAYS: i64 = 8;

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
    let (Some(claimed), Some(anchor)) = (trusted.envelope("claimed"), trusted.anchor()) else {
        return Err(refuse(
            "a claim needs the root chain from 1.root.json on, and a trusted claimed",
        ));
    };
    let claimed = delegation::claimed("claimed", claimed)?;
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
    let mut findings = check_archives(trusted, &archives, &claimed)?;
    let root = trusted.asked.sigstore.as_ref();
    let root = root
        .map(|file| TrustedRoot::parse(SIGSTORE, &file.bytes))
        .transpose()
        .map_err(one)?;
    if let Some(root) = &root {
        findings.extend(root.age(SIGSTORE, None, policy.on));
    }
    let judge = |key: &Key, bundle: &Value, message: &[u8]| {
        judge_bundle(root.as_ref(), key, bundle, message, policy.on)
    };
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

fn judge_bundle(
    root: Option<&TrustedRoot>,
    key: &Key,
    bundle: &Value,
    message: &[u8],
    at: jiff::Timestamp,
) -> Result<(), String> {
    let Some(root) = root else {
        return Err(
            "there is no trusted root of Sigstore in the input to check its bundle with".to_owned(),
        );
    };
    let identity = Identity::of_key(REQUESTS, key).map_err(|finding| finding.text)?;
    let Some(identity) = identity else {
        return Err("a bundle by what is no identity".to_owned());
    };
    sigstore::verify(
        root,
        REQUESTS,
        &style::to_vec(bundle),
        message,
        &identity,
        at,
    )
    .map(drop)
    .map_err(|finding| format!("{}: {}", finding.rule, finding.text))
}

/// Enough archives, as old as they are called, none older than what it follows, and the newest with today's claimed.
fn check_archives(
    trusted: &Trusted,
    archives: &[Archived<'_>],
    claimed: &delegation::Delegations,
) -> Result<Vec<Finding>, Vec<Finding>> {
    const RULE: &str = "CLAIM-ARCHIVES";
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
        let [newer, older] = pair else { continue };
        let version = |archive: &Archived<'_>| archive.recently.header.version;
        if version(newer) < version(older) {
            let text = format!(
                "recently-claimed is v{} in it and v{} in the older archive {}: versions never go back, unless keys were rotated",
                version(newer),
                version(older),
                older.name
            );
            findings.push(Finding::warning(
                RULE,
                &format!("archives/{}", newer.name),
                text,
            ));
        }
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
