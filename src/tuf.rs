//! The TUF data model, pure: it reads bytes, checks them, verifies and compares them, and makes new
//! bytes. It knows the TUF specification 1.0.x and nothing of PyPI, ceremonies, tokens, disks or
//! clocks, and it imports nothing else of this crate.
//!
//! Bytes come in through [`json::check`], the one strict reader; a [`envelope::Envelope`] keeps them
//! exactly as they were found; [`metadata`] gives typed views; [`verification`] and [`chain`] report
//! who signed what; [`diff`] says in words what differs; [`edit`] makes the next version.

pub mod canonical;
pub mod chain;
pub mod compat;
pub mod diff;
pub mod digest;
pub mod edit;
pub mod envelope;
pub mod expires;
pub mod finding;
#[cfg(test)]
mod fixture;
pub mod json;
pub mod key;
pub mod lookup;
pub mod metadata;
pub mod nonce;
pub mod repository;
pub mod style;
pub mod value;
pub mod verification;
