//! The vetting of a claim without a ceremony: on a machine of one's own, from one's own copies of script and input. No room, no token, nothing written.

use std::path::Path;
use std::sync::Arc;

use super::inputs;
use crate::ceremony::event::Mode;
use crate::ceremony::intake;
use crate::ceremony::script::Script;
use crate::pypi::vetting::Vetting;
use crate::room::clock;
use crate::room::failure::Failure;
use crate::tuf::digest::Sha256;

/// Judges the requests of a claim as the ceremony will.
///
/// # Errors
/// What the ceremony would refuse too.
pub fn vetting(script: &Path, input: &Path) -> Result<(Script, Arc<Vetting>), Failure> {
    let name = script.display().to_string();
    let read = |findings: Vec<_>| Failure::refused(&findings);
    let script = Script::parse(&name, &inputs::read(script)?)
        .map_err(|finding| Failure::refused(&[finding]))?;
    let archives = inputs::archives(input, &script)?;
    let files = inputs::trusted_files(inputs::read_input(input)?);
    // Rehearsed metadata is judged too: nothing here makes any that could be taken for real.
    let mut trusted =
        intake::intake(&script, files, Vec::new(), Mode::Rehearsal, clock::now()).map_err(read)?;
    trusted.take_archives(&script, archives).map_err(read)?;
    let vetting = trusted.vetting(&script).map_err(read)?;
    Ok((script, vetting))
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
