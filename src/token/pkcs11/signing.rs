//! Signatures: the key found again, the fresh login where the key wants one, one request to the device for each.

use std::time::Instant;

use cryptoki::error::Error;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::UserType;

use super::session::Open;
use super::{Pkcs11Module, errors, material, objects};
use crate::ceremony::port::{Taken, TokenError, TokenFault, TokenId, TokenKey};
use crate::token::failure;
use crate::tuf::key::{Algorithm, Message};

impl Pkcs11Module {
    pub(super) fn signature(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let mut made = None;
        let messages = std::slice::from_ref(message);
        self.signatures(token, key, messages, &mut |signature, _| {
            made = Some(signature);
            true
        })?;
        made.ok_or_else(|| {
            let said = "the token gave no signature";
            failure(attempt(token, key), said, TokenFault::Other)
        })
    }

    /// The token and its key are looked at once, before the first; a session that breaks in between is an error of the device.
    pub(super) fn signatures(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        messages: &[Message<'_>],
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        let attempted = attempt(token, key);
        let (private, each_time) = self.chosen(token, key, messages, &attempted)?;
        for message in messages {
            let open = self.session(token, &attempted)?;
            if each_time && open.login_is_used {
                let said = "this key wants its PIN for each signature";
                return Err(failure(attempted, said, TokenFault::NotLoggedIn));
            }
            open.used = Some(key.public.clone());
            let began = Instant::now();
            let answer = signed(open, private, each_time, message);
            let took = began.elapsed();
            match answer {
                // An answer came, so nothing is open: it is thrown away like a signature of the right form that does not verify.
                Ok(answer) => {
                    let signature = material::tuf_form(message.algorithm(), answer);
                    let signature = signature.ok_or_else(|| {
                        let said = "what the token gave is no signature; it was thrown away";
                        failure(&attempted, said, TokenFault::Other)
                    })?;
                    if !give(signature, took) {
                        break;
                    }
                }
                Err(error) => {
                    if errors::leaves_a_signature_open(&error) {
                        self.open.remove(token);
                    }
                    self.forget_if_broken(token, &error);
                    return Err(errors::sign_failed(&attempted, &error));
                }
            }
        }
        Ok(())
    }

    /// The private half on a token where somebody is logged in, and whether it wants its PIN for each signature; refused where it cannot sign all of the
    /// messages.
    fn chosen(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        messages: &[Message<'_>],
        attempted: &str,
    ) -> Result<(ObjectHandle, bool), TokenError> {
        let refused = |said: &str, fault| Err(failure(attempted, said, fault));
        let algorithm = key.public.algorithm();
        if !messages
            .iter()
            .all(|message| Some(message.algorithm()) == algorithm)
        {
            return refused("keys of this type cannot sign", TokenFault::Unsupported);
        }
        let open = self.with_login(token, attempted)?;
        if open.is_full_for(&key.public) {
            return refused(super::ONE_KEY, TokenFault::NotLoggedIn);
        }
        let longest = open.quirks.longest_eddsa.unwrap_or(usize::MAX);
        let lengths = messages.iter().map(|message| message.bytes().len());
        let length = lengths.max().unwrap_or(0);
        if algorithm == Some(Algorithm::Ed25519) && length > longest {
            let said = format!(
                "the token takes the whole payload for Ed25519 and at most {longest} bytes; this has {length}"
            );
            return refused(&said, TokenFault::PayloadTooLarge);
        }
        let found = objects::private_half(open, key).and_then(|private| {
            let Some(private) = private else {
                return Ok(None);
            };
            let each_time = objects::wants_pin_each_time(open, private)?;
            Ok(Some((private, each_time)))
        });
        match found {
            Ok(Some((_, true))) if open.login_is_used => {
                let said = "this key wants its PIN for each signature";
                refused(said, TokenFault::NotLoggedIn)
            }
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                let said = "no key on the token has this name and this public half";
                refused(said, TokenFault::KeyAbsent)
            }
            Err(error) => {
                self.forget_if_broken(token, &error);
                Err(errors::failed(attempted, &error))
            }
        }
    }
}

fn attempt(token: &TokenId, key: &TokenKey) -> String {
    format!("sign with key {:?} of token {}", key.label, token.serial)
}

/// One request to the device. ECDSA and RSA get the digest, hashed before: no module tested has the mechanisms that hash, and all have these.
/// Ed25519 gets the whole message in one part, as there is no other way.
pub(super) fn signed(
    open: &mut Open,
    private: ObjectHandle,
    each_time: bool,
    message: &Message<'_>,
) -> Result<Vec<u8>, Error> {
    let mechanism = match message.algorithm() {
        Algorithm::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => Mechanism::Ecdsa,
        Algorithm::RsaPss => Mechanism::RsaPkcsPss(PkcsPssParams {
            hash_alg: MechanismType::SHA256,
            mgf: PkcsMgfType::MGF1_SHA256,
            s_len: 32.into(),
        }),
    };
    requested(open, &mechanism, private, each_time, message.bytes())
}

fn requested(
    open: &mut Open,
    mechanism: &Mechanism<'_>,
    private: ObjectHandle,
    each_time: bool,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    open.session.sign_init(mechanism, private)?;
    if each_time {
        // Used from here on, whatever comes: the next signature begins with a login.
        open.login_is_used = true;
        if let Some(pin) = open.pin_for_one.take() {
            open.log_in(UserType::ContextSpecific, &pin)?;
        }
    }
    open.calls.sign(&open.session, data)
}
