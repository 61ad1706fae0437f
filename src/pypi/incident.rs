//! `requests/incident.toml`: what is known of compromised developer keys, and what becomes of projects that have no replacement yet. It is written in
//! the first hour of an incident, read aloud in the ceremony and pinned by the script's digest, so that holders in different places decide nothing
//! that does not stand in it (docs/incident.md).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::project::Project;
use super::requests::Custody;
use crate::plain::toml_fault;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// The `schema` every incident file says.
pub const SCHEMA: &str = "tuf-ceremony/incident/1";

/// The longest incident file, in bytes: 10,000 projects with an override each are under 1 MiB.
pub const LONGEST: usize = 1 << 20;

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What it is called everywhere: lower-case letters, digits and hyphens.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The last moment at which the keys were trusted: what was published later is not known to be good.
    pub last_trusted: Expires,
    /// Which keys, and what shows it.
    pub compromised: BTreeMap<KeyId, String>,
    /// How the replacement keys were authenticated: stronger than the accounts that may be lost.
    pub channel: String,
    /// What stands in a project's place until it has keys again.
    pub without_replacement: Custody,
    /// The same for single projects.
    pub overrides: BTreeMap<Project, Custody>,
    /// Whether other keys of the same owners are rotated too; they are reported in any case.
    pub also_owner_keys: bool,
    /// Projects whose versions were driven up, so that they need a role of another name (PEP 458, "fast-forward").
    pub fast_forwarded: BTreeSet<Project>,
}

impl Incident {
    /// What stands in the place of `project` until it has keys again.
    pub fn custody_of(&self, project: &Project) -> Custody {
        let own = self.overrides.get(project);
        own.copied().unwrap_or(self.without_replacement)
    }

