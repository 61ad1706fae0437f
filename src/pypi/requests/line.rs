//! One line of a requests file, judged by itself.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::{
    Action, Channel, ChannelKind, Custody, Event, EventKind, Evidence, FORM, Header, Proof,
    Request, keys, shape,
};
use crate::pypi::fault::Fault;
use crate::pypi::field::Field;
use crate::pypi::owners::check_label;
use crate::pypi::project::Project;
use crate::tuf::finding::shown;
use crate::tuf::json::Kind;
use crate::tuf::key::KeyId;
use crate::tuf::value::Value;

/// All that a line may have.
const MEMBERS: [&str; 13] = [
    "request",
    "project",
    "keys",
    "threshold",
    "owners",
    "first_seen",
    "replaces",
    "possession",
    "authorised",
    "events",
    "channel",
    "new_name",
    "custody",
];

/// The longest text of a channel, in characters.
const LONGEST_TEXT: usize = 1000;

/// Reads the line whose number is `number`.
pub(super) fn request(field: &Field<'_>, header: &Header, number: usize) -> Result<Request, Fault> {
    field.only(&MEMBERS)?;
    let action = word(
        &field.member("request")?,
        "REQUEST-ACTION",
        Action::ALL,
        Action::word,
    )?;
    let project = Project::parse(&field.member("project")?.string()?)?;
    let mut request = Request::new(action, project);
    request.line = number;
    if let Some(threshold) = field.optional("threshold") {
        request.threshold = keys::threshold(&threshold)?;
    }
    if let Some(keys) = field.optional("keys") {
        request.keys = keys::read(&keys)?;
    }
    if let Some(owners) = field.optional("owners") {
        request.owners = map(&owners, |owner| {
            let label = owner.string()?.into_owned();
            check_label(&label).map_err(|text| owner.refuse_by("REQUEST-OWNER", text))?;
            Ok(label)
        })?;
    }
    let past = |field: &Field<'_>| past(field, header);
    if let Some(seen) = field.optional("first_seen") {
        request.first_seen = map(&seen, past)?;
    }
    if let Some(digest) = field.optional("replaces") {
        request.replaces = Some(digest.digest()?);
    }
    request.possession = list(field, "possession", proof)?;
    request.authorised = list(field, "authorised", proof)?;
    request.events = list(field, "events", |event| {
        event.only(&["event", "at"])?;
        Ok(Event {
            kind: word(
                &event.member("event")?,
                FORM,
                EventKind::ALL,
                EventKind::word,
            )?,
            at: past(&event.member("at")?)?,
        })
    })?;
    if let Some(told) = field.optional("channel") {
        request.channel = Some(channel(&told)?);
    }
    if let Some(new_name) = field.optional("new_name") {
        request.new_name = new_name.set()?;
    }
    if let Some(custody) = field.optional("custody") {
        request.custody = Some(word(&custody, FORM, Custody::ALL, Custody::word)?);
    }
    shape::check(&request)?;
    Ok(request)
}

/// One of the words of a kind.
fn word<T: Copy>(
    field: &Field<'_>,
    rule: &'static str,
    all: &[T],
    text: fn(T) -> &'static str,
) -> Result<T, Fault> {
    let found = field.string()?;
    let known = all.iter().find(|variant| text(**variant) == found);
    known.copied().ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|variant| text(*variant)).collect();
        let found = shown(&found);
        field.refuse_by(rule, format!("is {found}; known are {}", words.join(", ")))
    })
}

/// A moment that had come when the file was made.
fn past(field: &Field<'_>, header: &Header) -> Result<jiff::Timestamp, Fault> {
    let at = field.moment("REQUEST-DATE")?;
    if at > header.made {
        return Err(field.refuse_by("REQUEST-DATE", "lies behind the moment the file was made"));
    }
    Ok(at)
}

fn map<T>(
    field: &Field<'_>,
    read: impl Fn(&Field<'_>) -> Result<T, Fault>,
) -> Result<BTreeMap<KeyId, T>, Fault> {
    field
        .members()?
        .map(|(keyid, value)| Ok((KeyId(keyid.into_owned()), read(&value)?)))
        .collect()
}

/// An array; one that is absent is empty.
fn list<T>(
    field: &Field<'_>,
    name: &str,
    read: impl Fn(&Field<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let Some(array) = field.optional(name) else {
        return Ok(Vec::new());
    };
    array.elements()?.map(|element| read(&element)).collect()
}

fn proof(field: &Field<'_>) -> Result<Proof, Fault> {
    field.only(&["keyid", "sig", "bundle"])?;
    let keyid = KeyId(field.member("keyid")?.string()?.into_owned());
    let evidence = match (field.optional("sig"), field.optional("bundle")) {
        (Some(sig), None) => Evidence::Signature(signature(&sig)?),
        (None, Some(bundle)) if bundle.json().kind() == Kind::Object => {
            Evidence::Bundle(Value::from_json(bundle.json()))
        }
        (None, Some(bundle)) => return Err(bundle.refuse("must be an object")),
        _ => return Err(field.refuse("must have one of sig and bundle")),
    };
    Ok(Proof { keyid, evidence })
}

fn signature(field: &Field<'_>) -> Result<Vec<u8>, Fault> {
    let text = field.string()?;
    let bytes = HEXLOWER.decode(text.as_bytes()).unwrap_or_default();
    if bytes.is_empty() {
        let what = "must be a signature in lower-case hexadecimal digits";
        return Err(field.refuse_by("REQUEST-PROOF", what));
    }
    Ok(bytes)
}

fn channel(field: &Field<'_>) -> Result<Channel, Fault> {
    field.only(&["kind", "says"])?;
    let kind = word(
        &field.member("kind")?,
        FORM,
        ChannelKind::ALL,
        ChannelKind::word,
    )?;
    let says = field.member("says")?;
    let text = says.string()?.into_owned();
    if text.chars().count() > LONGEST_TEXT {
        return Err(says.refuse(format!("must have at most {LONGEST_TEXT} characters")));
    }
    Ok(Channel { kind, says: text })
}
