//! What lies in the folders of a session, read before anything is decided.

use std::collections::BTreeMap;
use std::path::Path;

use crate::attestation::split;
use crate::bundle::files;
use crate::bundle::part::{AbandonedRecord, Part};
use crate::ceremony::event::Abandoned;
use crate::ceremony::intake::archives::{Carried, is_day};
use crate::ceremony::intake::{InputFile, requests};
use crate::ceremony::script::Script;
use crate::room::failure::Failure;
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

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

/// Everything but the archives. Two names that differ only in case are one file on the next medium: which of them it would be, nobody could say.
pub(super) fn read_input(folder: &Path) -> Result<Vec<files::File>, Failure> {
    let caps = files::Caps::default();
    let inputs =
        files::read_within(folder, caps, Some("archives")).map_err(|fault| unread(&fault))?;
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

/// The archives that the script names, each a folder in `archives/`; one that is not there is told by the intake. Others are not opened.
pub(super) fn archives(folder: &Path, script: &Script) -> Result<Vec<Carried>, Failure> {
    let mut archives = Vec::new();
    for wanted in &script.archives {
        // A name that is no day is refused by the intake; here it must not become a path.
        if !is_day(&wanted.name) {
            continue;
        }
        archives.extend(archive(
            &folder.join("archives").join(&wanted.name),
            &wanted.name,
        )?);
    }
    Ok(archives)
}

/// One archive; none where there is no such folder.
pub(super) fn archive(folder: &Path, name: &str) -> Result<Option<Carried>, Failure> {
    let files = match files::read_within(folder, files::ARCHIVE, None) {
        Ok(files) => files,
        Err(fault) if fault.is_absent() => return Ok(None),
        Err(fault) => return Err(unread(&fault)),
    };
    Ok(Some(Carried {
        name: name.to_owned(),
        files: files
            .into_iter()
            .map(|file| (file.path, file.bytes))
            .collect(),
    }))
}

pub(super) fn trusted_files(inputs: Vec<files::File>) -> Vec<InputFile> {
    let is_taken = |path: &str| {
        path == "holders.toml" || path.starts_with("trusted/") || requests::is_asked(path)
    };
    inputs
        .into_iter()
        .filter(|file| is_taken(&file.path))
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

/// Certificates in `attestations/KEYID/`, one or several a file, in any order.
pub(super) fn attestations(
    inputs: &[files::File],
) -> Result<BTreeMap<KeyId, Vec<Vec<u8>>>, Finding> {
    let mut attestations: BTreeMap<KeyId, Vec<Vec<u8>>> = BTreeMap::new();
    for file in inputs {
        let Some(rest) = file.path.strip_prefix("attestations/") else {
            continue;
        };
        let Some((keyid, _)) = rest.split_once('/') else {
            let text = "it lies beside the folders that are named by keyid; nobody can say which key it is for";
            return Err(Finding::error("ATTEST-FORM", &file.path, text));
        };
        let more = split(&file.path, &file.bytes).map_err(|fault| fault.finding(&file.path))?;
        attestations
            .entry(KeyId(keyid.to_owned()))
            .or_default()
            .extend(more);
    }
    Ok(attestations)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn file(path: &str, bytes: &[u8]) -> files::File {
        files::File {
            path: path.to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn attestations_are_read_by_keyid_and_nothing_else_is_taken_for_one() {
        let pem = include_bytes!("../../attestation/ca/yubico-piv-root-263751.pem");
        let der = split("", pem).unwrap().remove(0);
        let inputs = [
            file("attestations/ab/device.der", &der),
            file("attestations/ab/key.pem", pem),
            file("attestations/cd/key.pem", pem),
            file("trusted/1.root.json", b"{}"),
        ];
        let read = attestations(&inputs).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[&KeyId("ab".to_owned())], [der.clone(), der]);
        for (path, text) in [
            ("attestations/key.pem", "it lies beside the folders"),
            ("attestations/ab/note.txt", "is neither DER nor PEM"),
        ] {
            let refused = attestations(&[file(path, b"a note")]).unwrap_err();
            assert_eq!(
                (refused.rule.as_str(), refused.file.as_str()),
                ("ATTEST-FORM", path)
            );
            assert!(refused.text.contains(text), "{}", refused.text);
        }
    }
}
