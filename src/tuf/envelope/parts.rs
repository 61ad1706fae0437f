//! Where the parts of an envelope lie.

use std::ops::Range;

use super::Signature;
use crate::tuf::json::{Json, Kind};
use crate::tuf::key::KeyId;

pub(super) type Parts<'a> = (Json<'a>, Range<usize>, Vec<Signature>);

/// Finds the parts of an envelope, or says in a sentence what it lacks.
pub(super) fn read(document: Json<'_>) -> Result<Parts<'_>, String> {
    if document.kind() != Kind::Object {
        return Err("A metadata file is a JSON object with signed and signatures.".to_owned());
    }
    let signed = member(document, "The file", "signed", Kind::Object, "an object")?;
    let list = member(document, "The file", "signatures", Kind::Array, "a list")?;
    let signatures = list.elements().enumerate().map(|(index, entry)| {
        let whose = format!("signatures[{index}]");
        if entry.kind() != Kind::Object {
            return Err(format!("{whose} is not an object."));
        }
        let text = |name| {
            let value = member(entry, &whose, name, Kind::String, "a string")?;
            Ok::<_, String>(value.as_str().unwrap_or_default().into_owned())
        };
        Ok(Signature {
            keyid: KeyId(text("keyid")?),
            sig: text("sig")?,
        })
    });
    let signatures = signatures.collect::<Result<_, _>>()?;
    Ok((signed, list.span(), signatures))
}

fn member<'a>(
    object: Json<'a>,
    whose: &str,
    name: &str,
    kind: Kind,
    wanted: &str,
) -> Result<Json<'a>, String> {
    match object.get(name) {
        Some(value) if value.kind() == kind => Ok(value),
        Some(_) => Err(format!("{whose} has a member {name} that is not {wanted}.")),
        None => Err(format!("{whose} has no member {name}.")),
    }
}
