//! Bringing a token and logging in: the token is chosen by the room's word, refused before its PIN if it is the wrong one, and asked for a PIN once a
//! press. With one try left nothing happens without a typed phrase; where the counter is unknown, two wrong entries are the end.

use super::ask::{Question, choice};
use super::turn::Bring;
use super::{Halt, Runner};
use crate::ceremony::event::{Credential, Event};
use crate::ceremony::port::{Stop, TokenError, TokenFault, TokenInfo};
use crate::ceremony::prompt::{Ask, Choice, OTP_TYPED, PinPrompt, TokenRow, Tries, is_typed_otp};
use crate::secret::Secret;
use crate::tuf::finding::Finding;

impl Runner<'_> {
    /// Asks for the holder's token until it is there; `None`: the holder is passed over.
    pub(super) fn bring(
        &mut self,
        question: &Question<'_>,
        holder: &str,
        which: Bring,
        mut seen: Option<String>,
    ) -> Result<Option<TokenInfo>, Halt> {
        let may_skip = which == Bring::OrPass;
        let Some(wanted) = self.world.assigned(holder) else {
            return Ok(None);
        };
        loop {
            let tokens = self.world.tokens()?;
            let rows = tokens.into_iter().map(|token| TokenRow {
                meaning: if wanted.matches(&token) {
                    format!("wanted: {holder}")
                } else {
                    "not wanted now".to_owned()
                },
                wanted: wanted.matches(&token),
                token: token.identity,
            });
            let mut question = question.clone();
            question.text.push(format!(
                "Wanted: the token of {holder}, {}.",
                wanted.description
            ));
            question.text.extend(seen.take());
            let ask = Ask::Token {
                tokens: rows.collect(),
                options: options(may_skip, self.pause()),
            };
            let answer = self.ask(question, ask, &|answer| {
                ["ready", "rescan", "pause"].contains(&answer) || (may_skip && answer == "skip")
            })?;
            // Looked at again: the token may have been put in or taken out while the question stood.
            let matching: Vec<_> = self
                .world
                .tokens()?
                .into_iter()
                .filter(|token| wanted.matches(token))
                .collect();
            seen = match (answer.as_str(), matching.as_slice()) {
                ("pause", _) => return Err(Stop::Paused.into()),
                ("skip", _) => return Ok(None),
                ("ready", [token]) if token.ready || which == Bring::Blank => return Ok(Some(token.clone())),
                ("ready", [_]) => Some(
                    "That token is not initialised or has no PIN. Nothing was done; a ceremony of the kind provision gives it one."
                        .to_owned(),
                ),
                ("ready", []) => Some(
                    "That token is not there. Nothing was done; insert it and try again."
                        .to_owned(),
                ),
                ("ready", _) => Some("More than one token fits. Remove the others.".to_owned()),
                _ => None,
            };
        }
    }

    /// Logs in unless the same token is open already. `false`: another holder shall do it.
    pub(super) fn log_in(&mut self, holder: &str, token: &TokenInfo) -> Result<bool, Halt> {
        if self
            .session
            .as_ref()
            .is_some_and(|(name, open)| name == holder && open.id == token.id)
        {
            return Ok(true);
        }
        self.end_session();
        refuse_factory(holder, token)?;
        let (mut wrong, mut after) = (0, None);
        loop {
            let tries = self.tries(token)?;
            if tries == Tries::Locked {
                return Err(locked(token).into());
            }
            if matches!(tries, Tries::Left(1) | Tries::Final) && !self.last_try(holder, token)? {
                return Ok(false);
            }
            let pin = if token.pin_pad {
                Secret::new().map_err(|fault| memory(&fault))?
            } else {
                self.secret(holder, Credential::User, token, tries, after.take())?
            };
            match self.world.login(&token.id, &pin) {
                Ok(()) => {
                    self.session = Some((holder.to_owned(), token.clone()));
                    return Ok(true);
                }
                Err(refused) if refused.fault == TokenFault::PinIncorrect => {
                    wrong += 1;
                    let tries = self.tries(token)?;
                    self.refused_pin(holder, tries, wrong, refused)?;
                    after = Some(format!(
                        "The token refused the PIN. {}; nothing was signed or written. Check the envelope's label.",
                        tries_left(tries)
                    ));
                }
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Asks for a secret of a token. A `YubiKey` that was touched by accident types a one-time password and Enter: it is not sent, for it would cost a
    /// try.
    pub(super) fn secret(
        &mut self,
        holder: &str,
        kind: Credential,
        token: &TokenInfo,
        tries: Tries,
        mut after: Option<String>,
    ) -> Result<Secret, Halt> {
        loop {
            let secret = self.operator.pin(&PinPrompt {
                holder: holder.to_owned(),
                kind,
                token: token.identity.clone(),
                tries,
                after: after.take(),
            })?;
            if !secret.expose(is_typed_otp) {
                return Ok(secret);
            }
            after = Some(format!("{OTP_TYPED} It was not sent; no try was lost."));
        }
    }

    /// Puts a refused secret on record; where nobody knows how many tries are left, the second one is the end.
    pub(super) fn refused_pin(
        &mut self,
        holder: &str,
        tries: Tries,
        wrong: usize,
        refused: TokenError,
    ) -> Result<(), Halt> {
        let left = if let Tries::Left(left) = tries {
            Some(left)
        } else {
            None
        };
        self.emit(Event::PinRefused {
            holder: holder.to_owned(),
            tries_left: left,
        })?;
        if matches!(tries, Tries::Low | Tries::Unknown) && wrong >= 2 {
            return Err(TokenError {
                said: UNKNOWN_COUNTER.to_owned(),
                ..refused
            }
            .into());
        }
        Ok(())
    }

    pub(super) fn end_session(&mut self) {
        if let Some((_, token)) = self.session.take() {
            self.world.logout(&token.id);
        }
    }

    fn last_try(&mut self, holder: &str, token: &TokenInfo) -> Result<bool, Halt> {
        let serial = &token.identity.serial;
        let text = vec![
            format!("Token {serial} of {holder} has ONE try left. A wrong PIN locks it."),
            "Nothing was signed or written.".to_owned(),
        ];
        let options = vec![
            choice("reset", "stop here and reset the PIN with the PUK or as SO"),
            choice("another", "let another holder sign"),
            choice("try", "use the last try (a phrase will be asked)"),
        ];
        match self
            .ask_choice(
                Question::new(
                    format!("last-try:{holder}"),
                    "One PIN try is left",
                    text.clone(),
                ),
                options,
            )?
            .as_str()
        {
            "reset" => Err(Stop::Paused.into()),
            "another" => Ok(false),
            _ => {
                let question = Question::new(
                    format!("last-try-phrase:{holder}"),
                    "Use the last try?",
                    text,
                );
                self.ask_phrase(question, "use the last try")?;
                Ok(true)
            }
        }
    }

    pub(super) fn tries(&mut self, token: &TokenInfo) -> Result<Tries, Halt> {
        let now = self.world.tokens()?;
        now.iter()
            .find(|known| known.id == token.id)
            .map(|known| known.tries)
            .ok_or_else(|| {
                TokenError {
                    attempted: format!("look at token {}", token.identity.serial),
                    said: "it is gone; nothing was signed".to_owned(),
                    fault: TokenFault::Removed,
                    may_have_signed: false,
                }
                .into()
            })
    }
}

const UNKNOWN_COUNTER: &str = "two wrong PINs, and this token does not say how many tries are left; nothing was signed; find the right PIN before you run again";

/// The maker's PIN is printed in a manual: whoever finds the token has its key.
pub(super) fn refuse_factory(holder: &str, token: &TokenInfo) -> Result<(), Finding> {
    if token.factory.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = token.factory.iter().map(|kind| kind.name()).collect();
    let text = format!(
        "token {} of {holder} still has its maker's {}, which everybody knows; nothing was asked of it; give it secrets of its own first (a ceremony of the kind provision)",
        token.identity.serial,
        names.join(" and ")
    );
    Err(Finding::error("TOKEN-FACTORY", "", text))
}

fn options(may_skip: bool, pause: Choice) -> Vec<Choice> {
    let mut options = vec![
        choice("ready", "the token is inserted"),
        choice("rescan", "look again"),
    ];
    if may_skip {
        options.push(choice("skip", "pass this holder over for now"));
    }
    options.push(pause);
    options
}

fn tries_left(tries: Tries) -> String {
    match tries {
        Tries::Left(1) | Tries::Final => "1 try left".to_owned(),
        Tries::Left(left) => format!("{left} tries left"),
        Tries::Locked => "it is locked now".to_owned(),
        Tries::Low => "few tries left (the token does not say how many)".to_owned(),
        Tries::Unknown => "tries left: unknown".to_owned(),
    }
}

fn locked(token: &TokenInfo) -> TokenError {
    TokenError {
        attempted: format!("log in to token {}", token.identity.serial),
        said: "its PIN is locked; nothing was signed; unlock it with the PUK or as SO, or let another holder sign".to_owned(),
        fault: TokenFault::PinLocked,
        may_have_signed: false,
    }
}

pub(super) fn memory(fault: &crate::secret::SecretError) -> TokenError {
    TokenError {
        attempted: "keep a secret".to_owned(),
        said: fault.to_string(),
        fault: TokenFault::Other,
        may_have_signed: false,
    }
}
