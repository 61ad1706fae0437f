//! tuf-ceremony.
pub mod ceremony;
pub mod secret;
pub mod token;
pub mod tuf;
pub mod words;
