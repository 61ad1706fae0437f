//! The stage of a rehearsal: tokens, rooms and folders, one ceremony after the other, each starting from the bundle of the one before.

#![allow(
    clippy::disallowed_methods,
    reason = "a rehearsal lays out its own temporary folder"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::backups::Backups;
use super::play::{Carried, Play};
use super::scripts::{self, Facts};
use super::{Act, PIN, softhsm};
use crate::bundle::files;
use crate::ceremony::SPARE;
use crate::ceremony::event::{Credential, Document};
use crate::ceremony::port::Reset;
use crate::pypi::holders::Holders;
use crate::room::clock;
use crate::room::failure::Failure;
use crate::room::session::{Paths, Session, vetting};
use crate::room::{config, modules};
use crate::secret::Secret;
use crate::token::Module;
use crate::token::software::SoftwareModule;
use crate::token::worker::Keeper;
use crate::tuf::digest::Sha256;

/// The people of the example scripts.
const HOLDERS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
/// The room's name for the module.
const MODULE: &str = "rehearsal";

/// A rehearsal's folder and tokens.
pub(super) struct Stage {
    work: PathBuf,
    module: Option<Box<dyn Module>>,
    pub(super) serials: BTreeMap<String, String>,
    pub(super) previous: Option<PathBuf>,
    pub(super) play: Play,
    /// How many projects a shard of claimed has at most, where it has shards.
    pub(super) shards: Option<usize>,
    /// Where backups go, in a tour that has some.
    pub(super) backups: Option<Backups>,
    softhsm: bool,
    keeper: Keeper,
}

