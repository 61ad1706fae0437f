//! Typed views of the signed part: what the ceremony needs to know, read from the exact bytes; everything else stays in the envelope.

use std::collections::BTreeMap;

use super::envelope::Envelope;
use super::expires::Expires;
use super::finding::{Finding, shown};
use super::key::{Key, KeyId};
pub use delegations::Delegations;
use delegations::Judge;
pub(super) use delegations::pairs;
use field::Field;
pub use files::{Content, MetaFile, Snapshot, TargetFile, Timestamp, target_files};

mod delegations;
mod field;
mod files;
mod remarks;
mod roles;
#[cfg(test)]
mod tests;

/// The four roles every root names (TUF 1.0.34, 4.3).
pub const TOP_LEVEL_ROLES: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

/// `_type` of the top-level roles we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub enum RoleType {
    Root,
    Timestamp,
    Snapshot,
    Targets,
}

/// What every signed part begins with.
#[derive(Clone, Debug)]
pub struct Header {
    /// `_type`.
    pub role_type: RoleType,
    /// `spec_version` as found (`1.x`, `1.x.y`).
    pub spec_version: String,
    /// 1 or more, below 2^53.
    pub version: u64,
    /// `expires`.
    pub expires: Expires,
}

/// Who may sign a role: keyids and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// Distinct, in the order found.
    pub keyids: Vec<KeyId>,
    /// 1 or more.
    pub threshold: u32,
}

/// `root`: the top-level keys and roles.
#[derive(Clone, Debug)]
pub struct Root {
    /// Type, version, expiry.
    pub header: Header,
    /// `None` where the member is missing (breaks tough, go-tuf and tuf-js).
    pub consistent_snapshot: Option<bool>,
    /// Keys by the keyid they stand under.
    pub keys: BTreeMap<KeyId, Key>,
    /// Exactly root, timestamp, snapshot, targets in ours; foreign files may have more (`mirrors`).
    pub roles: BTreeMap<String, RoleKeys>,
}

/// `targets` and delegated roles.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Type, version, expiry.
    pub header: Header,
    /// How many targets are listed.
    pub targets: usize,
    /// Delegations, if any.
    pub delegations: Option<Delegations>,
}

/// One delegated role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub struct DelegatedRole {
    pub name: String,
    pub role: RoleKeys,
    pub terminating: bool,
    pub paths: Vec<String>,
    pub path_hash_prefixes: Vec<String>,
}

/// TAP 15: 2^`bit_length` bins called `name_prefix-<hex>`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of TAP 15")]
pub struct SuccinctRoles {
    pub role: RoleKeys,
    pub bit_length: u32,
    pub name_prefix: String,
}

impl RoleType {
    /// The name as it stands in `_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
        }
    }
}

impl Header {
    /// Reads the four members. `file` names the file in the finding.
    ///
    /// # Errors
    /// Rules `SIGNED-FORM`, `SPEC-VERSION`, `VERSION-FORM`, `EXPIRES-FORM`; the text names the JSON path.
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let signed = Field::signed(file, envelope);
        Ok(Self {
            role_type: role_type(&signed.member("_type")?)?,
            spec_version: spec_version(&signed.member("spec_version")?.rule("SPEC-VERSION"))?,
            version: version(&signed.member("version")?.rule("VERSION-FORM"))?,
            expires: expires(&signed.member("expires")?.rule("EXPIRES-FORM"))?,
        })
    }

    fn read_as(
        expected: RoleType,
        rule: &str,
        file: &str,
        envelope: &Envelope,
    ) -> Result<Self, Finding> {
        let header = Self::read(file, envelope)?;
        if header.role_type == expected {
            return Ok(header);
        }
        let (found, expected) = (header.role_type.name(), expected.name());
        let text = format!("signed._type is {found}; expected {expected}");
        Err(Finding::error(rule, file, text))
    }
}

impl Root {
    /// Reads a root.
    ///
    /// # Errors
    /// As [`Header::read`], and `ROOT-TYPE`, `ROOT-ROLES` (a role missing), `ROLE-THRESHOLD` (0, negative, above 2^31, above the number of keys),
    /// `ROLE-DUPLICATE-KEYID`, `ROLE-UNKNOWN-KEYID`, `KEY-*`.
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let header = Header::read_as(RoleType::Root, "ROOT-TYPE", file, envelope)?;
        let signed = Field::signed(file, envelope);
        let consistent_snapshot = match signed.optional("consistent_snapshot") {
            Some(field) => Some(field.boolean()?),
            None => None,
        };
        let keys = roles::keys(&signed.member("keys")?)?;
        let members = signed.member("roles")?;
        let mut roles = BTreeMap::new();
        for (name, role) in members.members()? {
            let known = |keyid: &str| keys.contains_key(&KeyId(keyid.to_owned()));
            roles.insert(name.into_owned(), RoleKeys::read(&role, &known)?);
        }
        match TOP_LEVEL_ROLES
            .iter()
            .find(|name| !roles.contains_key(**name))
        {
            Some(name) => Err(members
                .rule("ROOT-ROLES")
                .refuse(format!("has no role {name}"))),
            None => Ok(Self {
                header,
                consistent_snapshot,
                keys,
                roles,
            }),
        }
    }
    /// What is unusual but legal: `KEYID-MISMATCH` (sigstore v11), `KEY-TWICE` (one key under two keyids), `EXPIRES-FOREIGN`, `KEY-HEX-POINT`,
    /// `KEY-OPAQUE` (we cannot verify with it), `ROOT-EXTRA-ROLE`, `CONSISTENT-SNAPSHOT`, `KEY-UNUSED`; all warnings or notes.
    pub fn remarks(&self, file: &str) -> Vec<Finding> {
        remarks::of_root(self, file)
    }
    /// The keys of a top-level role; `None` for a name that is not there.
    pub fn role(&self, name: &str) -> Option<&RoleKeys> {
        self.roles.get(name)
    }
}

