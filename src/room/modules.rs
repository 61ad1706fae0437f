//! From a room's word to the module itself, in a process of its own: the program loads none.

use super::config::{self, Room};
use super::failure::Failure;
use crate::ceremony::event::Mode;
use crate::token::Module;
use crate::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use crate::tuf::finding::Finding;

/// Starts a module that a room names.
///
/// # Errors
/// The module cannot be loaded.
pub fn start(module: &config::Module, keeper: &Keeper) -> Result<Box<dyn Module>, Failure> {
    let started = WorkerModule::start(keeper, setup(module), Limits::default());
    let started = started.map_err(|fault| Failure::token(&fault))?;
    Ok(Box::new(started))
}

/// Refuses a production room, read from `file`, in which a module may reach the network.
///
/// # Errors
/// Rule `ROOM-NETWORK`.
pub fn refuse_network(room: &Room, file: &str) -> Result<(), Failure> {
    let asks = |module: &&config::Module| {
        matches!(
            module.backend,
            config::Backend::Pkcs11 { network: true, .. }
        )
    };
    match room.modules.iter().find(asks) {
        Some(module) if room.mode == Mode::Production => {
            let text = format!(
                "the module {} asks for the network; a production ceremony is held without one",
                module.name
            );
            let finding = Finding::error("ROOM-NETWORK", file, text);
            Err(Failure::refused(&[finding]))
        }
        _ => Ok(()),
    }
}

fn setup(module: &config::Module) -> Setup {
    let name = module.name.clone();
    match &module.backend {
        config::Backend::Pkcs11 {
            path,
            init_args,
            usb,
            network,
            env,
        } => Setup {
            backend: Backend::Pkcs11 {
                name,
                path: path.clone(),
                init_args: init_args.clone(),
            },
            usb: *usb,
            network: *network,
            variables: env.clone(),
        },
        config::Backend::Yubikey => Setup::of(Backend::Yubikey { name }),
    }
}
