//! Key-signing ceremonies for TUF repositories.

// The calls that clippy.toml leaves to one room each; tests may make them.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod attestation;
pub mod backup;
pub mod bundle;
pub mod ceremony;
pub mod cli;
pub mod plain;
pub mod pypi;
pub mod room;
pub mod secret;
pub mod sigstore;
pub mod token;
pub mod transcript;
pub mod tuf;
pub mod tui;
pub mod verdict;
pub mod words;
