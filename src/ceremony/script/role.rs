//! The offline roles that a script can make a version of.

use serde::Deserialize;

use crate::tuf::key::Algorithm;

/// One offline role: its next version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The version to be made.
    pub version: u64,
    /// Absolute, `YYYY-MM-DDTHH:MM:SSZ`.
    pub expires: String,
    /// How many keys must sign; unchanged where it is not given.
    #[serde(default)]
    pub threshold: Option<u32>,
    /// Whether holders keep its keys; unchanged where it is not given.
    #[serde(default)]
    pub keys: Option<Custody>,
    /// Whose keys shall be listed, in order; unchanged where it is not given.
    #[serde(default)]
    pub holders: Option<Vec<String>>,
    /// For ephemeral keys: one key each.
    #[serde(default)]
    pub algorithms: Option<Vec<Algorithm>>,
    /// For bins, TAP 15: 2^`bit_length` of them; at genesis only.
    #[serde(default)]
    pub bit_length: Option<u32>,
    /// For bins, TAP 15: they are called `name_prefix-<hex>`; at genesis only.
    #[serde(default)]
    pub name_prefix: Option<String>,
}

/// How a role's keys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Custody {
    /// By holders, on tokens, from ceremony to ceremony.
    Retained,
    /// Made for one ceremony and destroyed in it (PEP 458, "targets" keys).
    Ephemeral,
}
