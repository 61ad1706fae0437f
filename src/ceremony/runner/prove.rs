//! A key proves that it is alive: it signs a challenge, which is no metadata, and the signature is verified with the key that is listed, never with one
//! that the token shows.

use data_encoding::HEXLOWER;

use super::ask::Question;
use super::turn::{Bring, Turn, wants_pin_again};
use super::{Halt, Runner};
use crate::ceremony::challenge::Challenge;
use crate::ceremony::device::Device;
use crate::ceremony::event::Event;
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::port::{SignRequest, TokenError, TokenFault, TokenInfo, TokenKey};
use crate::ceremony::prompt::Tries;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::style;

/// Whose key proves itself.
pub(super) struct Subject<'s> {
    pub(super) holder: &'s str,
    pub(super) role: &'s str,
    pub(super) keyid: KeyId,
    pub(super) key: Key,
}

impl Runner<'_> {
    pub(super) fn prove(
        &mut self,
        holder: &str,
        role: &str,
        choice: &KeyChoice,
    ) -> Result<(), Halt> {
        let (keyid, key) = self.listed(holder, role, choice).ok_or_else(|| {
            let text = format!("{holder} has no {role} key that could prove itself");
            Finding::error("PLAN-KEY", "", text)
        })?;
        if self.progress.evidence().is_proven(role, &keyid) {
            return Ok(());
        }
        let about = format!(
            "{holder} proves the {} key {keyid} alive. It signs a challenge with this ceremony's id, which is no metadata.",
            key.description()
        );
        let question = Question::new(
            format!("token:prove:{role}:{holder}"),
            "Prove a key alive",
            vec![about],
        );
        let subject = Subject {
            holder,
            role,
            keyid,
            key,
        };
        let which = self.who_may_pass(choice);
        let turn = &mut |runner: &mut Self, token: &TokenInfo| runner.prove_on(&subject, token);
        match self.take_turn(&question, holder, which, turn)? {
            Some(()) => Ok(()),
            None if which == Bring::OrPass => self.emit(Event::Found {
                finding: unproven(&subject),
            }),
            None => Err(Halt::Waiting {
                what: format!("{holder} is not in this room, and no key was proven alive"),
                then: "Name a token for this holder in the room file. The same command goes on from here.",
            }),
        }
    }

    /// One challenge to the token that is there.
    pub(super) fn prove_on(
        &mut self,
        subject: &Subject<'_>,
        token: &TokenInfo,
    ) -> Result<Turn<()>, Halt> {
        let nonce = self.world.nonce()?;
        let challenge = Challenge::new(self.subject.ceremony, &subject.keyid, &nonce);
        let size = challenge.bytes().len();
        if let Some(why) = self.is_unfit(token, &subject.key, size)? {
            return Ok(Turn::Refused(why));
        }
        if !self.log_in(subject.holder, token)? {
            return Ok(Turn::Passed);
        }
        let key = self.find(token, |key| key.public() == subject.key.public())?;
        let request = SignRequest::Challenge(challenge);
        let sig = self.challenge(subject.holder, &request, token, &key)?;
        let Some(sig) = sig else {
            return Ok(Turn::Passed);
        };
        if !subject.key.verifies(&request.bytes(), &sig) {
            return Err(TokenError {
                attempted: format!("prove the {} key of {}", subject.role, subject.holder),
                said: "the token returned a signature that does not verify with the listed key; it was thrown away".to_owned(),
                fault: TokenFault::Other,
                may_have_signed: false,
            }
            .into());
        }
        let what = format!("{} for a challenge", subject.holder);
        let payload = Sha256::of(&request.bytes());
        let repeated = self.repeated(subject.key.public(), payload, &sig, &what);
        if let Some(repeated) = repeated {
            return Err(self.refuse_repeated(repeated));
        }
        let tries_left = match self.tries(token)? {
            Tries::Left(left) => Some(left),
            _ => None,
        };
        self.emit(Event::Proven {
            holder: subject.holder.to_owned(),
            role: subject.role.to_owned(),
            keyid: subject.keyid.clone(),
            key: String::from_utf8_lossy(&style::to_vec(subject.key.value())).into_owned(),
            nonce: HEXLOWER.encode(&nonce),
            sig: HEXLOWER.encode(&sig),
            token: token.identity.clone(),
            firmware: token.firmware.clone(),
            tries_left,
        })?;
        for finding in advice(subject, token) {
            self.emit(Event::Found { finding })?;
        }
        Ok(Turn::Done(()))
    }

    /// The signature; asked for a second time only where each signature wants the PIN anew.
    fn challenge(
        &mut self,
        holder: &str,
        request: &SignRequest<'_>,
        token: &TokenInfo,
        key: &TokenKey,
    ) -> Result<Option<Vec<u8>>, Halt> {
        let sig = self.ask_once(request, token, key);
        if !wants_pin_again(key, &sig) {
            return Ok(Some(sig?));
        }
        self.end_session();
        if !self.log_in(holder, token)? {
            return Ok(None);
        }
        Ok(Some(self.ask_once(request, token, key)?))
    }

    /// The key by the metadata's word, or as it entered this ceremony.
    fn listed(&self, holder: &str, role: &str, choice: &KeyChoice) -> Option<(KeyId, Key)> {
        match choice {
            KeyChoice::Made { role } => self.material().made(holder, role),
            KeyChoice::Keyid(keyid) => {
                let (keys, _) = self.subject.trusted.role(role)?;
                keys.into_iter().find(|(known, _)| known == keyid)
            }
        }
    }

    /// A key made now must prove itself. Of the listed ones each may be missing, but not all of them.
    fn who_may_pass(&self, choice: &KeyChoice) -> Bring {
        let rest = &self.progress.steps()[self.index() + 1..];
        let is_last = !rest.iter().any(|step| matches!(step, Step::Prove { .. }));
        let nobody = self.progress.evidence().proven().is_empty();
        match choice {
            KeyChoice::Made { .. } => Bring::Ready,
            KeyChoice::Keyid(_) if is_last && nobody => Bring::Ready,
            KeyChoice::Keyid(_) => Bring::OrPass,
        }
    }
}

/// What is published of weaknesses of such a token with such a key.
fn advice(subject: &Subject<'_>, token: &TokenInfo) -> Vec<Finding> {
    let Some(algorithm) = subject.key.public().algorithm() else {
        return Vec::new();
    };
    let (advisories, known) = Device::of_token(token).published(algorithm);
    let told = advisories.into_iter().map(|advisory| {
        let text = format!(
            "token {} of {} (firmware {}) {} {} ({}): {}; plan another device for the {} key",
            token.identity.serial,
            subject.holder,
            token.firmware.as_deref().unwrap_or("unknown"),
            if known { "has" } else { "may have" },
            advisory.id,
            advisory.also,
            advisory.text,
            subject.role
        );
        Finding::warning("TOKEN-ADVISORY", "", text)
    });
    told.collect()
}

fn unproven(subject: &Subject<'_>) -> Finding {
    let text = format!(
        "the {} key {} of {} did not prove itself alive: it was passed over",
        subject.role, subject.keyid, subject.holder
    );
    Finding::warning("KEY-NOT-PROVEN", "", text)
}
