//! What crosses the air gap: files read without following anybody's links, the manifest of a folder, and the travelling document that holders
//! sign apart and `merge` unites. It knows nothing of tokens, backups and transcripts, and trusts no name that a medium shows it.

pub mod ahead;
pub mod files;
pub mod folder;
pub mod manifest;
pub mod merge;
pub mod part;
pub mod rstuf;
