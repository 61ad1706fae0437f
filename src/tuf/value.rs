//! An owned JSON value for what we write ourselves. Member order is kept; [`super::style`] sorts on output.

use super::canonical;
use super::json::{Json, Kind};

/// A JSON value that metadata may hold (no floats).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of JSON")]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The owned copy of a checked value.
    pub fn from_json(json: Json<'_>) -> Self {
        match json.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(json.as_bool().unwrap_or_default()),
            Kind::Integer => Self::Integer(json.as_i64().unwrap_or_default()),
            Kind::String => Self::String(json.as_str().unwrap_or_default().into_owned()),
            Kind::Array => Self::Array(json.elements().map(Self::from_json).collect()),
            Kind::Object => Self::Object(
                json.members()
                    .map(|(key, value)| (key.into_owned(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }
    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }
    /// The member called `name`, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Self::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let Self::Object(members) = self else {
            return None;
        };
        members
            .iter_mut()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
    /// Sets the member `name`, in place if it is there and at the end if not. Anything but an object is left alone.
    pub fn set(&mut self, name: &str, value: Value) {
        if let Some(present) = self.get_mut(name) {
            *present = value;
        } else if let Self::Object(members) = self {
            members.push((name.to_owned(), value));
        }
    }
    /// Removes the member `name` and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let Self::Object(members) = self else {
            return None;
        };
        let index = members.iter().position(|(key, _)| key == name)?;
        Some(members.remove(index).1)
    }
    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }
    /// The canonical form (see [`super::canonical`]).
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_canonical(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    }
    fn write_canonical(&self, out: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Null => out(b"null"),
            Self::Bool(value) => out(value.to_string().as_bytes()),
            Self::Integer(value) => out(value.to_string().as_bytes()),
            Self::String(text) => canonical::write_string(text, out),
            Self::Array(elements) => {
                out(b"[");
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out(b",");
                    }
                    element.write_canonical(out);
                }
                out(b"]");
            }
            Self::Object(members) => {
                out(b"{");
                for (index, (key, value)) in sorted(members).into_iter().enumerate() {
                    if index > 0 {
                        out(b",");
                    }
                    canonical::write_string(key, out);
                    out(b":");
                    value.write_canonical(out);
                }
                out(b"}");
            }
        }
    }
}

/// The members by key, in code point order (which is the order of their UTF-8 bytes).
pub(super) fn sorted(members: &[(String, Value)]) -> Vec<&(String, Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_set_in_place_and_removed() {
        let mut value = Value::Object(vec![
            ("b".into(), Value::Null),
            ("a".into(), Value::Bool(true)),
        ]);
        value.set("b", Value::Integer(7));
        value.set("c", Value::string("x"));
        assert_eq!(value.canonical(), br#"{"a":true,"b":7,"c":"x"}"#);
        assert_eq!(value.remove("b"), Some(Value::Integer(7)));
        assert_eq!(value.remove("b"), None);
        assert_eq!(value.get("c").and_then(Value::as_str), Some("x"));
        let mut text = Value::string("not an object");
        text.set("a", Value::Null);
        assert_eq!(text, Value::string("not an object"));
        assert_eq!(text.get("a"), None);
    }
}
