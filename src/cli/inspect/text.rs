//! The inspection for people.

use std::io::{self, Write};

use super::{Content, Inspection, Metadata};
use crate::ceremony::event::Mode;
use crate::cli::print;
use crate::plain::escape;
use crate::tuf::digest::Sha256;
use crate::tuf::verification::SignatureClass;

pub(super) fn show(out: &mut dyn Write, inspection: &Inspection) -> io::Result<()> {
    let file = escape(&inspection.file);
    writeln!(
        out,
        "{file}: {} bytes, SHA-256 {}",
        inspection.size, inspection.sha256
    )?;
    match &inspection.content {
        Content::Metadata(metadata) => show_metadata(out, metadata)?,
        Content::Part {
            mode,
            ceremony,
            trusted_root,
            supersedes,
            acknowledgements,
            carries,
        } => {
            writeln!(
                out,
                "A part file (travelling document) of {}.",
                mode_name(*mode)
            )?;
            writeln!(
                out,
                "Ceremony {ceremony}, trusted root {}.",
                root_name(*trusted_root)
            )?;
            for given_up in supersedes {
                let signers = escape(&given_up.signed_by.join(", "));
                writeln!(out, "Supersedes {}, signed by: {signers}.", given_up.sha256)?;
            }
            for word in acknowledgements {
                let how = if word.register { "register" } else { "typed" };
                writeln!(
                    out,
                    "Signs no other payload of this version: {} ({how}).",
                    escape(&word.holder)
                )?;
            }
            show_metadata(out, carries)?;
        }
        Content::Abandoned {
            ceremony,
            abandoned,
        } => {
            writeln!(out, "What the ceremony {ceremony} gave up for good:")?;
            for given_up in abandoned {
                let (document, signers) =
                    (given_up.document.to_string(), given_up.signed_by.join(", "));
                writeln!(
                    out,
                    "  {}, payload {}, signed by: {}",
                    escape(&document),
                    given_up.payload,
                    escape(&signers)
                )?;
            }
        }
        Content::Manifest {
            mode,
            ceremony,
            files,
        } => {
            writeln!(
                out,
                "The manifest of a bundle of {}, ceremony {ceremony}.",
                mode_name(*mode)
            )?;
            for file in files {
                writeln!(
                    out,
                    "  {}  {:>10}  {}",
                    file.sha256,
                    file.size,
                    escape(&file.path)
                )?;
            }
        }
        Content::Transcript {
            lines,
            head,
            complete,
            mode,
            title,
            ceremony,
        } => {
            let end = if *complete { "complete" } else { "INCOMPLETE" };
            writeln!(out, "A transcript, {lines} lines, sound and {end}.")?;
            if let (Some(mode), Some(title), Some(ceremony)) = (mode, title, ceremony) {
                writeln!(
                    out,
                    "{}, {}, ceremony {ceremony}.",
                    escape(title),
                    mode_name(*mode)
                )?;
            }
            writeln!(out, "SHA-256 of its last line:")?;
            print::digest(out, *head)?;
        }
    }
    print::findings(out, &inspection.findings)
}

fn show_metadata(out: &mut dyn Write, metadata: &Metadata) -> io::Result<()> {
    let expires = escape(&metadata.expires);
    writeln!(
        out,
        "Metadata: {} v{}, expires {expires}, specification {}.",
        metadata.role_type,
        metadata.version,
        escape(&metadata.spec_version)
    )?;
    if metadata.rehearsal {
        writeln!(out, "REHEARSAL: nothing here is real.")?;
    }
    for key in &metadata.keys {
        let owner = key
            .owner
            .as_deref()
            .map(|owner| format!(", {}", escape(owner)));
        let check = if key.keyid_matches {
            "keyid is the key's digest"
        } else {
            "KEYID IS NOT THE KEY'S DIGEST"
        };
        let keyid = escape(&key.keyid.0);
        writeln!(
            out,
            "Key {keyid}: {}{}; {check}",
            escape(&key.description),
            owner.unwrap_or_default()
        )?;
        writeln!(out, "  fingerprint {}", key.fingerprint)?;
    }
    for role in &metadata.roles {
        let (name, needed) = (escape(&role.name), role.threshold);
        writeln!(
            out,
            "Role {name}: {needed} of {} keys must sign",
            role.keyids.len()
        )?;
        for keyid in &role.keyids {
            writeln!(out, "  {}", escape(&keyid.0))?;
        }
    }
    for signature in &metadata.signatures {
        let class = signature.class.map_or("not judged here", class_name);
        writeln!(out, "Signature by {}: {class}", escape(&signature.keyid.0))?;
    }
    writeln!(out, "Which clients will read it:")?;
    for verdict in &metadata.compatibility {
        print::compatibility(out, verdict)?;
    }
    writeln!(out, "SHA-256 of the bytes that are signed:")?;
    print::digest(out, metadata.payload)
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Rehearsal => "a REHEARSAL",
        Mode::Production => "production",
    }
}

fn root_name(root: Option<Sha256>) -> String {
    root.map_or_else(|| "none (genesis)".to_owned(), |root| root.to_string())
}

fn class_name(class: SignatureClass) -> &'static str {
    match class {
        SignatureClass::Valid => "valid by this file's own root role",
        SignatureClass::DuplicateKey => "valid, and the same physical key has counted already",
        SignatureClass::Stale => "over an earlier payload",
        SignatureClass::Invalid => "WRONG",
        SignatureClass::UnknownKey => "by a key that is not in this file's own root role",
        SignatureClass::Empty => "a placeholder",
    }
}
