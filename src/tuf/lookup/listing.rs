//! One targets role, ready to be asked for paths and for its delegations.

use std::collections::BTreeMap;

use super::index::Index;
use super::{Why, pattern};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{
    DelegatedRole, Delegations, RoleKeys, SuccinctRoles, TargetFile, Targets, target_files,
};

/// The metadata of a targets role with its targets and delegations indexed. Reading it is linear in its size.
pub struct Listing {
    file: String,
    envelope: Envelope,
    targets: Targets,
    files: BTreeMap<String, TargetFile>,
    index: Index,
}

/// A target path and its SHA-256, which is computed once a lookup.
pub struct TargetPath<'a> {
    path: &'a str,
    digest: Sha256,
    hash: String,
}

/// A delegation by name: whose signatures count for the role.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// The keys of the role.
    pub keys: BTreeMap<KeyId, Key>,
    /// Their keyids, and how many must sign.
    pub role: RoleKeys,
    /// The delegation as listed; `None` for a bin of TAP 15.
    pub listed: Option<DelegatedRole>,
}

/// A delegation that a path matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The role's name.
    pub role: String,
    /// Whether nobody is asked after it; of a bin always (see the module).
    pub terminating: bool,
    /// What matches.
    pub why: Why,
}

impl Listing {
    /// Reads a targets role.
    ///
    /// # Errors
    /// As [`Targets::read`] and [`target_files`].
    pub fn read(file: &str, envelope: Envelope) -> Result<Self, Finding> {
        let targets = Targets::read(file, &envelope)?;
        let files = target_files(file, &envelope)?;
        let roles = targets.delegations.as_ref();
        let index = Index::of(roles.into_iter().flat_map(Delegations::roles));
        Ok(Self {
            file: file.to_owned(),
            envelope,
            targets,
            files,
            index,
        })
    }
    /// The name of its file.
    pub fn file(&self) -> &str {
        &self.file
    }
    /// Its bytes.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
    /// Its content.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }
    /// Its targets by path.
    pub fn files(&self) -> &BTreeMap<String, TargetFile> {
        &self.files
    }
    /// What it says of a path itself.
    pub fn target(&self, path: &str) -> Option<&TargetFile> {
        self.files.get(path)
    }
    /// Its delegation to the role called `name`, listed or a bin.
    pub fn delegation(&self, name: &str) -> Option<Delegation> {
        let delegations = self.targets.delegations.as_ref()?;
        if let Some(listed) = delegations.role(name) {
            return Some(Delegation {
                keys: delegations.keys_of(&listed.role),
                role: listed.role.clone(),
                listed: Some(listed),
            });
        }
        let bins = delegations.succinct.as_ref()?;
        bins.number(name)?;
        Some(Delegation {
            keys: delegations.keys_of(&bins.role),
            role: bins.role.clone(),
            listed: None,
        })
    }
    /// The delegations that a path matches, in order of appearance, each with the first of its patterns that does.
    pub fn matches<'a>(&'a self, target: &'a TargetPath<'_>) -> impl Iterator<Item = Match> + 'a {
        let delegations = self.targets.delegations.as_ref();
        let mut last = None;
        let listed = self
            .index
            .candidates(target)
            .into_iter()
            .filter_map(move |(place, at)| {
                let role = delegations?.at(place).filter(|_| last != Some(place))?;
                let why = role.why(at, target)?;
                last = Some(place);
                Some(Match {
                    role: role.name,
                    terminating: role.terminating,
                    why,
                })
            });
        let bins = delegations.and_then(|delegations| delegations.succinct.as_ref());
        listed.chain(bins.map(|bins| {
            let number = bins.bin(target.digest);
            Match {
                role: bins.name(number),
                terminating: true,
                why: Why::Bin(number),
            }
        }))
    }
}

impl<'a> TargetPath<'a> {
    /// Hashes the path.
    pub fn new(path: &'a str) -> Self {
        let digest = Sha256::of(path.as_bytes());
        Self {
            path,
            digest,
            hash: digest.to_string(),
        }
    }
    /// As given.
    pub fn path(&self) -> &'a str {
        self.path
    }
    /// Its SHA-256 in lower-case hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl DelegatedRole {
    /// Why `target` matches by its pattern or hash prefix at `at`, if it does.
    fn why(&self, at: usize, target: &TargetPath<'_>) -> Option<Why> {
        if let Some(pattern) = self.paths.get(at) {
            return pattern::matches(pattern, target.path).then(|| Why::Pattern(pattern.clone()));
        }
        let prefix = self.path_hash_prefixes.get(at)?;
        target
            .hash
            .starts_with(prefix.as_str())
            .then(|| Why::HashPrefix(prefix.clone()))
    }
}

impl SuccinctRoles {
    /// The bin of a path with this SHA-256: its first `bit_length` bits (TAP 15).
    pub fn bin(&self, digest: Sha256) -> u32 {
        let [a, b, c, d, ..] = digest.0;
        u32::from_be_bytes([a, b, c, d])
            .checked_shr(32_u32.saturating_sub(self.bit_length))
            .unwrap_or_default()
    }
    /// The name of a bin: hexadecimal, padded to the width of the last one.
    pub fn name(&self, number: u32) -> String {
        format!(
            "{}-{number:0width$x}",
            self.name_prefix,
            width = self.width()
        )
    }
    /// The number of the bin called `name`, if it is one.
    pub fn number(&self, name: &str) -> Option<u32> {
        let digits = name
            .strip_prefix(self.name_prefix.as_str())?
            .strip_prefix('-')?;
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != self.width() || !digits.bytes().all(lower) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        (u64::from(number) < 1 << self.bit_length).then_some(number)
    }
    /// Digits of the last bin's number.
    pub fn width(&self) -> usize {
        // One for every four bits begun.
        self.bit_length.div_ceil(4) as usize
    }
}
