//! Who vouches for a key that enters, and what is published about the device that holds it: judged while the token is here, and settled on record before
//! the key enters. A key that nobody vouches for enters by a typed phrase only.

use super::ask::Question;
use super::{Halt, Runner};
use crate::attestation::Anchors;
use crate::ceremony::attested;
use crate::ceremony::device::Device;
use crate::ceremony::event::Event;
use crate::ceremony::material::{is_trusted, parse_public};
use crate::ceremony::port::TokenInfo;
use crate::ceremony::prompt::Ask;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, Key, KeyId, PublicKey};

/// What acknowledges that a key has no attestation.
const PHRASE: &str = "nobody vouches for this key";
/// Longest reason of a sign-off, in characters.
const LONGEST_REASON: usize = 200;

/// A key and the token that shows it.
pub(super) struct Shown<'s> {
    pub(super) token: &'s TokenInfo,
    /// DER, the key's own first; none: the token has no attestation.
    pub(super) certificates: &'s [Vec<u8>],
    /// Whether the script has it made now.
    pub(super) making: bool,
}

/// Whose key for what.
#[derive(Clone, Copy)]
pub(super) struct Whose<'s> {
    pub(super) holder: &'s str,
    pub(super) role: &'s str,
    pub(super) keyid: &'s KeyId,
    pub(super) public: &'s PublicKey,
}

/// Refuses a token whose keys of this type would be weak, before it makes one.
pub(super) fn check_device(token: &TokenInfo, making: Option<Algorithm>) -> Result<(), Finding> {
    making.map_or(Ok(()), |algorithm| {
        Device::of_token(token).allows_making(algorithm)
    })
}

