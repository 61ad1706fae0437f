//! What happens, as data: the runner's only output. Screen, line printer, transcript, resume and verifier fold the same stream with
//! [`super::progress::Progress::apply`].

mod backup;
mod batch;
mod deciding;
mod device;
mod document;
mod seen;
pub use backup::{
    BackedUp, BackupBegun, BlobProven, Drilled, Kept, KeyWrapped, Restored, Sealed, ShareRead,
};
pub use batch::{BatchEnded, BatchIntended, BatchReviewed, batch_digest};
pub use deciding::{BatchAccepted, Decided, Decision, Drawn, Vetted};
pub use device::{Credential, Custody, ModuleIdentity, Reach, TokenIdentity};
pub use document::{Abandoned, Document, Quorum, Signer};
pub use seen::{Seen, Share};

use serde::{Deserialize, Serialize};

use super::plan::Step;
use crate::tuf::digest::{Sha256, Sha512};
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// The member that the signed part of everything signed in a rehearsal carries, with the value true.
pub const REHEARSAL_MARKER: &str = "x-tuf-ceremony-rehearsal";

/// The ceremony's id: SHA-256 over the script's bytes and the trusted root's SHA-256 (32 zero bytes at genesis).
pub fn ceremony_id(script: &[u8], trusted_root: Option<Sha256>) -> Sha256 {
    let root = trusted_root.unwrap_or(Sha256([0; 32]));
    Sha256::of(&[script, &root.0].concat())
}

/// Rehearsal or production: on every screen, in every manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Throwaway keys; everything signed carries the rehearsal marker.
    Rehearsal,
    /// The real thing.
    Production,
}

/// A file named by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// Path inside the folder it belongs to, `/` as separator.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// SHA-512 of the bytes.
    pub sha512: Sha512,
}

