//! The worker itself: `tuf-ceremony token-worker`. One module, one private pipe, one call after the other.

use serde::Serialize;

use super::super::pkcs11::Pkcs11Module;
use super::super::yubikey::YubikeyModule;
use super::super::{Module, failure};
use super::child;
use super::confinement::{Sockets, confine};
use super::frame::{Broken, Channel};
use super::groups;
use super::message::{
    Backend, Hello, PAYLOAD, REQUEST, Request, WRAPPED, WireKey, WirePublic, hex,
};
use crate::ceremony::event::{Credential, ModuleIdentity};
use crate::ceremony::port::{Reset, TokenError, TokenFault, TokenId, TokenKey};
use crate::tuf::key::{Message, PublicKey};

/// Serves until the program closes its end of the pipe; then the module is finalised.
///
/// # Errors
/// A sentence.
pub(super) fn run() -> Result<(), String> {
    let channel = child::begin()?;
    match serve(&channel) {
        Ok(()) | Err(Broken::Closed) => Ok(()),
        Err(broken) => Err(broken.to_string()),
    }
}

fn serve(channel: &Channel) -> Result<(), Broken> {
    let hello: Hello = channel.receive_json(REQUEST, None)?;
    let sockets = Sockets {
        usb: hello.usb,
        network: hello.network,
    };
    // Before the library is loaded: it may start threads of its own.
    let loaded = confine(sockets)
        .map_err(|said| {
            let attempted = format!("confine the process of module {}", hello.backend.name());
            failure(attempted, said, TokenFault::Module)
        })
        .and_then(|()| load(hello.backend));
    let mut module = match loaded {
        Ok(module) => module,
        Err(error) => return channel.send_json(&Err::<ModuleIdentity, _>(error), None),
    };
    channel.send_json(&Ok::<_, TokenError>(module.identity()), None)?;
    loop {
        let request = channel.receive_json(REQUEST, None)?;
        answer(module.as_mut(), request, channel)?;
    }
}

fn load(backend: Backend) -> Result<Box<dyn Module>, TokenError> {
    Ok(match backend {
        Backend::Pkcs11 {
            name,
            path,
            init_args,
        } => Box::new(Pkcs11Module::load(&name, path, init_args.as_deref())?),
        Backend::Yubikey { name } => Box::new(YubikeyModule::new(&name)?),
    })
}

fn answer(module: &mut dyn Module, request: Request, channel: &Channel) -> Result<(), Broken> {
    match request {
        Request::List => say(channel, &module.list()),
        Request::Initialise { label } => {
            let so_pin = channel.receive_secret(None)?;
            let user_pin = channel.receive_secret(None)?;
            say(channel, &module.initialise(&label, &so_pin, &user_pin))
        }
        Request::Login { token } => {
            let pin = channel.receive_secret(None)?;
            say(channel, &module.login(&token, &pin))
        }
        Request::Logout { token } => {
            module.logout(&token);
            say(channel, &Ok(()))
        }
        Request::Keys { token } => {
            let keys = module.keys(&token);
            let keys = keys.map(|keys| keys.iter().filter_map(WireKey::of).collect::<Vec<_>>());
            say(channel, &keys)
        }
        Request::Generate {
            token,
            label,
            algorithm,
            leaves,
        } => {
            let key = module.generate(&token, &label, algorithm, leaves);
            say(channel, &key.and_then(|key| wire(&key)))
        }
        Request::Wrap { token, key } => {
            let [wrap_key, so_pin, pin] = [
                channel.receive_secret(None)?,
                channel.receive_secret(None)?,
                channel.receive_secret(None)?,
            ];
            let wrapped =
                known(key).and_then(|key| module.wrap(&token, &key, &wrap_key, &so_pin, &pin));
            give(channel, wrapped)
        }
        Request::SignWrapped { token, public } => {
            let wrap_key = channel.receive_secret(None)?;
            let wrapped = channel.receive_bytes(WRAPPED, None)?;
            let bytes = channel.receive_bytes(PAYLOAD, None)?;
            let signature = known_public(&public).and_then(|public| {
                let message = message(&public, &bytes)?;
                module.sign_wrapped(&token, &wrapped, &wrap_key, &public, &message)
            });
            give(channel, signature)
        }
        Request::Unwrap {
            token,
            label,
            public,
        } => {
            let wrap_key = channel.receive_secret(None)?;
            let wrapped = channel.receive_bytes(WRAPPED, None)?;
            let key = known_public(&public)
                .and_then(|public| module.unwrap(&token, &wrapped, &wrap_key, &label, &public));
            say(channel, &key.and_then(|key| wire(&key)))
        }
        Request::Sign { token, key } => {
            let bytes = channel.receive_bytes(PAYLOAD, None)?;
            let signature = known(key).and_then(|key| {
                let message = message(&key.public, &bytes)?;
                module.sign_message(&token, &key, &message)
            });
            give(channel, signature)
        }
        Request::SignEach { token, key, count } => {
            groups::sign_each(module, &token, known(key), count, channel)
        }
        Request::Stop => Ok(()),
        Request::Authorise { token } => {
            let management = channel.receive_secret(None)?;
            say(channel, &module.authorise(&token, &management))
        }
        Request::Attestation { token, key } => {
            let certificates = known(key).and_then(|key| module.attestation(&token, &key));
            let hexed = certificates.map(|der| der.iter().map(|der| hex(der)).collect::<Vec<_>>());
            say(channel, &hexed)
        }
        Request::Reset {
            token,
            label,
            old_so,
            new,
        } => reset(module, &token, label, old_so, new, channel),
    }
}

