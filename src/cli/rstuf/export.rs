//! `rstuf export`: a root as RSTUF takes it, and every file as any web server publishes it.

use std::io::Write;
use std::path::Path;

use super::{Files as Written, exit, unwritten, write};
use crate::bundle::files::{self, FileError};
use crate::bundle::folder::Folder;
use crate::bundle::part::Part;
use crate::cli::args::ExportArgs;
use crate::cli::{Answer, Exit, print};
use crate::pypi::rstuf;
use crate::tuf::chain;
use crate::tuf::envelope::{Envelope, Signature};
use crate::tuf::finding::{Finding, Level};
use crate::tuf::metadata::Root;
use crate::tuf::repository::Files as _;
use crate::tuf::value::Value;
use crate::tuf::verification::{SignatureClass, threshold};

/// Reads, judges, writes.
///
/// # Errors
/// What the writer says.
pub(super) fn run(args: &ExportArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let given = match read(args) {
        Ok(given) => given,
        Err(error) => return print::unread(err, &error),
    };
    let (payloads, findings) = match roots(&given).and_then(|roots| payloads(args, &given, &roots))
    {
        Ok(made) => made,
        Err(findings) => {
            print::findings(err, &findings)?;
            writeln!(err, "Refused. Nothing was written.")?;
            return Ok(Exit::Refused);
        }
    };
    print::findings(out, &findings)?;
    // A repository's roles may be large: one file at a time is in memory.
    for name in &given.published {
        let bytes = match given.folder.take(name) {
            Ok(bytes) => bytes,
            Err(finding) => {
                print::findings(err, &[finding])?;
                return Ok(Exit::Refused);
            }
        };
        let path = format!("metadata/{name}");
        if let Err(error) = write(&args.output, &path, &bytes, out)? {
            return unwritten(err, &error);
        }
    }
    for (path, bytes) in &payloads {
        if let Err(error) = write(&args.output, path, bytes, out)? {
            return unwritten(err, &error);
        }
    }
    Ok(exit(&findings))
}

/// What the arguments name.
struct Given {
    folder: Folder,
    /// Names of the files that are published, by version and role; timestamp has no version.
    published: Vec<String>,
    part: Option<(String, Vec<u8>)>,
    settings: Option<(String, Vec<u8>)>,
}

fn read(args: &ExportArgs) -> Result<Given, FileError> {
    let folder = match Folder::open(&args.folder.join("metadata")) {
        Err(error) if error.is_absent() => Folder::open(&args.folder)?,
        opened => opened?,
    };
    let published = |name: &String| versioned(name).is_some() || name == "timestamp.json";
    let read = |path: &Path| {
        files::read(path, files::SMALL_CAP).map(|bytes| (path.display().to_string(), bytes))
    };
    Ok(Given {
        published: folder.names().into_iter().filter(published).collect(),
        part: args.part.as_deref().map(read).transpose()?,
        settings: args.settings.as_deref().map(read).transpose()?,
        folder,
    })
}

/// Version and role of `N.role.json`.
fn versioned(name: &str) -> Option<(u64, &str)> {
    let (version, role) = name.strip_suffix(".json")?.split_once('.')?;
    let digits = version.bytes().all(|byte| byte.is_ascii_digit());
    Some((version.parse().ok().filter(|_| digits)?, role))
}

/// The root that is exported and the one before it.
struct Roots {
    new: (Envelope, Root),
    old: Option<(Envelope, Root)>,
}

fn roots(given: &Given) -> Result<Roots, Vec<Finding>> {
    let mut chained = chain_of(given)?;
    let Some((name, bytes)) = &given.part else {
        let Some(new) = chained.pop() else {
            let text = "there is no root here: name a bundle, a folder of metadata with N.root.json, or a --part";
            return Err(vec![Finding::error("RSTUF-NO-ROOT", "", text)]);
        };
        let old = chained.pop();
        return Ok(Roots { new, old });
    };
    let part = Part::parse(name, bytes).map_err(|finding| vec![finding])?;
    let root = Root::read(name, &part.envelope).map_err(|finding| vec![finding])?;
    let old = chained.pop();
    let next = old.as_ref().map_or(1, |(_, old)| old.header.version + 1);
    let version = root.header.version;
    if version != next {
        let text = format!("root v{version} cannot follow; version {next} comes next");
        return Err(vec![Finding::error("ROOT-VERSION", name, text)]);
    }
    let new = (part.envelope, root);
    Ok(Roots { new, old })
}

