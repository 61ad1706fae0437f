//! Requests as this program writes them: sorted members, ASCII, no white space, a line each, nothing that is empty. It makes what the generator of rehearsals and the tests
//! need, and is the reference for the online side.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::{Event, Evidence, Header, Proof, Request, SCHEMA};
use crate::pypi::field::moment_text;
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;
use crate::tuf::style;
use crate::tuf::value::Value;

/// A whole file about `anchor`, made at `made`. The requests are put in order; what is wrong with them stays wrong.
pub fn write<'a>(
    anchor: &Sha256,
    made: jiff::Timestamp,
    requests: impl IntoIterator<Item = &'a Request>,
) -> Vec<u8> {
    let mut requests: Vec<&Request> = requests.into_iter().collect();
    requests.sort_by(|a, b| a.project.cmp(&b.project));
    let header = Header {
        anchor: *anchor,
        made,
        requests: requests.len() as u64,
    };
    let mut bytes = header.to_line();
    for request in &requests {
        bytes.extend(request.to_line());
    }
    let end = end_line(&bytes, header.requests);
    bytes.extend(end);
    bytes
}

/// The end line behind `before`.
pub(super) fn end_line(before: &[u8], requests: u64) -> Vec<u8> {
    let end = object([
        ("requests", number(requests)),
        ("sha256", Value::string(Sha256::of(before).to_string())),
    ]);
    style::to_line(&object([("end", end)]))
}

impl Header {
    /// The first line, with its newline.
    pub fn to_line(&self) -> Vec<u8> {
        style::to_line(&object([
            ("schema", Value::string(SCHEMA)),
            ("anchor", Value::string(self.anchor.to_string())),
            ("made", moment(self.made)),
            ("requests", number(self.requests)),
        ]))
    }
}

impl Request {
    /// The line, with its newline.
    pub fn to_line(&self) -> Vec<u8> {
        let mut members = vec![
            ("request", Value::string(self.action.word())),
            ("project", Value::string(self.project.as_str())),
        ];
        let mut add = |name: &'static str, value: Option<Value>| {
            members.extend(value.map(|value| (name, value)));
        };
        add("keys", map(&self.keys, |key| key.value().clone()));
        let threshold = (self.threshold > 0).then(|| number(self.threshold.into()));
        add("threshold", threshold);
        add("owners", map(&self.owners, |label| Value::string(label)));
        add("first_seen", map(&self.first_seen, |at| moment(*at)));
        let replaces = self.replaces.map(|digest| digest.to_string());
        add("replaces", replaces.map(Value::string));
        add("possession", list(&self.possession, proof));
        add("authorised", list(&self.authorised, proof));
        add("events", list(&self.events, event));
        let channel = self.channel.as_ref().map(|channel| {
            object([
                ("kind", Value::string(channel.kind.word())),
                ("says", Value::string(&channel.says)),
            ])
        });
        add("channel", channel);
        add("new_name", self.new_name.then_some(Value::Bool(true)));
        let custody = self.custody.map(|custody| Value::string(custody.word()));
        add("custody", custody);
        style::to_line(&object(members))
    }
}

fn proof(proof: &Proof) -> Value {
    let evidence = match &proof.evidence {
        Evidence::Signature(bytes) => ("sig", Value::string(HEXLOWER.encode(bytes))),
        Evidence::Bundle(bundle) => ("bundle", bundle.clone()),
    };
    object([("keyid", Value::string(&proof.keyid.0)), evidence])
}

fn event(event: &Event) -> Value {
    object([
        ("event", Value::string(event.kind.word())),
        ("at", moment(event.at)),
    ])
}

fn moment(at: jiff::Timestamp) -> Value {
    Value::string(moment_text(at))
}

fn number(number: u64) -> Value {
    // Nothing is counted beyond 2^53, which is as far as the reader goes.
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn map<T>(members: &BTreeMap<KeyId, T>, value: impl Fn(&T) -> Value) -> Option<Value> {
    let members = members
        .iter()
        .map(|(keyid, member)| (keyid.0.clone(), value(member)));
    let members: Vec<_> = members.collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

fn list<T>(elements: &[T], value: impl Fn(&T) -> Value) -> Option<Value> {
    let elements: Vec<_> = elements.iter().map(value).collect();
    (!elements.is_empty()).then_some(Value::Array(elements))
}

pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
