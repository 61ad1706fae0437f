//! Keys that leave a token wrapped, and come back: PKCS#8 under AES key wrap with padding (RFC 5649).
//!
//! A key made for it is extractable and says `CKA_WRAP_WITH_TRUSTED`, so the token wraps it under a trusted key only, and only the security officer makes a key
//! trusted (PKCS#11 2.40, 4.8): neither the user nor a program with the user's PIN gets it out. The wrap key is an object of the session wherever the
//! token takes one, so closing the session takes it away whatever happened; the program logs out and closes it in every outcome.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::UserType;
use cryptoki_sys::{CK_MECHANISM_TYPE, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD};

use super::session::Open;
use super::{Pkcs11Module, errors, material, new_id, objects, signing};
use crate::ceremony::port::{TokenError, TokenFault, TokenId, TokenKey};
use crate::secret::Secret;
use crate::token::{STAYS, check_wrap_key, failure};
use crate::tuf::key::{Algorithm, Message, PublicKey};

/// What the wrap key is called while it is on a token.
const LABEL: &[u8] = b"tuf-ceremony wrap key";

impl Pkcs11Module {
    pub(super) fn wrapped(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        wrap_key: &Secret,
        so_pin: &Secret,
        pin: &Secret,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("back up key {:?} of token {}", key.label, token.serial);
        check_wrap_key(wrap_key, &attempted)?;
        self.check_given(so_pin, token, &attempted)?;
        self.check_given(pin, token, &attempted)?;
        self.end(token);
        let open = self.session(token, &attempted)?;
        let officer = format!("log in to token {} with the SO PIN", token.serial);
        let user = format!("log in to token {} with the user's PIN", token.serial);
        let wrapped = mechanism(open, &attempted).and_then(|mechanism| {
            log_in(open, UserType::So, so_pin, &officer)?;
            let under = trusted(open, wrap_key, &attempted)?;
            let failed = |error: Error| errors::failed(&attempted, &error);
            let wrapped = open.session.logout().map_err(failed).and_then(|()| {
                log_in(open, UserType::User, pin, &user)?;
                let private = extractable(open, key, &attempted)?;
                let calls = &open.calls;
                let blob = calls.wrap(&open.session, mechanism, under.handle, private);
                blob.map_err(failed)
            });
            match open.session.destroy_object(under.handle) {
                Err(error) if under.stays => Err(left(&attempted, wrapped.err(), &error)),
                // One that is in the session only goes with it.
                _ => wrapped,
            }
        });
        self.end(token);
        wrapped
    }

    pub(super) fn signature_of_wrapped(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        public: &PublicKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with a backup on token {}", token.serial);
        check_wrap_key(wrap_key, &attempted)?;
        if public.algorithm() != Some(message.algorithm()) {
            let said = "keys of this type cannot sign";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        }
        let open = self.with_login(token, &attempted)?;
        let private = [Attribute::Token(false)];
        let brought = brought(open, wrapped, wrap_key, public, &private, &attempted);
        let signature = brought.and_then(|private| {
            let answer = signing::signed(open, private, false, message);
            // Where it is not destroyed the session is closed below, with it.
            let gone = open.session.destroy_object(private).is_ok();
            let answer = answer.map_err(|error| errors::sign_failed(&attempted, &error))?;
            let signature = material::tuf_form(message.algorithm(), answer).ok_or_else(|| {
                let said = "what the token gave is no signature; it was thrown away";
                failure(&attempted, said, TokenFault::Other)
            })?;
            Ok((signature, gone))
        });
        if !matches!(signature, Ok((_, true))) {
            self.end(token);
        }
        signature.map(|(signature, _)| signature)
    }

