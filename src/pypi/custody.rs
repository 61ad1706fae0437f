//! The file of the role `custody` (decision 0017): signed by the keys of `claimed`, it answers for projects without trusted keys of their own. It lists the
//! last-known-good files of those in interim custody and nothing for those that are tombstoned, so old versions install and forged ones do not.

use std::collections::{BTreeMap, BTreeSet};

use super::project::Project;
use crate::tuf::edit;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::metadata::Header;
use crate::tuf::value::Value;

/// A file as the last snapshot that is believed lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownGood {
    /// Its target path, `<project>/<filename>`.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// Hexadecimal, by algorithm.
    pub hashes: BTreeMap<String, String>,
}

/// Who is in custody, and what is known good.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Projects whose known good files are listed.
    pub files: &'a BTreeSet<Project>,
    /// Projects that answer nothing.
    pub tombstoned: &'a BTreeSet<Project>,
}

/// Version `version` of the file: the first (`old` is `None`), or the successor of `old`, whose unknown members it keeps. Unsigned, in the house style.
///
/// # Errors
/// `CUSTODY-FILE` for files that may not be listed, `EXPIRES-FORM`, and what the readers refuse.
pub fn build(
    file: &str,
    old: Option<&Envelope>,
    version: u64,
    expires: &str,
    held: Held<'_>,
    files: &[KnownGood],
) -> Result<Envelope, Finding> {
    let mut targets: BTreeMap<&str, Value> = BTreeMap::new();
    for good in files {
        let hashes = good.hashes.iter();
        let hashes = hashes.map(|(algorithm, digest)| (algorithm.clone(), Value::string(digest)));
        let length = i64::try_from(good.length).unwrap_or(i64::MAX);
        let target = Value::Object(vec![
            ("length".to_owned(), Value::Integer(length)),
            ("hashes".to_owned(), Value::Object(hashes.collect())),
        ]);
        if targets.insert(&good.path, target).is_some() {
            let text = format!("The file {} would be listed twice.", shown(&good.path));
            return Err(Finding::error("CUSTODY-FILE", file, text));
        }
    }
    let targets = (targets.into_iter())
        .map(|(path, target)| (path.to_owned(), target))
        .collect();
    let mut signed = match old {
        Some(old) => {
            Header::read(file, old)?;
            Value::from_json(old.signed())
        }
        None => Value::Object(vec![
            ("_type".to_owned(), Value::string("targets")),
            ("spec_version".to_owned(), Value::string("1.0.0")),
            ("version".to_owned(), Value::Integer(1)),
            ("expires".to_owned(), Value::string(expires)),
        ]),
    };
    signed.set("targets", Value::Object(targets));
    let new = Envelope::unsigned(file, &signed)?;
    let new = edit::with_header(file, &new, version, expires)?;
    match lint(file, &new, held).into_iter().next() {
        Some(finding) => Err(finding),
        None => Ok(new),
    }
}

/// That the file lists files of projects in interim custody and nothing else: `CUSTODY-FILE`.
pub fn lint(file: &str, envelope: &Envelope, held: Held<'_>) -> Vec<Finding> {
    let error = |text: String| Finding::error("CUSTODY-FILE", file, text);
    let signed = envelope.signed();
    let mut findings = Vec::new();
    if signed.get("_type").and_then(Json::as_str).as_deref() != Some("targets") {
        findings.push(error(
            "signed._type is not targets: a role's file lists targets.".to_owned(),
        ));
    }
    if signed.get("delegations").is_some() {
        findings.push(error(
            "The file delegates: what is in custody is answered here and nowhere else. Remove delegations.".to_owned(),
        ));
    }
    let targets = signed.get("targets").into_iter().flat_map(Json::members);
    for (path, target) in targets {
        findings.extend(why_not(&path, target, held).map(error));
    }
    findings
}

