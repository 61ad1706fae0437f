//! One signature: the key found again, the fresh login where the key wants one, one request to the device.

use cryptoki::error::Error;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::UserType;
use sha2::{Digest as _, Sha256, Sha384};

use super::session::Open;
use super::{Pkcs11Module, errors, material, objects};
use crate::ceremony::port::{TokenError, TokenFault, TokenId, TokenKey};
use crate::token::failure;
use crate::tuf::key::Algorithm;

impl Pkcs11Module {
    pub(super) fn signature(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        payload: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let refused = |said: &str, fault| Err(failure(&attempted, said, fault));
        let Some(algorithm) = key.public.algorithm() else {
            return refused("keys of this type cannot sign", TokenFault::Unsupported);
        };
        let open = self.current(token, &attempted)?;
        if !open.logged_in {
            return refused("nobody is logged in to the token", TokenFault::NotLoggedIn);
        }
        if open.is_full_for(&key.public) {
            return refused(super::ONE_KEY, TokenFault::NotLoggedIn);
        }
        let longest = open.quirks.longest_eddsa.unwrap_or(usize::MAX);
        if algorithm == Algorithm::Ed25519 && payload.len() > longest {
            let said = format!(
                "the token takes the whole payload for Ed25519 and at most {longest} bytes; this has {}",
                payload.len()
            );
            return refused(&said, TokenFault::PayloadTooLarge);
        }
        let found = objects::private_half(open, key).and_then(|private| {
            let Some(private) = private else {
                return Ok(None);
            };
            Ok(Some((
                private,
                objects::wants_pin_each_time(open, private)?,
            )))
        });
        let (private, each_time) = match found {
            Ok(Some(found)) => found,
            Ok(None) => {
                let said = "no key on the token has this name and this public half";
                return refused(said, TokenFault::KeyAbsent);
            }
            Err(error) => {
                self.forget_if_broken(token, &error);
                return Err(errors::failed(&attempted, &error));
            }
        };
        if each_time && open.login_is_used {
            let said = "this key wants its PIN for each signature";
            return refused(said, TokenFault::NotLoggedIn);
        }
        open.used = Some(key.public.clone());
        match signed(open, private, each_time, algorithm, payload) {
            Ok(signature) => material::tuf_form(algorithm, signature).ok_or_else(|| TokenError {
                may_have_signed: true,
                ..failure(
                    attempted,
                    "what the token gave is no signature",
                    TokenFault::Other,
                )
            }),
            Err(error) => {
                if errors::leaves_a_signature_open(&error) {
                    self.open.remove(token);
                }
                self.forget_if_broken(token, &error);
                Err(errors::sign_failed(&attempted, &error))
            }
        }
    }
}

/// One request to the device. ECDSA and RSA get the digest, hashed here: no module tested has the mechanisms that hash, and all have these.
/// Ed25519 gets the whole message in one part, as there is no other way.
fn signed(
    open: &mut Open,
    private: ObjectHandle,
    each_time: bool,
    algorithm: Algorithm,
    payload: &[u8],
) -> Result<Vec<u8>, Error> {
    match algorithm {
        Algorithm::Ed25519 => {
            let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
            requested(open, &pure, private, each_time, payload)
        }
        Algorithm::EcdsaP256 => {
            let digest = Sha256::digest(payload);
            requested(open, &Mechanism::Ecdsa, private, each_time, &digest)
        }
        Algorithm::EcdsaP384 => {
            let digest = Sha384::digest(payload);
            requested(open, &Mechanism::Ecdsa, private, each_time, &digest)
        }
        Algorithm::RsaPss => {
            let pss = Mechanism::RsaPkcsPss(PkcsPssParams {
                hash_alg: MechanismType::SHA256,
                mgf: PkcsMgfType::MGF1_SHA256,
                s_len: 32.into(),
            });
            requested(open, &pss, private, each_time, &Sha256::digest(payload))
        }
    }
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
