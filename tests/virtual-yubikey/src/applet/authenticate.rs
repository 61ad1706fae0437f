//! GENERAL AUTHENTICATE (SP 800-73-4 part 2, 3.2.4): the management key proven, and the slots' keys used.

use crate::apdu::{Command, Status};
use crate::faults::Controls;
use crate::keys::policy::PinPolicy;
use crate::keys::{Algorithm, KeyPair};
use crate::state::{State, StoredKey};
use crate::tlv::{find, read, read_all, tlv};

use super::{Outcome, Piv};

const MANAGEMENT: u8 = 0x9b;
const TEMPLATE: u16 = 0x7c;
const WITNESS: u8 = 0x80;
const CHALLENGE: u8 = 0x81;
const RESPONSE: u8 = 0x82;
const EXPONENTIATION: u8 = 0x85;

impl Piv {
    pub(super) fn general_authenticate(
        &mut self,
        command: &Command,
        state: &mut State,
        controls: &Controls,
    ) -> Outcome {
        let (tag, template, rest) = read(&command.data).ok_or(Status::DATA)?;
        if u16::from(tag) != TEMPLATE || !rest.is_empty() {
            return Err(Status::DATA.into());
        }
        let elements = read_all(template).ok_or(Status::DATA)?;
        let (tag, value) = if command.p2 == MANAGEMENT {
            self.prove_management(command.p1, &elements, state, controls)?
        } else {
            (RESPONSE, self.use_key(command, &elements, state, controls)?)
        };
        if value.is_empty() {
            return Ok(Vec::new());
        }
        Ok(tlv(TEMPLATE, &tlv(u16::from(tag), &value)))
    }

    /// Mutual (witness, then challenge) or one-sided (the card's challenge, then the host's response).
    fn prove_management(
        &mut self,
        algorithm: u8,
        elements: &[(u8, &[u8])],
        state: &State,
        controls: &Controls,
    ) -> Result<(u8, Vec<u8>), super::Failure> {
        let key = &state.management;
        if !key.answers_to(algorithm) {
            return Err(Status::DATA.into());
        }
        let witness = find(elements, WITNESS);
        let challenge = find(elements, CHALLENGE);
        let response = find(elements, RESPONSE).filter(|response| !response.is_empty());
        if let (Some(proof), Some(challenge)) = (witness, challenge) {
            let right = self.witness.take().is_some_and(|witness| witness == proof);
            self.management = false;
            if !right || proof.is_empty() {
                return Err(Status::SECURITY.into());
            }
            self.needs_touch(key.touch, controls)?;
            let answer = key.encrypt(challenge).ok_or(Status::DATA)?;
            self.management = true;
            return Ok((RESPONSE, answer));
        }
        if let Some(response) = response {
            let challenge = self.challenge.take();
            let expected = challenge.and_then(|challenge| key.encrypt(&challenge));
            self.management = false;
            if expected.is_none_or(|expected| expected != response) {
                return Err(Status::SECURITY.into());
            }
            self.needs_touch(key.touch, controls)?;
            self.management = true;
            return Ok((RESPONSE, Vec::new()));
        }
        let mut block = vec![0; key.block_length()];
        getrandom::fill(&mut block).map_err(|_| Status::INTERNAL)?;
        match (witness, challenge) {
            (Some([]), None) => {
                let sealed = key.encrypt(&block).ok_or(Status::INTERNAL)?;
                self.witness = Some(block);
                Ok((WITNESS, sealed))
            }
            (None, Some([])) => {
                self.challenge = Some(block.clone());
                Ok((CHALLENGE, block))
            }
            _ => Err(Status::DATA.into()),
        }
    }

    fn use_key(
        &mut self,
        command: &Command,
        elements: &[(u8, &[u8])],
        state: &mut State,
        controls: &Controls,
    ) -> Outcome {
        let key = state.keys.get(&command.p2).ok_or(Status::DATA)?;
        let algorithm = Algorithm::of(command.p1, state.firmware).ok_or(Status::DATA)?;
        if algorithm != key.pair.algorithm() {
            return Err(Status::DATA.into());
        }
        self.needs_pin(key)?;
        self.needs_touch(key.touch, controls)?;
        if let Some(other) = find(elements, EXPONENTIATION) {
            return Ok(key.pair.agree(other).ok_or(Status::DATA)?);
        }
        let challenge = find(elements, CHALLENGE).ok_or(Status::DATA)?;
        signature(&key.pair, challenge, controls)
    }

    /// Policy "always" spends the PIN: the next use asks again.
    fn needs_pin(&mut self, key: &StoredKey) -> Result<(), Status> {
        let enough = match key.pin {
            PinPolicy::Never => true,
            PinPolicy::Once => self.pin,
            PinPolicy::Always => std::mem::take(&mut self.pin_fresh),
        };
        if enough {
            Ok(())
        } else {
            Err(Status::SECURITY)
        }
    }
}

fn signature(pair: &KeyPair, challenge: &[u8], controls: &Controls) -> Outcome {
    let faults = controls.faults();
    let other;
    let signer = if faults.sign_with_other_key {
        other = KeyPair::generate(pair.algorithm()).ok_or(Status::INTERNAL)?;
        &other
    } else {
        pair
    };
    let signature = if faults.repeat_nonce && signer.algorithm() == Algorithm::P256 {
        signer.sign_with_one_nonce(challenge)
    } else {
        signer.sign(challenge)
    };
    let mut signature = signature.ok_or(Status::DATA)?;
    if faults.flip_signature
        && let Some(last) = signature.last_mut()
    {
        *last ^= 1;
    }
    Ok(signature)
}
