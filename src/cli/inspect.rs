//! `inspect FILE`: what a file is and what is in it, verified against nothing but itself.

mod text;

use std::io::Write;

use serde::Serialize;

use super::args::InspectArgs;
use super::{Answer, Exit, print};
use crate::bundle::files;
use crate::bundle::manifest::{self, Manifest};
use crate::bundle::part::{self, AbandonedRecord, Acknowledgement, Part, Superseded};
use crate::ceremony::event::{Abandoned, FileDigest, Mode};
use crate::transcript;
use crate::tuf::compat::{self, Verdict};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Header, RoleKeys, RoleType, Root, Targets};
use crate::tuf::verification::{SignatureClass, threshold};

#[derive(Serialize)]
struct Inspection {
    schema: &'static str,
    file: String,
    /// SHA-256 of the file.
    sha256: Sha256,
    size: usize,
    #[serde(flatten)]
    content: Content,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Content {
    Metadata(Metadata),
    Part {
        mode: Mode,
        ceremony: Sha256,
        trusted_root: Option<Sha256>,
        supersedes: Vec<Superseded>,
        acknowledgements: Vec<Acknowledgement>,
        carries: Metadata,
    },
    Abandoned {
        ceremony: Sha256,
        abandoned: Vec<Abandoned>,
    },
    Manifest {
        mode: Mode,
        ceremony: Sha256,
        files: Vec<FileDigest>,
    },
    Transcript {
        lines: usize,
        head: Sha256,
        complete: bool,
        mode: Option<Mode>,
        title: Option<String>,
        ceremony: Option<Sha256>,
    },
}

#[derive(Serialize)]
struct Metadata {
    role_type: &'static str,
    version: u64,
    spec_version: String,
    expires: String,
    rehearsal: bool,
    /// SHA-256 of the bytes that are signed.
    payload: Sha256,
    keys: Vec<KeyLine>,
    roles: Vec<RoleLine>,
    signatures: Vec<SignatureLine>,
    compatibility: Vec<Verdict>,
}

#[derive(Serialize)]
struct KeyLine {
    keyid: KeyId,
    /// `P-256`, `Ed25519`.
    description: String,
    /// SHA-256 of the key as DER (`SubjectPublicKeyInfo`).
    fingerprint: Sha256,
    /// Whether the keyid is the digest of the key object.
    keyid_matches: bool,
    owner: Option<String>,
}

#[derive(Serialize)]
struct RoleLine {
    name: String,
    threshold: u32,
    keyids: Vec<KeyId>,
}

#[derive(Serialize)]
struct SignatureLine {
    keyid: KeyId,
    /// As judged by the file's own root role; none where another file names the keys.
    class: Option<SignatureClass>,
}

/// Says what the file is.
///
/// # Errors
/// What the writer says.
pub fn run(args: &InspectArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let name = args.file.display().to_string();
    let bytes = match files::read(&args.file, files::CAP) {
        Ok(bytes) => bytes,
        Err(error) => return print::unread(err, &error),
    };
    match inspect(&name, bytes) {
        Err(findings) => {
            print::findings(err, &findings)?;
            Ok(Exit::Refused)
        }
        Ok(inspection) => {
            if args.json {
                print::json(out, &inspection)?;
            } else {
                text::show(out, &inspection)?;
            }
            Ok(Exit::Done)
        }
    }
}

fn inspect(name: &str, bytes: Vec<u8>) -> Result<Inspection, Vec<Finding>> {
    let (sha256, size) = (Sha256::of(&bytes), bytes.len());
    let mut findings = Vec::new();
    let content = match part::schema_of(&bytes).as_deref() {
        Some(part::SCHEMA) => Part::parse(name, &bytes)
            .and_then(|part| of_part(name, part, &mut findings))
            .map_err(|finding| vec![finding])?,
        Some(part::ABANDONED_SCHEMA) => AbandonedRecord::parse(name, &bytes)
            .map(|record| Content::Abandoned {
                ceremony: record.ceremony,
                abandoned: record.abandoned,
            })
            .map_err(|finding| vec![finding])?,
        Some(manifest::SCHEMA) => {
            let manifest = Manifest::parse(name, &bytes)?;
            Content::Manifest {
                mode: manifest.mode,
                ceremony: manifest.ceremony,
                files: manifest.files,
            }
        }
        _ if is_transcript(&bytes) => of_transcript(name, &bytes)?,
        _ => Envelope::parse(name, bytes, Limits::LARGE)
            .and_then(|envelope| of_metadata(name, &envelope, &mut findings))
            .map(Content::Metadata)
            .map_err(|finding| vec![finding])?,
    };
    Ok(Inspection {
        schema: "tuf-ceremony/inspect/1",
        file: name.to_owned(),
        sha256,
        size,
        content,
        findings,
    })
}

fn of_part(name: &str, part: Part, findings: &mut Vec<Finding>) -> Result<Content, Finding> {
    Ok(Content::Part {
        mode: part.mode,
        ceremony: part.ceremony,
        trusted_root: part.trusted_root,
        carries: of_metadata(name, &part.envelope, findings)?,
        supersedes: part.supersedes,
        acknowledgements: part.acknowledgements,
    })
}

fn is_transcript(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{\"seq\":0,")
}

fn of_transcript(name: &str, bytes: &[u8]) -> Result<Content, Vec<Finding>> {
    let transcript = transcript::read(bytes)
        .map_err(|fault| vec![Finding::error(fault.rule, name, fault.to_string())])?;
    let opening = transcript.progress().opening();
    Ok(Content::Transcript {
        lines: transcript.lines.len(),
        head: transcript.head(),
        complete: transcript.is_complete(),
        mode: opening.map(|opening| opening.mode),
        title: opening.map(|opening| opening.title.clone()),
        ceremony: opening.map(|opening| opening.ceremony),
    })
}

fn of_metadata(
    name: &str,
    envelope: &Envelope,
    findings: &mut Vec<Finding>,
) -> Result<Metadata, Finding> {
    let header = Header::read(name, envelope)?;
    let mut keys = Vec::new();
    let mut roles = Vec::new();
    let mut classes = Vec::new();
    match header.role_type {
        RoleType::Root => {
            let root = Root::read(name, envelope)?;
            keys.extend(root.keys.iter().map(key_line));
            roles.extend(root.roles.iter().map(|(name, role)| role_line(name, role)));
            if let Some(role) = root.role("root") {
                classes = threshold(envelope, &root.keys, role, &[]).signatures;
            }
            findings.extend(root.remarks(name));
        }
        RoleType::Targets => {
            let targets = Targets::read(name, envelope)?;
            if let Some(delegations) = &targets.delegations {
                keys.extend(
                    delegations
                        .keys()
                        .map(|(keyid, key)| key_line((&keyid, &key))),
                );
                roles.extend(
                    delegations
                        .roles()
                        .map(|role| role_line(&role.name, &role.role)),
                );
                roles.extend(delegations.succinct.iter().map(|bins| {
                    let count = 1_u64.checked_shl(bins.bit_length).unwrap_or_default();
                    role_line(
                        &format!("{}-* ({count} bins)", bins.name_prefix),
                        &bins.role,
                    )
                }));
            }
        }
        RoleType::Timestamp | RoleType::Snapshot => {}
    }
    let signatures = envelope
        .signatures()
        .iter()
        .enumerate()
        .map(|(index, signature)| SignatureLine {
            keyid: signature.keyid.clone(),
            class: classes.get(index).map(|(_, class)| *class),
        });
    Ok(Metadata {
        role_type: part::type_name(header.role_type),
        version: header.version,
        spec_version: header.spec_version,
        expires: header.expires.text().to_owned(),
        rehearsal: part::is_rehearsal(envelope),
        payload: envelope.payload_digest(),
        keys,
        roles,
        signatures: signatures.collect(),
        compatibility: compat::verdicts(envelope),
    })
}

fn key_line((keyid, key): (&KeyId, &Key)) -> KeyLine {
    KeyLine {
        keyid: keyid.clone(),
        description: key.description(),
        fingerprint: key.public().fingerprint(),
        keyid_matches: key.keyid() == *keyid,
        owner: key.owner().map(str::to_owned),
    }
}

fn role_line(name: &str, role: &RoleKeys) -> RoleLine {
    RoleLine {
        name: name.to_owned(),
        threshold: role.threshold,
        keyids: role.keyids.clone(),
    }
}
