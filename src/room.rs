//! The real world of a ceremony: clock, disk, tokens, the folder that is carried away. It wires the rooms to its right together and is the only one that
//! reads time, loads modules or writes a bundle. The ceremony itself sees none of this but its three ports.

pub mod answers;
pub mod clock;
pub mod config;
pub mod failure;
pub mod hardening;
pub mod modules;
pub mod pins;
mod record;
mod register;
pub mod rehearsal;
pub mod session;
mod throwaway;
mod vault;
mod world;
