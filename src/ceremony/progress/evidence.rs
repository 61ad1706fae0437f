//! What is on record about tokens and their keys: who vouches for them, what was accepted in writing, what was proven alive.

use crate::ceremony::event::{Credential, Event, TokenIdentity};
use crate::tuf::key::KeyId;

/// Everything the events so far say of tokens.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    attested: Vec<Attested>,
    unattested: Vec<KeyId>,
    signed_off: Vec<SignedOff>,
    proven: Vec<Proven>,
    opened: Vec<(String, String)>,
    closed: Vec<(String, String)>,
    provisioned: Vec<(String, TokenIdentity, Vec<Credential>)>,
}

/// A key that its token's maker vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// Whose.
    pub holder: String,
    /// The key.
    pub keyid: KeyId,
    /// Base64 of the DER certificates, the key's own first.
    pub certificates: Vec<String>,
    /// Whether only this room trusts their root.
    pub test_root: bool,
    /// What they say.
    pub says: Vec<String>,
}

/// A weakness that was accepted in writing for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOff {
    /// The key.
    pub keyid: KeyId,
    /// The advisory.
    pub advisory: String,
    /// Why, as it was typed.
    pub reason: String,
}

/// A key that signed a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Whose.
    pub holder: String,
    /// For which role.
    pub role: String,
    /// The key.
    pub keyid: KeyId,
    /// The key object as JSON text.
    pub key: String,
    /// On which token.
    pub token: TokenIdentity,
    /// Its firmware as it says.
    pub firmware: Option<String>,
    /// PIN tries left; none = unknown.
    pub tries_left: Option<u8>,
}

impl Evidence {
    /// Keys with a verified attestation.
    pub fn attested(&self) -> &[Attested] {
        &self.attested
    }
    /// Whether it is settled who vouches for a key, or that nobody does.
    pub fn is_settled(&self, keyid: &KeyId) -> bool {
        self.attestation(keyid).is_some() || self.unattested.contains(keyid)
    }
    /// The attestation of a key.
    pub fn attestation(&self, keyid: &KeyId) -> Option<&Attested> {
        self.attested.iter().find(|known| known.keyid == *keyid)
    }
    /// Whether it was acknowledged that nobody vouches for a key.
    pub fn is_unattested(&self, keyid: &KeyId) -> bool {
        self.unattested.contains(keyid)
    }
    /// Weaknesses accepted in writing.
    pub fn signed_off(&self) -> &[SignedOff] {
        &self.signed_off
    }
    /// Keys that signed a challenge.
    pub fn proven(&self) -> &[Proven] {
        &self.proven
    }
    /// Whether a key has proven itself for a role.
    pub fn is_proven(&self, role: &str, keyid: &KeyId) -> bool {
        let mut known = self.proven.iter();
        known.any(|proven| proven.role == role && proven.keyid == *keyid)
    }
    /// The number of the bag that a holder's token came in.
    pub fn opened_bag(&self, holder: &str) -> Option<&str> {
        number(&self.opened, holder)
    }
    /// The number of the bag that a holder's token went into.
    pub fn closed_bag(&self, holder: &str) -> Option<&str> {
        number(&self.closed, holder)
    }
    /// Whether a bag was opened or closed in this ceremony.
    pub fn is_used_bag(&self, number: &str) -> bool {
        let mut bags = self.opened.iter().chain(&self.closed);
        bags.any(|(_, known)| known == number)
    }
    /// Whether a token was erased and given new secrets.
    pub fn is_erased(&self, serial: &str) -> bool {
        let mut known = self.provisioned.iter();
        known.any(|(_, token, _)| token.serial == serial)
    }
    /// The token that was erased and given new secrets for a holder, as it is called now.
    pub fn provisioned(&self, holder: &str) -> Option<&TokenIdentity> {
        let mut known = self.provisioned.iter();
        known
            .find(|(name, ..)| name == holder)
            .map(|(_, token, _)| token)
    }

    pub(super) fn fold(&mut self, event: &Event) {
        match event {
            Event::Attested {
                holder,
                keyid,
                certificates,
                test_root,
                says,
            } => self.attested.push(Attested {
                holder: holder.clone(),
                keyid: keyid.clone(),
                certificates: certificates.clone(),
                test_root: *test_root,
                says: says.clone(),
            }),
            Event::Unattested { keyid, .. } => self.unattested.push(keyid.clone()),
            Event::SignedOff {
                keyid,
                advisory,
                reason,
                ..
            } => self.signed_off.push(SignedOff {
                keyid: keyid.clone(),
                advisory: advisory.clone(),
                reason: reason.clone(),
            }),
            Event::BagOpened { holder, number } => {
                self.opened.push((holder.clone(), number.clone()));
            }
            Event::BagClosed { holder, number } => {
                self.closed.push((holder.clone(), number.clone()));
            }
            Event::Provisioned {
                holder,
                token,
                credentials,
                ..
            } => self
                .provisioned
                .push((holder.clone(), token.clone(), credentials.clone())),
            Event::Proven {
                holder,
                role,
                keyid,
                key,
                token,
                firmware,
                tries_left,
                ..
            } => self.proven.push(Proven {
                holder: holder.clone(),
                role: role.clone(),
                keyid: keyid.clone(),
                key: key.clone(),
                token: token.clone(),
                firmware: firmware.clone(),
                tries_left: *tries_left,
            }),
            _ => {}
        }
    }
}

fn number<'a>(bags: &'a [(String, String)], holder: &str) -> Option<&'a str> {
    let mut known = bags.iter().rev();
    known
        .find(|(name, _)| name == holder)
        .map(|(_, number)| number.as_str())
}
