//! The modules of a room file, each in a process of its own.

use super::config::{self, Room};
use super::failure::Failure;
use crate::ceremony::event::Mode;
use crate::token::Module;
use crate::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use crate::tuf::finding::Finding;

/// Opens the modules of the room file called `file`. The program itself loads none of them.
///
/// # Errors
/// Rule `ROOM-NETWORK`; a module that does not load.
pub fn open(room: &Room, file: &str, keeper: &Keeper) -> Result<Vec<Box<dyn Module>>, Failure> {
    if let Some(module) = room.modules.iter().find(|module| module.network)
        && room.mode == Mode::Production
    {
        let text = format!(
            "the module {} asks for the network; a production ceremony is held without one",
            module.name
        );
        return Err(Failure::refused(&[Finding::error(
            "ROOM-NETWORK",
            file,
            text,
        )]));
    }
    let modules = room.modules.iter().map(|module| {
        let module = start(setup(module), keeper)?;
        Ok(Box::new(module) as Box<dyn Module>)
    });
    modules.collect()
}

/// Starts one module.
///
/// # Errors
/// [`Failure::token`].
pub fn start(setup: Setup, keeper: &Keeper) -> Result<WorkerModule, Failure> {
    WorkerModule::start(keeper, setup, Limits::default()).map_err(|fault| Failure::token(&fault))
}

fn setup(module: &config::Module) -> Setup {
    Setup {
        backend: Backend::Pkcs11 {
            name: module.name.clone(),
            path: module.path.clone(),
            init_args: module.init_args.clone(),
        },
        usb: module.usb,
        network: module.network,
        variables: module.env.clone(),
    }
}
