//! tuf-ceremony.
pub mod pypi;
pub mod tuf;
