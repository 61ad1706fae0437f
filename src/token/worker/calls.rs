//! The calls of [`Module`] as messages: what each is called in errors, how long it may take, which frames follow.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::super::{Module, failure};
use super::frame::{Broken, Channel, Deadline, within};
use super::groups;
use super::message::{ANSWER, Request, SIGNATURE, WRAPPED, WireKey, WirePublic, unhex};
use super::module::{Call, Raw, WorkerModule};
use crate::ceremony::event::ModuleIdentity;
use crate::ceremony::port::{
    Leaves, Reset, Taken, TokenError, TokenFault, TokenId, TokenInfo, TokenKey,
};
use crate::secret::Secret;
use crate::tuf::key::{Algorithm, Message, PublicKey};

impl Module for WorkerModule {
    fn identity(&self) -> &ModuleIdentity {
        &self.identity
    }

    fn list(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        let attempted = format!("list the tokens of module {}", self.identity.name);
        let name = self.identity.name.clone();
        let call = call(attempted, self.limits.list, Request::List);
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, |tokens: Vec<TokenInfo>| {
                let tokens = tokens.into_iter();
                tokens.map(|token| own(token, &name)).collect()
            })
        })
    }

    fn initialise(
        &mut self,
        label: &str,
        so_pin: &Secret,
        user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError> {
        let attempted = format!("initialise a token as {label:?}");
        let name = self.identity.name.clone();
        let label = label.to_owned();
        let call = Call {
            follow: vec![Raw::Secret(so_pin), Raw::Secret(user_pin)],
            ..call(attempted, self.limits.reset, Request::Initialise { label })
        };
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, |token| own(token, &name))
        })
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let attempted = format!("log in to token {}", token.serial);
        let request = Request::Login {
            token: token.clone(),
        };
        let on_token = pin.is_empty();
        let call = Call {
            follow: vec![Raw::Secret(pin)],
            ..call(attempted, self.typing(self.limits.login, on_token), request)
        };
        self.exchange(call, nothing)?;
        if on_token {
            self.pads.insert(token.clone());
        }
        Ok(())
    }

    fn logout(&mut self, token: &TokenId) {
        self.pads.remove(token);
        // A worker that is gone has logged out already; no other is started for it.
        if self.pid().is_some() {
            let attempted = format!("log out of token {}", token.serial);
            let token = token.clone();
            let _ = self.exchange(
                call(attempted, self.limits.end, Request::Logout { token }),
                nothing,
            );
        }
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        let attempted = format!("read the keys of token {}", token.serial);
        let token = token.clone();
        let call = call(attempted, self.limits.keys, Request::Keys { token });
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, |keys: Vec<WireKey>| {
                keys.into_iter().map(WireKey::key).collect()
            })
        })
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("make key {label:?} on token {}", token.serial);
        let request = Request::Generate {
            token: token.clone(),
            label: label.to_owned(),
            algorithm,
            leaves,
        };
        let call = call(attempted, self.limits.generate, request);
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, WireKey::key)
        })
    }

    fn wrap(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        wrap_key: &Secret,
        so_pin: &Secret,
        pin: &Secret,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("back up key {:?} of token {}", key.label, token.serial);
        // Whoever was logged in is logged out.
        self.pads.remove(token);
        let request = Request::Wrap {
            token: token.clone(),
            key: wire(key, &attempted)?,
        };
        let limit = self.typing(self.limits.wrap, so_pin.is_empty());
        let call = Call {
            follow: [wrap_key, so_pin, pin].map(Raw::Secret).into(),
            ..call(attempted, self.typing(limit, pin.is_empty()), request)
        };
        self.exchange(call, |channel, deadline| bytes(channel, deadline, WRAPPED))
    }

    fn sign_wrapped(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        public: &PublicKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with a backup on token {}", token.serial);
        let request = Request::SignWrapped {
            token: token.clone(),
            public: wire_public(public, &attempted)?,
        };
        let call = Call {
            follow: vec![
                Raw::Secret(wrap_key),
                Raw::Bytes(wrapped),
                Raw::Bytes(message.bytes()),
            ],
            ..call(attempted, self.limits.wrap, request)
        };
        self.exchange(call, |channel, deadline| {
            bytes(channel, deadline, SIGNATURE)
        })
    }

    fn unwrap(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        label: &str,
        public: &PublicKey,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("restore key {label:?} on token {}", token.serial);
        let request = Request::Unwrap {
            token: token.clone(),
            label: label.to_owned(),
            public: wire_public(public, &attempted)?,
        };
        let call = Call {
            follow: vec![Raw::Secret(wrap_key), Raw::Bytes(wrapped)],
            ..call(attempted, self.limits.wrap, request)
        };
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, WireKey::key)
        })
    }

    fn sign_message(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let key = wire(key, &attempted)?;
        let limit = self.typing(self.limits.sign, self.pads.contains(token));
        let request = Request::Sign {
            token: token.clone(),
            key,
        };
        let call = Call {
            follow: vec![Raw::Bytes(message.bytes())],
            ..call(attempted, limit, request)
        };
        self.exchange(call, |channel, deadline| {
            bytes(channel, deadline, SIGNATURE)
        })
    }

    fn sign_each(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        messages: &[Message<'_>],
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        // What is signed whole goes whole, message by message.
        let digests = key.public.algorithm().and_then(Message::digest_length);
        if digests.is_none() {
            for message in messages {
                let began = Instant::now();
                let signature = self.sign_message(token, key, message)?;
                if !give(signature, began.elapsed()) {
                    break;
                }
            }
            return Ok(());
        }
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let limit = self.typing(self.limits.sign, self.pads.contains(token));
        let digests: Vec<_> = messages.iter().map(Message::bytes).collect();
        let (digests, count) = (digests.concat(), messages.len());
        let request = Request::SignEach {
            token: token.clone(),
            key: wire(key, &attempted)?,
            count,
        };
        let call = Call {
            follow: vec![Raw::Bytes(&digests)],
            ..call(attempted, limit, request)
        };
        self.exchange(call, |channel, _| {
            groups::receive_each(channel, limit, count, give)?;
            nothing(channel, within(limit))
        })
    }

    fn authorise(&mut self, token: &TokenId, management: &Secret) -> Result<(), TokenError> {
        let attempted = format!("give token {} its management key", token.serial);
        let token = token.clone();
        let call = Call {
            follow: vec![Raw::Secret(management)],
            ..call(attempted, self.limits.login, Request::Authorise { token })
        };
        self.exchange(call, nothing)
    }

    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError> {
        let attempted = format!(
            "read the attestation of key {:?} of token {}",
            key.label, token.serial
        );
        let key = wire(key, &attempted)?;
        let request = Request::Attestation {
            token: token.clone(),
            key,
        };
        let call = call(attempted, self.limits.list, request);
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, |der: Vec<String>| {
                der.iter().map(|der| unhex(der)).collect()
            })
        })
    }

    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        let attempted = format!("reset token {}", token.serial);
        let name = self.identity.name.clone();
        let request = Request::Reset {
            token: token.clone(),
            label: reset.label.clone(),
            old_so: reset.old_so.is_some(),
            new: reset.new.iter().map(|(kind, _)| *kind).collect(),
        };
        let new = reset.new.iter().map(|(_, secret)| secret);
        let call = Call {
            follow: reset.old_so.iter().chain(new).map(Raw::Secret).collect(),
            ..call(attempted, self.limits.reset, request)
        };
        self.exchange(call, |channel, deadline| {
            receive(channel, deadline, |token| own(token, &name))
        })
    }
}