/// The roots in the folder, the newest last; the first is believed.
fn chain_of(given: &Given) -> Result<Vec<(Envelope, Root)>, Vec<Finding>> {
    let named = given.published.iter().filter_map(|name| {
        let (version, role) = versioned(name)?;
        (role == "root").then_some((version, name))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    let files = named.into_iter().map(|(_, name)| {
        let bytes = given.folder.take(name)?;
        Ok((name.clone(), bytes))
    });
    let mut files = files
        .collect::<Result<Vec<_>, Finding>>()
        .map_err(|finding| vec![finding])?
        .into_iter();
    let Some(first) = files.next() else {
        return Ok(Vec::new());
    };
    let chain = chain::follow(first, files.collect());
    if !chain.holds() {
        let errors = chain
            .findings
            .into_iter()
            .filter(|finding| finding.level == Level::Error);
        return Err(errors.collect());
    }
    Ok(chain
        .roots
        .into_iter()
        .map(|chained| (chained.envelope, chained.root))
        .collect())
}

/// What is written beside the plain files, and what is to be said.
fn payloads(
    args: &ExportArgs,
    given: &Given,
    roots: &Roots,
) -> Result<(Written, Vec<Finding>), Vec<Finding>> {
    let (envelope, root) = &roots.new;
    let version = root.header.version;
    let mut made: Written = Vec::new();
    if version > 1 {
        made.push(("rstuf/update.json".to_owned(), rstuf::update(envelope)));
    } else if let Some((name, bytes)) = &given.settings {
        let settings: Value = rstuf::settings(name, bytes)?;
        let bytes = rstuf::bootstrap(&settings, envelope, args.timeout);
        made.push(("rstuf/bootstrap.json".to_owned(), bytes));
    }
    let (right, reached) = signatures(roots);
    if !reached {
        let old = roots.old.as_ref().map(|(envelope, _)| envelope);
        made.push((
            "rstuf/pending.json".to_owned(),
            rstuf::pending(envelope, old),
        ));
    }
    for (index, signature) in right.iter().enumerate() {
        let path = format!("rstuf/sign/{version}.root-{}.json", index + 1);
        made.push((path, rstuf::sign("root", signature)));
    }
    let roles = given
        .published
        .iter()
        .filter_map(|name| Some(versioned(name)?.1));
    let mut findings: Vec<_> = rstuf::tree(roles).into_iter().collect();
    if version == 1 && given.settings.is_none() {
        let text = "no bootstrap is written without --settings: how long RSTUF's own roles last is for its operators to say";
        findings.push(Finding::note("RSTUF-SETTINGS", "", text));
    }
    made.retain(|(path, bytes)| {
        let found = rstuf::lint(path, bytes).unwrap_or_else(|refused| refused);
        let good = exit(&found) == Exit::Done;
        for finding in found {
            let told = |other: &Finding| other.rule == finding.rule && other.text == finding.text;
            if !findings.iter().any(told) {
                findings.push(finding);
            }
        }
        good
    });
    Ok((made, findings))
}

/// The signatures that are right by the keys of one of the two roots, and whether both thresholds are reached.
fn signatures(roots: &Roots) -> (Vec<&Signature>, bool) {
    let envelope = &roots.new.0;
    let of_roots = [Some(&roots.new.1), roots.old.as_ref().map(|(_, root)| root)];
    let reports: Vec<_> = of_roots
        .into_iter()
        .flatten()
        .filter_map(|root| Some(threshold(envelope, &root.keys, root.role("root")?, &[])))
        .collect();
    let good = |class| matches!(class, SignatureClass::Valid | SignatureClass::DuplicateKey);
    let right = envelope
        .signatures()
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            let mut classes = reports
                .iter()
                .filter_map(|report| report.signatures.get(*index));
            classes.any(|(_, class)| good(*class))
        });
    let right = right.map(|(_, signature)| signature).collect();
    (
        right,
        reports
            .iter()
            .all(crate::tuf::verification::ThresholdReport::reached),
    )
}
