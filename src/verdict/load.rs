//! From paths to [`super::Input`]: a metadata file, a folder of metadata, or a bundle (a folder with a manifest).

use std::path::{Path, PathBuf};

use super::{Bundle, Input};
use crate::bundle::files::FileError;

/// Reads what `paths` name. What cannot be read is a finding (`FILE-READ`), never a failure: a verdict is always given.
pub fn paths(
    trusted_root: &Path,
    paths: &[PathBuf],
    at: jiff::Timestamp,
    rehearsal: bool,
) -> Input {
    let _ = (trusted_root, paths, at, rehearsal);
    todo!()
}

/// Reads one bundle.
///
/// # Errors
/// [`FileError`].
pub fn bundle(folder: &Path, finished: bool) -> Result<Bundle, FileError> {
    let _ = (folder, finished);
    todo!()
}
