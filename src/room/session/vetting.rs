//! The vetting of a claim and the plan of a rotation without a ceremony: on a machine of one's own, from one's own copies of script and input. No room, no token, nothing written.

use std::path::Path;
use std::sync::Arc;

use super::inputs;
use crate::ceremony::event::Mode;
use crate::ceremony::intake::{self, Trusted};
use crate::ceremony::rotation::{self, Derived};
use crate::ceremony::script::Script;
use crate::pypi::vetting::Vetting;
use crate::room::clock;
use crate::room::failure::Failure;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// Judges the requests of a claim as the ceremony will.
///
/// # Errors
/// What the ceremony would refuse too.
pub fn vetting(script: &Path, input: &Path) -> Result<(Script, Arc<Vetting>), Failure> {
    let (script, trusted) = trusted(script, input)?;
    let vetting = trusted.vetting(&script).map_err(refused)?;
    Ok((script, vetting))
}

/// What an incident means for every project, as the ceremony will have it.
///
/// # Errors
/// What the ceremony would refuse too.
pub fn rotation(script: &Path, input: &Path) -> Result<Derived, Failure> {
    let (script, trusted) = trusted(script, input)?;
    rotation::derive(&script, &trusted).map_err(refused)
}

fn trusted(script: &Path, input: &Path) -> Result<(Script, Trusted), Failure> {
    let name = script.display().to_string();
    let script = Script::parse(&name, &inputs::read(script)?)
        .map_err(|finding| Failure::refused(&[finding]))?;
    let archives = inputs::archives(input, &script)?;
    let files = inputs::trusted_files(inputs::read_input(input)?);
    // Rehearsed metadata is judged too: nothing here makes any that could be taken for real.
    let mut trusted = intake::intake(&script, files, Vec::new(), Mode::Rehearsal, clock::now())
        .map_err(refused)?;
    trusted.take_archives(&script, archives).map_err(refused)?;
    Ok((script, trusted))
}

#[allow(clippy::needless_pass_by_value, reason = "given to map_err")]
fn refused(findings: Vec<Finding>) -> Failure {
    Failure::refused(&findings)
}

/// The digest of a published metadata folder, as a script names it.
///
/// # Errors
/// What cannot be read.
pub fn archive_digest(folder: &Path) -> Result<Sha256, Failure> {
    match inputs::archive(folder, "")? {
        Some(carried) => Ok(Sha256::of(carried.listing().as_bytes())),
        None => Err(Failure::usage(format!("{} is not there", folder.display()))),
    }
}
