//! A value of the signed part together with where it stands, so that every refusal names file and JSON path. The path is put into words for a
//! refusal only: a million values are read without it.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{Json, Kind};

/// A value, how it is reached from `signed`, and the rule that is broken if its form is wrong.
#[derive(Clone)]
pub(super) struct Field<'a> {
    file: &'a str,
    whole: Option<&'a Field<'a>>,
    step: Step<'a>,
    rule: &'static str,
    json: Json<'a>,
}

/// The last step of a path.
#[derive(Clone)]
enum Step<'a> {
    Signed,
    Named(&'static str),
    Member(Cow<'a, str>),
    Element(usize),
}

impl<'a> Field<'a> {
    /// The whole signed part, under the rule `SIGNED-FORM`.
    pub(super) fn signed(file: &'a str, envelope: &'a Envelope) -> Self {
        Self {
            file,
            whole: None,
            step: Step::Signed,
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
        self.refuse_by(self.rule, what)
    }
    /// The same, with the rule given.
    pub(super) fn refuse_by(&self, rule: &'static str, what: impl AsRef<str>) -> Finding {
        let text = format!("{} {}", self.path(), what.as_ref());
        Finding::error(rule, self.file, text)
    }
    fn path(&self) -> String {
        let mut path = self.whole.map(Self::path).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = match &self.step {
            Step::Signed => write!(path, "signed"),
            Step::Named(name) => write!(path, ".{name}"),
            Step::Member(name) => write!(path, ".{}", shown(name)),
            Step::Element(index) => write!(path, "[{index}]"),
        };
        path
    }
    pub(super) fn json(&self) -> Json<'a> {
        self.json
    }
    /// Refuses another kind of value; `what` names the right one.
    pub(super) fn expect(&self, kind: Kind, what: &str) -> Result<(), Finding> {
        if self.json.kind() == kind {
            Ok(())
        } else {
            Err(self.refuse(format!("must be {what}")))
        }
    }
    /// The member called `name`, which must be there.
    pub(super) fn member(&self, name: &'static str) -> Result<Field<'_>, Finding> {
        self.expect(Kind::Object, "an object")?;
        self.optional(name).ok_or_else(|| self.lacks(name))
    }
    /// The member called `name`.
    pub(super) fn optional(&self, name: &'static str) -> Option<Field<'_>> {
        Some(self.at(Step::Named(name), self.json.get(name)?))
    }
    /// The members of these names, in one pass.
    pub(super) fn these<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<[Option<Field<'_>>; N], Finding> {
        self.expect(Kind::Object, "an object")?;
        let mut found = names.map(|_| None);
        for (name, json) in self.json.members() {
            if let Some(index) = names.iter().position(|wanted| *wanted == name) {
                found[index] = Some(self.at(Step::Named(names[index]), json));
            }
        }
        Ok(found)
    }
    /// The finding that there is no member `name`.
    pub(super) fn lacks(&self, name: &str) -> Finding {
        self.refuse(format!("has no member {name}"))
    }
    /// All members of an object.
    pub(super) fn members(
        &self,
    ) -> Result<impl Iterator<Item = (Cow<'_, str>, Field<'_>)>, Finding> {
        self.expect(Kind::Object, "an object")?;
        Ok(self.json.members().map(|(name, json)| {
            let field = self.at(Step::Member(name.clone()), json);
            (name, field)
        }))
    }
    /// All elements of an array, as they are.
    pub(super) fn list(&self) -> Result<impl Iterator<Item = Json<'a>> + use<'a>, Finding> {
        self.expect(Kind::Array, "an array")?;
        Ok(self.json.elements())
    }
    /// All elements of an array.
    pub(super) fn elements(&self) -> Result<impl Iterator<Item = Field<'_>>, Finding> {
        self.expect(Kind::Array, "an array")?;
        let elements = self.json.elements().enumerate();
        Ok(elements.map(|(index, json)| self.at(Step::Element(index), json)))
    }
    pub(super) fn string(&self) -> Result<Cow<'a, str>, Finding> {
        let text = self.json.as_str();
        text.ok_or_else(|| self.refuse("must be a string"))
    }
    pub(super) fn integer(&self) -> Result<i64, Finding> {
        let number = self.json.as_i64();
        number.ok_or_else(|| self.refuse("must be an integer"))
    }
    pub(super) fn boolean(&self) -> Result<bool, Finding> {
        let value = self.json.as_bool();
        value.ok_or_else(|| self.refuse("must be true or false"))
    }
    /// The value `json` that lies in this one, as the member called `name`.
    pub(super) fn entry<'f>(&'f self, name: Cow<'f, str>, json: Json<'f>) -> Field<'f> {
        self.at(Step::Member(name), json)
    }
    /// The value `json` that lies in this one, as element number `index`.
    pub(super) fn element(&self, index: usize, json: Json<'a>) -> Field<'_> {
        self.at(Step::Element(index), json)
    }

    fn at<'f>(&'f self, step: Step<'f>, json: Json<'f>) -> Field<'f> {
        Field {
            file: self.file,
            whole: Some(self),
            step,
            rule: self.rule,
            json,
        }
    }
}
