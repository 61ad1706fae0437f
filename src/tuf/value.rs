//! An owned JSON value for what we write ourselves. Member order is kept; [`super::style`] sorts on output.

use super::json::Json;

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
        let _ = json;
        todo!()
    }
    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }
    /// The member called `name`, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let _ = name;
        todo!()
    }
    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let _ = name;
        todo!()
    }
    /// Sets the member `name`, in place if it is there and at the end if not. Anything but an object is left alone.
    pub fn set(&mut self, name: &str, value: Value) {
        let _ = (name, value);
        todo!()
    }
    /// Removes the member `name` and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let _ = name;
        todo!()
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
        todo!()
    }
}
