//! `tokens`: what is plugged in, over all modules of a room or of the usual places. Asks for no PIN.

use std::io::Write;

use super::args::TokensArgs;
use super::{Answer, Exit, print};
use crate::bundle::files;
use crate::ceremony::port::{TokenInfo, TokenKey};
use crate::ceremony::prompt::Tries;
use crate::room::config::{Backend, Module, Room};
use crate::room::failure::Failure;
use crate::room::{hardening, modules, rehearsal};

/// Lists tokens and the public keys they show without a PIN.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &TokensArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    match list(args) {
        Ok(tokens) if args.json => {
            let tokens: Vec<_> = tokens
                .iter()
                .map(|(token, keys)| json(token, keys))
                .collect();
            writeln!(
                out,
                "{}",
                serde_json::json!({ "schema": "tuf-ceremony/tokens/1", "tokens": tokens })
            )?;
            Ok(Exit::Done)
        }
        Ok(tokens) => {
            for (token, keys) in &tokens {
                print_token(token, keys, out)?;
            }
            if tokens.is_empty() {
                writeln!(out, "no token is plugged in")?;
            }
            Ok(Exit::Done)
        }
        Err(failure) => {
            for line in &failure.lines {
                writeln!(err, "{}", print::plain(line))?;
            }
            Ok(Exit::of(failure.code))
        }
    }
}

fn list(args: &TokensArgs) -> Result<Vec<(TokenInfo, Vec<TokenKey>)>, Failure> {
    let mut tokens = Vec::new();
    let keeper = hardening::harden().map_err(Failure::disk)?;
    let usual = args.module.is_empty() && args.room.is_none();
    for module in named(args)? {
        let mut module = match modules::start(&module, &keeper) {
            // Nobody asked for it by name, and a machine without the smart card service has none.
            Err(_) if usual && matches!(module.backend, Backend::Yubikey) => continue,
            started => started?,
        };
        for token in module.list().map_err(|fault| Failure::token(&fault))? {
            let keys = if token.ready {
                module.keys(&token.id).unwrap_or_default()
            } else {
                Vec::new()
            };
            tokens.push((token, keys));
        }
    }
    Ok(tokens)
}

fn named(args: &TokensArgs) -> Result<Vec<Module>, Failure> {
    let mut modules: Vec<Module> = args
        .module
        .iter()
        .map(|path| Module::library(path.display().to_string(), path))
        .collect();
    if let Some(path) = &args.room {
        let bytes = files::read(path, files::SMALL_CAP)
            .map_err(|fault| Failure::usage(fault.to_string()))?;
        let file = path.display().to_string();
        let room = Room::parse(&file, &bytes).map_err(|finding| Failure::refused(&[finding]))?;
        modules::refuse_network(&room, &file)?;
        modules.extend(room.modules);
    }
    if args.module.is_empty() && args.room.is_none() {
        modules
            .extend(rehearsal::softhsm().map(|path| Module::library("softhsm".to_owned(), path)));
        modules.push(Module {
            name: "yubikey".to_owned(),
            backend: Backend::Yubikey,
        });
    }
    Ok(modules)
}

fn print_token(token: &TokenInfo, keys: &[TokenKey], out: &mut dyn Write) -> std::io::Result<()> {
    let identity = &token.identity;
    let line = format!(
        "{} {} serial {} label {:?} (module {})",
        identity.manufacturer, identity.model, identity.serial, identity.label, identity.module
    );
    writeln!(out, "{}", print::plain(&line))?;
    let state = if token.ready {
        "ready"
    } else {
        "not initialised"
    };
    writeln!(out, "  {state}; PIN tries: {}", tries(token.tries))?;
    if let Some(firmware) = &token.firmware {
        writeln!(out, "  firmware {}", print::plain(firmware))?;
    }
    if !token.factory.is_empty() {
        let names: Vec<_> = token.factory.iter().map(|one| one.name()).collect();
        writeln!(out, "  STILL THE MAKER'S: {}", names.join(", "))?;
    }
    for key in keys {
        let line = format!(
            "  key {:?} id {} public SHA-256 {}",
            key.label,
            data_encoding::HEXLOWER.encode(&key.id),
            key.public.fingerprint()
        );
        writeln!(out, "{}", print::plain(&line))?;
    }
    Ok(())
}

fn json(token: &TokenInfo, keys: &[TokenKey]) -> serde_json::Value {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| {
            let keyid = crate::tuf::key::Key::from_public(&key.public).map(|key| key.keyid());
            serde_json::json!({
                "label": key.label,
                "id": data_encoding::HEXLOWER.encode(&key.id),
                "fingerprint": key.public.fingerprint(),
                "keyid": keyid,
                "usage": key.usage,
            })
        })
        .collect();
    serde_json::json!({
        "module": token.identity.module,
        "manufacturer": token.identity.manufacturer,
        "model": token.identity.model,
        "serial": token.identity.serial,
        "label": token.identity.label,
        "firmware": token.firmware,
        "factory": token.factory,
        "ready": token.ready,
        "tries": token.tries,
        "keys": keys,
    })
}

fn tries(tries: Tries) -> String {
    match tries {
        Tries::Left(left) => format!("{left} left"),
        Tries::Low => "few left".to_owned(),
        Tries::Final => "LAST TRY".to_owned(),
        Tries::Locked => "LOCKED".to_owned(),
        Tries::Unknown => "unknown".to_owned(),
    }
}
