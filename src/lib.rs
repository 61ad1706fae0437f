//! Key-signing ceremonies for TUF repositories.

pub mod ceremony;
pub mod pypi;
pub mod secret;
pub mod tuf;
pub mod words;
