//! What was signed offline, for good: `ledger.jsonl`, one line a role and version, never changed and only longer. It goes from bundle to bundle, so
//! whoever kept any bundle can say whether a later one tells the same story. Beside it [`targets`] and [`merkle`]: all files of a snapshot under one digest.
//!
//! A line holds the *payload* (SHA-256 of the canonical form of `signed`), not the file's digest: a signature more does not make another document.
//! A second payload of one version stands in a line of its own that names the one it gives up (docs/decisions, `supersedes`).

use std::collections::BTreeMap;

use super::fault::Fault;
use super::field::Field;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::style;
use crate::tuf::value::Value;

pub mod merkle;
pub mod targets;
#[cfg(test)]
mod tests;

/// The file's name in a bundle and beside what is carried in.
pub const NAME: &str = "ledger.jsonl";

/// The `schema` that the first line says.
pub const SCHEMA: &str = "tuf-ceremony/ledger/1";

const FORM: &str = "LEDGER-FORM";

/// One document that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Of which role.
    pub role: String,
    /// Which version.
    pub version: u64,
    /// SHA-256 of the canonical form of `signed`.
    pub payload: Sha256,
    /// In which ceremony.
    pub ceremony: Sha256,
    /// The payload of the same version that was given up for this one.
    pub supersedes: Option<Sha256>,
}

/// Every document, in the order of ceremonies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// The newest line of each role and version.
    newest: BTreeMap<(String, u64), usize>,
    /// The newest version of each role.
    versions: BTreeMap<String, u64>,
}

impl Ledger {
    /// Reads a ledger strictly.
    ///
    /// # Errors
    /// `LEDGER-FORM`, `LEDGER-ORDER`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        Self::read(bytes).map_err(|fault| fault.finding(file))
    }

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            let text = "the ledger does not end with a newline: it was cut off";
            return Err(Fault::new(FORM, text));
        };
        let mut ledger = Self::default();
        for (index, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            let read = Field::line(FORM, line).and_then(|field| match index {
                0 => header(&field),
                _ => ledger.push(entry(&field)?),
            });
            read.map_err(|fault| fault.at(&format!("line {}", index + 1)))?;
        }
        Ok(ledger)
    }

    /// The lines.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The newest line about a version of a role.
    pub fn find(&self, role: &str, version: u64) -> Option<&Entry> {
        let index = self.newest.get(&(role.to_owned(), version))?;
        self.entries.get(*index)
    }

    /// The newest version of a role.
    pub fn version(&self, role: &str) -> Option<u64> {
        self.versions.get(role).copied()
    }

    /// The ledger with these lines more.
    ///
    /// # Errors
    /// `LEDGER-ORDER`: the version was signed before and is not given up, or a later one was.
    pub fn extended(
        &self,
        file: &str,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Self, Finding> {
        let mut longer = self.clone();
        for entry in entries {
            longer.push(entry).map_err(|fault| fault.finding(file))?;
        }
        Ok(longer)
    }

    fn push(&mut self, entry: Entry) -> Result<(), Fault> {
        let refuse = |text: String| Err(Fault::new("LEDGER-ORDER", text));
        let name = format!("{} v{}", entry.role, entry.version);
        if let Some(last) = self.versions.get(&entry.role)
            && *last > entry.version
        {
            return refuse(format!("{name} stands behind {} v{last}", entry.role));
        }
        let present = self.find(&entry.role, entry.version);
        match (present.map(|present| present.payload), entry.supersedes) {
            (None, None) => {}
            (Some(present), Some(given_up)) if present == given_up => {}
            (Some(present), _) => {
                return refuse(format!(
                    "{name} was signed before with the payload {present}; a second payload must name it as given up"
                ));
            }
            (None, Some(_)) => {
                return refuse(format!(
                    "{name} gives up a payload, but none was signed before"
                ));
            }
        }
        self.versions.insert(entry.role.clone(), entry.version);
        let key = (entry.role.clone(), entry.version);
        self.newest.insert(key, self.entries.len());
        self.entries.push(entry);
        Ok(())
    }

    /// `LEDGER-DIFFERS`: `file` is this version of this role with this payload, and the ledger has another. A version that it does not know is right:
    /// the ledger may have begun later.
    pub fn check(&self, file: &str, role: &str, version: u64, payload: &Sha256) -> Option<Finding> {
        let entry = self.find(role, version)?;
        if entry.payload == *payload {
            return None;
        }
        let text = format!(
            "{role} v{version} has the payload {payload}; the ledger has {} from the ceremony {}: two documents of one version. Find out which one clients were given before anything is signed.",
            entry.payload, entry.ceremony
        );
        Some(Finding::error("LEDGER-DIFFERS", file, text))
    }

    /// `LEDGER-PREFIX`: of two ledgers of one repository the shorter is the beginning of the longer.
    pub fn check_prefix(&self, file: &str, other: &Self, other_file: &str) -> Option<Finding> {
        let differs = |(one, two): &(&Entry, &Entry)| one != two;
        let index = self
            .entries
            .iter()
            .zip(&other.entries)
            .position(|pair| differs(&pair))?;
        let (one, two) = (&self.entries[index], &other.entries[index]);
        let text = format!(
            "line {} says {} v{} with the payload {}, and that of {other_file} says {} v{} with the payload {}: lines of one of them were changed or left out",
            // The header is line 1.
            index + 2,
            one.role,
            one.version,
            one.payload,
            two.role,
            two.version,
            two.payload
        );
        Some(Finding::error("LEDGER-PREFIX", file, text))
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let schema = ("schema".to_owned(), Value::string(SCHEMA));
        let mut bytes = style::to_line(&Value::Object(vec![schema]));
        for entry in &self.entries {
            bytes.extend(entry.to_line());
        }
        bytes
    }
}

impl Entry {
    fn to_line(&self) -> Vec<u8> {
        let digest = |digest: &Sha256| Value::string(digest.to_string());
        let mut line = Value::Object(Vec::new());
        line.set("role", Value::string(&self.role));
        // The reader goes to 2^53, as for versions everywhere.
        let version = i64::try_from(self.version).unwrap_or(i64::MAX);
        line.set("version", Value::Integer(version));
        line.set("payload", digest(&self.payload));
        line.set("ceremony", digest(&self.ceremony));
        if let Some(given_up) = &self.supersedes {
            line.set("supersedes", digest(given_up));
        }
        style::to_line(&line)
    }
}

fn header(field: &Field<'_>) -> Result<(), Fault> {
    field.only(&["schema"])?;
    let schema = field.member("schema")?;
    let found = schema.string()?;
    if found == SCHEMA {
        return Ok(());
    }
    Err(schema.refuse(format!("is {}; this program reads {SCHEMA}", shown(&found))))
}

fn entry(field: &Field<'_>) -> Result<Entry, Fault> {
    field.only(&["role", "version", "payload", "ceremony", "supersedes"])?;
    let role = field.member("role")?;
    let name = role.string()?.into_owned();
    let is_plain = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_plain {
        return Err(role.refuse("must be the name of an offline role"));
    }
    let version = field.member("version")?;
    let number = version.number()?;
    if number == 0 {
        return Err(version.refuse("must be 1 or more"));
    }
    let supersedes = field.optional("supersedes");
    Ok(Entry {
        role: name,
        version: number,
        payload: field.member("payload")?.digest()?,
        ceremony: field.member("ceremony")?.digest()?,
        supersedes: supersedes.map(|digest| digest.digest()).transpose()?,
    })
}
