//! The candidates of a claimed with shards (docs/decisions/0018): which are made, and the proof that they are exactly what was asked. Every kind that signs claimed in
//! a tree with shards asks here.

use std::collections::BTreeMap;

use super::build;
use super::candidate::Candidate;
use super::event::{Document, Mode, REHEARSAL_MARKER};
use super::intake::Trusted;
use super::material::Material;
use super::script::{Script, Shards};
use super::thresholds;
use crate::pypi::changes::{
    ChangeSet, ExpectedShards, Sharding, apply_sharded, divided, exact_sharded,
};
use crate::pypi::shards::{self, Files, PREFIX, is_shard};
use crate::tuf::edit::RoleSpec;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::{Header, Targets};

/// Kinds that make shards.
const KINDS: [&str; 4] = ["admin-key", "claim", "renew", "rotate-dev"];

/// What is asked of claimed.
pub struct Asked<'a> {
    /// Of its projects.
    pub changes: &'a ChangeSet,
    /// Who signs for projects in custody; none: as it stands.
    pub custody: Option<&'a RoleSpec>,
    /// Whether all are, because other keys sign.
    pub all: bool,
}

/// Whether the trusted claimed delegates to shards.
pub fn is_sharded(trusted: &Trusted) -> bool {
    let claimed = trusted.current("claimed");
    let roles = claimed.and_then(|(_, claimed)| claimed.delegations.as_ref());
    roles.is_some_and(|delegations| delegations.roles().any(|role| is_shard(&role.name)))
}

/// What a script asks of shards that cannot be, or forgets to say of them.
pub fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let refuse = |text: &str| vec![Finding::error("SCRIPT-ROLE", "", text)];
    let is_sharded = is_sharded(trusted);
    let Some(shards) = &script.shards else {
        let changes =
            |role: &super::script::Role| role.holders.is_some() || role.threshold.is_some();
        let touches = match script.kind.as_str() {
            "claim" | "rotate-dev" => true,
            _ => script.claimed.as_ref().is_some_and(changes),
        };
        if is_sharded && touches {
            return refuse(
                "claimed has shards, which are signed with it: give [shards] with the dates on which they end",
            );
        }
        return Vec::new();
    };
    if !KINDS.contains(&script.kind.as_str()) {
        return refuse("[shards] belongs to claim, rotate-dev, renew and admin-key: remove it");
    }
    if !is_sharded && script.kind != "claim" {
        return refuse("claimed has no shards, and only a claim divides it: remove [shards]");
    }
    let late = until(script).filter(|until| {
        let dates = shards.dates().unwrap_or_default();
        dates.last().is_none_or(|last| last.at() < *until)
    });
    late.map_or_else(Vec::new, |until| {
        let text = format!(
            "the last date of shards.expires is before {until}, until when shards must last: give later ones"
        );
        vec![Finding::error("SHARD-EXPIRES", "", text)]
    })
}

/// Until when every shard must last: the next claim but one; the day of a rotation; for a renewal the first of the dates, so that it signs what ends before.
fn until(script: &Script) -> Option<jiff::Timestamp> {
    let text = match (&script.claim, &script.rotate) {
        (Some(claim), _) => &claim.next_but_one,
        (None, Some(rotate)) => &rotate.on,
        (None, None) => script.shards.as_ref()?.expires.first()?,
    };
    Expires::parse(text).ok().map(|date| date.at())
}

/// claimed, where the script gives its version or `above` has new keys for it, and the shards.
///
/// # Errors
/// As [`apply_sharded`]; `VERSION-SKIP`.
pub fn candidates(
    material: &Material<'_>,
    asked: &Asked<'_>,
    above: &[Candidate],
) -> Result<Vec<Candidate>, Finding> {
    let missing = |what: &str| Finding::error("SCRIPT-ROLE", "", format!("there is no {what}"));
    let script = material.script;
    let wanted = script.shards.as_ref();
    let wanted = wanted.ok_or_else(|| missing("[shards] in the script"))?;
    let old = material.trusted.claimed();
    let old = old.ok_or_else(|| missing("trusted claimed in the input"))?;
    let header = script.claimed.as_ref();
    if let Some(role) = header {
        let before = Header::read("claimed", old.claimed)?.version;
        build::check_version("claimed", role, Some(before))?;
    }
    let (dates, signers) = (dates(wanted)?, material.role("claimed")?);
    let sharding = Sharding {
        projects: most(wanted),
        expires: &dates,
        until: until(script).unwrap_or_default(),
        signers: &signers,
        all: asked.all,
        known: &|role| material.trusted.known_version(role),
    };
    let header = header.map(|role| (role.version, role.expires.as_str()));
    let made = apply_sharded(&old, header, asked.changes, asked.custody, &sharding)?;
    let mut candidates = Vec::new();
    if let (Some(envelope), Some(role)) = (made.claimed, &script.claimed) {
        candidates.push(build::finished(material, "claimed", role, envelope, above)?);
    }
    let claimed = match candidates.first() {
        Some(claimed) => Targets::read("claimed", &claimed.envelope)?,
        None => Targets::read("claimed", old.claimed)?,
    };
    for shard in made.shards {
        candidates.push(Candidate {
            envelope: build::marked(material.mode, &shard.role, shard.envelope)?,
            old: material.trusted.envelope(&shard.role).cloned(),
            thresholds: thresholds::delegated_role(&shard.role, &claimed),
            document: Document {
                role: shard.role,
                version: shard.version,
            },
        });
    }
    Ok(candidates)
}

