//! The payloads of RSTUF, the service that Warehouse posts to (docs/rstuf.md): bootstrap, update, pending and sign, read strictly and written. What
//! RSTUF's API takes and what it drops is a table, `model`, read off its release 1.0.1.

use std::borrow::Cow;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::tuf::envelope::{Envelope, Signature};
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{self, Json, Limits};
use crate::tuf::key::KeyId;
use crate::tuf::metadata::{Header, RoleType, Root};
use crate::tuf::style;
use crate::tuf::value::Value;

mod lint;
mod model;
#[cfg(test)]
mod tests;

pub use lint::{lint, tree};

/// The rule of everything that is no payload, or one that RSTUF's API answers with an error.
const FORM: &str = "RSTUF-FORM";

/// What a payload says.
#[derive(Clone)]
pub enum Payload {
    /// `POST /bootstrap`: the first root, and how long RSTUF's own roles last.
    Bootstrap {
        /// `settings`, as found.
        settings: Value,
        /// `metadata.root`.
        root: Document,
    },
    /// `POST /metadata`: a new root.
    Update {
        /// `metadata.root`.
        root: Document,
    },
    /// The answer to `GET /metadata/sign`: what waits for signatures, and the trusted files beside it.
    Pending {
        /// By the name that RSTUF gives: a role, `trusted_root` or `trusted_targets`.
        documents: Vec<(String, Document)>,
    },
    /// `POST /metadata/sign`: one signature.
    Sign {
        /// The role that it is for.
        role: String,
        /// The signature; `sig` is hexadecimal.
        signature: Signature,
    },
}

/// Metadata out of a payload, laid out as this program (and RSTUF) writes files.
#[derive(Clone)]
pub struct Document {
    /// The file.
    pub envelope: Envelope,
    /// Type, version, expiry.
    pub header: Header,
}

/// Reads a payload strictly: what RSTUF's API would answer with an error is refused, what it would drop is left in its place (see [`lint()`]).
///
/// # Errors
/// `JSON-STRICT`, `RSTUF-FORM` (the text names the JSON path), and what the readers of metadata refuse.
pub fn read(file: &str, bytes: &[u8]) -> Result<Payload, Vec<Finding>> {
    let json = strict(file, bytes).map_err(|finding| vec![finding])?;
    walked(file, json).map(|(payload, _)| payload)
}

/// Whether these bytes have the members of a payload; [`read`] says whether they are one.
pub fn looks_like(bytes: &[u8]) -> bool {
    json::check(bytes, Limits::SMALL).is_ok_and(|json| kind(json).is_some())
}

/// A bootstrap: the first root under these settings. RSTUF gives up after `timeout` seconds.
pub fn bootstrap(settings: &Value, root: &Envelope, timeout: u32) -> Vec<u8> {
    to_vec(vec![
        ("metadata", object(vec![("root", whole(root))])),
        ("settings", settings.clone()),
        ("timeout", Value::Integer(timeout.into())),
    ])
}

/// An update: a new root.
pub fn update(root: &Envelope) -> Vec<u8> {
    to_vec(vec![("metadata", object(vec![("root", whole(root))]))])
}

/// A root that waits for signatures, as RSTUF's command line signs it from a file; `trusted` is the version before, none at genesis.
pub fn pending(root: &Envelope, trusted: Option<&Envelope>) -> Vec<u8> {
    let mut documents = vec![("root", whole(root))];
    documents.extend(trusted.map(|trusted| ("trusted_root", whole(trusted))));
    to_vec(vec![(
        "data",
        object(vec![("metadata", object(documents))]),
    )])
}

/// One signature for a role.
pub fn sign(role: &str, signature: &Signature) -> Vec<u8> {
    let entry = vec![
        ("keyid", Value::string(&signature.keyid.0)),
        ("sig", Value::string(&signature.sig)),
    ];
    to_vec(vec![
        ("role", Value::string(role)),
        ("signature", object(entry)),
    ])
}

/// The settings of a bootstrap, as a file of their own holds them: the object `{"roles": …}`.
///
/// # Errors
/// As [`read`].
pub fn settings(file: &str, bytes: &[u8]) -> Result<Value, Vec<Finding>> {
    let json = strict(file, bytes).map_err(|finding| vec![finding])?;
    let walk = model::walk(json, &model::SETTINGS, "settings");
    let refused = walk.refused.findings(file);
    if refused.is_empty() {
        Ok(Value::from_json(json))
    } else {
        Err(refused)
    }
}

/// A payload and what the walk over its model found.
fn walked(file: &str, json: Json<'_>) -> Result<(Payload, model::Walk), Vec<Finding>> {
    let Some(kind) = kind(json) else {
        let text = "it is none of RSTUF's payloads: a bootstrap has settings and metadata, an update metadata, what is pending data, a signature role and signature";
        return Err(vec![Finding::error(FORM, file, text)]);
    };
    let walk = model::walk(json, kind, "");
    let refused = walk.refused.findings(file);
    if !refused.is_empty() {
        return Err(refused);
    }
    let payload = payload(file, json).map_err(|finding| vec![finding])?;
    Ok((payload, walk))
}