    pub(super) fn restored(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        label: &str,
        public: &PublicKey,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("restore key {label:?} on token {}", token.serial);
        check_wrap_key(wrap_key, &attempted)?;
        let open = self.with_login(token, &attempted)?;
        let restored = new_id(open, label, &attempted).and_then(|id| {
            let names = [
                Attribute::Token(true),
                Attribute::Id(id),
                Attribute::Label(label.as_bytes().to_vec()),
            ];
            let private = brought(open, wrapped, wrap_key, public, &names, &attempted)?;
            beside(open, private, public, &names, &attempted)
        });
        if restored.is_err() {
            self.end(token);
        }
        restored
    }
}

/// Refuses to make a key that may leave wrapped where it is known that it could not, or that it could in other ways too.
pub(super) fn check(open: &Open, algorithm: Algorithm, attempted: &str) -> Result<(), TokenError> {
    mechanism(open, attempted)?;
    if algorithm == Algorithm::Ed25519 && open.quirks.wraps_no_eddsa {
        let said = "the token does not wrap Ed25519 keys; make a P-256 key, which can be backed up";
        return Err(failure(attempted, said, TokenFault::Unsupported));
    }
    Ok(())
}

/// What the token calls AES key wrap with padding.
fn mechanism(open: &Open, attempted: &str) -> Result<CK_MECHANISM_TYPE, TokenError> {
    let has = |mechanism| {
        let session = open.session.get_session_info()?;
        open.calls.wraps(session.slot_id(), mechanism)
    };
    let failed = |error: Error| errors::failed(attempted, &error);
    if let Some(why) = open.quirks.wraps_nothing {
        return Err(failure(attempted, why, TokenFault::Unsupported));
    }
    if has(CKM_AES_KEY_WRAP_KWP).map_err(failed)? {
        return Ok(CKM_AES_KEY_WRAP_KWP);
    }
    if open.quirks.pad_is_kwp && has(CKM_AES_KEY_WRAP_PAD).map_err(failed)? {
        return Ok(CKM_AES_KEY_WRAP_PAD);
    }
    let said = "the token does not have AES key wrap with padding (CKM_AES_KEY_WRAP_KWP)";
    Err(failure(attempted, said, TokenFault::Unsupported))
}

/// One try of one PIN.
fn log_in(open: &Open, user: UserType, pin: &Secret, attempted: &str) -> Result<(), TokenError> {
    open.log_in(user, pin)
        .map_err(|error| errors::login_failed(attempted, &error, open.quirks))
}

/// A wrap key that the token trusts.
struct Trusted {
    handle: ObjectHandle,
    /// It is an object of the token and stays when the session ends.
    stays: bool,
}

/// The wrap key as one that the security officer, who is logged in, trusts; an earlier one that was left behind is destroyed first.
fn trusted(open: &Open, wrap_key: &Secret, attempted: &str) -> Result<Trusted, TokenError> {
    let failed = |error: Error| errors::failed(attempted, &error);
    let left = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Label(LABEL.to_vec()),
    ];
    for handle in open.objects(&left).map_err(failed)? {
        open.session.destroy_object(handle).map_err(failed)?;
    }
    let import = |stays| {
        let template = [
            Attribute::Token(stays),
            // The officer sees no private objects (PKCS#11 2.40, 4.4).
            Attribute::Private(false),
            Attribute::Trusted(true),
            Attribute::Wrap(true),
            Attribute::Unwrap(false),
        ];
        let handle = secret(open, wrap_key, &template);
        handle.map(|handle| Trusted { handle, stays })
    };
    import(false)
        .map_err(failed)
        .or_else(|refused| match refused.fault {
            TokenFault::Unsupported => import(true).map_err(failed),
            _ => Err(refused),
        })
}

/// The wrap key as an object for nothing but what the template says.
fn secret(open: &Open, wrap_key: &Secret, more: &[Attribute]) -> Result<ObjectHandle, Error> {
    let mut template = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(LABEL.to_vec()),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
    ];
    template.extend_from_slice(more);
    open.calls.secret_object(&open.session, &template, wrap_key)
}