/// Shards that end before the first date of the script, or all where the keys of claimed change; with claimed where the script says so.
///
/// # Errors
/// As [`candidates`].
pub fn renewed(material: &Material<'_>, above: &[Candidate]) -> Result<Vec<Candidate>, Finding> {
    let changes = ChangeSet::default();
    let all = changes_keys(material);
    let spec = material.role("claimed")?;
    let asked = Asked {
        changes: &changes,
        custody: all.then_some(&spec),
        all,
    };
    candidates(material, &asked, above)
}

/// `REQUEST-EXACT` of what [`renewed`] makes: no project changes.
pub fn prove_renewed(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    if material.script.shards.is_none() {
        return Vec::new();
    }
    match material.role("claimed") {
        Ok(spec) => {
            let custody = changes_keys(material).then_some(&spec);
            prove(material, candidates, &ChangeSet::default(), custody)
        }
        Err(finding) => vec![finding],
    }
}

fn changes_keys(material: &Material<'_>) -> bool {
    let claimed = material.script.claimed.as_ref();
    claimed.is_some_and(|role| material.changes_keys(role))
}

/// `REQUEST-EXACT` of claimed and its shards together.
pub fn prove(
    material: &Material<'_>,
    candidates: &[Candidate],
    changes: &ChangeSet,
    custody: Option<&RoleSpec>,
) -> Vec<Finding> {
    let files = material
        .trusted
        .claimed()
        .zip(after(material.trusted, candidates));
    let (Some((old, new)), Ok(signers)) = (files, material.role("claimed")) else {
        return Vec::new();
    };
    let mut versions = BTreeMap::new();
    let mut header = None;
    for candidate in candidates {
        let (role, envelope) = (candidate.document.role.as_str(), &candidate.envelope);
        if role == "claimed" {
            header = material.script.claimed.as_ref();
        } else if is_shard(role) {
            let expires = Header::read(role, envelope).map(|it| it.expires.text().to_owned());
            let expires = expires.unwrap_or_default();
            versions.insert(role.to_owned(), (candidate.document.version, expires));
        }
    }
    let expected = ExpectedShards {
        claimed: header.map(|role| (role.version, role.expires.as_str())),
        shards: &versions,
        marker: (material.mode == Mode::Rehearsal).then_some(REHEARSAL_MARKER),
        changes,
        signers: &signers,
        custody,
    };
    let mut findings = exact_sharded(&old, &new, &expected);
    findings.extend(as_scripted(
        material.script,
        (&old, &new),
        changes,
        &versions,
    ));
    findings
}

/// Holds what was made of `old` against what the script says of shards: claimed is divided as its projects are many (`SHARD-LAYOUT`), and each shard of `versions` ends
/// on the date that its name says (`SHARD-EXPIRES`).
pub fn as_scripted(
    script: &Script,
    (old, new): (&Files<'_>, &Files<'_>),
    changes: &ChangeSet,
    versions: &BTreeMap<String, (u64, String)>,
) -> Vec<Finding> {
    let Some(wanted) = &script.shards else {
        let text = "claimed has shards, and the script does not say how it is divided";
        return vec![Finding::error("SHARD-LAYOUT", "claimed", text)];
    };
    let layouts = || {
        Ok((
            divided(old, changes, most(wanted))?,
            shards::listed(new.claimed)?,
        ))
    };
    let (follows, listed) = match layouts() {
        Ok(layouts) => layouts,
        Err(findings) => return findings,
    };
    let mut findings = Vec::new();
    if follows != listed {
        let text = format!(
            "its shards are not those that follow from the version before with at most {} in each, as the script says",
            wanted.projects
        );
        findings.push(Finding::error("SHARD-LAYOUT", "claimed", text));
    }
    let Ok(dates) = dates(wanted) else {
        return findings;
    };
    let until = until(script).unwrap_or_default();
    let wrong = versions.iter().find(|(role, (_, expires))| {
        let date = shards::expires(role, &dates, until);
        date.is_none_or(|date| date.text() != expires)
    });
    findings.extend(wrong.map(|(role, (_, expires))| {
        let text = format!("it ends on {expires}, which is not its date of shards.expires");
        Finding::error("SHARD-EXPIRES", role, text)
    }));
    findings
}

