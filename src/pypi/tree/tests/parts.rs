//! Trees to be looked at, and what is told of them.

use super::*;
use crate::tuf::edit::{self, BinsSpec, CatchAllSpec, RoleSpec, RootSpec, TargetsSpec};
use crate::tuf::finding::Level::Note;
use crate::tuf::key::Key;

const EXPIRES: &str = "2027-01-01T00:00:00Z";
const FILE: &str = "2.targets.json";

pub(super) fn spec(numbers: &[u8], threshold: u32) -> RoleSpec {
    let key = |number: &u8| {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[*number; 32]);
        Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes())).unwrap()
    };
    RoleSpec {
        keys: numbers.iter().map(key).collect(),
        threshold,
    }
}

pub(super) fn catch_all(
    name: &str,
    numbers: &[u8],
    threshold: u32,
    terminating: bool,
) -> CatchAllSpec {
    CatchAllSpec {
        name: name.to_owned(),
        role: spec(numbers, threshold),
        terminating,
    }
}

/// PEP 480's three, with holders 1 to 4 and a server's key 9.
pub(super) fn three() -> Vec<CatchAllSpec> {
    vec![
        catch_all("claimed", &[1, 2], 2, false),
        catch_all("recently-claimed", &[9], 1, false),
        catch_all("unclaimed", &[3, 4], 2, true),
    ]
}

/// The parts of a tree; what a test is about is changed.
pub(super) struct Parts {
    pub(super) root: Root,
    pub(super) targets: Targets,
    pub(super) below: Vec<(&'static str, Targets)>,
}

impl Parts {
    pub(super) fn of(delegations: Vec<CatchAllSpec>) -> Self {
        let spec_of_root = RootSpec {
            version: 1,
            expires: EXPIRES.to_owned(),
            root: spec(&[5], 1),
            timestamp: spec(&[8], 1),
            snapshot: spec(&[7], 1),
            targets: spec(&[6], 1),
        };
        let targets = TargetsSpec {
            version: 2,
            expires: EXPIRES.to_owned(),
            delegations,
        };
        let bins = BinsSpec {
            version: 1,
            expires: EXPIRES.to_owned(),
            bit_length: 14,
            name_prefix: "bin".to_owned(),
            role: spec(&[10], 1),
        };
        let root = edit::root("root", None, &spec_of_root).unwrap();
        let targets = edit::targets(FILE, &targets).unwrap();
        let unclaimed = edit::bins("unclaimed", &bins).unwrap();
        let claimed = edit::projects("claimed", 1, EXPIRES).unwrap();
        Self {
            root: Root::read("root", &root).unwrap(),
            targets: Targets::read(FILE, &targets).unwrap(),
            below: vec![
                ("claimed", Targets::read("claimed", &claimed).unwrap()),
                ("unclaimed", Targets::read("unclaimed", &unclaimed).unwrap()),
            ],
        }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Vec<DelegatedRole>)) {
        let delegations = self.targets.delegations.as_mut().unwrap();
        delegations.change(|_, roles| change(roles));
    }

    pub(super) fn below(&mut self, name: &str) -> &mut Delegations {
        let mut below = self.below.iter_mut();
        let (_, found) = below.find(|(known, _)| *known == name).unwrap();
        found.delegations.as_mut().unwrap()
    }

    pub(super) fn lint(&self, whose: Whose) -> Vec<Finding> {
        let below: Vec<_> = self.below.iter().map(|(name, it)| (*name, it)).collect();
        let tree = Layout {
            root: Some(&self.root),
            targets: &self.targets,
            below: &below,
        };
        lint(FILE, &tree, whose)
    }

    /// Warnings and errors, by rule and text.
    pub(super) fn told(&self) -> Vec<(Level, String, String)> {
        let findings = self.lint(Whose::Ours).into_iter();
        findings
            .filter(|finding| finding.level > Note)
            .map(|finding| {
                assert_eq!(finding.file, FILE);
                (finding.level, finding.rule, finding.text)
            })
            .collect()
    }
}

pub(super) fn told(level: Level, rule: &str, text: &str) -> (Level, String, String) {
    (level, rule.to_owned(), text.to_owned())
}

pub(super) fn project(name: &str, terminating: bool) -> DelegatedRole {
    DelegatedRole {
        name: format!("project-{name}"),
        role: RoleKeys {
            keyids: Vec::new(),
            threshold: 1,
        },
        terminating,
        paths: vec![format!("{name}/*")],
        path_hash_prefixes: Vec::new(),
    }
}
