//! Keys enter: made on a token, found on one, or made in memory for this ceremony only. Each shows its public half; custody is read back and what a
//! token does not say counts as not proven.

use super::ask::{LONGEST_TEXT, Question, choice};
use super::attest::{Shown, Whose, check_device};
use super::turn::{Bring, Turn};
use super::{Halt, Runner};
use crate::ceremony::EPHEMERAL;
use crate::ceremony::event::{Credential, Custody, Event};
use crate::ceremony::port::{Leaves, Stop, TokenError, TokenFault, TokenInfo, TokenKey};
use crate::ceremony::prompt::{Ask, Tries};
use crate::ceremony::script::BackedUpAs;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, Key, KeyId, PublicKey};
use crate::tuf::style;

impl Runner<'_> {
    pub(super) fn enrol(
        &mut self,
        holder: &str,
        role: &str,
        generate: Option<Algorithm>,
        keyid: Option<&KeyId>,
    ) -> Result<(), Halt> {
        if self
            .progress
            .enrolled()
            .iter()
            .any(|key| key.holder == holder && key.role == role)
        {
            return Ok(());
        }
        let (title, text) = match (generate, keyid) {
            (Some(algorithm), _) => (
                "Make a key",
                format!(
                    "{holder} makes a {} key for {role} on the token. It never leaves it.",
                    name(algorithm)
                ),
            ),
            (None, Some(keyid)) => (
                "Find a key",
                format!("{holder} shows the {role} key with keyid {keyid}."),
            ),
            (None, None) => {
                return Err(Finding::error(
                    "SCRIPT-KEY",
                    "",
                    format!("{holder} has no key for {role} in the script"),
                )
                .into());
            }
        };
        let id = format!("token:{role}-key:{holder}");
        let question = Question::new(id, title, vec![text]);
        let turn = &mut |runner: &mut Self, token: &TokenInfo| {
            check_device(token, generate)?;
            if !runner.log_in(holder, token)? {
                return Err(Stop::Paused.into());
            }
            let (key, generated) = match generate {
                Some(algorithm) => runner.make(holder, role, algorithm, token)?,
                None => (
                    runner.find(token, |key| {
                        key.keyid() == *keyid.unwrap_or(&KeyId(String::new()))
                    })?,
                    false,
                ),
            };
            let certificates = runner.world.attestation(&token.id, &key)?;
            Ok(Turn::Done((token.clone(), key, generated, certificates)))
        };
        let Some((token, key, generated, certificates)) =
            self.take_turn(&question, holder, Bring::Ready, turn)?
        else {
            return Err(Halt::Waiting {
                what: format!(
                    "{holder} is not in this room, and the script says that the {role} key is shown here"
                ),
                then: "Name a token for this holder in the room file, or give the key's public half in the script. The same command goes on from here.",
            });
        };
        let shown = Shown {
            token: &token,
            certificates: &certificates,
            making: generate.is_some(),
        };
        self.enter(
            holder,
            role,
            &key.public,
            generated,
            Some(&shown),
            key.custody,
        )
    }

    pub(super) fn make_ephemeral(
        &mut self,
        role: &str,
        algorithms: &[Algorithm],
    ) -> Result<(), Halt> {
        if self
            .progress
            .enrolled()
            .iter()
            .any(|key| key.holder == EPHEMERAL && key.role == role)
        {
            return Ok(());
        }
        for public in self.world.make_ephemeral(algorithms)? {
            self.enter(EPHEMERAL, role, &public, true, None, Custody::default())?;
        }
        Ok(())
    }

    pub(super) fn destroy_ephemeral(&mut self) -> Result<(), Halt> {
        self.world.destroy_ephemeral();
        if self.progress.ephemeral_destroyed() {
            return self.witness();
        }
        let keyids = self
            .progress
            .enrolled()
            .iter()
            .filter(|key| key.holder == EPHEMERAL)
            .map(|key| key.keyid.clone())
            .collect();
        self.emit(Event::EphemeralDestroyed { keyids })?;
        self.witness()
    }

    /// What the program cannot know of the destruction: two witnesses say it (PEP 458, generating the keys).
    fn witness(&mut self) -> Result<(), Halt> {
        let text = vec![
            "The throwaway keys were in locked memory of this program, in no file and in nothing that a crash writes. That memory is overwritten and given back.".to_owned(),
            "Whether this machine has anything that keeps its content without power, the witnesses say: a disk, a stick, a card. The system must not have swapped or hibernated either.".to_owned(),
        ];
        let title = "The throwaway keys are destroyed";
        let question = Question::new("ephemeral:medium", title, text);
        let options = vec![
            choice("none", "two witnesses looked: it has no such medium"),
            choice(
                "destroyed",
                "two witnesses keep it in sight until it is destroyed, today",
            ),
        ];
        self.ask_choice(question, options)?;
        let text = vec!["They stand in the record as those who say so.".to_owned()];
        let question = Question::new("ephemeral:witnesses", "Who are the witnesses?", text);
        let ask = Ask::Text {
            wanted: "the names of both witnesses, with a comma between them".to_owned(),
        };
        self.ask(question, ask, &|answer| {
            let mut names: Vec<&str> = answer.split(',').map(str::trim).collect();
            let plain = |name: &&str| !name.is_empty() && !name.contains(char::is_control);
            let all = names.iter().all(plain);
            names.sort_unstable();
            names.dedup();
            all && names.len() >= 2 && answer.len() <= LONGEST_TEXT * 2
        })
        .map(drop)
    }

    /// The one key on the token that fits.
    pub(super) fn find(
        &mut self,
        token: &TokenInfo,
        fits: impl Fn(&Key) -> bool,
    ) -> Result<TokenKey, Halt> {
        let keys = self.world.keys(&token.id)?;
        keys.into_iter()
            .find(|known| Key::from_public(&known.public).is_some_and(|key| fits(&key)))
            .ok_or_else(|| absent(token).into())
    }

    fn make(
        &mut self,
        holder: &str,
        role: &str,
        algorithm: Algorithm,
        token: &TokenInfo,
    ) -> Result<(TokenKey, bool), Halt> {
        let roles = self.subject.script.roles();
        let made = roles.iter().find(|(name, _)| *name == role);
        let label = match made {
            Some((_, made)) => format!("tuf-{role}-v{}", made.version),
            None => format!("tuf-{role}"),
        };
        let lying_there = self
            .world
            .keys(&token.id)?
            .into_iter()
            .find(|key| key.label == label);
        if let Some(key) = lying_there {
            return self.adopt(holder, role, key);
        }
        let leaves = match self.leaves(holder, role) {
            Some(BackedUpAs::Wrapped) => Leaves::Wrapped,
            None => Leaves::Never,
        };
        let made = match self.world.generate(&token.id, &label, algorithm, leaves) {
            Err(refused) if refused.fault == TokenFault::NotAuthorised => {
                self.authorise(holder, token)?;
                self.world.generate(&token.id, &label, algorithm, leaves)
            }
            made => made,
        };
        Ok((made?, true))
    }

    /// How the script lets a holder's key leave its token.
    fn leaves(&self, holder: &str, role: &str) -> Option<BackedUpAs> {
        self.subject.script.holder(holder)?.key(role)?.backup
    }

    /// Gives a PIV card its management key. The card has no counter for it, so a wrong one costs nothing; three in a row are no slip of the pen.
    fn authorise(&mut self, holder: &str, token: &TokenInfo) -> Result<(), Halt> {
        let (mut wrong, mut after) = (0, None);
        loop {
            let kind = Credential::Mgmt;
            let key = self.secret(holder, kind, token, Tries::Unknown, after.take())?;
            match self.world.authorise(&token.id, &key) {
                Err(refused) if refused.fault == TokenFault::PinIncorrect && wrong < 2 => {
                    wrong += 1;
                    after = Some("The token refused the management key. No key was made, and no PIN try was lost. Check the envelope's label.".to_owned());
                }
                answer => return Ok(answer?),
            }
        }
    }

    /// A key with the wanted label is there already: power failed between making and recording it, or the token was used before.
    fn adopt(&mut self, holder: &str, role: &str, key: TokenKey) -> Result<(TokenKey, bool), Halt> {
        let text = vec![
            format!("The token of {holder} has a key called {} already:", key.label),
            format!("public key SHA-256 {}", key.public.fingerprint()),
            "If this ceremony was interrupted while it was made, use it. Otherwise stop: the token was used before.".to_owned(),
        ];
        let question = Question::new(
            format!("adopt:{role}-key:{holder}"),
            "Use the key that is there?",
            text,
        );
        self.ask_choice(question, vec![choice("use", "use the key that is there")])?;
        Ok((key, false))
    }

    pub(super) fn enter(
        &mut self,
        holder: &str,
        role: &str,
        public: &PublicKey,
        generated: bool,
        shown: Option<&Shown<'_>>,
        custody: Custody,
    ) -> Result<(), Halt> {
        let key = Key::from_public(public).ok_or_else(|| {
            Finding::error(
                "KEY-FORM",
                "",
                format!("the key of {holder} cannot be listed in metadata"),
            )
        })?;
        let keyid = key.keyid();
        if let Some(known) = self
            .progress
            .enrolled()
            .iter()
            .find(|known| known.keyid == keyid)
        {
            let text = format!(
                "the {role} key of {holder} is the {} key of {}: every role and person has a key of its own",
                known.role, known.holder
            );
            return Err(Finding::error("KEY-SHARED", "", text).into());
        }
        if shown.is_some() && self.leaves(holder, role).is_some() {
            self.wrapped_only(holder, role, custody)?;
        } else if shown.is_some()
            && (custody.never_extractable != Some(true) || custody.always_sensitive != Some(true))
        {
            let text = format!(
                "the token of {holder} does not prove that the {role} key never was and never can be extracted"
            );
            self.emit(Event::Found {
                finding: Finding::warning("CUSTODY-NOT-PROVEN", "", text),
            })?;
        }
        if let Some(shown) = shown {
            let whose = Whose {
                holder,
                role,
                keyid: &keyid,
                public,
            };
            self.vouch(whose, shown)?;
        }
        self.emit(Event::KeyEnrolled {
            holder: holder.to_owned(),
            role: role.to_owned(),
            keyid,
            key: String::from_utf8_lossy(&style::to_vec(key.value())).into_owned(),
            generated,
            token: shown.map(|shown| shown.token.identity.clone()),
            custody,
        })
    }

    /// A key that shall be backed up leaves its token under a trusted wrapping key only, and the token says so; or there is no such ceremony.
    fn wrapped_only(&mut self, holder: &str, role: &str, custody: Custody) -> Result<(), Halt> {
        if custody.wrapped_only != Some(true) || custody.always_sensitive == Some(false) {
            let text = format!(
                "the script wants the {role} key of {holder} backed up, and its token does not say that the key leaves it under a trusted wrapping key and in no other way; nothing was listed"
            );
            return Err(Finding::error("CUSTODY-WRAPPED", "", text).into());
        }
        let text = format!(
            "the {role} key of {holder} can leave its token, as a blob under a trusted wrapping key, as the script wants it"
        );
        self.emit(Event::Found {
            finding: Finding::note("CUSTODY-WRAPPED", "", text),
        })
    }
}

fn absent(token: &TokenInfo) -> TokenError {
    TokenError {
        attempted: format!("find the key on token {}", token.identity.serial),
        said: "the wanted key is not on it; nothing was signed; bring the token that the register names".to_owned(),
        fault: TokenFault::KeyAbsent,
        may_have_signed: false,
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::EcdsaP256 => "P-256",
        Algorithm::EcdsaP384 => "P-384",
        Algorithm::RsaPss => "RSA",
    }
}
