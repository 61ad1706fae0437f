//! `YubiKeys` over PC/SC: the PIV application, without a vendor's library.
//!
//! **Which card.** By serial, over all readers; other cards are let go as they are. A login opens the card anew and reads serial, tries and keys first,
//! so each key with the PIN policy "always" is used on a card that has just said who it is. In between PC/SC itself reports every removal and reset:
//! the next call then says [`TokenFault::Removed`], and a new login finds the card again, in whatever reader.
//!
//! **Which slot.** A key's id is its slot (9a, 9c, 9d, 9e, 82 to 95). PIV has no labels: a key is called as in the card's container map (see `labels`),
//! else as its slot. A new key goes to 9c, or if that is taken to the first free retired slot (82, 83, ...), with PIN and touch for each signature; a
//! slot that holds something is never overwritten. Whether one is empty only firmware 5.3 and later says, so nothing is made on older ones.
//!
//! **PIN.** The crate keeps the last good PIN in plain heap memory for as long as the connection lives, does not wipe it, and writes all it sends to the
//! `log` crate's trace level; so this module belongs into a worker process without a logger, and a logout ends the connection with a reset of the card.
//! Copies on the stack are wiped by the crate, those of management keys are not.

use yubikey::{Error, YubiKey};

use super::{Module, NO_BACKUPS, failure};
use crate::ceremony::event::{ModuleIdentity, TokenIdentity};
use crate::ceremony::port::{Leaves, Reset, TokenError, TokenFault, TokenId, TokenInfo, TokenKey};
use crate::ceremony::prompt::Tries;
use crate::secret::Secret;
use crate::tuf::key::{Algorithm, Message};

mod errors;
mod generation;
mod labels;
mod management;
mod objects;
mod pin;
mod pss;
mod readers;
mod reset;
mod session;
mod slots;

use errors::{failed, is_lost};
use session::Session;

/// All `YubiKeys` of the machine. Dropping it ends all logins.
pub struct YubikeyModule {
    identity: ModuleIdentity,
    sessions: Vec<(TokenId, Session)>,
}

impl YubikeyModule {
    /// `name` is the room's.
    ///
    /// # Errors
    /// [`TokenFault::Module`]: there is no smart card service.
    pub fn new(name: &str) -> Result<Self, TokenError> {
        let attempted = format!("start the YubiKey module {name}");
        readers::service().map_err(|error| failed(&attempted, &error))?;
        Ok(Self {
            identity: ModuleIdentity {
                name: name.to_owned(),
                sha256: None,
                description: "tuf-ceremony: YubiKey PIV over PC/SC, crate yubikey 0.9.0-rc.0"
                    .to_owned(),
                reach: Vec::new(),
            },
            sessions: Vec::new(),
        })
    }

    fn id(&self, card: &YubiKey) -> TokenId {
        let serial = card.serial().to_string();
        TokenId {
            module: self.identity.name.clone(),
            label: label(&serial),
            serial,
        }
    }

    fn info(&self, card: &mut YubiKey, tries: Tries) -> Result<TokenInfo, Error> {
        let id = self.id(card);
        Ok(TokenInfo {
            identity: TokenIdentity {
                module: id.module.clone(),
                manufacturer: "Yubico".to_owned(),
                model: format!("YubiKey {}", card.version().major),
                serial: id.serial.clone(),
                label: id.label.clone(),
            },
            id,
            firmware: Some(card.version().to_string()),
            // A PIV card has a PIN from the factory on.
            ready: true,
            tries,
            pin_pad: false,
            credentials: management::CREDENTIALS.to_vec(),
            factory: management::factory(card)?,
        })
    }

    fn read_info(&self, card: &mut YubiKey) -> Result<TokenInfo, Error> {
        let tries = session::tries(card)?;
        self.info(card, tries)
    }