fn reset(
    module: &mut dyn Module,
    token: &TokenId,
    label: String,
    old_so: bool,
    new: Vec<Credential>,
    channel: &Channel,
) -> Result<(), Broken> {
    let old_so = old_so.then(|| channel.receive_secret(None)).transpose()?;
    let mut secrets = Vec::with_capacity(new.len());
    for kind in new {
        secrets.push((kind, channel.receive_secret(None)?));
    }
    let reset = Reset {
        label,
        old_so,
        new: secrets,
    };
    say(channel, &module.reset(token, &reset))
}

pub(super) fn say<T: Serialize>(
    channel: &Channel,
    answer: &Result<T, TokenError>,
) -> Result<(), Broken> {
    channel.send_json(answer, None)
}

/// An answer that is bytes, as a frame of its own.
fn give(channel: &Channel, answer: Result<Vec<u8>, TokenError>) -> Result<(), Broken> {
    match answer {
        Ok(bytes) => {
            say(channel, &Ok(()))?;
            channel.send_bytes(&bytes, None)
        }
        Err(error) => say(channel, &Err::<(), _>(error)),
    }
}

fn wire(key: &TokenKey) -> Result<WireKey, TokenError> {
    WireKey::of(key).ok_or_else(|| {
        let attempted = format!("make key {:?}", key.label);
        let said = "the token made a key of a type that cannot sign";
        failure(attempted, said, TokenFault::Other)
    })
}

fn known(key: WireKey) -> Result<TokenKey, TokenError> {
    key.key().ok_or_else(unknown)
}

fn known_public(public: &WirePublic) -> Result<PublicKey, TokenError> {
    public.key().ok_or_else(unknown)
}

fn unknown() -> TokenError {
    let said = "keys of this type cannot sign";
    failure("use a key", said, TokenFault::Unsupported)
}

/// What came, as the key takes it.
fn message<'a>(public: &PublicKey, bytes: &'a [u8]) -> Result<Message<'a>, TokenError> {
    let message =
        public
            .algorithm()
            .and_then(|algorithm| match Message::digest_length(algorithm) {
                None => Some(Message::of(algorithm, bytes)),
                Some(_) => Message::of_digest(algorithm, bytes),
            });
    message.ok_or_else(|| {
        let said = "keys of this type do not sign this";
        failure("use a key", said, TokenFault::Unsupported)
    })
}
