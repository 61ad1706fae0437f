//! The media of backups in a rehearsal, and who can open the export for the infrastructure.

#![allow(
    clippy::disallowed_methods,
    reason = "a rehearsal lays out its own temporary folder"
)]

use std::path::{Path, PathBuf};

use super::Act;
use super::scripts::Facts;
use super::stage::put;
use crate::backup::Identities;
use crate::bundle::files;
use crate::room::failure::Failure;
use crate::room::vault::{EVERYTHING, SHARES};
use crate::tuf::digest::Sha256;

/// Folders that stand for media.
pub(super) struct Backups {
    work: PathBuf,
    identity: PathBuf,
    recipient: String,
    /// The act whose media are written now, and the one whose backup is the newest.
    now: PathBuf,
    newest: Option<PathBuf>,
}

impl Backups {
    /// Lays out media in `work` and makes an identity for the infrastructure.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn new(work: &Path) -> Result<Self, Failure> {
        let work = work.join("media");
        let path = work.join("infrastructure-identity.txt");
        let (identity, recipient) =
            Identities::fresh().map_err(|fault| Failure::disk(fault.to_string()))?;
        // The identity of a rehearsal opens nothing but a rehearsal.
        identity.expose(|identity| put(&path, identity))?;
        Ok(Self {
            now: work.clone(),
            work,
            identity: path,
            recipient,
            newest: None,
        })
    }

    /// Carries the newest backup into `input`, and lays out empty media.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn before(
        &mut self,
        act: &Act,
        input: &Path,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        facts.recipient = Some(self.recipient.clone());
        if let Some(newest) = self.newest() {
            let read = |name: &str| {
                files::read(&newest.join(name), files::CAP)
                    .map_err(|fault| Failure::disk(fault.to_string()))
            };
            let everything = read(EVERYTHING)?;
            facts.backup = Some(Sha256::of(&everything));
            if act.script.starts_with("restore") {
                put(&input.join("backup").join(EVERYTHING), &everything)?;
                put(&input.join("backup").join(SHARES), &read(SHARES)?)?;
            }
        }
        self.now = self.work.join(act.name);
        for medium in ["everything", "infrastructure", "restored"] {
            let path = self.now.join(medium);
            std::fs::create_dir_all(&path)
                .map_err(|fault| Failure::disk(format!("{}: {fault}", path.display())))?;
        }
        Ok(())
    }

    fn newest(&mut self) -> Option<&Path> {
        let written = self.now.join("everything");
        if written.join(EVERYTHING).exists() {
            self.newest = Some(written);
        }
        self.newest.as_deref()
    }

    /// What the room file says of media.
    pub(super) fn room(&self) -> String {
        let now = self.now.display();
        format!(
            "\n[backup]\neverything = \"{now}/everything\"\ninfrastructure = \"{now}/infrastructure\"\nrestored = \"{now}/restored\"\nidentities = [\"{}\"]\n",
            self.identity.display()
        )
    }
}
