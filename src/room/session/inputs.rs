//! What lies in the folders of a session, read before anything is decided.

use std::collections::BTreeMap;
use std::path::Path;

use crate::bundle::files;
use crate::bundle::part::{AbandonedRecord, Part};
use crate::ceremony::event::Abandoned;
use crate::ceremony::intake::InputFile;
use crate::room::failure::Failure;
use crate::tuf::finding::Finding;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, files::SMALL_CAP).map_err(|fault| unread(&fault))
}

fn unread(fault: &files::FileError) -> Failure {
    match fault.refusal() {
        Some(refusal) => Failure::refused(&[refusal]),
        None if fault.is_absent() => Failure::usage(fault.to_string()),
        None => Failure::disk(fault.to_string()),
    }
}

/// Two names that differ only in case are one file on the next medium: which of them it would be, nobody could say.
pub(super) fn read_input(folder: &Path) -> Result<Vec<files::File>, Failure> {
    let inputs = files::read_folder(folder).map_err(|fault| unread(&fault))?;
    let mut names = BTreeMap::new();
    for file in &inputs {
        if let Some(twin) = names.insert(file.path.to_lowercase(), &file.path) {
            let text = format!(
                "{twin:?} and {:?} differ only in case; some media cannot hold both",
                file.path
            );
            return Err(Failure::refused(&[Finding::error(
                "INTAKE-TWINS",
                &folder.display().to_string(),
                text,
            )]));
        }
    }
    Ok(inputs)
}

pub(super) fn trusted_files(inputs: Vec<files::File>) -> Vec<InputFile> {
    inputs
        .into_iter()
        .filter(|file| file.path == "holders.toml" || file.path.starts_with("trusted/"))
        .map(|file| InputFile {
            path: file.path,
            bytes: file.bytes,
        })
        .collect()
}

pub(super) fn abandoned(inputs: &[files::File]) -> Result<Vec<Abandoned>, Finding> {
    let mut abandoned = Vec::new();
    for file in inputs
        .iter()
        .filter(|file| file.path.starts_with("abandoned/"))
    {
        abandoned.extend(AbandonedRecord::parse(&file.path, &file.bytes)?.abandoned);
    }
    Ok(abandoned)
}

pub(super) fn parts(inputs: &[files::File]) -> Result<Vec<Part>, Finding> {
    inputs
        .iter()
        .filter(|file| file.path.starts_with("parts/") && file.path.ends_with(".part.json"))
        .map(|file| Part::parse(&file.path, &file.bytes))
        .collect()
}

/// An output folder is new, empty, or holds a transcript to go on with.
pub(super) fn check_output(output: &Path) -> Result<(), Failure> {
    let found = match files::read_folder(output) {
        Ok(found) => found,
        Err(fault) if fault.is_absent() => return Ok(()),
        Err(fault) => return Err(Failure::disk(fault.to_string())),
    };
    if found.is_empty()
        || found
            .iter()
            .any(|file| file.path == crate::transcript::NAME)
    {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} is not empty and holds no ceremony; give a new folder",
        output.display()
    )))
}
