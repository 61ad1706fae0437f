//! Signatures that were collected by RSTUF, brought into the part file that they are for; `merge` judges them like any others.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::part::Part;
use crate::pypi::rstuf::Payload;
use crate::tuf::finding::{Finding, shown};

/// What `payload` brings for the document of `part`, as a part file of the same ceremony.
///
/// # Errors
/// `RSTUF-FOREIGN`: it is about something else.
pub fn as_part(file: &str, payload: &Payload, part: &Part) -> Result<Part, Finding> {
    let role = part.document.role.as_str();
    let foreign = |what: String| {
        let text = format!("it brings {what}; the part files carry {}", part.document);
        Finding::error("RSTUF-FOREIGN", file, text)
    };
    let document = match payload {
        Payload::Sign {
            role: signed,
            signature,
        } => {
            if signed != role {
                return Err(foreign(format!("a signature for {}", shown(signed))));
            }
            let sig = HEXLOWER_PERMISSIVE.decode(signature.sig.as_bytes());
            let blank = part.envelope.without_signatures();
            let sig = sig.unwrap_or_default();
            return Ok(Part {
                envelope: blank.with_signature(&signature.keyid, &sig, &|_| true),
                ..bare(part)
            });
        }
        Payload::Bootstrap { root, .. } | Payload::Update { root } => {
            (role == "root").then_some(root)
        }
        Payload::Pending { documents } => {
            let mut of_role = documents.iter().filter(|(name, _)| name == role);
            of_role.next().map(|(_, document)| document)
        }
    };
    let document = document.ok_or_else(|| foreign(format!("no {}", shown(role))))?;
    if document.header.version != part.document.version {
        let found = document.header.version;
        return Err(foreign(format!("{} v{found}", shown(role))));
    }
    Ok(Part {
        envelope: document.envelope.clone(),
        ..bare(part)
    })
}

/// Without what holders of the ceremony said: nobody says it again by another way.
fn bare(part: &Part) -> Part {
    Part {
        supersedes: Vec::new(),
        acknowledgements: Vec::new(),
        ..part.clone()
    }
}
