//! The plan: a short list of a dozen kinds of step, made from the script before any token is opened, printed, hashed and confirmed.

use serde::{Deserialize, Serialize};

use super::event::Document;
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
        /// The version whose payload is given up.
        document: Document,
    },
    /// A holder's tamper-evident bag is opened; its number is the one on record.
    OpenBag {
        /// Whose.
        holder: String,
    },
    /// A token is erased and given new secrets.
    Provision {
        /// Whose.
        holder: String,
    },
    /// A key signs a challenge, which is no metadata.
    Prove {
        /// Whose.
        holder: String,
        /// For which role.
        role: String,
        /// Which key.
        key: KeyChoice,
    },
    /// A holder's token goes into a new tamper-evident bag.
    CloseBag {
        /// Whose.
        holder: String,
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
    /// Make an online key in locked memory; it leaves it sealed.
    MakeOnline {
        /// What the script calls it.
        name: String,
        /// As this.
        algorithm: Algorithm,
    },
    /// Seal a backup, hand out its shares, and prove that they open it.
    BackUp {
        /// So many open it together.
        needed: u8,
        /// Who get shares.
        custodians: Vec<String>,
    },
    /// Open a backup with shares; nothing of it leaves locked memory.
    OpenBackup {
        /// Who come with theirs.
        custodians: Vec<String>,
    },
    /// Bring a key of the backup to a token.
    Restore {
        /// Whose token.
        holder: String,
        /// Which key.
        keyid: KeyId,
    },
    /// Write an online key of the backup into a file.
    RestoreFile {
        /// Which key.
        keyid: KeyId,
    },
    /// Judge requests and decide them: the green ones at once, the others one by one.
    Decide,
    /// Build the candidates, lint them.
    Build,
    /// Read one candidate to its end.
    Review {
        /// Which.
        document: Document,
    },
    /// Review all candidates that no other step names, together.
    ReviewBatch,
    /// Rehearse with throwaway keys in place of the real ones.
    Shadow,
    /// Sign with the ephemeral keys.
    SignEphemeral {
        /// Which.
        document: Document,
    },
    /// Destroy the ephemeral keys.
    DestroyEphemeral,
    /// One holder signs one document with one key; passed over where the holder is elsewhere.
    Sign {
        /// Which.
        document: Document,
        /// Who.
        holder: String,
        /// Old or new, where one person has both; says which in words.
        key: KeyChoice,
    },
    /// One holder signs all candidates that no other step names with one key; passed over where the holder is elsewhere.
    SignBatch {
        /// Who.
        holder: String,
        /// Old or new, where one person has both.
        key: KeyChoice,
    },
    /// Take in signatures made elsewhere until every threshold is reached.
    Collect,
    /// Write what was made, sync, read back.
    Export,
    /// Verify what lies on the medium.
    Verdict,
    /// Record what is given up.
    Abandon,
    /// Transcript head in words; end.
    Close,
}

/// Which of a holder's keys signs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeyChoice {
    /// The key with this keyid, known before the ceremony.
    Keyid(KeyId),
    /// The key this holder makes for this role in this ceremony.
    Made {
        /// The role it is made for.
        role: String,
    },
}

impl Step {
    /// One line for people: `Sign root: alice`.
    pub fn label(&self) -> String {
        match self {
            Self::Confirm => "Confirm the plan".to_owned(),
            Self::Clock => "Confirm the date".to_owned(),
            Self::Intake => "Take in trusted files".to_owned(),
            Self::Supersede { document } => format!("Supersede another {document}"),
            Self::OpenBag { holder } => format!("Open the bag: {holder}"),
            Self::Provision { holder } => format!("Erase the token and set new secrets: {holder}"),
            Self::Prove { holder, role, .. } => format!("Prove the {role} key alive: {holder}"),
            Self::CloseBag { holder } => format!("Close the bag: {holder}"),
            Self::Enrol {
                holder,
                role,
                generate: Some(_),
                ..
            } => format!("Make {role} key: {holder}"),
            Self::Enrol { holder, role, .. } => format!("Find {role} key: {holder}"),
            Self::Ephemeral { role, .. } => format!("Make ephemeral {role} keys"),
            Self::MakeOnline { name, .. } => format!("Make the online key {name}"),
            Self::BackUp { needed, custodians } => format!(
                "Back up: any {needed} of {} custodians open it",
                custodians.len()
            ),
            Self::OpenBackup { custodians } => {
                format!("Open the backup: {}", custodians.join(", "))
            }
            Self::Restore { holder, keyid } => {
                format!("Restore a key to the token of {holder}: {}", short(keyid))
            }
            Self::RestoreFile { keyid } => {
                format!("Restore an online key into a file: {}", short(keyid))
            }
            Self::Decide => "Decide the requests".to_owned(),
            Self::Build => "Build the candidates".to_owned(),
            Self::Review { document } => format!("Review {document}"),
            Self::ReviewBatch => "Review the batch".to_owned(),
            Self::Shadow => "Rehearse as a shadow".to_owned(),
            Self::SignEphemeral { document } => format!("Sign {document}: ephemeral keys"),
            Self::DestroyEphemeral => "Destroy the ephemeral keys".to_owned(),
            Self::Sign {
                document,
                holder,
                key: KeyChoice::Made { .. },
            } => {
                format!("Sign {document}: {holder}, new key")
            }
            Self::Sign {
                document, holder, ..
            } => format!("Sign {document}: {holder}"),
            Self::SignBatch { holder, .. } => format!("Sign the batch: {holder}"),
            Self::Collect => "Collect signatures made elsewhere".to_owned(),
            Self::Export => "Write the bundle".to_owned(),
            Self::Verdict => "Verify the bundle".to_owned(),
            Self::Abandon => "Record what is abandoned".to_owned(),
            Self::Close => "Close".to_owned(),
        }
    }
}

/// Enough of a keyid to tell it from others in a list; it stands in full where it matters.
fn short(keyid: &KeyId) -> &str {
    keyid.0.get(..16).unwrap_or(&keyid.0)
}
