//! From paths to [`super::Input`]: a metadata file, a folder of metadata, or a bundle (a folder with a manifest).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Bundle, Input, Report};
use crate::bundle::files::{self, FileError};
use crate::bundle::manifest;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Header, RoleType};

/// Reads what `paths` name. What cannot be read is a finding (`FILE-READ`), never a failure: a verdict is always given.
///
/// # Errors
/// The verdict itself, where there is nothing to start from: the trusted root cannot be read.
pub fn paths(
    trusted_root: &Path,
    paths: &[PathBuf],
    at: jiff::Timestamp,
    rehearsal: bool,
) -> Result<Input, Report> {
    let name = trusted_root.display().to_string();
    let bytes = files::read(trusted_root, files::SMALL_CAP)
        .map_err(|error| Report::new(Vec::new(), vec![unreadable(trusted_root, &error)], 0))?;
    let mut input = Input {
        trusted_root: (name, bytes),
        metadata: Vec::new(),
        named: BTreeSet::new(),
        bundles: Vec::new(),
        at,
        rehearsal,
        findings: Vec::new(),
    };
    for path in paths {
        if let Err(error) = add(&mut input, path) {
            input.findings.push(unreadable(path, &error));
        }
    }
    Ok(input)
}

/// Reads one bundle.
///
/// # Errors
/// [`FileError`].
pub fn bundle(folder: &Path, finished: bool) -> Result<Bundle, FileError> {
    // Without the slash that shells complete folders with.
    let name: PathBuf = folder.components().collect();
    Ok(Bundle {
        name: name.display().to_string(),
        files: files::read_folder(folder)?,
        finished,
    })
}

/// Version and role in a file name, as TUF repositories have them: `7.root.json`, `targets.json`.
pub(super) fn role_of_name(path: &str) -> Option<(Option<u64>, &str)> {
    let name = path.rsplit('/').next()?.strip_suffix(".json")?;
    let (version, role) = match name.split_once('.') {
        Some((version, role)) => (Some(version.parse().ok()?), role),
        None => (None, name),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!role.is_empty() && role.chars().all(plain)).then_some((version, role))
}

fn unreadable(path: &Path, error: &FileError) -> Finding {
    let (name, text) = (path.display().to_string(), error.to_string());
    // The finding names the file already.
    let text = text.strip_prefix(&format!("{name}: ")).unwrap_or(&text);
    Finding::error("FILE-READ", &name, text)
}

fn add(input: &mut Input, path: &Path) -> Result<(), FileError> {
    if !path.is_dir() {
        let bytes = files::read(path, files::CAP)?;
        let name = path.display().to_string();
        input.named.insert(name.clone());
        input.metadata.push((name, bytes));
        return Ok(());
    }
    if fs::symlink_metadata(path.join(manifest::NAME)).is_ok() {
        input.bundles.push(bundle(path, true)?);
        return Ok(());
    }
    let mut passed_over = Vec::new();
    add_folder(input, path, &mut passed_over)?;
    let history = path.join("root_history");
    if history.is_dir() {
        add_folder(input, &history, &mut passed_over)?;
    }
    if let Some(first) = passed_over.first() {
        let text = format!(
            "{} files here are not judged (online roles and what is no metadata of root, targets or a delegated role), such as {first}",
            passed_over.len()
        );
        let name = path.display().to_string();
        input
            .findings
            .push(Finding::note("FILE-IGNORED", &name, text));
    }
    Ok(())
}

fn add_folder(
    input: &mut Input,
    folder: &Path,
    passed_over: &mut Vec<String>,
) -> Result<(), FileError> {
    let system = |source| FileError::System {
        path: folder.to_owned(),
        attempted: "read",
        source,
    };
    let entries = fs::read_dir(folder).map_err(system)?;
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(system)?;
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let shown = path.display().to_string();
        match role_of_name(&name) {
            None | Some((_, "timestamp" | "snapshot")) => {
                if name != "root_history" {
                    passed_over.push(name);
                }
            }
            Some((_, "root" | "targets")) => {
                input
                    .metadata
                    .push((shown, files::read(&path, files::CAP)?));
            }
            // Any JSON file may lie here; only what is a targets role by its own word is taken.
            Some(_) => match files::read(&path, files::CAP) {
                Ok(bytes) if is_targets(&shown, &bytes) => input.metadata.push((shown, bytes)),
                _ => passed_over.push(name),
            },
        }
    }
    Ok(())
}

fn is_targets(name: &str, bytes: &[u8]) -> bool {
    Envelope::parse(name, bytes.to_vec(), Limits::LARGE)
        .and_then(|envelope| Header::read(name, &envelope))
        .is_ok_and(|header| header.role_type == RoleType::Targets)
}
