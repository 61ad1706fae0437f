//! tuf-ceremony.
pub mod tuf;