impl Runner<'_> {
    /// Settles who vouches for a key that a token shows, and accepts in writing what is published about the token.
    pub(super) fn vouch(&mut self, whose: Whose<'_>, shown: &Shown<'_>) -> Result<(), Halt> {
        let genuine = match shown.certificates {
            [] => None,
            certificates => {
                let name = format!("the {} key of {}", whose.role, whose.holder);
                let serial = Some(shown.token.identity.serial.as_str());
                let anchors = self.anchors()?;
                Some(
                    attested::judge(whose.public, certificates, &anchors, &name, serial)
                        .map_err(Halt::Refused)?,
                )
            }
        };
        let device = match &genuine {
            Some(statement) => Device::of_statement(statement),
            None => Device::of_token(shown.token),
        };
        if let Some(algorithm) = whose.public.algorithm().filter(|_| shown.making) {
            // Only its attestation tells a FIPS or Bio key from others.
            device.allows_making(algorithm)?;
        }
        let remarks = genuine
            .iter()
            .flat_map(|statement| statement.remarks(&attested::path(whose.keyid)));
        for finding in remarks.chain(device.unknown()) {
            self.find_once(finding)?;
        }
        match genuine {
            Some(statement) => {
                if self.evidence(whose.keyid).is_none() {
                    let certificates = shown.certificates;
                    self.emit(attested::event(
                        whose.holder,
                        whose.keyid,
                        certificates,
                        &statement,
                    ))?;
                }
            }
            None => self.acknowledge(whose)?,
        }
        if shown.making {
            return Ok(());
        }
        self.sign_off(whose.holder, whose.keyid, whose.public, &device)
    }

    /// What must be accepted in writing before the key on this token signs.
    pub(super) fn sign_off_token(
        &mut self,
        holder: &str,
        keyid: &KeyId,
        public: &PublicKey,
        token: &TokenInfo,
    ) -> Result<(), Halt> {
        let anchors = self.anchors()?;
        let known = self.evidence(keyid);
        let statement = known.and_then(|known| attested::statement(known, public, &anchors));
        let device = match statement {
            Some(statement) => Device::of_statement(&statement),
            None => Device::of_token(token),
        };
        self.sign_off(holder, keyid, public, &device)
    }

    /// Takes in the attestations of keys that are given by their public halves; of the others the review says that there is none, and its phrase
    /// accepts it.
    pub(super) fn take_carried(&mut self) -> Result<(), Halt> {
        if self.subject.signing_only {
            return Ok(());
        }
        for (holder, role, key) in self.given()? {
            let keyid = key.keyid();
            if self.progress.evidence().is_settled(&keyid) {
                continue;
            }
            let Some(certificates) = self.subject.trusted.attestations.get(&keyid) else {
                let reason =
                    "its public half was given without an attestation; the review shows it";
                self.emit(Event::Unattested {
                    holder,
                    keyid,
                    reason: reason.to_owned(),
                })?;
                continue;
            };
            let certificates = attested::own_first(key.public(), certificates.clone());
            let name = format!("the {role} key of {holder}");
            let anchors = self.anchors()?;
            let statement = attested::judge(key.public(), &certificates, &anchors, &name, None)
                .map_err(Halt::Refused)?;
            for finding in statement.remarks(&attested::path(&keyid)) {
                self.find_once(finding)?;
            }
            self.emit(attested::event(&holder, &keyid, &certificates, &statement))?;
        }
        Ok(())
    }

    /// What a stranger needs to verify the attestations again: their files, for the bundle.
    pub(super) fn attestation_files(&self) -> Vec<(String, Vec<u8>)> {
        let known = self.progress.evidence().attested().iter();
        let mut files: Vec<_> = known
            .filter_map(|known| {
                let certificates = attested::certificates(known)?;
                let pem = attested::pem(&certificates).into_bytes();
                Some((attested::path(&known.keyid), pem))
            })
            .collect();
        let roots = attested::used_roots(&self.progress, self.world.test_roots());
        files.extend(roots.into_iter().map(|(name, der)| {
            let path = format!("{}{name}.der", attested::TEST_ROOTS);
            (path, der)
        }));
        files
    }

    pub(super) fn anchors(&self) -> Result<Anchors, Halt> {
        let roots = self.world.test_roots();
        Ok(attested::anchors(&roots, self.subject.mode)?)
    }

    fn evidence(&self, keyid: &KeyId) -> Option<&crate::ceremony::progress::Attested> {
        self.progress.evidence().attestation(keyid)
    }

    fn acknowledge(&mut self, whose: Whose<'_>) -> Result<(), Halt> {
        let Whose {
            holder,
            role,
            keyid,
            public,
        } = whose;
        if self.progress.evidence().is_settled(keyid) {
            return Ok(());
        }
        let text = vec![
            format!(
                "The token of {holder} has no attestation for the {role} key: no maker says that a genuine device made it and keeps it."
            ),
            format!("keyid {keyid}"),
            format!("public key SHA-256 {}", public.fingerprint()),
            "The review and the record will say NOT ATTESTED. Nothing was written yet.".to_owned(),
        ];
        let id = format!("unattested:{role}-key:{holder}");
        self.ask_phrase(
            Question::new(id, "Nobody vouches for this key", text),
            PHRASE,
        )?;
        self.emit(Event::Unattested {
            holder: holder.to_owned(),
            keyid: keyid.clone(),
            reason: "the token has no attestation for it".to_owned(),
        })
    }

    fn sign_off(
        &mut self,
        holder: &str,
        keyid: &KeyId,
        public: &PublicKey,
        device: &Device,
    ) -> Result<(), Halt> {
        let Some(algorithm) = public.algorithm() else {
            return Ok(());
        };
        for (advisory, weakness) in device.to_sign_off(algorithm) {
            let mut known = self.progress.evidence().signed_off().iter();
            if known.any(|known| known.keyid == *keyid && known.advisory == advisory.id) {
                continue;
            }
            let text = vec![
                weakness,
                format!(
                    "{holder} would sign with the key {keyid} in it. That is allowed once somebody says in writing why the risk is taken, and until when."
                ),
                "The reason goes on record, word for word. Nothing was signed yet.".to_owned(),
            ];
            let id = format!("sign-off:{}:{holder}", advisory.id);
            let question = Question::new(id, "A known weakness: accept it in writing", text);
            let wanted = "the reason, in a sentence";
            let ask = Ask::Text {
                wanted: wanted.to_owned(),
            };
            let reason = self.ask(question, ask, &is_reason)?;
            self.emit(Event::SignedOff {
                holder: holder.to_owned(),
                keyid: keyid.clone(),
                advisory: advisory.id.to_owned(),
                reason: reason.trim().to_owned(),
            })?;
        }
        Ok(())
    }

    /// Keys that enter by their public halves: their holders are elsewhere.
    fn given(&self) -> Result<Vec<(String, &'static str, Key)>, Halt> {
        let mut given = Vec::new();
        for (role, wanted) in self.subject.script.roles() {
            for name in wanted.holders.iter().flatten() {
                let holder = self.subject.script.holder(name);
                let key = holder.and_then(|holder| holder.key(role));
                let Some(public) = key.and_then(|key| key.public.as_ref()) else {
                    continue;
                };
                let key = parse_public(public, name)?;
                if !is_trusted(self.subject.trusted, role, &key.keyid()) {
                    given.push((name.clone(), role, key));
                }
            }
        }
        Ok(given)
    }

    fn find_once(&mut self, finding: Finding) -> Result<(), Halt> {
        if self.progress.findings().contains(&finding) {
            return Ok(());
        }
        self.emit(Event::Found { finding })
    }
}

/// A sentence of plain characters; one word is no reason.
fn is_reason(answer: &str) -> bool {
    let answer = answer.trim();
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    answer.len() <= LONGEST_REASON && answer.contains(' ') && answer.bytes().all(plain)
}
