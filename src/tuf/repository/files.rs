//! Where a repository's files come from, and what they are called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::tuf::finding::Finding;

/// Files by name. Names are asked for once and each file is taken at most once, so nothing needs to be held twice.
pub trait Files: Send + Sync {
    /// All names, without folders.
    fn names(&self) -> BTreeSet<String>;
    /// The bytes of one of them.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn take(&self, name: &str) -> Result<Vec<u8>, Finding>;
}

/// Files in memory; each is handed out once and then gone.
pub struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Memory {
    /// Files by name.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Mutex::new(files))
    }
}

impl Files for Memory {
    fn names(&self) -> BTreeSet<String> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.keys().cloned().collect()
    }
    fn take(&self, name: &str) -> Result<Vec<u8>, Finding> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files
            .remove(name)
            .ok_or_else(|| Finding::error("REPOSITORY-MISSING", name, "it is not there"))
    }
}

/// What the file of a role is called (TUF 1.0.34, 3.2 and 6.2): with its version before it in consistent snapshots.
pub fn role_file(role: &str, version: Option<u64>) -> String {
    match version {
        Some(version) => format!("{version}.{role}.json"),
        None => format!("{role}.json"),
    }
}

/// Version and role of a metadata file's name; `None` for any other file. Only the one way of writing a number is one.
pub(super) fn split(name: &str) -> Option<(Option<u64>, &str)> {
    let stem = name.strip_suffix(".json")?;
    let numbered = stem.split_once('.').and_then(|(number, role)| {
        let version: u64 = number.parse().ok()?;
        (version > 0 && version.to_string() == number && !role.is_empty())
            .then_some((Some(version), role))
    });
    numbered.or((!stem.is_empty()).then_some((None, stem)))
}