impl Targets {
    /// Reads targets or a delegated role. What was read once, in whichever way, is not judged again, and neither are entries that it shares with a version
    /// which was read.
    ///
    /// # Errors
    /// As [`Root::read`] for its parts, and `TARGETS-TYPE`, `DELEGATION-FORM` (not exactly one of paths, `path_hash_prefixes` or succinct roles), `ROLE-NAME`.
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        Self::by(file, envelope, Judge::Nobody)
    }
    /// As [`Self::read`], of a version that follows `earlier`: delegations that stand in it too, written alike, are not judged again.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn following(file: &str, envelope: &Envelope, earlier: &Self) -> Result<Self, Finding> {
        let judge = earlier.delegations.as_ref().map(Judge::Earlier);
        Self::by(file, envelope, judge.unwrap_or(Judge::Nobody))
    }
    /// As [`Self::read`], of a file whose signatures the caller has verified up to the threshold: who signed it has judged its delegations, and what is
    /// wrong with one of them can only make that one useless. Names are judged all the same.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn signed(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        Self::by(file, envelope, Judge::Signers)
    }
    /// Type, version and expiry alone.
    ///
    /// # Errors
    /// `TARGETS-TYPE`, and what [`Header::read`] refuses.
    pub fn header(file: &str, envelope: &Envelope) -> Result<Header, Finding> {
        Header::read_as(RoleType::Targets, "TARGETS-TYPE", file, envelope)
    }
    fn by(file: &str, envelope: &Envelope, judge: Judge<'_>) -> Result<Self, Finding> {
        // What was judged once is not judged again, in no copy of the file.
        if let Some(known) = envelope.targets().get() {
            return Ok(known.clone());
        }
        let header = Self::header(file, envelope)?;
        let signed = Field::signed(file, envelope);
        let delegations = match signed.optional("delegations") {
            Some(field) => {
                let field = field.rule("DELEGATION-FORM");
                Some(Delegations::read(&field, envelope, judge)?)
            }
            None => None,
        };
        let read = Self {
            header,
            targets: signed.member("targets")?.members()?.count(),
            delegations,
        };
        Ok(envelope.targets().get_or_init(|| read).clone())
    }
    /// What is unusual but legal: `KEYID-MISMATCH`, `KEY-TWICE`, `KEY-HEX-POINT`, `KEY-OPAQUE`, `KEY-UNUSED`, `EXPIRES-FOREIGN`,
    /// `ROLE-NAME-FOREIGN`; all warnings or notes.
    pub fn remarks(&self, file: &str) -> Vec<Finding> {
        remarks::of_targets(self, file)
    }
}

fn role_type(field: &Field<'_>) -> Result<RoleType, Finding> {
    let found = field.string()?;
    [
        RoleType::Root,
        RoleType::Timestamp,
        RoleType::Snapshot,
        RoleType::Targets,
    ]
    .into_iter()
    .find(|role_type| role_type.name() == found)
    .ok_or_else(|| {
        field.refuse(format!(
            "is {}; expected root, timestamp, snapshot or targets",
            shown(&found)
        ))
    })
}

/// `1.x` or `1.x.y` in decimal without leading zeros: what every client reads.
fn spec_version(field: &Field<'_>) -> Result<String, Finding> {
    let found = field.string()?;
    let is_number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let parts: Vec<&str> = found.split('.').collect();
    if matches!(parts.len(), 2 | 3) && parts[0] == "1" && parts.iter().all(|part| is_number(part)) {
        Ok(found.into_owned())
    } else {
        Err(field.refuse(format!("is {}; expected 1.x or 1.x.y", shown(&found))))
    }
}

fn version(field: &Field<'_>) -> Result<u64, Finding> {
    let found = field.integer()?;
    u64::try_from(found)
        .ok()
        .filter(|version| *version > 0)
        .ok_or_else(|| field.refuse(format!("is {found}; versions begin with 1")))
}

fn expires(field: &Field<'_>) -> Result<Expires, Finding> {
    let found = field.string()?;
    Expires::parse(&found).map_err(|_| {
        field.refuse(format!(
            "is {}; expected a date of the form YYYY-MM-DDTHH:MM:SSZ",
            shown(&found)
        ))
    })
}
