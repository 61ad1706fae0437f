//! Key-signing ceremonies for TUF repositories.

pub mod ceremony;
pub mod plain;
pub mod pypi;
pub mod secret;
pub mod tuf;
pub mod tui;
pub mod words;
