//! From script to plan: which steps in which order, the printed text that everybody compares, and its digest. Nothing here knows a token, a
//! date or a room, so the plan is the same in rehearsal and in production and can be printed days before.

pub(super) mod backups;
mod duties;

pub use backups::{back_up, wrapped};

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::event::Document;
use super::intake::Trusted;
use super::kinds::Kind;
use super::material::{is_trusted, parse_public};
use super::plan::{KeyChoice, Step};
use super::script::{Custody, Holder, HolderKey, Role, Script, keys_role};
use crate::pypi::shards::is_shard;
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// The role that may have shards.
const CLAIMED: &str = "claimed";

/// A plan and its printed text.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The steps.
    pub steps: Vec<Step>,
    /// What is printed and confirmed.
    pub text: String,
    /// SHA-256 of the text.
    pub sha256: Sha256,
    /// Estimate in minutes.
    pub minutes: u32,
}

/// Makes the plan of a whole ceremony.
pub fn plan(kind: &Kind, script: &Script, trusted: &Trusted, ceremony: Sha256) -> Planned {
    let documents = (kind.documents)(script, trusted);
    let steps = (kind.steps)(script, trusted, &documents);
    finish(kind.name, script, trusted, ceremony, &documents, steps)
}

/// Makes the plan of one holder's part: the `sign` of a travelling document.
pub fn sign_plan(
    script: &Script,
    trusted: &Trusted,
    ceremony: Sha256,
    documents: &[Document],
    holders: &[String],
) -> Planned {
    let mut steps = vec![Step::Confirm, Step::Clock, Step::Intake, Step::Build];
    // Shards travel with claimed or without it, and are reviewed and signed together.
    let sharded = documents.iter().find(|document| is_shard(&document.role));
    let alone = |document: &&Document| sharded.is_none() || keys_role(&document.role) != CLAIMED;
    let mut named: Vec<_> = documents.iter().filter(alone).cloned().collect();
    named.extend(sharded.map(|shard| Document {
        role: CLAIMED.to_owned(),
        ..shard.clone()
    }));
    steps.extend(named.iter().map(|document| Step::Review {
        document: document.clone(),
    }));
    steps.push(Step::Shadow);
    steps.extend(sign_steps(script, trusted, &named).into_iter().filter(|step| {
        matches!(step, Step::Sign { holder, key: KeyChoice::Keyid(_), .. } if holders.contains(holder))
    }));
    steps.extend([Step::Export, Step::Close]);
    if sharded.is_some() {
        steps = batched(steps, CLAIMED);
    }
    finish("sign", script, trusted, ceremony, documents, steps)
}

/// The documents that most kinds make, in the order they are published.
pub fn listed_documents(script: &Script) -> Vec<Document> {
    let mut roles = script.roles();
    roles.sort_by_key(|(name, _)| *name == "root");
    roles
        .into_iter()
        .map(|(name, role)| Document {
            role: name.to_owned(),
            version: role.version,
        })
        .collect()
}

/// What every ceremony begins with.
pub fn first_steps(script: &Script) -> Vec<Step> {
    let mut steps = vec![Step::Confirm, Step::Clock];
    if script.trusted_root_sha256.is_some() {
        steps.push(Step::Intake);
    }
    steps
}

/// The steps of a ceremony that makes metadata. Which shards there are is known when they are built: they are read and signed in one batch with claimed.
pub fn metadata_steps(script: &Script, trusted: &Trusted, documents: &[Document]) -> Vec<Step> {
    if script.shards.is_none() {
        return steps_for(script, trusted, documents);
    }
    let mut named = documents.to_vec();
    if !named.iter().any(|document| document.role == CLAIMED) {
        // It stands for the batch and is made by nobody.
        let document = Document {
            role: CLAIMED.to_owned(),
            version: 0,
        };
        named.insert(0, document);
    }
    batched(steps_for(script, trusted, &named), CLAIMED)
}