    /// What the cards with a login say now; those that do not answer lose it.
    fn living(&mut self) -> Vec<(String, TokenInfo)> {
        let mut living = Vec::new();
        for (token, mut session) in std::mem::take(&mut self.sessions) {
            let tries = if slots::has_metadata(session.card.version()) {
                session::tries(&mut session.card)
            } else {
                Ok(session.tries)
            };
            let info = tries.and_then(|tries| self.info(&mut session.card, tries));
            if let Ok(info) = info {
                living.push((session.card.name().to_owned(), info));
                self.sessions.push((token, session));
            } else {
                readers::release(session.card);
            }
        }
        living
    }

    /// The card, opened anew. Opening a card ends its login, so those with one are looked at only where the card is in no other reader: one of them may
    /// have left its reader to it.
    fn open(&mut self, token: &TokenId, attempted: &str) -> Result<YubiKey, TokenError> {
        let card = match readers::card(&token.serial, &self.busy()) {
            Err(Error::NotFound) if !self.sessions.is_empty() => {
                self.living();
                readers::card(&token.serial, &self.busy())
            }
            card => card,
        };
        let card = card.map_err(|error| failed(attempted, &error))?;
        if self.id(&card) == *token {
            return Ok(card);
        }
        readers::release(card);
        Err(failed(attempted, &Error::NotFound))
    }

    /// Readers whose cards have a login.
    fn busy(&self) -> Vec<&str> {
        let sessions = self.sessions.iter();
        sessions.map(|(_, session)| session.card.name()).collect()
    }

    /// The session of a login.
    fn session(&mut self, token: &TokenId, attempted: &str) -> Result<&mut Session, TokenError> {
        if let Some(index) = self.sessions.iter().position(|(open, _)| open == token) {
            return Ok(&mut self.sessions[index].1);
        }
        readers::release(self.open(token, attempted)?);
        let said = "nobody is logged in to the token";
        Err(failure(attempted, said, TokenFault::NotLoggedIn))
    }

    /// Reads from the card, through its login if there is one. Reading is repeated once where the card had left and is back.
    fn reading<T>(
        &mut self,
        token: &TokenId,
        attempted: &str,
        read: impl Fn(&mut YubiKey) -> Result<T, Error>,
    ) -> Result<T, TokenError> {
        if let Some(index) = self.sessions.iter().position(|(open, _)| open == token) {
            match read(&mut self.sessions[index].1.card) {
                Err(error) if is_lost(&error) => {
                    readers::release(self.sessions.remove(index).1.card);
                }
                read => return read.map_err(|error| failed(attempted, &error)),
            }
        }
        let card = self.open(token, attempted)?;
        readers::with(card, read).map_err(|error| failed(attempted, &error))
    }

    /// Ends a session that a failure shows to be gone.
    fn settled<T>(
        &mut self,
        token: &TokenId,
        result: Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let gone = [TokenFault::Removed, TokenFault::Module];
        let is_gone = result
            .as_ref()
            .is_err_and(|error| gone.contains(&error.fault));
        let index = self.sessions.iter().position(|(open, _)| open == token);
        if let Some(index) = index.filter(|_| is_gone) {
            readers::release(self.sessions.remove(index).1.card);
        }
        result
    }
}

impl Module for YubikeyModule {
    fn identity(&self) -> &ModuleIdentity {
        &self.identity
    }

    fn list(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        let living = self.living();
        let busy: Vec<&str> = living.iter().map(|(reader, _)| reader.as_str()).collect();
        let cards = readers::cards(&busy).map_err(|error| {
            let attempted = format!("list the tokens of module {}", self.identity.name);
            failed(&attempted, &error)
        })?;
        let mut tokens = living;
        for card in cards {
            let reader = card.name().to_owned();
            let info = readers::with(card, |card| self.read_info(card));
            tokens.extend(info.map(|info| (reader, info)));
        }
        tokens.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(tokens.into_iter().map(|(_, info)| info).collect())
    }

