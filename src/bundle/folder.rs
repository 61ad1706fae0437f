//! A folder of published metadata, whose files are read when they are asked for: a repository of hundreds of thousands of roles is resolved through a few.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::{self, FileError};
use crate::tuf::finding::Finding;
use crate::tuf::repository::Files;

/// Most names of one folder: every project of the index twice, and its bins.
const MOST_NAMES: usize = 2_000_000;

/// A folder whose names are known and whose files are not read yet. Links are not followed, other folders not entered.
pub struct Folder {
    path: PathBuf,
    names: BTreeSet<String>,
}

impl Folder {
    /// Reads the names.
    ///
    /// # Errors
    /// [`FileError`]. Names that are not UTF-8 are no names of metadata and passed over.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let system = |source| FileError::System {
            path: path.to_owned(),
            attempted: "read",
            source,
        };
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(path).map_err(system)? {
            if let Ok(name) = entry.map_err(system)?.file_name().into_string() {
                names.insert(name);
            }
            if names.len() > MOST_NAMES {
                return Err(FileError::TooMany {
                    path: path.to_owned(),
                    cap: MOST_NAMES,
                });
            }
        }
        Ok(Self {
            path: path.to_owned(),
            names,
        })
    }
}

impl Files for Folder {
    fn names(&self) -> BTreeSet<String> {
        self.names.clone()
    }
    fn take(&self, name: &str) -> Result<Vec<u8>, Finding> {
        let path = self.path.join(name);
        files::read(&path, files::CAP).map_err(|error| {
            let shown = path.display().to_string();
            let text = error.to_string();
            // The finding names the file already.
            let text = text.strip_prefix(&format!("{shown}: ")).unwrap_or(&text);
            Finding::error("FILE-READ", &shown, text)
        })
    }
}
