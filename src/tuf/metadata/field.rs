//! A value of the signed part together with where it stands, so that every refusal names file and JSON path.

use std::borrow::Cow;

use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{Json, Kind};

/// A value, its path from `signed`, and the rule that is broken if its form is wrong.
#[derive(Clone)]
pub(super) struct Field<'a> {
    file: &'a str,
    path: String,
    rule: &'static str,
    json: Json<'a>,
}

impl<'a> Field<'a> {
    /// The whole signed part, under the rule `SIGNED-FORM`.
    pub(super) fn signed(file: &'a str, envelope: &'a Envelope) -> Self {
        Self {
            file,
            path: "signed".to_owned(),
            rule: "SIGNED-FORM",
            json: envelope.signed(),
        }
    }
    /// The same value (and what is read from it) under another rule.
    pub(super) fn rule(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }
    /// The finding that this value is wrong: its path, then `what`.
    pub(super) fn refuse(&self, what: impl AsRef<str>) -> Finding {
        Finding::error(
            self.rule,
            self.file,
            format!("{} {}", self.path, what.as_ref()),
        )
    }
    /// The same, with the rule given.
    pub(super) fn refuse_by(&self, rule: &'static str, what: impl AsRef<str>) -> Finding {
        self.clone().rule(rule).refuse(what)
    }
    pub(super) fn json(&self) -> Json<'a> {
        self.json
    }
    /// The member called `name`, which must be there.
    pub(super) fn member(&self, name: &str) -> Result<Self, Finding> {
        self.expect(Kind::Object, "an object")?;
        self.optional(name)
            .ok_or_else(|| self.refuse(format!("has no member {name}")))
    }
    /// The member called `name`.
    pub(super) fn optional(&self, name: &str) -> Option<Self> {
        Some(self.at(&format!(".{name}"), self.json.get(name)?))
    }
    /// All members of an object.
    pub(super) fn members(&self) -> Result<impl Iterator<Item = (Cow<'a, str>, Self)>, Finding> {
        self.expect(Kind::Object, "an object")?;
        Ok(self.json.members().map(|(name, json)| {
            let field = self.at(&format!(".{}", shown(&name)), json);
            (name, field)
        }))
    }
    /// All elements of an array.
    pub(super) fn elements(&self) -> Result<impl Iterator<Item = Self>, Finding> {
        self.expect(Kind::Array, "an array")?;
        let elements = self.json.elements().enumerate();
        Ok(elements.map(|(index, json)| self.at(&format!("[{index}]"), json)))
    }
    pub(super) fn string(&self) -> Result<Cow<'a, str>, Finding> {
        let text = self.json.as_str();
        text.ok_or_else(|| self.refuse("must be a string"))
    }
    /// An array of strings.
    pub(super) fn strings(&self) -> Result<Vec<String>, Finding> {
        self.elements()?
            .map(|element| element.string().map(Cow::into_owned))
            .collect()
    }
    pub(super) fn integer(&self) -> Result<i64, Finding> {
        let number = self.json.as_i64();
        number.ok_or_else(|| self.refuse("must be an integer"))
    }
    pub(super) fn boolean(&self) -> Result<bool, Finding> {
        let value = self.json.as_bool();
        value.ok_or_else(|| self.refuse("must be true or false"))
    }

    fn expect(&self, kind: Kind, what: &str) -> Result<(), Finding> {
        if self.json.kind() == kind {
            Ok(())
        } else {
            Err(self.refuse(format!("must be {what}")))
        }
    }
    fn at(&self, step: &str, json: Json<'a>) -> Self {
        let mut path = self.path.clone();
        path.push_str(step);
        Self {
            path,
            json,
            ..*self
        }
    }
}