    /// Reads an incident strictly.
    ///
    /// # Errors
    /// Rules `INCIDENT-FORM` (with line and column), `INCIDENT-EMPTY`, `INCIDENT-TWICE`, `PROJECT-NAME`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let form = |text: String| Finding::error("INCIDENT-FORM", file, text);
        if bytes.len() > LONGEST {
            return Err(form(format!(
                "the file is {} bytes long; at most {LONGEST} are read",
                bytes.len()
            )));
        }
        let text = std::str::from_utf8(bytes).map_err(|fault| {
            form(format!(
                "bytes that are not UTF-8 at offset {}",
                fault.valid_up_to()
            ))
        })?;
        let written: Written =
            toml::from_str(text).map_err(|fault| form(toml_fault(text, &fault)))?;
        written.read(file)
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    id: String,
    title: String,
    last_trusted: String,
    channel: String,
    without_replacement: Place,
    #[serde(default)]
    also_owner_keys: bool,
    #[serde(default)]
    fast_forwarded: Vec<String>,
    #[serde(default)]
    compromised: Vec<Compromised>,
    #[serde(default, rename = "project")]
    projects: Vec<Override>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compromised {
    keyid: KeyId,
    evidence: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    name: String,
    without_replacement: Place,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Files,
    Tombstone,
}

impl Written {
    fn read(self, file: &str) -> Result<Incident, Finding> {
        let form = |text: String| Finding::error("INCIDENT-FORM", file, text);
        if self.schema != SCHEMA {
            let text = format!("schema is {:?}; this program reads {SCHEMA:?}", self.schema);
            return Err(form(text));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(plain) {
            return Err(form(format!(
                "the id {:?} must be 1 to 64 of a-z, 0-9 and -",
                self.id
            )));
        }
        for (name, text) in [("title", &self.title), ("channel", &self.channel)] {
            if text.trim().is_empty() {
                return Err(form(format!("{name} is empty: say it in a sentence")));
            }
        }
        let last_trusted = Expires::parse(&self.last_trusted).map_err(|_| {
            form(format!(
                "last_trusted is {:?}; expected a date of the form YYYY-MM-DDTHH:MM:SSZ",
                self.last_trusted
            ))
        })?;
        if self.compromised.is_empty() {
            let text =
                "no key is named as compromised: give [[compromised]] with keyid and evidence";
            return Err(Finding::error("INCIDENT-EMPTY", file, text));
        }
        let mut compromised = BTreeMap::new();
        for key in self.compromised {
            if key.evidence.trim().is_empty() {
                return Err(form(format!(
                    "nothing is said of how it is known that the key {} is compromised: give evidence",
                    key.keyid
                )));
            }
            let keyid = key.keyid.clone();
            if compromised.insert(key.keyid, key.evidence).is_some() {
                return Err(twice(file, &format!("the key {keyid}")));
            }
        }
        let mut overrides = BTreeMap::new();
        for project in self.projects {
            let name = name(file, &project.name)?;
            let shown = name.to_string();
            if overrides
                .insert(name, custody(project.without_replacement))
                .is_some()
            {
                return Err(twice(file, &format!("the project {shown}")));
            }
        }
        let mut fast_forwarded = BTreeSet::new();
        for project in &self.fast_forwarded {
            if !fast_forwarded.insert(name(file, project)?) {
                return Err(twice(file, &format!("fast_forwarded {project}")));
            }
        }
        Ok(Incident {
            id: self.id,
            title: self.title,
            last_trusted,
            compromised,
            channel: self.channel,
            without_replacement: custody(self.without_replacement),
            overrides,
            also_owner_keys: self.also_owner_keys,
            fast_forwarded,
        })
    }
}

fn name(file: &str, text: &str) -> Result<Project, Finding> {
    Project::parse(text).map_err(|fault| fault.finding(file))
}

fn twice(file: &str, what: &str) -> Finding {
    let text = format!("{what} is listed twice; two readers could take two meanings from it");
    Finding::error("INCIDENT-TWICE", file, text)
}

fn custody(place: Place) -> Custody {
    match place {
        Place::Files => Custody::Files,
        Place::Tombstone => Custody::Tombstone,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const GOOD: &str = r#"
schema = "tuf-ceremony/incident/1"
id = "2026-12-example"
title = "A maintainer's laptop was stolen"
last_trusted = "2026-11-30T12:00:00Z"
channel = "call back to the owner's number on the contract, two administrators on the line"
without_replacement = "files"
fast_forwarded = ["django"]

[[compromised]]
keyid = "1111111111111111111111111111111111111111111111111111111111111111"
evidence = "the owner's report of 2026-12-01, and a forged wheel of 2026-12-01T03:12Z"

[[project]]
name = "left-pad"
without_replacement = "tombstone"
"#;

    fn refused(from: &str, to: &str) -> (String, String) {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD);
        let finding = Incident::parse("incident.toml", text.as_bytes()).unwrap_err();
        (finding.rule, finding.text)
    }

    #[test]
    fn an_incident_says_what_stands_in_each_projects_place() {
        let incident = Incident::parse("incident.toml", GOOD.as_bytes()).unwrap();
        let project = |name| Project::parse(name).unwrap();
        assert_eq!(incident.custody_of(&project("django")), Custody::Files);
        assert_eq!(
            incident.custody_of(&project("left-pad")),
            Custody::Tombstone
        );
        assert!(incident.fast_forwarded.contains(&project("django")));
        assert_eq!(incident.compromised.len(), 1);
        assert!(!incident.also_owner_keys);
    }

    #[test]
    fn an_incident_of_another_form_is_refused() {
        for (from, to, text) in [
            (
                "/incident/1",
                "/incident/2",
                "schema is \"tuf-ceremony/incident/2\"; this program reads \"tuf-ceremony/incident/1\"",
            ),
            (
                "2026-12-example",
                "Example",
                "the id \"Example\" must be 1 to 64 of a-z, 0-9 and -",
            ),
            (
                "2026-11-30T12:00:00Z",
                "2026-11-30",
                "last_trusted is \"2026-11-30\"; expected a date of the form YYYY-MM-DDTHH:MM:SSZ",
            ),
            (
                "A maintainer's laptop was stolen",
                " ",
                "title is empty: say it in a sentence",
            ),
            (
                "the owner's report of 2026-12-01, and a forged wheel of 2026-12-01T03:12Z",
                "",
                "nothing is said of how it is known that the key 1111111111111111111111111111111111111111111111111111111111111111 is compromised: give evidence",
            ),
        ] {
            assert_eq!(
                refused(from, to),
                ("INCIDENT-FORM".to_owned(), text.to_owned())
            );
        }
    }

    #[test]
    fn an_incident_without_a_key_is_refused() {
        let start = GOOD.find("[[compromised]]").unwrap();
        let end = GOOD.find("[[project]]").unwrap();
        let (rule, text) = refused(&GOOD[start..end], "");
        assert_eq!(rule, "INCIDENT-EMPTY");
        assert_eq!(
            text,
            "no key is named as compromised: give [[compromised]] with keyid and evidence"
        );
    }

    #[test]
    fn what_is_listed_twice_is_refused() {
        let (rule, text) = refused("[\"django\"]", "[\"django\", \"django\"]");
        assert_eq!(rule, "INCIDENT-TWICE");
        assert_eq!(
            text,
            "fast_forwarded django is listed twice; two readers could take two meanings from it"
        );
    }
}