impl WorkerModule {
    /// The limit of a call in which somebody may have to type a PIN on the token.
    fn typing(&self, limit: Duration, on_token: bool) -> Duration {
        if on_token {
            limit + self.limits.pin_pad
        } else {
            limit
        }
    }
}

/// A call that nothing follows.
fn call<'a>(attempted: String, limit: Duration, request: Request) -> Call<'a> {
    Call {
        attempted,
        limit,
        request,
        follow: Vec::new(),
    }
}

/// An answer, made into what it stands for by `read`, which gives none for what it cannot be.
fn receive<W: DeserializeOwned, T>(
    channel: &Channel,
    deadline: Deadline,
    read: impl FnOnce(W) -> Option<T>,
) -> Result<Result<T, TokenError>, Broken> {
    let answer: Result<W, TokenError> = channel.receive_json(ANSWER, deadline)?;
    answer.map_or_else(
        |error| Ok(Err(error)),
        |said| {
            let wrong = || Broken::Garbage("an answer that cannot be".to_owned());
            read(said).ok_or_else(wrong).map(Ok)
        },
    )
}

/// An answer that says only that it was done.
fn nothing(channel: &Channel, deadline: Deadline) -> Result<Result<(), TokenError>, Broken> {
    receive(channel, deadline, |()| Some(()))
}

/// An answer that is followed by bytes.
fn bytes(
    channel: &Channel,
    deadline: Deadline,
    most: usize,
) -> Result<Result<Vec<u8>, TokenError>, Broken> {
    match nothing(channel, deadline)? {
        Ok(()) => channel.receive_bytes(most, deadline).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// A token of the module itself: by the module's name calls find their way back.
fn own(token: TokenInfo, module: &str) -> Option<TokenInfo> {
    (token.id.module == module).then_some(token)
}

fn wire(key: &TokenKey, attempted: &str) -> Result<WireKey, TokenError> {
    WireKey::of(key).ok_or_else(|| unknown(attempted))
}

fn wire_public(public: &PublicKey, attempted: &str) -> Result<WirePublic, TokenError> {
    WirePublic::of(public).ok_or_else(|| unknown(attempted))
}

fn unknown(attempted: &str) -> TokenError {
    let said = "keys of this type cannot sign";
    failure(attempted, said, TokenFault::Unsupported)
}
