//! The plan: a short list of a dozen kinds of step, made from the script before any token is opened, printed, hashed and confirmed.

use serde::{Deserialize, Serialize};

use crate::tuf::key::{Algorithm, KeyId};

/// One step. The order in the plan is the order of the ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Compare the plan's words with the printed copy and type the phrase.
    Confirm,
    /// Two people confirm the date.
    Clock,
    /// Read and verify what was carried in.
    Intake,
    /// Give up another payload of the same version, by name.
    Supersede {
        /// Role whose payload is given up.
        role: String,
    },
    /// A holder's key shows its public half; made now or found.
    Enrol {
        /// Whose.
        holder: String,
        /// For which role.
        role: String,
        /// Made now as this; none: it exists.
        generate: Option<Algorithm>,
        /// The key that must be found; none if made now.
        keyid: Option<KeyId>,
    },
    /// Make throwaway offline keys in locked memory.
    Ephemeral {
        /// For which role.
        role: String,
        /// One key each.
        algorithms: Vec<Algorithm>,
    },
    /// Build the candidates, lint them.
    Build,
    /// Read one candidate to its end.
    Review {
        /// Which role's.
        role: String,
    },
    /// Rehearse with throwaway keys in place of the real ones.
    Shadow,
    /// Sign with the ephemeral keys.
    SignEphemeral {
        /// Which role's document.
        role: String,
    },
    /// Destroy the ephemeral keys.
    DestroyEphemeral,
    /// One holder signs one document with one key.
    Sign {
        /// Which role's document.
        role: String,
        /// Who.
        holder: String,
        /// With the key for which role: differs from `role` only where one document is signed by keys of another.
        key_role: String,
        /// The key, where the script names it; none if made in this ceremony.
        keyid: Option<KeyId>,
    },
    /// Write what was made, sync, read back.
    Export,
    /// Verify what lies on the medium.
    Verdict,
    /// Record what is given up.
    Abandon,
    /// Transcript head in words; end.
    Close,
}

impl Step {
    /// One line for people: `Sign root: alice`.
    pub fn label(&self) -> String {
        match self {
            Self::Confirm => "Confirm the plan".to_owned(),
            Self::Clock => "Confirm the date".to_owned(),
            Self::Intake => "Take in trusted files".to_owned(),
            Self::Supersede { role } => format!("Supersede an abandoned {role}"),
            Self::Enrol {
                holder,
                role,
                generate: Some(_),
                ..
            } => format!("Make {role} key: {holder}"),
            Self::Enrol { holder, role, .. } => format!("Find {role} key: {holder}"),
            Self::Ephemeral { role, .. } => format!("Make ephemeral {role} keys"),
            Self::Build => "Build the candidates".to_owned(),
            Self::Review { role } => format!("Review {role}"),
            Self::Shadow => "Rehearse as a shadow".to_owned(),
            Self::SignEphemeral { role } => format!("Sign {role}: ephemeral keys"),
            Self::DestroyEphemeral => "Destroy the ephemeral keys".to_owned(),
            Self::Sign { role, holder, .. } => format!("Sign {role}: {holder}"),
            Self::Export => "Write the bundle".to_owned(),
            Self::Verdict => "Verify the bundle".to_owned(),
            Self::Abandon => "Record what is abandoned".to_owned(),
            Self::Close => "Close".to_owned(),
        }
    }
}
