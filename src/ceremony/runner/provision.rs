//! A token is erased and given new secrets. Every secret lies in its envelope, read back from the paper, before the token is changed: whenever power
//! fails, the owner has what the token wants to see. A step that was cut short begins anew, with new envelopes.

use super::ask::{Question, choice};
use super::attest::check_device;
use super::turn::{Bring, Turn};
use super::{Halt, Runner};
use crate::ceremony::event::{Credential, Event, TokenIdentity};
use crate::ceremony::material::is_trusted;
use crate::ceremony::port::{Reset, Stop, TokenError, TokenFault, TokenInfo};
use crate::ceremony::prompt::{EnvelopePrompt, Tries};
use crate::ceremony::script::{Holder, ROLES};
use crate::secret::Secret;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, PublicKey};

/// Bytes of a PKCS#11 token's label.
const LABEL: usize = 32;

impl Runner<'_> {
    pub(super) fn provision(&mut self, holder: &str) -> Result<(), Halt> {
        if self.progress.evidence().provisioned(holder).is_some() {
            return Ok(());
        }
        let text = vec![
            format!("The token of {holder} is erased and given new secrets."),
            "If this was begun before and cut short: it begins anew, with new envelopes. Keep the older ones until it is done: the token may have those secrets already.".to_owned(),
        ];
        let question = Question::new(
            format!("token:provision:{holder}"),
            "Bring the token that shall be erased",
            text,
        );
        let turn = &mut |runner: &mut Self, token: &TokenInfo| runner.provision_on(holder, token);
        match self.take_turn(&question, holder, Bring::Blank, turn)? {
            Some(()) => Ok(()),
            None => Err(Halt::Waiting {
                what: format!("{holder} has no token in this room"),
                then: "Name a token for this holder in the room file, by its serial: its label will change. The same command goes on from here.",
            }),
        }
    }

    fn provision_on(&mut self, holder: &str, token: &TokenInfo) -> Result<Turn<()>, Halt> {
        self.end_session();
        let serial = &token.identity.serial;
        let text = vec![
            "Type the serial number that is printed on the device itself. It is not shown here."
                .to_owned(),
        ];
        let question = Question::new(format!("serial:{holder}"), "Is it the right one?", text);
        if self.ask_text(question, "the serial on the device")? != *serial {
            return Ok(Turn::Refused("The serial that was typed is not this token's. It was refused; nothing was erased. Take the others out and look again.".to_owned()));
        }
        self.refuse_weak(holder, token)?;
        self.warn_and_confirm(holder, token)?;
        let mut reset = Reset {
            label: label(holder),
            old_so: self.present_so_pin(holder, token)?,
            new: self.envelopes(holder, token)?,
        };
        let now = self.reset(holder, token, &mut reset)?;
        let credentials = reset.new.iter().map(|(kind, _)| *kind).collect();
        drop(reset);
        self.emit(Event::Provisioned {
            holder: holder.to_owned(),
            token: now.identity.clone(),
            firmware: now.firmware.clone(),
            credentials,
        })?;
        // The PIN is typed from the envelope, not taken from memory: it proves what lies in the envelope.
        if self.log_in(holder, &now)? {
            Ok(Turn::Done(()))
        } else {
            Err(Stop::Paused.into())
        }
    }

    /// A device that may not make the keys that are wanted of it keeps what it has.
    fn refuse_weak(&self, holder: &str, token: &TokenInfo) -> Result<(), Finding> {
        let known = self.subject.script.holder(holder).into_iter();
        let mut wanted = known.flat_map(Holder::keys);
        wanted.try_for_each(|(_, key)| check_device(token, key.generate))
    }

    /// What will be gone, in full, and a phrase that names the token.
    fn warn_and_confirm(&mut self, holder: &str, token: &TokenInfo) -> Result<(), Halt> {
        let serial = &token.identity.serial;
        self.refuse_in_use(holder, token)?;
        let mut text = vec![format!(
            "ALL KEYS ON TOKEN {serial} WILL BE GONE FOR EVER. Nobody can bring them back."
        )];
        match self.world.keys(&token.id) {
            Ok(keys) if keys.is_empty() => text.push(
                "It shows no key before its PIN. There may be keys that it does not show."
                    .to_owned(),
            ),
            Ok(keys) => {
                for key in &keys {
                    self.refuse_listed(token, &key.public)?;
                    let name = data_encoding::HEXLOWER.encode(&key.id);
                    text.push(format!(
                        "{} ({name}): public key SHA-256 {}",
                        key.label,
                        key.public.fingerprint()
                    ));
                }
            }
            Err(failed) if token.ready => return Err(failed.into()),
            Err(failed) => text.push(format!("What it holds cannot be read ({failed}).")),
        }
        let question = Question::new(format!("erase:{holder}"), "Erase this token?", text);
        self.ask_phrase(question, &format!("erase {serial}"))
    }

    /// A token that was provisioned in this ceremony holds a key of somebody already.
    fn refuse_in_use(&self, holder: &str, token: &TokenInfo) -> Result<(), Halt> {
        let names = self.subject.script.holders.iter().map(|known| &known.name);
        let evidence = self.progress.evidence();
        let mut others = names.filter(|name| *name != holder);
        let holding = others.find(|name| {
            evidence
                .provisioned(name)
                .is_some_and(|known| is_same(known, token))
        });
        holding.map_or(Ok(()), |other| {
            Err(in_use(
                token,
                &format!("the token of {other}, provisioned in this ceremony"),
            )
            .into())
        })
    }

    /// A key that metadata lists is not erased: it is replaced first.
    fn refuse_listed(&self, token: &TokenInfo, public: &PublicKey) -> Result<(), Halt> {
        let Some(key) = Key::from_public(public) else {
            return Ok(());
        };
        let trusted = self.subject.trusted;
        let listed = ROLES.into_iter().find(|role| {
            let keys = trusted.role(role).map(|(keys, _)| keys).unwrap_or_default();
            is_trusted(trusted, role, &key.keyid())
                || keys.iter().any(|(_, known)| known.public() == public)
        });
        if let Some(role) = listed {
            let what = format!("the {role} key {} that trusted metadata lists", key.keyid());
            return Err(in_use(token, &what).into());
        }
        // Without metadata the register alone says what is in use; beside it, what only the register has waits to be listed and can be made anew.
        let registered = trusted
            .holders
            .as_ref()
            .filter(|_| trusted.root().is_none());
        match registered.and_then(|known| known.key(&key.keyid())) {
            Some(held) => {
                let what = format!("the {} key {} that the register has", held.role, held.keyid);
                Err(in_use(token, &what).into())
            }
            None => Ok(()),
        }
    }

    /// PKCS#11's present SO PIN, without which a token that is in use is not erased.
    fn present_so_pin(&mut self, holder: &str, token: &TokenInfo) -> Result<Option<Secret>, Halt> {
        if !token.credentials.contains(&Credential::So) {
            return Ok(None);
        }
        if !token.ready {
            let text = vec![
                "This token has no user PIN. Either it is blank, or it was initialised before and has an SO PIN: an earlier reset may have been cut short.".to_owned(),
            ];
            let question = Question::new(format!("so-pin:{holder}"), "Has it an SO PIN?", text);
            let options = vec![
                choice("blank", "it is as it came from its maker"),
                choice("set", "it has an SO PIN: it lies in an envelope"),
            ];
            if self.ask_choice(question, options)? == "blank" {
                return Ok(None);
            }
        }
        let so_pin = self.secret(holder, Credential::So, token, Tries::Unknown, None)?;
        Ok(Some(so_pin))
    }

    /// A new secret in its envelope for each that the token is given. The token knows nothing of it yet.
    fn envelopes(
        &mut self,
        holder: &str,
        token: &TokenInfo,
    ) -> Result<Vec<(Credential, Secret)>, Halt> {
        let mut new = Vec::new();
        for (number, kind) in token.credentials.iter().enumerate() {
            let fresh = self.world.new_secret(*kind)?;
            let prompt = EnvelopePrompt {
                holder: holder.to_owned(),
                kind: *kind,
                token: token.identity.clone(),
                text: vec![
                    format!(
                        "Envelope {} of {} for {holder}. Write on its outside: {holder}, {}, token {}, and the date.",
                        number + 1,
                        token.credentials.len(),
                        kind.name(),
                        token.identity.serial
                    ),
                    "The token is not changed before all envelopes are written.".to_owned(),
                ],
            };
            new.push((*kind, self.operator.envelope(&prompt, fresh)?));
        }
        Ok(new)
    }

    /// The one call that changes the token. A refused SO PIN has changed nothing, so it is asked for again.
    fn reset(
        &mut self,
        holder: &str,
        token: &TokenInfo,
        reset: &mut Reset,
    ) -> Result<TokenInfo, Halt> {
        let mut wrong = 0;
        loop {
            match self.world.reset(&token.id, reset) {
                Ok(now) => return Ok(now),
                Err(refused)
                    if refused.fault == TokenFault::PinIncorrect && reset.old_so.is_some() =>
                {
                    wrong += 1;
                    self.refused_pin(holder, Tries::Unknown, wrong, refused)?;
                    let after = "The token refused the SO PIN; tries left: unknown. Nothing was erased. Look at the envelope's label: after a reset that was cut short it may be the newer one.".to_owned();
                    let so = Credential::So;
                    reset.old_so =
                        Some(self.secret(holder, so, token, Tries::Unknown, Some(after))?);
                }
                Err(failed) => {
                    return Err(TokenError {
                        said: format!("{}; the token may be erased in part; keep every envelope until it is done", failed.said),
                        ..failed
                    }
                    .into());
                }
            }
        }
    }
}

/// What the token is called afterwards, where tokens have labels.
fn label(holder: &str) -> String {
    let mut label = format!("tuf-{holder}");
    label.truncate(LABEL);
    label.trim_end_matches('-').to_owned()
}

fn is_same(known: &TokenIdentity, token: &TokenInfo) -> bool {
    (&known.module, &known.serial) == (&token.identity.module, &token.identity.serial)
}

fn in_use(token: &TokenInfo, what: &str) -> Finding {
    let text = format!(
        "token {} holds {what}; nothing was erased; take the key out of use first (admin-key), or bring another token",
        token.identity.serial
    );
    Finding::error("TOKEN-IN-USE", "", text)
}
