//! What people are asked. Answers are short texts: the exact phrase, or the id of a choice. PINs are asked apart and never travel this way.

use std::sync::Arc;

use super::event::{Credential, TokenIdentity};
use super::review::Review;

/// One question.
#[derive(Clone)]
pub struct Prompt {
    /// Stable name, the same in rehearsal and production: `plan`, `clock`, `review:root`, `token:sign:root:alice`.
    pub id: String,
    /// Index of the plan's step it belongs to.
    pub step: usize,
    /// One line.
    pub title: String,
    /// What to know before answering, line by line (unwrapped; may hold untrusted text, which the view escapes).
    pub text: Vec<String>,
    /// A digest to be compared or read aloud with this question: shown whole, in hexadecimal and in PGP words, never clipped.
    pub digest: Option<crate::tuf::digest::Sha256>,
    /// What is wanted.
    pub ask: Ask,
}

/// What is wanted.
#[derive(Clone)]
pub enum Ask {
    /// Type exactly this phrase.
    Phrase {
        /// The phrase, also shown.
        phrase: String,
    },
    /// Type what is printed on something: a serial, a bag's number. It is not shown before.
    Text {
        /// What is wanted: `the serial on the device`.
        wanted: String,
    },
    /// Choose one.
    Choice {
        /// In order; the first is not a default for anything irreversible.
        options: Vec<Choice>,
    },
    /// Read to the end, then type the phrase.
    Review {
        /// The handle.
        review: Arc<Review>,
        /// The phrase that unlocks signing; `reject` refuses the document.
        phrase: String,
    },
    /// Bring a token; choices as in `options`; the tokens seen are listed.
    Token {
        /// What is plugged in now and what it means for this step.
        tokens: Vec<TokenRow>,
        /// `ready`, `rescan`, perhaps `skip`, `pause`.
        options: Vec<Choice>,
    },
}

/// What a `YubiKey` types when it is touched by accident: its one-time password, 32 to 48 characters of modhex, and Enter.
pub fn is_typed_otp(typed: &[u8]) -> bool {
    (32..=48).contains(&typed.len()) && typed.iter().all(|byte| b"cbdefghijklnrtuv".contains(byte))
}

/// What to say then.
pub const OTP_TYPED: &str =
    "That was the YubiKey's own one-time password: it was touched by accident. Nothing happened.";

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The answer's text.
    pub id: String,
    /// What it does, for people.
    pub label: String,
}

/// One token of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// What it says of itself; untrusted text.
    pub token: TokenIdentity,
    /// What it is for this step: `wanted: alice`, `not wanted now`, `NOT IN THIS CEREMONY`.
    pub meaning: String,
    /// Whether it is the one wanted.
    pub wanted: bool,
}

/// A question for a PIN or another secret of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinPrompt {
    /// Whose PIN.
    pub holder: String,
    /// Which secret.
    pub kind: Credential,
    /// On which token.
    pub token: TokenIdentity,
    /// What is known of the counter.
    pub tries: Tries,
    /// What went wrong before, if anything.
    pub after: Option<String>,
}

/// A new secret is shown, to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopePrompt {
    /// Whose.
    pub holder: String,
    /// Which secret.
    pub kind: Credential,
    /// For which token.
    pub token: TokenIdentity,
    /// What to write on the envelope, and what to do.
    pub text: Vec<String>,
}

/// A share of a backup's secret: shown to its custodian alone, or asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharePrompt {
    /// Whose.
    pub custodian: String,
    /// Which one, from 1, where it is dealt now.
    pub index: Option<u8>,
    /// What to know before, line by line.
    pub text: Vec<String>,
    /// What was wrong with what was typed before, if anything; places and no words.
    pub after: Option<String>,
}

/// What is known of a token's PIN counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tries {
    /// Read from the card.
    Left(u8),
    /// The module says it is low (`CKF_USER_PIN_COUNT_LOW`), not how low.
    Low,
    /// The module says this is the last one (`CKF_USER_PIN_FINAL_TRY`).
    Final,
    /// The module says it is locked (`CKF_USER_PIN_LOCKED`).
    Locked,
    /// Nothing is said: unknown.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::is_typed_otp;

    #[test]
    fn only_what_a_yubikey_types_by_itself_is_taken_for_it() {
        for typed in [
            "cccccclttcfvlndenngvnkrrtvfctkcrncbfbdtjvvvv",
            "cbdefghijklnrtuvcbdefghijklnrtuv",
        ] {
            assert!(is_typed_otp(typed.as_bytes()), "{typed}");
        }
        for typed in [
            "",
            "654321",
            "we agree on this plan",
            "cbdefghijklnrtuvcbdefghijklnrtu",
            "0123456789abcdef0123456789abcdef0123456789abcdef",
            "cbdefghijklnrtuvcbdefghijklnrtuvcbdefghijklnrtuvc",
        ] {
            assert!(!is_typed_otp(typed.as_bytes()), "{typed}");
        }
    }
}