fn steps_for(script: &Script, trusted: &Trusted, documents: &[Document]) -> Vec<Step> {
    let mut steps = first_steps(script);
    steps.extend(script.supersedes.iter().map(|given_up| Step::Supersede {
        document: Document {
            role: given_up.role.clone(),
            version: given_up.version,
        },
    }));
    steps.extend(enrol_steps(script, trusted));
    let ephemeral: Vec<_> = script
        .roles()
        .into_iter()
        .filter(|(_, role)| role.keys == Some(Custody::Ephemeral))
        .collect();
    steps.extend(ephemeral.iter().map(|(name, role)| Step::Ephemeral {
        role: (*name).to_owned(),
        algorithms: role.algorithms.clone().unwrap_or_default(),
    }));
    steps.extend(script.online.iter().filter_map(|online| {
        Some(Step::MakeOnline {
            name: online.name.clone(),
            algorithm: online.generate?,
        })
    }));
    steps.push(Step::Build);
    steps.extend(documents.iter().map(|document| Step::Review {
        document: document.clone(),
    }));
    steps.push(Step::Shadow);
    let by_ephemeral =
        |document: &&Document| ephemeral.iter().any(|(name, _)| *name == document.role);
    steps.extend(
        documents
            .iter()
            .filter(by_ephemeral)
            .map(|document| Step::SignEphemeral {
                document: document.clone(),
            }),
    );
    if !ephemeral.is_empty() {
        steps.push(Step::DestroyEphemeral);
    }
    steps.extend(sign_steps(script, trusted, documents));
    steps.push(Step::Collect);
    steps.extend(back_up(script));
    steps.extend([Step::Export, Step::Verdict, Step::Close]);
    steps
}

/// The same steps with `role` and all that is made beside it in one batch: the review and the signatures of `role` alone become those of everything that no
/// step names. Who signs `role` signs the batch.
pub fn batched(steps: Vec<Step>, role: &str) -> Vec<Step> {
    let steps = steps.into_iter();
    let batched = steps.map(|step| match step {
        Step::Review { document } if document.role == role => Step::ReviewBatch,
        Step::Sign {
            document,
            holder,
            key,
        } if document.role == role => Step::SignBatch { holder, key },
        step => step,
    });
    batched.collect()
}

/// One step for every key that must show itself: made now, or found on a token though nothing trusted lists it.
fn enrol_steps(script: &Script, trusted: &Trusted) -> Vec<Step> {
    let mut steps = Vec::new();
    for holder in &script.holders {
        for (role, wanted) in script.roles() {
            let Some(key) = holder.key(role) else {
                continue;
            };
            let listed = wanted
                .holders
                .as_ref()
                .is_some_and(|listed| listed.contains(&holder.name));
            let found = key
                .keyid
                .clone()
                .filter(|keyid| listed && !is_trusted(trusted, role, keyid));
            if key.generate.is_some() || found.is_some() {
                steps.push(Step::Enrol {
                    holder: holder.name.clone(),
                    role: role.to_owned(),
                    generate: key.generate,
                    keyid: found,
                });
            }
        }
    }
    steps
}

/// Holder by holder, so that each token is brought once; every key that counts for any threshold is asked.
fn sign_steps(script: &Script, trusted: &Trusted, documents: &[Document]) -> Vec<Step> {
    let mut steps = Vec::new();
    for holder in &script.holders {
        for document in documents {
            for key in keys_of(script, trusted, holder, document) {
                steps.push(Step::Sign {
                    document: document.clone(),
                    holder: holder.name.clone(),
                    key,
                });
            }
        }
    }
    steps
}

/// The keys with which a holder can sign a document: the old one first.
fn keys_of(
    script: &Script,
    trusted: &Trusted,
    holder: &Holder,
    document: &Document,
) -> BTreeSet<KeyChoice> {
    let role = document.role.as_str();
    let wanted = script.role(keys_role(role));
    let current = trusted.role(keys_role(role));
    let current = current.map(|(keys, _)| keys).unwrap_or_default();
    let is_own = |keyid: &&KeyId| {
        trusted
            .holder_of(script, keyid)
            .is_some_and(|(name, _)| name == holder.name)
    };
    let own = || {
        current
            .iter()
            .map(|(keyid, _)| keyid)
            .filter(is_own)
            .cloned()
            .map(KeyChoice::Keyid)
    };
    let listed = wanted.and_then(|role| role.holders.as_ref());
    let mut keys = BTreeSet::new();
    // Where the listed keys change, the old ones still sign root and targets; what is below changes together with its delegator, in one snapshot.
    if !is_ephemeral(wanted) && (listed.is_none() || ["root", "targets"].contains(&role)) {
        keys.extend(own());
    }
    if listed.is_some_and(|listed| listed.contains(&holder.name)) {
        let role = keys_role(role);
        keys.extend(holder.key(role).and_then(|key| choice(key, role, holder)));
    }
    keys
}