/// Why `path` may not be listed, in a sentence.
fn why_not(path: &str, target: Json<'_>, held: Held<'_>) -> Option<String> {
    let name = shown(path);
    let project = match path.split_once('/') {
        Some((project, file)) if !file.is_empty() && !file.contains('/') => Project::parse(project),
        _ => {
            return Some(format!(
                "The path {name} is not <project>/<filename>; no project's files are there."
            ));
        }
    };
    let is_in = |projects: &BTreeSet<Project>| {
        project
            .as_ref()
            .is_ok_and(|project| projects.contains(project))
    };
    if is_in(held.tombstoned) {
        return Some(format!(
            "The file {name} is of a project that is tombstoned, which answers nothing. Leave it out."
        ));
    }
    if !is_in(held.files) {
        return Some(format!(
            "The file {name} is of no project in custody. Leave it out, or put the project into custody."
        ));
    }
    let length = target.get("length").and_then(Json::as_i64);
    let sha256 = target.get("hashes").and_then(|hashes| hashes.get("sha256"));
    let sha256 = sha256.and_then(Json::as_str);
    let is_digest =
        sha256.is_some_and(|digest| digest.parse::<crate::tuf::digest::Sha256>().is_ok());
    if length.is_none_or(|length| length < 0) || !is_digest {
        return Some(format!(
            "The file {name} needs its length and its SHA-256, 64 lower-case hexadecimal digits."
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::tuf::json::Limits;

    const FILE: &str = "1.custody.json";
    const EXPIRES: &str = "2027-06-30T00:00:00Z";

    fn projects(names: &[&str]) -> BTreeSet<Project> {
        (names.iter())
            .map(|name| Project::parse(name).unwrap())
            .collect()
    }

    fn good(path: &str) -> KnownGood {
        KnownGood {
            path: path.to_owned(),
            length: 7,
            hashes: [("sha256".to_owned(), "ab".repeat(32))].into(),
        }
    }

    fn built(old: Option<&Envelope>, version: u64, files: &[KnownGood]) -> Result<String, Finding> {
        let (held, tombstoned) = (projects(&["a", "b-c"]), projects(&["dead"]));
        let held = Held {
            files: &held,
            tombstoned: &tombstoned,
        };
        let built = build(FILE, old, version, EXPIRES, held, files)?;
        assert_eq!(lint(FILE, &built, held), []);
        Ok(String::from_utf8(built.payload().into_owned()).unwrap())
    }

    #[test]
    fn the_known_good_files_of_projects_in_custody_are_listed() {
        let first = built(None, 1, &[good("b-c/x-1.tar.gz"), good("a/a-1.whl")]).unwrap();
        let hash = "ab".repeat(32);
        let target = format!(r#"{{"hashes":{{"sha256":"{hash}"}},"length":7}}"#);
        assert_eq!(
            first,
            format!(
                r#"{{"_type":"targets","expires":"{EXPIRES}","spec_version":"1.0.0","targets":{{"a/a-1.whl":{target},"b-c/x-1.tar.gz":{target}}},"version":1}}"#
            )
        );
        let text = format!(
            r#"{{"signatures":[],"signed":{}}}"#,
            first.replace(r#""version":1"#, r#""version":1,"x-note":1"#)
        );
        let old = Envelope::parse(FILE, text.into_bytes(), Limits::LARGE).unwrap();
        let next = built(Some(&old), 2, &[]).unwrap();
        assert_eq!(
            next,
            format!(
                r#"{{"_type":"targets","expires":"{EXPIRES}","spec_version":"1.0.0","targets":{{}},"version":2,"x-note":1}}"#
            )
        );
    }

    #[test]
    fn nothing_else_is_listed() {
        let mut short = good("a/a-1.whl");
        short.hashes = [("sha256".to_owned(), "ab".to_owned())].into();
        let table = [
            (
                good("dead/x.whl"),
                "The file dead/x.whl is of a project that is tombstoned, which answers nothing. Leave it out.",
            ),
            (
                good("other/x.whl"),
                "The file other/x.whl is of no project in custody. Leave it out, or put the project into custody.",
            ),
            (
                good("A/x.whl"),
                "The file A/x.whl is of no project in custody. Leave it out, or put the project into custody.",
            ),
            (
                good("a"),
                "The path a is not <project>/<filename>; no project's files are there.",
            ),
            (
                good("a/b/c"),
                "The path a/b/c is not <project>/<filename>; no project's files are there.",
            ),
            (
                good("a/"),
                "The path a/ is not <project>/<filename>; no project's files are there.",
            ),
            (
                short,
                "The file a/a-1.whl needs its length and its SHA-256, 64 lower-case hexadecimal digits.",
            ),
        ];
        for (file, text) in table {
            let refused = built(None, 1, &[file]).unwrap_err();
            assert_eq!(refused, Finding::error("CUSTODY-FILE", FILE, text));
        }
        let twice = built(None, 1, &[good("a/x"), good("a/x")]).unwrap_err();
        assert_eq!(twice.text, "The file a/x would be listed twice.");

        let text = format!(
            r#"{{"signatures":[],"signed":{{"_type":"snapshot","delegations":{{}},"expires":"{EXPIRES}","spec_version":"1.0.0","targets":{{}},"version":1}}}}"#
        );
        let other = Envelope::parse(FILE, text.into_bytes(), Limits::LARGE).unwrap();
        let none = BTreeSet::new();
        let held = Held {
            files: &none,
            tombstoned: &none,
        };
        let texts: Vec<String> = lint(FILE, &other, held)
            .into_iter()
            .map(|finding| finding.text)
            .collect();
        assert_eq!(
            texts,
            [
                "signed._type is not targets: a role's file lists targets.",
                "The file delegates: what is in custody is answered here and nowhere else. Remove delegations."
            ]
        );
    }
}