/// Something happened. Everything here is public: digests, names, public keys and signatures, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The ceremony began (first line of every transcript).
    Opened {
        /// Program name and version.
        tool: String,
        /// SHA-256 of the running program's file.
        program: Sha256,
        /// Rehearsal or production.
        mode: Mode,
        /// The script's kind.
        kind: String,
        /// The script's title.
        title: String,
        /// SHA-256 of the script's bytes.
        script: Sha256,
        /// SHA-256 of the trusted root's file; none at genesis.
        trusted_root: Option<Sha256>,
        /// SHA-256(script bytes, trusted root's SHA-256 or 32 zero bytes).
        ceremony: Sha256,
        /// The modules of the room: name, file digest, what it says of itself.
        modules: Vec<ModuleIdentity>,
        /// SHA-256 of the holder register that was read; none if there was none.
        holders: Option<Sha256>,
    },
    /// The steps, fixed before any token is opened.
    PlanFixed {
        /// SHA-256 of the printed plan.
        sha256: Sha256,
        /// The steps.
        steps: Vec<Step>,
        /// Estimate for people, in minutes.
        minutes: u32,
    },
    /// Work on a step began (again, after a pause).
    StepStarted {
        /// Index into the plan, from 0.
        step: usize,
    },
    /// A step is finished.
    StepDone {
        /// Index into the plan, from 0.
        step: usize,
    },
    /// A person answered.
    Answered {
        /// Which prompt.
        prompt: String,
        /// What was typed or chosen. Never a PIN.
        answer: String,
    },
    /// Two people agreed on the date.
    ClockConfirmed {
        /// UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        utc: String,
    },
    /// A file was read and trusted or taken in.
    TakenIn {
        /// Which file.
        file: FileDigest,
    },
    /// A check had something to say.
    Found {
        /// What.
        finding: Finding,
    },
    /// A key entered the ceremony and showed its public half.
    KeyEnrolled {
        /// Whose.
        holder: String,
        /// For which role.
        role: String,
        /// Its keyid in metadata.
        keyid: KeyId,
        /// The key object as it stands in metadata, as JSON text.
        key: String,
        /// Made now (true) or there already (false).
        generated: bool,
        /// Where it lives; none for ephemeral keys in memory.
        token: Option<TokenIdentity>,
        /// How it is kept.
        custody: Custody,
    },
    /// The maker of the token vouches for a key, and the chain was verified.
    Attested {
        /// Whose.
        holder: String,
        /// The key.
        keyid: KeyId,
        /// Base64 of the DER certificates, the key's own first.
        certificates: Vec<String>,
        /// Whether they end at a root that only this room trusts: never in production.
        test_root: bool,
        /// What they say, line by line; who checks the record derives it anew.
        says: Vec<String>,
    },
    /// Nobody vouches for a key; the acknowledgement was typed.
    Unattested {
        /// Whose.
        holder: String,
        /// The key.
        keyid: KeyId,
        /// Why, in a sentence.
        reason: String,
    },
    /// A known weakness of a token was accepted for one key, in writing.
    SignedOff {
        /// Whose.
        holder: String,
        /// The key.
        keyid: KeyId,
        /// The advisory: `YSA-2024-03`.
        advisory: String,
        /// The reason, as it was typed.
        reason: String,
    },
    /// A tamper-evident bag was opened.
    BagOpened {
        /// Whose.
        holder: String,
        /// The number printed on it.
        number: String,
    },
    /// A token was put in a new tamper-evident bag.
    BagClosed {
        /// Whose.
        holder: String,
        /// The number printed on it.
        number: String,
    },
    /// A token was reset and given new secrets, each of which had been read back from its envelope before.
    Provisioned {
        /// Whose.
        holder: String,
        /// Which token.
        token: TokenIdentity,
        /// Firmware version as it says.
        firmware: Option<String>,
        /// What was set.
        credentials: Vec<Credential>,
    },
    /// A token signed a challenge, which is no metadata, and the signature was verified: the key is alive.
    Proven {
        /// Whose.
        holder: String,
        /// For which role.
        role: String,
        /// The key.
        keyid: KeyId,
        /// The key object as it stands in metadata, as JSON text.
        key: String,
        /// 32 random bytes, in hexadecimal: the challenge follows from them, the ceremony id and the keyid.
        nonce: String,
        /// Hexadecimal, in TUF's form.
        sig: String,
        /// Which token.
        token: TokenIdentity,
        /// Firmware version as it says.
        firmware: Option<String>,
        /// PIN tries left; none = unknown.
        tries_left: Option<u8>,
    },
    /// A backup begins, anew if one was begun before.
    BackupBegun(BackupBegun),
    /// A token gave a key away as a blob.
    KeyWrapped(KeyWrapped),
    /// A backup's files are written and were read back.
    Sealed(Sealed),
    /// A backup that was carried in was read; its shares come next.
    BackupOpened(Sealed),
    /// A custodian's share was typed from the paper.
    ShareRead(ShareRead),
    /// Another token signed with a key out of the backup.
    BlobProven(BlobProven),
    /// Every group of shares was tried on the backup as it lies on its medium.
    Drilled(Drilled),
    /// A key of the backup was brought back.
    Restored(Restored),
    /// Requests were judged by script, archives and signatures.
    Vetted(Vetted),
    /// All requests that nothing speaks against were accepted at once.
    BatchAccepted(BatchAccepted),
    /// Dice drew which of them are looked at all the same.
    Drawn(Drawn),
    /// One request was decided by itself.
    Decided(Decided),
    /// A candidate was built.
    Built {
        /// Which.
        document: Document,
        /// SHA-256 of the bytes that will be signed.
        payload: Sha256,
        /// Bytes that will be signed.
        size: u64,
        /// What it must reach.
        quorums: Vec<Quorum>,
    },
    /// A candidate was shown to its end, or searched and all of its watch list shown, and the phrase typed.
    Reviewed {
        /// Which.
        document: Document,
        /// What was shown.
        payload: Sha256,
        /// Rows shown.
        rows: usize,
        /// Where it was searched instead of read from end to end: what had to be seen one by one, and was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Seen>,
    },
    /// Several candidates were shown together, and one phrase typed for all.
    BatchReviewed(BatchReviewed),
    /// The shadow rehearsal passed: with throwaway keys in place of the real ones the planned signers reach every threshold.
    ShadowPassed {
        /// Which.
        document: Document,
        /// Planned signers.
        signers: Vec<Signer>,
    },
    /// A digest of the same role and version was given up for this ceremony's.
    Superseded {
        /// Which version.
        document: Document,
        /// The payload given up.
        abandoned: Sha256,
        /// Who signed it.
        signed_by: Vec<String>,
    },
    /// A holder was reminded by the register, or had none and acknowledged by typing that he has signed no other payload of this version.
    RegisterChecked {
        /// Whose.
        holder: String,
        /// Which version.
        document: Document,
        /// Whether there was a register; if not, the acknowledgement was typed.
        register: bool,
    },
    /// A token refused a PIN.
    PinRefused {
        /// Whose.
        holder: String,
        /// Tries left; none = unknown.
        tries_left: Option<u8>,
    },
    /// The token will be asked to sign next. Without a result after it the token may have signed.
    SigningIntended {
        /// Which.
        document: Document,
        /// The bytes.
        payload: Sha256,
        /// By whom.
        signer: Signer,
    },
    /// A signature was made and verified in software with the key from the metadata.
    Signed {
        /// Which.
        document: Document,
        /// The bytes.
        payload: Sha256,
        /// By whom.
        signer: Signer,
        /// Hexadecimal, as it stands in metadata.
        sig: String,
    },
    /// The token did not sign; nothing was counted.
    SigningFailed {
        /// Which.
        document: Document,
        /// By whom.
        signer: Signer,
        /// What was attempted and what the device said.
        reason: String,
    },
    /// An intent without a result was decided by a person after an interruption.
    IntentDecided {
        /// Which.
        document: Document,
        /// By whom.
        signer: Signer,
    },
    /// A signature made elsewhere came in a part file and was verified.
    Imported {
        /// Which.
        document: Document,
        /// The bytes.
        payload: Sha256,
        /// By whom.
        signer: Signer,
        /// Hexadecimal.
        sig: String,
        /// SHA-256 of the part file.
        part: Sha256,
    },
    /// A planned signature was left out by decision; the thresholds do not need it.
    Skipped {
        /// Which.
        document: Document,
        /// By whom.
        signer: Signer,
    },
    /// The token will be asked for every signature of the batch that is not on record. Without an end after it the token may have made more than are.
    BatchIntended(BatchIntended),
    /// The token is asked for no more of the batch.
    BatchEnded(BatchEnded),
    /// A batch without an end was decided by a person after an interruption.
    BatchDecided {
        /// By whom.
        signer: Signer,
    },
    /// The ephemeral keys are gone from memory.
    EphemeralDestroyed {
        /// Their keyids.
        keyids: Vec<KeyId>,
    },
    /// A file was written, synced, read back and compared.
    Written {
        /// Which.
        file: FileDigest,
    },
    /// The verdict over what lies on the medium.
    Verdict {
        /// Whether there is no error.
        ok: bool,
        /// What it found.
        findings: Vec<Finding>,
    },
    /// People stopped, or wait for signatures made elsewhere; `run` on the same folder goes on.
    Paused {
        /// Why.
        reason: String,
    },
    /// The ceremony is given up for good; what was signed is named so that it can be refused later.
    Aborted {
        /// Why.
        reason: String,
        /// What was given up.
        abandoned: Vec<Abandoned>,
    },
    /// The end. Nothing follows.
    Closed,
}
