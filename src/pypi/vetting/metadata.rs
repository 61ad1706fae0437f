//! A project's own metadata, as the newest archive has it: the six checks of PEP 480, "Snapshot Process".

use std::collections::{BTreeMap, BTreeSet};

use super::{Judge, Weight};
use crate::pypi::delegation::{CUSTODY, Delegation};
use crate::pypi::project::ProjectRole;
use crate::pypi::requests::is_identity;
use crate::pypi::role_names::MINIMUM_CLIENTS;
use crate::pypi::shards;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::shown;
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::lookup::{Listing, pattern};
use crate::tuf::metadata::{Delegations, RoleKeys};
use crate::tuf::repository::Repository;
use crate::tuf::value::Value;
use crate::tuf::verification::{self, SignatureClass};

const RULE: &str = "CLAIM-METADATA";

impl Judge<'_, '_> {
    /// Whether the project's metadata is signed by a threshold of these keys. Says what is wrong with it.
    pub(super) fn metadata(&mut self, today: &Delegation, delegator: &str) -> bool {
        let Some(archive) = self.input.archives.first() else {
            return false;
        };
        let role = today.role.to_string();
        let verified = archive
            .repository
            .role(&[delegator, &role])
            .map(crate::tuf::repository::Verified::listing);
        let signers = Signers::of(today);
        match verified {
            Ok(listing) => {
                self.signatures(listing.envelope(), &signers);
                self.content(&today.role, listing);
                true
            }
            Err(finding) => {
                if let Some(listing) = self.by_bundles(&role, &signers) {
                    self.content(&today.role, &listing);
                    return true;
                }
                let text = format!(
                    "its metadata in the archive of {} does not hold: {}: {}",
                    archive.name, finding.file, finding.text
                );
                self.refuse(RULE, text);
                false
            }
        }
    }

    /// The file if identities have signed it: TUF's own verification knows keys only (TAP 18 puts the bundle into the signature).
    fn by_bundles(&self, role: &str, signers: &Signers) -> Option<Listing> {
        if !signers.keys.values().any(is_identity) {
            return None;
        }
        let archive = self.input.archives.first()?;
        let meta = archive.repository.snapshot()?.role(role)?;
        let bytes = (archive.file)(role)?;
        if meta.content.differs(bytes).is_some() {
            return None;
        }
        let file = format!("{}.{role}.json", meta.version);
        let envelope = Envelope::parse(&file, bytes.to_vec(), Limits::LARGE).ok()?;
        let payload = envelope.payload();
        let report = verification::threshold(&envelope, &signers.keys, &signers.role, &[]);
        let mut counted: BTreeSet<&KeyId> = report.signed.iter().collect();
        let bundles = bundles(&envelope, &signers.keys);
        for (keyid, key, bundle) in &bundles {
            if (self.input.sigstore)(key, bundle, &payload).is_ok() {
                counted.insert(keyid);
            }
        }
        if counted.len() < signers.role.threshold as usize {
            return None;
        }
        let listing = Listing::read(&file, envelope.clone()).ok()?;
        (listing.targets().header.version == meta.version).then_some(listing)
    }

    /// Valid signatures: the threshold was judged already, a wrong one beside it is strange.
    fn signatures(&mut self, envelope: &Envelope, signers: &Signers) {
        let report = verification::threshold(envelope, &signers.keys, &signers.role, &[]);
        let wrong: Vec<_> = report
            .signatures
            .iter()
            .filter(|(keyid, class)| {
                let identity = signers.keys.get(keyid).is_some_and(is_identity);
                *class == SignatureClass::Invalid && !identity
            })
            .map(|(keyid, _)| shown(&keyid.0).into_owned())
            .collect();
        if !wrong.is_empty() {
            let text = format!(
                "its metadata has a wrong signature by {}, beside enough right ones; ask the project",
                wrong.join(", ")
            );
            self.say(Weight::Looks, RULE, text);
        }
    }

    /// Unexpired until long after this ceremony, and about nothing but the project.
    pub(super) fn content(&mut self, role: &ProjectRole, listing: &Listing) {
        let policy = self.input.policy;
        let expires = &listing.targets().header.expires;
        if expires.at() < policy.next_but_one {
            let text = format!(
                "its metadata expires on {}, before the next claim but one on {}: nobody could install it after that. The project signs it anew",
                expires.text(),
                policy.next_but_one
            );
            self.refuse("CLAIM-EXPIRY", text);
        }
        for text in out_of_scope(role, listing) {
            self.refuse("CLAIM-SCOPE", text);
        }
        self.role_names(listing, Weight::Refuses);
    }

    /// Files share one list of names. A project that calls a role of its own like one of PyPI's gets its file taken for that one by clients that keep roles by
    /// name, whatever paths it has: see [`crate::pypi::role_names`].
    fn role_names(&mut self, listing: &Listing, weight: Weight) {
        let (Some(delegations), Some(archive)) =
            (&listing.targets().delegations, self.input.archives.first())
        else {
            return;
        };
        let names = delegations.roles().map(|role| role.name);
        let mut taken = names.filter(|name| is_of_the_tree(archive.repository, name));
        if let Some(first) = taken.next() {
            let text = format!(
                "its metadata delegates to {} roles that are called as PyPI calls its own: {}. A client may take the one for the other ({MINIMUM_CLIENTS}). The project calls them otherwise",
                taken.count() + 1,
                shown(&first)
            );
            self.say(weight, "CLAIM-ROLE-NAME", text);
        }
    }

