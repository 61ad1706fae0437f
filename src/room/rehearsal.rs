//! Rehearsals: the same scripts and the same program over throwaway tokens in a folder of their own. Real SoftHSM where its module is there, else software
//! keys in memory; which one is said and stands in the transcript.

mod operator;
mod scripts;
mod stage;

use std::path::{Path, PathBuf};

pub use operator::Rehearser;
pub use stage::Stage;

use super::failure::Failure;

/// The PIN of every throwaway token. It protects nothing.
pub const PIN: &str = "654321";

/// Where SoftHSM2's module usually lies.
const SOFTHSM: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// SoftHSM2's module, if it is installed.
pub fn softhsm() -> Option<&'static Path> {
    SOFTHSM.iter().map(Path::new).find(|path| path.exists())
}

/// The ceremonies that rehearsing `kind` takes, in order; the whole tour if none is named.
///
/// # Errors
/// There is no such kind.
pub fn tour(kind: Option<&str>) -> Result<Vec<&'static str>, Failure> {
    match kind {
        None | Some("renew") => Ok(vec!["genesis", "admin-key", "renew"]),
        Some("genesis") => Ok(vec!["genesis"]),
        Some("admin-key") => Ok(vec!["genesis", "admin-key"]),
        Some("renew-ephemeral") => Ok(vec!["genesis-ephemeral", "renew-ephemeral"]),
        Some("abort") => Ok(vec!["genesis", "abort"]),
        Some(other) => Err(Failure::usage(format!(
            "there is no kind {other:?} to rehearse; there are {}",
            crate::ceremony::kinds::names().join(", ")
        ))),
    }
}

/// The configuration file of SoftHSM in a rehearsal's folder; its environment variable must name it before the module is loaded.
pub fn softhsm_conf(work: &Path) -> PathBuf {
    work.join("softhsm2.conf")
}
