//! Looks at a program step after step. Its secrets are learnt later, from the sheets of custodians and from what they open; then all is searched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::dump::{self, Dump};
use crate::scan::Needles;
use crate::secrets::WRAPPED;

/// Pieces that are left in the process of `SoftHSM`, a token of software: it has the keys of its tokens in its memory, and this is what its AES key wrap
/// leaves of one that it gave away. It is not ours to wipe; what a module keeps ends with its process.
const CEILINGS: [(&str, usize); 1] = [(WRAPPED, 9)];

/// What was seen at each step.
#[derive(Default)]
pub(crate) struct Watch {
    seen: Vec<(&'static str, Dump)>,
}

impl Watch {
    /// Dumps the program and its children.
    pub(crate) fn look(&mut self, step: &'static str, program: u32) {
        let dumps = dump::of_all(program);
        self.seen.extend(dumps.into_iter().map(|dump| (step, dump)));
    }

    /// What stood in locked pages at a step.
    pub(crate) fn locked(&self, step: &str) -> impl Iterator<Item = &[u8]> {
        let dumps = self.seen.iter().filter(move |(seen, _)| *seen == step);
        dumps.flat_map(|(_, dump)| dump.locked.iter().map(Vec::as_slice))
    }

    /// What stood in them at any.
    pub(crate) fn all_locked(&self) -> impl Iterator<Item = &[u8]> {
        let dumps = self.seen.iter();
        dumps.flat_map(|(_, dump)| dump.locked.iter().map(Vec::as_slice))
    }

    /// Fails where the locked pages of a step do not hold what they must, and that alone: otherwise nothing would have been seen.
    pub(crate) fn holds(&self, steps: &[(&str, &[&str])], needles: &Needles) {
        for (step, expected) in steps {
            let pages = self.locked(step);
            let known: BTreeSet<_> = pages
                .flat_map(|page| needles.found_in(page).into_keys())
                .collect();
            assert_eq!(known, expected.iter().copied().collect(), "{step}");
            assert!(self.seen.iter().any(|(seen, _)| seen == step), "{step}");
        }
    }

    /// Fails where anything is found that is not in [`CEILINGS`].
    pub(crate) fn finds_nothing(&self, needles: &Needles) {
        let mut found: BTreeMap<_, usize> = BTreeMap::new();
        for (step, dump) in &self.seen {
            let memory = dump.memory.iter().map(|piece| (dump.has_module, piece));
            for (is_modules, bytes) in memory.chain([(false, &dump.told)]) {
                for (name, count) in needles.found_in(bytes) {
                    *found.entry((*step, is_modules, name)).or_default() += count;
                }
            }
        }
        found.retain(|(step, is_modules, name), count| {
            let mut ceilings = CEILINGS.iter();
            let ceiling = ceilings.find(|(known, _)| *is_modules && known == name);
            let looks = self
                .seen
                .iter()
                .filter(|(seen, dump)| seen == step && dump.has_module);
            ceiling.is_none_or(|(_, ceiling)| *count > ceiling * looks.count())
        });
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// The files below a folder that hold pieces of secrets, and whose.
pub(crate) fn in_files(folder: &Path, needles: &Needles) -> BTreeSet<(PathBuf, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let whose = needles.found_in(&fs::read(&path).unwrap());
            found.extend(
                whose
                    .into_keys()
                    .map(|whose| (path.clone(), whose.to_owned())),
            );
        }
    }
    found
}
