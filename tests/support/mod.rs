//! What several integration tests share.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests; no test program uses every helper"
)]

pub mod ceremony;
pub mod forge;
pub mod likeness;
pub mod peers;
pub mod projects;
pub mod record;
pub mod scripts;
pub mod shim;
pub mod sigstore;
pub mod stage;
pub mod swtpm;
pub mod terminal;
pub mod tree;
pub mod yubikey;