fn strict<'a>(file: &str, bytes: &'a [u8]) -> Result<Json<'a>, Finding> {
    json::check(bytes, Limits::SMALL).map_err(|error| {
        Finding::error(
            "JSON-STRICT",
            file,
            format!("This is not strict JSON: {error}."),
        )
    })
}

/// The members say which payload it is.
fn kind(json: Json<'_>) -> Option<&'static model::Shape> {
    let kinds = [
        ("settings", &model::BOOTSTRAP),
        ("data", &model::PENDING),
        ("signature", &model::SIGN),
        ("metadata", &model::UPDATE),
    ];
    // Our own files have a schema, metadata has signed.
    let other = json.get("schema").is_some() || json.get("signed").is_some();
    let found = kinds.iter().find(|(member, _)| json.get(member).is_some());
    found.filter(|_| !other).map(|(_, model)| *model)
}

// The model has been walked: members are there and of their kind.
fn payload(file: &str, json: Json<'_>) -> Result<Payload, Finding> {
    if let Some(signature) = json.get("signature") {
        let (keyid, sig) = (KeyId(text(signature, "keyid")), text(signature, "sig"));
        if sig.is_empty() || HEXLOWER_PERMISSIVE.decode(sig.as_bytes()).is_err() {
            let text = "signature.sig must be hexadecimal, as RSTUF writes it";
            return Err(Finding::error(FORM, file, text));
        }
        return Ok(Payload::Sign {
            role: text(json, "role"),
            signature: Signature { keyid, sig },
        });
    }
    let outer = json.get("data").unwrap_or(json);
    let Some(metadata) = outer.get("metadata") else {
        let text = "data is null: RSTUF says that nothing waits for signatures";
        return Err(Finding::error(FORM, file, text));
    };
    if json.get("data").is_some() {
        let documents = metadata
            .members()
            .map(|(name, json)| {
                // Files are called by these names.
                if !is_plain(&name) {
                    let text = format!(
                        "data.metadata names a role {}; RSTUF takes letters, digits, - and _",
                        shown(&name)
                    );
                    return Err(Finding::error(FORM, file, text));
                }
                Ok((name.to_string(), document(file, &name, json)?))
            })
            .collect::<Result<_, Finding>>()?;
        return Ok(Payload::Pending { documents });
    }
    let root = metadata.get("root").ok_or_else(|| {
        let text = "metadata has no root: RSTUF begins with one and makes every other file itself";
        Finding::error(FORM, file, text)
    })?;
    // A bootstrap's metadata is taken raw but for this; an update's was walked.
    let signed = root.get("signed");
    if let Some(stray) = signed.and_then(model::stray) {
        let text = format!("metadata.root.signed.{} {}", shown(&stray), model::STRAY);
        return Err(Finding::error(FORM, file, text));
    }
    let root = document(file, "root", root)?;
    Ok(match json.get("settings") {
        Some(settings) => Payload::Bootstrap {
            settings: Value::from_json(settings),
            root,
        },
        None => Payload::Update { root },
    })
}

fn document(file: &str, name: &str, json: Json<'_>) -> Result<Document, Finding> {
    let file = format!("{file} ({})", shown(name));
    let bytes = style::to_vec(&Value::from_json(json));
    let envelope = Envelope::parse(&file, bytes, Limits::SMALL)?;
    let header = Header::read(&file, &envelope)?;
    let wanted = match name {
        "root" | "trusted_root" => RoleType::Root,
        _ => RoleType::Targets,
    };
    if header.role_type != wanted {
        let (found, wanted) = (header.role_type.name(), wanted.name());
        let text = format!("signed._type is {found}; RSTUF has {wanted} here");
        return Err(Finding::error(FORM, &file, text));
    }
    if wanted == RoleType::Root {
        Root::read(&file, &envelope)?;
    }
    Ok(Document { envelope, header })
}

fn text(object: Json<'_>, name: &str) -> String {
    let text = object.get(name).and_then(Json::as_str);
    text.map(Cow::into_owned).unwrap_or_default()
}

/// Whether RSTUF lets a role be called so.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    !name.is_empty() && name.bytes().all(plain)
}

/// The file as a value.
fn whole(envelope: &Envelope) -> Value {
    json::check(&envelope.bytes(), Limits::LARGE).map_or(Value::Null, Value::from_json)
}

fn object(members: Vec<(&str, Value)>) -> Value {
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn to_vec(members: Vec<(&str, Value)>) -> Vec<u8> {
    style::to_vec(&object(members))
}