/// The private half of a key that may leave.
fn extractable(open: &Open, key: &TokenKey, attempted: &str) -> Result<ObjectHandle, TokenError> {
    let failed = |error: Error| errors::failed(attempted, &error);
    let refused = |said: &str, fault| Err(failure(attempted, said, fault));
    let Some(private) = objects::private_half(open, key).map_err(failed)? else {
        let said = "no key on the token has this name and this public half";
        return refused(said, TokenFault::KeyAbsent);
    };
    if objects::stays(open, private).map_err(failed)? {
        return refused(STAYS, TokenFault::Unsupported);
    }
    Ok(private)
}

/// A wrap key that could not be destroyed, whatever else happened. What was wrapped is not handed out: the run did not end as it should.
fn left(attempted: &str, failed: Option<TokenError>, error: &Error) -> TokenError {
    let left = errors::failed(attempted, error);
    let said = format!(
        "{}the wrap key {:?} could not be removed from the token ({}); it is removed when a key of it is backed up again",
        failed
            .as_ref()
            .map(|failed| format!("{failed}; and "))
            .unwrap_or_default(),
        String::from_utf8_lossy(LABEL),
        left.said
    );
    let fault = failed.map_or(left.fault, |failed| failed.fault);
    failure(attempted, said, fault)
}

/// Unwraps a private half under a wrap key that is in the session for no longer. Where an error comes the session must be closed.
fn brought(
    open: &Open,
    wrapped: &[u8],
    wrap_key: &Secret,
    public: &PublicKey,
    more: &[Attribute],
    attempted: &str,
) -> Result<ObjectHandle, TokenError> {
    let failed = |error: Error| errors::failed(attempted, &error);
    let algorithm = public.algorithm().ok_or_else(|| {
        let said = "keys of this type cannot sign";
        failure(attempted, said, TokenFault::Unsupported)
    })?;
    let mechanism = mechanism(open, attempted)?;
    let template = [
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(true),
    ];
    let under = secret(open, wrap_key, &template).map_err(failed)?;
    let mut template = vec![
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(material::key_type(algorithm)),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ];
    template.extend_from_slice(more);
    let calls = &open.calls;
    let private = calls
        .unwrap(&open.session, mechanism, under, wrapped, &template)
        .map_err(failed)?;
    match open.session.destroy_object(under) {
        Ok(()) => Ok(private),
        Err(error) => Err(undone(open, &[private], failed(error))),
    }
}

/// The public half beside a private half that was brought in, and what the token says of the two.
fn beside(
    open: &Open,
    private: ObjectHandle,
    public: &PublicKey,
    names: &[Attribute],
    attempted: &str,
) -> Result<TokenKey, TokenError> {
    let failed = |error: Error| errors::failed(attempted, &error);
    let mut template = vec![
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Private(false),
        Attribute::Verify(true),
    ];
    if let Some(algorithm) = public.algorithm() {
        template.push(Attribute::KeyType(material::key_type(algorithm)));
    }
    template.extend(material::public_half(public).into_iter().flatten());
    template.extend_from_slice(names);
    let handle = match open.session.create_object(&template) {
        Ok(handle) => handle,
        Err(error) => return Err(undone(open, &[private], failed(error))),
    };
    let wrong = || {
        let said = "the token does not show the public half that it was given";
        failure(attempted, said, TokenFault::Other)
    };
    objects::pair(open, handle, private)
        .map_err(failed)
        .and_then(|key| key.filter(|key| key.public == *public).ok_or_else(wrong))
        .map_err(|error| undone(open, &[handle, private], error))
}

/// The error, after what had been brought in was destroyed again; it says so where that failed.
fn undone(open: &Open, objects: &[ObjectHandle], error: TokenError) -> TokenError {
    let left = objects
        .iter()
        .filter_map(|object| open.session.destroy_object(*object).err())
        .last();
    match left {
        None => error,
        Some(left) => {
            let left = errors::failed("", &left);
            let said = format!(
                "{}; and what had been restored could not be removed again ({}): look at the token's keys",
                error.said, left.said
            );
            TokenError { said, ..error }
        }
    }
}