fn choice(key: &HolderKey, role: &str, holder: &Holder) -> Option<KeyChoice> {
    if key.generate.is_some() {
        return Some(KeyChoice::Made {
            role: role.to_owned(),
        });
    }
    let public = key
        .public
        .as_ref()
        .and_then(|public| parse_public(public, &holder.name).ok());
    public
        .map(|key| key.keyid())
        .or_else(|| key.keyid.clone())
        .map(KeyChoice::Keyid)
}

fn finish(
    kind: &str,
    script: &Script,
    trusted: &Trusted,
    ceremony: Sha256,
    documents: &[Document],
    steps: Vec<Step>,
) -> Planned {
    let minutes = minutes(&steps);
    let text = print(kind, script, trusted, ceremony, documents, &steps, minutes);
    Planned {
        sha256: Sha256::of(text.as_bytes()),
        steps,
        text,
        minutes,
    }
}

/// From the timing of filmed ceremonies: reading takes longest.
fn minutes(steps: &[Step]) -> u32 {
    steps
        .iter()
        .map(|step| match step {
            Step::Decide => 20,
            Step::Review { .. } => 8,
            Step::ReviewBatch => 15,
            Step::Confirm | Step::Clock | Step::Verdict | Step::Close => 3,
            Step::Provision { .. } => 10,
            Step::SignBatch { .. } => 5,
            Step::BackUp { .. } | Step::OpenBackup { .. } => backups::minutes(step),
            Step::Enrol { .. } | Step::Sign { .. } | Step::Prove { .. } | Step::Export => 2,
            _ => 1,
        })
        .sum()
}

fn print(
    kind: &str,
    script: &Script,
    trusted: &Trusted,
    ceremony: Sha256,
    documents: &[Document],
    steps: &[Step],
    minutes: u32,
) -> String {
    let mut text = String::new();
    let mut line = |content: String| {
        let _ = writeln!(text, "{content}");
    };
    line(format!("PLAN: {} ({kind})", script.title));
    line(format!("ceremony id   {ceremony}"));
    line(match script.trusted_root_sha256 {
        Some(digest) => format!("trusted root  {digest}"),
        None if documents.is_empty() => "trusted root  none: no metadata is made".to_owned(),
        None => "trusted root  none: this starts a new chain".to_owned(),
    });
    let shards = documents.iter().filter(|document| is_shard(&document.role));
    if let count @ 1.. = shards.count() {
        line(format!("signs         {count} shards of claimed"));
    }
    for document in documents
        .iter()
        .filter(|document| !is_shard(&document.role))
    {
        let expires = script
            .roles()
            .into_iter()
            .find(|(name, role)| *name == document.role && role.version == document.version);
        line(match expires {
            Some((_, role)) => format!("makes         {document}, expires {}", role.expires),
            None => format!("signs again   {document}, unchanged, for the new keys"),
        });
    }
    if let Some(shards) = script.shards.as_ref().filter(|_| kind != "sign") {
        line(format!(
            "makes         shards of claimed, at most {} projects in each, which expire on {}",
            shards.projects,
            shards.expires.join(", ")
        ));
    }
    line(String::new());
    for holder in &script.holders {
        line(format!("holder        {}: {}", holder.name, holder.person));
    }
    for online in &script.online {
        line(format!(
            "online key    {} for {}: {}",
            online.name,
            online.roles.join(", "),
            online.provenance
        ));
    }
    backups::print(script).into_iter().for_each(&mut line);
    line(String::new());
    for (index, step) in steps.iter().enumerate() {
        line(format!("{:>3}  {}", index + 1, step.label()));
    }
    line(String::new());
    line(format!("about {minutes} minutes"));
    for duty in duties::print(script, trusted) {
        line(duty);
    }
    text
}

/// Whether a key enters only during the ceremony, so that script and trusted files alone do not say what is signed.
pub fn makes_keys(script: &Script, trusted: &Trusted) -> bool {
    script.online.iter().any(|online| online.generate.is_some())
        || !enrol_steps(script, trusted).is_empty()
        || script
            .roles()
            .iter()
            .any(|(_, role)| is_ephemeral(Some(role)))
}

/// Whether the script asks for ephemeral keys for a role.
pub fn is_ephemeral(role: Option<&Role>) -> bool {
    role.is_some_and(|role| role.keys == Some(Custody::Ephemeral))
}
