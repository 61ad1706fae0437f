//! A PIV card that behaves as a `YubiKey` 5 does, for tests.
//!
//! It speaks to vsmartcard-vpcd, which is a reader of a real pcscd: programs under test use PC/SC as they would with
//! the real thing. [`stage`] starts a private pcscd with up to two of these cards for one test. Everything here is for
//! tests: keys and PINs lie in clear, and attestations chain to a CA whose private key everybody has.
//!
//! ```no_run
//! use virtual_yubikey::{Firmware, stage};
//!
//! // In a test called `signs`; the closure runs in a process and in namespaces of its own.
//! stage::on_stage("signs", |stage| {
//!     let card = stage.insert_new(12_345_678, Firmware::V5_7_1);
//!     card.controls().set(|faults| faults.pull_after_signatures = Some(0));
//! });
//! ```

#![allow(
    clippy::disallowed_types,
    reason = "vpcd is reached over TCP; nothing here is shipped"
)]

pub mod apdu;
mod applet;
pub mod attestation;
pub mod card;
pub mod control;
pub mod faults;
mod firmware;
mod hex;
pub mod keys;
pub mod log;
mod management_key;
pub mod stage;
pub mod state;
mod tlv;
pub mod vpcd;

pub use card::Card;
pub use faults::{Controls, Faults, Refusal, Touch};
pub use firmware::Firmware;
pub use log::{Exchange, Purpose};
pub use stage::{Inserted, Stage, on_stage};
pub use state::State;