/// So many projects a shard holds.
fn most(shards: &Shards) -> usize {
    usize::try_from(shards.projects).unwrap_or(usize::MAX)
}

fn dates(shards: &Shards) -> Result<Vec<Expires>, Finding> {
    let wrong = |text: String| Finding::error("SHARD-EXPIRES", "", text);
    shards.dates().map_err(wrong)
}

/// claimed and its shards as they shall be once `candidates` are published.
pub fn after<'a>(trusted: &'a Trusted, candidates: &'a [Candidate]) -> Option<Files<'a>> {
    let mut files = trusted.claimed()?;
    for candidate in candidates {
        let role = candidate.document.role.as_str();
        if role == "claimed" {
            files.claimed = &candidate.envelope;
        } else if role.starts_with(PREFIX) {
            files.shards.insert(role, &candidate.envelope);
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn script(kind: &str, more: &str) -> Result<Script, Finding> {
        let text = format!(
            "schema = \"tuf-ceremony/script/1\"\nkind = \"{kind}\"\ntitle = \"t\"\nprofile = \"room\"\n{more}"
        );
        Script::parse("script.toml", text.as_bytes())
    }

    fn told(kind: &str, more: &str) -> Vec<String> {
        let findings = match script(kind, more) {
            Ok(script) => check(&script, &Trusted::default()),
            Err(finding) => vec![finding],
        };
        let told = findings.iter();
        told.map(|finding| format!("{} {}", finding.rule, finding.text))
            .collect()
    }

    const CLAIM: &str = "[claim]\non = \"2026-11-22T00:00:00Z\"\nnext_ceremony = \"2026-12-22T00:00:00Z\"\nnext_but_one = \"2027-01-22T00:00:00Z\"\nrequests_sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";

    #[test]
    fn what_scripts_say_of_shards_is_judged_beforehand() {
        let dates = |dates: &str| format!("{CLAIM}[shards]\nexpires = [{dates}]\n");
        let none: [String; 0] = [];
        assert_eq!(told("claim", CLAIM), none);
        assert_eq!(told("claim", &dates("\"2027-01-22T00:00:00Z\"")), none);
        assert_eq!(
            told("claim", &dates("\"2027-01-21T00:00:00Z\"")),
            [
                "SHARD-EXPIRES the last date of shards.expires is before 2027-01-22T00:00:00Z, until when shards must last: give later ones"
            ]
        );
        for wrong in ["", "\"2027-03-01T00:00:00Z\", \"2027-03-01T00:00:00Z\""] {
            assert_eq!(
                told("claim", &dates(wrong)),
                [
                    "SHARD-EXPIRES shards.expires lists one date or more, each later than the one before"
                ]
            );
        }
        assert_eq!(
            told("claim", &dates("\"2027-03-01\"")),
            ["SHARD-EXPIRES shards.expires has \"2027-03-01\", not a moment YYYY-MM-DDTHH:MM:SSZ"]
        );
        let shards = "[shards]\nexpires = [\"2027-03-01T00:00:00Z\"]\n";
        assert_eq!(
            told("claim", &format!("{shards}projects = 0\n")),
            ["SCRIPT-KEY shards.projects is 0: a shard holds one project at least"]
        );
        assert_eq!(
            told("genesis", shards),
            ["SCRIPT-ROLE [shards] belongs to claim, rotate-dev, renew and admin-key: remove it"]
        );
        assert_eq!(
            told("renew", shards),
            ["SCRIPT-ROLE claimed has no shards, and only a claim divides it: remove [shards]"]
        );
        let until = |kind, more: &str| {
            let script = script(kind, &format!("{more}{shards}")).unwrap();
            until(&script).map(|until| until.to_string())
        };
        let rotate = format!(
            "[rotate]\non = \"2026-12-01T00:00:00Z\"\nincident_sha256 = \"{}\"\n",
            "0".repeat(64)
        );
        for (kind, more, expected) in [
            ("renew", "", "2027-03-01T00:00:00Z"),
            ("claim", CLAIM, "2027-01-22T00:00:00Z"),
            ("rotate-dev", &*rotate, "2026-12-01T00:00:00Z"),
        ] {
            assert_eq!(until(kind, more).as_deref(), Some(expected));
        }
    }
}