    /// Whether the metadata that is published now would hold under other keys: what clients see when `claimed` changes before the project signs.
    pub(super) fn metadata_under(&mut self, today: &Delegation, weight: Weight) {
        let Some(archive) = self.input.archives.first() else {
            return;
        };
        let role = today.role.to_string();
        let text = match (shards::delegator(archive.repository, &today.role.project))
            .and_then(|delegator| delegator.delegated(&role))
        {
            Err(finding) => format!(
                "its metadata in the archive of {} does not hold: {}",
                archive.name, finding.text
            ),
            Ok(verified) => {
                let listing = verified.listing();
                self.role_names(listing, Weight::Looks);
                let signers = Signers {
                    keys: self.request.keys.clone(),
                    role: RoleKeys {
                        keyids: self.request.keys.keys().cloned().collect(),
                        threshold: self.request.threshold,
                    },
                };
                let report =
                    verification::threshold(listing.envelope(), &signers.keys, &signers.role, &[]);
                if report.reached() {
                    return;
                }
                format!(
                    "its published metadata is signed by {} of the {} keys that it needs afterwards: the project signs it anew, and it is published together with claimed",
                    report.signed.len(),
                    report.needed
                )
            }
        };
        self.say(weight, RULE, text);
    }
}

/// Who must sign, as verification takes it.
struct Signers {
    keys: BTreeMap<KeyId, Key>,
    role: RoleKeys,
}

impl Signers {
    fn of(delegation: &Delegation) -> Self {
        let keys = delegation.keys.iter();
        Self {
            keys: keys
                .clone()
                .map(|(keyid, key)| (keyid.clone(), Key::clone(key)))
                .collect(),
            role: RoleKeys {
                keyids: keys.map(|(keyid, _)| keyid.clone()).collect(),
                threshold: delegation.threshold,
            },
        }
    }
}

/// The signatures that carry a bundle, by identities of the role.
fn bundles<'a>(
    envelope: &Envelope,
    keys: &'a BTreeMap<KeyId, Key>,
) -> Vec<(&'a KeyId, &'a Key, Value)> {
    let bytes = envelope.bytes();
    let Ok(whole) = crate::tuf::json::check(&bytes, Limits::LARGE) else {
        return Vec::new();
    };
    let Some(signatures) = whole.get("signatures") else {
        return Vec::new();
    };
    signatures
        .elements()
        .filter_map(|signature| {
            let keyid = KeyId(signature.get("keyid")?.as_str()?.into_owned());
            let (keyid, key) = keys.get_key_value(&keyid)?;
            let bundle = signature.get("bundle")?;
            is_identity(key).then(|| (keyid, key, Value::from_json(bundle)))
        })
        .collect()
}

/// Whether a name is kept for PyPI: every project's, whether there is one or not yet, what targets delegates to, custody, and the bins. Some file systems do
/// not tell large letters from small ones.
fn is_of_the_tree(repository: &Repository, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name.starts_with("project-") || name == CUSTODY {
        return true;
    }
    let Ok(top) = repository.top() else {
        return true;
    };
    let delegations = top.listing().targets().delegations.iter();
    let mut roles = delegations.flat_map(Delegations::roles);
    roles.any(|role| {
        let is_bin = || {
            let below = top.delegated(&role.name).ok()?;
            let delegations = below.listing().targets().delegations.as_ref()?;
            delegations.succinct.as_ref()?.number(&name)
        };
        role.name == name || is_bin().is_some()
    })
}

/// What speaks of paths outside `<project>/`: one sentence for targets and one for delegations, however many there are.
fn out_of_scope(role: &ProjectRole, listing: &Listing) -> Vec<String> {
    let own = role.project.path();
    let inside = format!("{}/", role.project);
    let mut texts = Vec::new();
    let mut strange = listing
        .files()
        .keys()
        .filter(|path| !pattern::matches(&own, path));
    if let Some(first) = strange.next() {
        let more = strange.count();
        texts.push(format!(
            "its metadata lists {} targets outside {own}: {}",
            more + 1,
            shown(first)
        ));
    }
    let Some(delegations) = &listing.targets().delegations else {
        return texts;
    };
    let wide = delegations.roles().find(|role| {
        let is_outside = |path: &String| !pattern::literal_prefix(path).starts_with(&inside);
        !role.path_hash_prefixes.is_empty() || role.paths.iter().any(is_outside)
    });
    if let Some(wide) = wide {
        texts.push(format!(
            "its metadata delegates {} paths outside {own}",
            shown(&wide.name)
        ));
    }
    if delegations.succinct.is_some() {
        texts.push(format!(
            "its metadata delegates hash bins, which are outside {own}"
        ));
    }
    texts
}