    fn initialise(
        &mut self,
        label: &str,
        _so_pin: &Secret,
        _user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError> {
        let attempted = format!("initialise a token as {label:?}");
        let said = "a YubiKey has no blank state; it is reset and given new secrets by a ceremony of the kind provision";
        Err(failure(attempted, said, TokenFault::Unsupported))
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let attempted = format!("log in to token {}", token.serial);
        pin::check(pin, &attempted)?;
        self.logout(token);
        let mut card = self.open(token, &attempted)?;
        match session::log_in(&mut card, pin, &attempted) {
            Ok((slots, tries)) => {
                let session = Session {
                    card,
                    slots,
                    tries,
                    fresh: true,
                    authorised: false,
                };
                self.sessions.push((token.clone(), session));
                Ok(())
            }
            Err(error) => {
                readers::release(card);
                Err(error)
            }
        }
    }

    fn logout(&mut self, token: &TokenId) {
        // Dropping the connection resets the card, which forgets its PIN.
        self.sessions.retain(|(open, _)| open != token);
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        let attempted = format!("read the keys of token {}", token.serial);
        let fresh = self
            .sessions
            .iter()
            .find(|(open, session)| open == token && session.fresh);
        if let Some((_, session)) = fresh {
            // Read right before the login: see `session`.
            return Ok(session.slots.keys.clone());
        }
        Ok(self.reading(token, &attempted, slots::read)?.keys)
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("make key {label:?} on token {}", token.serial);
        if leaves == Leaves::Wrapped {
            return Err(failure(attempted, NO_BACKUPS, TokenFault::Unsupported));
        }
        let session = self.session(token, &attempted)?;
        let made = generation::generate(session, label, algorithm, &attempted);
        self.settled(token, made)
    }

    fn sign_message(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let refuse = |said: &str, fault| Err(failure(&attempted, said, fault));
        if key.public.algorithm() != Some(message.algorithm()) {
            return refuse("keys of this type cannot sign", TokenFault::Unsupported);
        }
        let length = message.bytes().len();
        if length > slots::LONGEST {
            let said = format!(
                "an Ed25519 key signs the whole document, of which the token takes at most {} bytes; this one has {}, and nothing was sent; sign with an ECDSA key, which gets a digest",
                slots::LONGEST,
                length
            );
            return refuse(&said, TokenFault::PayloadTooLarge);
        }
        let session = self.session(token, &attempted)?;
        let Some(known) = session.find(key).cloned() else {
            let said = "no key on the token has this name and this public half";
            return refuse(said, TokenFault::KeyAbsent);
        };
        let signature = session.sign(&known, message, &attempted);
        self.settled(token, signature)
    }

    fn authorise(&mut self, token: &TokenId, management: &Secret) -> Result<(), TokenError> {
        let attempted = format!("give token {} its management key", token.serial);
        let session = self.session(token, &attempted)?;
        generation::refuse_factory(&mut session.card, &attempted)?;
        let authorised = management::by_hand(&mut session.card, management, &attempted);
        session.authorised = authorised.is_ok();
        self.settled(token, authorised)
    }

    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError> {
        let attempted = format!(
            "read the attestation of key {:?} of token {}",
            key.label, token.serial
        );
        let [slot] = key.id[..] else {
            let said = "no key on the token has this name";
            return Err(failure(attempted, said, TokenFault::KeyAbsent));
        };
        self.reading(token, &attempted, |card| {
            let Some(own) = slots::attestation(card, slot)? else {
                return Ok(Vec::new());
            };
            let makers = objects::certificate(card, objects::ATTESTATION)?;
            Ok(std::iter::once(own).chain(makers).collect())
        })
    }

    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        let attempted = format!("reset token {}", token.serial);
        self.logout(token);
        let card = self.open(token, &attempted)?;
        let new = readers::with(card, |card| {
            let new = reset::New::of(reset, card, &attempted)?;
            reset::erase(card, &attempted)?;
            Ok(new)
        })?;
        // The card that was named, opened anew: the old connection knows a card that is no more.
        let card = self.open(token, &attempted)?;
        readers::with(card, |card| reset::provision(card, &new, &attempted))?;
        let card = self.open(token, &attempted)?;
        readers::with(card, |card| self.read_info(card)).map_err(|error| failed(&attempted, &error))
    }
}

/// PIV cards have no label of their own; this is the one that Yubico's PKCS#11 module shows, so a room's URI fits both.
fn label(serial: &str) -> String {
    format!("YubiKey PIV #{serial}")
}