impl Stage {
    /// Makes one throwaway token a holder in `work`. With SoftHSM, its environment variable must name [`super::softhsm_conf`] already.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn set(
        work: &Path,
        use_softhsm: bool,
        keeper: Keeper,
        play: Play,
    ) -> Result<Self, Failure> {
        let mut module = load(use_softhsm, &keeper)?;
        let mut serials = BTreeMap::new();
        for holder in HOLDERS {
            serials.insert(holder.to_owned(), blank(&mut *module, holder)?);
        }
        Ok(Self {
            work: work.to_owned(),
            module: Some(module),
            serials,
            previous: None,
            play,
            shards: None,
            backups: None,
            softhsm: use_softhsm,
            keeper,
        })
    }

    /// The configuration of SoftHSM for a rehearsal in `work`.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn write_softhsm_conf(work: &Path) -> Result<(), Failure> {
        let tokens = work.join("tokens");
        std::fs::create_dir_all(&tokens)
            .map_err(|fault| Failure::disk(format!("{}: {fault}", tokens.display())))?;
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n",
            tokens.display()
        );
        put(&super::softhsm_conf(work), text.as_bytes())
    }

    /// Which tokens are used, for people: module and version, as the transcript has it.
    pub(super) fn tokens(&self) -> String {
        self.module
            .as_ref()
            .map(|module| module.identity().description.clone())
            .unwrap_or_default()
    }

    /// Prepares the ceremony `act`, which follows the example `name`; its bundle goes to `out`. Of a claim the batch digest is given
    /// too, computed as `claim digest` does on another machine.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn session(
        &mut self,
        act: &Act,
        out: &Path,
    ) -> Result<(Session, Option<Sha256>), Failure> {
        let name = act.script;
        let folder = self.work.join(act.name);
        let input = folder.join("in");
        std::fs::create_dir_all(&input)
            .map_err(|fault| Failure::disk(format!("{}: {fault}", input.display())))?;
        let mut facts = self.facts(&input)?;
        facts.online = self.play.keys();
        facts.carried = self.play.before(act.name, &input)?;
        if let Some(backups) = &mut self.backups {
            backups.before(act, &input, &mut facts)?;
        }
        if name == "restore" {
            self.lose_a_token()?;
        }
        let script = scripts::fill(name, &facts)
            .ok_or_else(|| Failure::usage(format!("there is no example script {name}")))?;
        let paths = Paths {
            script: folder.join("script.toml"),
            room: folder.join("room.toml"),
            input,
            output: out.to_owned(),
        };
        put(&paths.script, script.as_bytes())?;
        put(&paths.room, self.room(&script, &folder).as_bytes())?;
        self.previous = Some(out.to_owned());
        let batch = if name == "claim" {
            let (_, vetting) = vetting::vetting(&paths.script, &paths.input)?;
            Some(vetting.batch_digest())
        } else {
            None
        };
        let module = self.take_module()?;
        let session = Session::open_with(&paths, &self.keeper, vec![module])?;
        Ok((session, batch))
    }

    /// Plays the online side after the ceremony `act`; gives what people are told.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn publish(&mut self, act: &Act, bundle: &Path) -> Result<Vec<String>, Failure> {
        self.play.after(act.name, bundle)
    }

    /// The tokens, until they are given back.
    pub(super) fn take_module(&mut self) -> Result<Box<dyn Module>, Failure> {
        let module = self.module.take();
        module.map_or_else(|| load(self.softhsm, &self.keeper), Ok)
    }

    /// Takes the tokens back from a finished ceremony.
    pub(super) fn give_back(&mut self, mut modules: Vec<Box<dyn Module>>) {
        self.module = modules.pop();
    }

    /// What the bundle of the ceremony before says, carried into `input`.
    fn facts(&self, input: &Path) -> Result<Facts, Failure> {
        let mut facts = Facts {
            trusted_root: None,
            keyids: BTreeMap::new(),
            versions: BTreeMap::new(),
            shards: self.shards,
            recipient: None,
            backup: None,
            payload: None,
            today: clock::now(),
            online: BTreeMap::new(),
            carried: Carried::default(),
        };
        let Some(previous) = &self.previous else {
            return Ok(facts);
        };
        let mut newest = (0, None);
        for file in
            files::read_folder(previous).map_err(|fault| Failure::disk(fault.to_string()))?
        {
            if let Some(name) = file.path.strip_prefix("metadata/") {
                put(&input.join("trusted").join(name), &file.bytes)?;
                let (version, role) = versioned(name).unwrap_or((0, name));
                if role == "root" && version > newest.0 {
                    newest = (version, Some(Sha256::of(&file.bytes)));
                }
                let known = facts.versions.entry(role.to_owned()).or_default();
                *known = version.max(*known);
            }
            let carried = ["owners.jsonl", "ledger.jsonl"].into_iter();
            for name in carried.filter(|name| file.path == format!("ceremony/{name}")) {
                put(&input.join(name), &file.bytes)?;
            }
            if file.path == "ceremony/holders.toml" {
                put(&input.join("holders.toml"), &file.bytes)?;
                let holders = Holders::parse(&file.path, &file.bytes)
                    .map_err(|finding| Failure::refused(&[finding]))?;
                for holder in holders.holders {
                    facts.keyids.extend(
                        holder
                            .keys
                            .into_iter()
                            .map(|key| (format!("{}.{}", holder.name, key.role), key.keyid.0)),
                    );
                }
            }
        }
        facts.trusted_root = newest.1;
        let next = Document {
            role: "root".to_owned(),
            version: newest.0 + 1,
        };
        facts.payload = Some(Sha256::of(format!("an unfinished {next}").as_bytes()));
        Ok(facts)
    }

    fn room(&self, script: &str, folder: &Path) -> String {
        let mut room = format!(
            "schema = \"{}\"\nmode = \"rehearsal\"\n",
            crate::room::config::SCHEMA
        );
        for (holder, serial) in &self.serials {
            let is_spare = holder == SPARE && script.contains("[backup]");
            if is_spare || script.contains(&format!("name = \"{holder}\"")) {
                let register = folder.join("..").join(format!("signed-by-{holder}.jsonl"));
                let _ = write!(
                    room,
                    "\n[[holder]]\nname = \"{holder}\"\ntoken = \"pkcs11:serial={serial}\"\nregister = \"{}\"\n",
                    register.display()
                );
            }
        }
        if let Some(backups) = &self.backups {
            room.push_str(&backups.room());
        }
        room
    }

    /// Lays out media for backups, and a token on which blobs are tried.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn with_backups(&mut self) -> Result<(), Failure> {
        self.backups = Some(Backups::new(&self.work)?);
        let mut module = self.take_module()?;
        let serial = blank(&mut *module, SPARE)?;
        self.serials.insert(SPARE.to_owned(), serial);
        self.give_back(vec![module]);
        Ok(())
    }

    /// The first holder's token is destroyed; what was the spare one is the holder's from now on.
    fn lose_a_token(&mut self) -> Result<(), Failure> {
        let holder = HOLDERS[0];
        let mut module = self.take_module()?;
        let tokens = module.list().map_err(|fault| Failure::token(&fault))?;
        let lost = self.serials.get(holder);
        let mut tokens = tokens.into_iter();
        let lost = tokens.find(|token| Some(&token.id.serial) == lost);
        if let Some(lost) = lost {
            let reset = Reset {
                label: "destroyed".to_owned(),
                old_so: Some(pin()?),
                new: vec![(Credential::So, pin()?), (Credential::User, pin()?)],
            };
            module
                .reset(&lost.id, &reset)
                .map_err(|fault| Failure::token(&fault))?;
        }
        if let Some(spare) = self.serials.remove(SPARE) {
            self.serials.insert(holder.to_owned(), spare);
        }
        self.give_back(vec![module]);
        Ok(())
    }
}

/// A token that has a PIN and no key; gives its serial.
fn blank(module: &mut dyn Module, label: &str) -> Result<String, Failure> {
    let token = module
        .initialise(label, &pin()?, &pin()?)
        .map_err(|fault| Failure::token(&fault))?;
    Ok(token.id.serial)
}

fn pin() -> Result<Secret, Failure> {
    Secret::take(&mut PIN.as_bytes().to_vec()).map_err(|fault| Failure::disk(fault.to_string()))
}

/// `7.targets.json` as version and role.
fn versioned(name: &str) -> Option<(u64, &str)> {
    let (version, role) = name.strip_suffix(".json")?.split_once('.')?;
    Some((version.parse().ok()?, role))
}

fn load(use_softhsm: bool, keeper: &Keeper) -> Result<Box<dyn Module>, Failure> {
    if !use_softhsm {
        return Ok(Box::new(SoftwareModule::new(MODULE)));
    }
    let path = softhsm().ok_or_else(|| Failure::usage("SoftHSM2 is not installed"))?;
    modules::start(&config::Module::library(MODULE.to_owned(), path), keeper)
}

pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    files::create_new(path, bytes).map_err(|fault| Failure::disk(fault.to_string()))
}
