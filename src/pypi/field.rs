//! One line of a file of JSON lines, read strictly: every value knows where in its line it stands, so that a refusal can say it.

use std::borrow::Cow;

use super::fault::Fault;
use crate::tuf::digest::Sha256;
use crate::tuf::expires::Expires;
use crate::tuf::finding::shown;
use crate::tuf::json::{self, Json, Kind, Limits};

/// A value, its path in the line (empty for the line itself), and the rule that is broken if its form is wrong.
#[derive(Clone)]
pub(super) struct Field<'a> {
    rule: &'static str,
    path: String,
    json: Json<'a>,
}

impl<'a> Field<'a> {
    /// Reads one line, given without its newline.
    pub(super) fn line(rule: &'static str, line: &'a [u8]) -> Result<Self, Fault> {
        let json = json::check(line, Limits::SMALL).map_err(|error| {
            Fault::new(rule, format!("column {}: {}", error.column, error.fault))
        })?;
        let path = String::new();
        Ok(Self { rule, path, json })
    }
    /// That this value breaks the rule of its form.
    pub(super) fn refuse(&self, what: impl AsRef<str>) -> Fault {
        self.refuse_by(self.rule, what)
    }
    /// That this value breaks another rule.
    pub(super) fn refuse_by(&self, rule: &'static str, what: impl AsRef<str>) -> Fault {
        let path = match self.path.as_str() {
            "" => "the line",
            path => path,
        };
        Fault::new(rule, format!("{path} {}", what.as_ref()))
    }
    pub(super) fn json(&self) -> Json<'a> {
        self.json
    }
    /// Refuses anything but an object of these members.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        for (name, _) in self.members()? {
            if !known.contains(&name.as_ref()) {
                return Err(self.refuse(format!(
                    "has the member {}, which this program does not know",
                    shown(&name)
                )));
            }
        }
        Ok(())
    }
    /// The member called `name`, which must be there.
    pub(super) fn member(&self, name: &str) -> Result<Self, Fault> {
        self.expect(Kind::Object, "an object")?;
        self.optional(name)
            .ok_or_else(|| self.refuse(format!("has no member {name}")))
    }
    /// The member called `name`.
    pub(super) fn optional(&self, name: &str) -> Option<Self> {
        Some(self.inside(name, self.json.get(name)?))
    }
    /// All members of an object.
    pub(super) fn members(&self) -> Result<impl Iterator<Item = (Cow<'a, str>, Self)>, Fault> {
        self.expect(Kind::Object, "an object")?;
        Ok(self.json.members().map(|(name, json)| {
            let field = self.inside(&shown(&name), json);
            (name, field)
        }))
    }
    /// All elements of an array.
    pub(super) fn elements(&self) -> Result<impl Iterator<Item = Self>, Fault> {
        self.expect(Kind::Array, "an array")?;
        let elements = self.json.elements().enumerate();
        Ok(elements.map(|(index, json)| Self {
            path: format!("{}[{index}]", self.path),
            json,
            ..*self
        }))
    }
    pub(super) fn string(&self) -> Result<Cow<'a, str>, Fault> {
        let text = self.json.as_str();
        text.ok_or_else(|| self.refuse("must be a string"))
    }
    /// A whole number, not negative.
    pub(super) fn number(&self) -> Result<u64, Fault> {
        let number = self.json.as_i64().and_then(|number| number.try_into().ok());
        number.ok_or_else(|| self.refuse("must be a whole number, 0 or more"))
    }
    /// `true`; to say false a member is left out.
    pub(super) fn set(&self) -> Result<bool, Fault> {
        match self.json.as_bool() {
            Some(true) => Ok(true),
            _ => Err(self.refuse("must be true, or left out")),
        }
    }
    pub(super) fn digest(&self) -> Result<Sha256, Fault> {
        let digest = self.string()?.parse();
        digest.map_err(|_| self.refuse("must be 64 lower-case hexadecimal digits"))
    }
    /// A moment in the one form that we write; another text breaks `rule`.
    pub(super) fn moment(&self, rule: &'static str) -> Result<jiff::Timestamp, Fault> {
        let text = self.string()?;
        match Expires::parse(&text) {
            Ok(moment) if moment.is_strict() => Ok(moment.at()),
            _ => Err(self.refuse_by(
                rule,
                format!("is {}; write it as YYYY-MM-DDTHH:MM:SSZ", shown(&text)),
            )),
        }
    }

    fn expect(&self, kind: Kind, what: &str) -> Result<(), Fault> {
        if self.json.kind() == kind {
            Ok(())
        } else {
            Err(self.refuse(format!("must be {what}")))
        }
    }
    fn inside(&self, name: &str, json: Json<'a>) -> Self {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Self {
            path,
            json,
            ..*self
        }
    }
}

/// A moment as we write it, whole seconds.
pub(super) fn moment_text(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
