//! A claimed that is as large as many months make it. No rehearsal plays these months: the rehearsal's own tokens sign what they would have come to.

use std::path::{Path, PathBuf};

use super::stage::{Stage, put};
use super::{PIN, scripts};
use crate::bundle::files;
use crate::ceremony::build;
use crate::ceremony::event::Mode;
use crate::ceremony::port::{TokenId, TokenKey};
use crate::ceremony::thresholds;
use crate::pypi::changes::{ChangeSet, Sharding, apply, apply_sharded};
use crate::pypi::shards::Files;
use crate::room::clock;
use crate::room::failure::Failure;
use crate::secret::Secret;
use crate::token::Module;
use crate::tuf::edit::RoleSpec;
use crate::tuf::envelope::Envelope;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::{Algorithm, Key};
use crate::tuf::metadata::{Header, Targets};

/// A file of the new version.
struct Document {
    role: String,
    version: u64,
    envelope: Envelope,
}

impl Stage {
    /// Puts the bundle `from` of a genesis into `to`, and beside it the version of claimed in which every project that was claimed long ago stands.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn stand(&mut self, from: &Path, to: &Path) -> Result<PathBuf, Failure> {
        let found = files::read_folder(from).map_err(|fault| Failure::disk(fault.to_string()))?;
        for file in found {
            put(&to.join(&file.path), &file.bytes)?;
        }
        let metadata = to.join("metadata");
        let signers = signers(&metadata)?;
        let claimed = read(&metadata, "1.claimed.json")?;
        let changes = self.play.standing();
        let documents = documents(&claimed, &changes, &signers, self.shards).map_err(refused)?;
        for document in self.signed(documents, &signers)? {
            let name = format!("{}.{}.json", document.version, document.role);
            put(&metadata.join(name), &document.envelope.bytes())?;
        }
        self.previous = Some(to.to_owned());
        Ok(to.to_owned())
    }

    /// The documents with as many signatures as they need.
    fn signed(
        &mut self,
        mut documents: Vec<Document>,
        signers: &RoleSpec,
    ) -> Result<Vec<Document>, Failure> {
        let wrong = |fault| Failure::token(&fault);
        let mut module = self.take_module()?;
        let mut missing = signers.threshold;
        for token in module.list().map_err(wrong)? {
            if !self
                .serials
                .values()
                .any(|serial| *serial == token.id.serial)
            {
                continue;
            }
            let pin = Secret::take(&mut PIN.as_bytes().to_vec());
            let pin = pin.map_err(|fault| Failure::disk(fault.to_string()))?;
            module.login(&token.id, &pin).map_err(wrong)?;
            for own in module.keys(&token.id).map_err(wrong)? {
                let key = signers.keys.iter().find(|key| *key.public() == own.public);
                let (Some(key), true) = (key, missing > 0) else {
                    continue;
                };
                for document in &mut documents {
                    sign(&mut *module, &token.id, &own, key, document)?;
                }
                missing -= 1;
            }
            module.logout(&token.id);
        }
        self.give_back(vec![module]);
        Ok(documents)
    }
}

/// The versions after the genesis: of claimed, and of its shards where it has them.
fn documents(
    claimed: &Envelope,
    changes: &ChangeSet,
    signers: &RoleSpec,
    shards: Option<usize>,
) -> Result<Vec<Document>, Finding> {
    let header = Header::read("claimed", claimed)?;
    let (version, expires) = (header.version + 1, header.expires.text());
    let document = |role: &str, version, envelope| {
        Ok(Document {
            role: role.to_owned(),
            version,
            envelope: build::marked(Mode::Rehearsal, role, envelope)?,
        })
    };
    let Some(projects) = shards else {
        let envelope = apply("claimed", claimed, version, expires, changes, None)?;
        return Ok(vec![document("claimed", version, envelope)?]);
    };
    let dates = scripts::shards_end(clock::now());
    let dates = dates.iter().filter_map(|date| Expires::parse(date).ok());
    let sharding = Sharding {
        projects,
        expires: &dates.collect::<Vec<_>>(),
        until: clock::now(),
        signers,
        all: false,
        known: &|_| 0,
    };
    let old = Files::unsharded(claimed);
    let made = apply_sharded(&old, Some((version, expires)), changes, None, &sharding)?;
    let above = made
        .claimed
        .map(|envelope| document("claimed", version, envelope));
    let below = made.shards.into_iter();
    let below = below.map(|shard| document(&shard.role, shard.version, shard.envelope));
    above.into_iter().chain(below).collect()
}

/// Who signs claimed, as the genesis says.
fn signers(metadata: &Path) -> Result<RoleSpec, Failure> {
    let targets = read(metadata, "1.targets.json")?;
    let targets = Targets::read("targets", &targets).map_err(refused)?;
    let listed = thresholds::delegated(&targets, "claimed");
    let (keys, role) = listed.ok_or_else(|| Failure::usage("the genesis has no claimed"))?;
    Ok(RoleSpec {
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        threshold: role.threshold,
    })
}

fn read(metadata: &Path, name: &str) -> Result<Envelope, Failure> {
    let bytes = files::read(&metadata.join(name), files::CAP);
    let bytes = bytes.map_err(|fault| Failure::disk(fault.to_string()))?;
    Envelope::parse(name, bytes, Limits::LARGE).map_err(refused)
}

fn refused(finding: Finding) -> Failure {
    Failure::refused(&[finding])
}

fn sign(
    module: &mut dyn Module,
    token: &TokenId,
    own: &TokenKey,
    key: &Key,
    document: &mut Document,
) -> Result<(), Failure> {
    let algorithm = key.algorithm().unwrap_or(Algorithm::EcdsaP256);
    let message = document.envelope.message(algorithm);
    let signature = module.sign_message(token, own, &message);
    let signature = signature.map_err(|fault| Failure::token(&fault))?;
    let envelope = &document.envelope;
    document.envelope = envelope.with_signature(&key.keyid(), &signature, &|_| false);
    Ok(())
}
