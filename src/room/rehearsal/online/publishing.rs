//! What the online side does after a ceremony: it does to each project what `online-actions.json` says, publishes the new files, and keeps an archive.

use std::path::Path;

use super::{Developer, Extent, Failure, Online, content, disk, put, release};
use crate::bundle::files;
use crate::pypi::delegation::{self, Delegations};
use crate::pypi::online_actions::{Action, ProjectAction};
use crate::pypi::project::Project;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::Limits;

/// For how many projects the files themselves are laid out, in a rehearsal that people look at.
const STORED: usize = 1_000;

/// What became of a ceremony's actions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Projects that went out of recently-claimed.
    pub removed: Vec<Project>,
    /// Projects to which nothing was done, because they do not stand as they stood when the ceremony decided.
    pub left: Vec<Project>,
}

impl Online {
    /// Publishes a ceremony's bundle into `repository` (`metadata/`, `targets/`), whole, as of today.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn publish(&mut self, bundle: &Path, repository: &Path) -> Result<Published, Failure> {
        let published = self.act(bundle)?;
        self.take(&bundle.join("metadata"))?;
        self.sign(self.today)?;
        self.write(&repository.join("metadata"), Extent::WHOLE)?;
        let targets = repository.join("targets");
        for developer in self.developers.iter().take(STORED) {
            self.store_releases(developer, &targets)?;
        }
        Ok(published)
    }

    fn store_releases(&self, developer: &Developer, targets: &Path) -> Result<(), Failure> {
        for number in 0..self.releases(developer, self.today) {
            let path = release(developer.project.as_str(), number);
            Self::store(targets, &path, &content(&path))?;
        }
        Ok(())
    }

    /// Does what the ceremony says to each project, if it still stands as it stood then.
    fn act(&mut self, bundle: &Path) -> Result<Published, Failure> {
        let mut published = Published::default();
        let recently = self.recently_now()?;
        for wanted in actions(bundle)? {
            let Ok(project) = Project::parse(&wanted.project) else {
                continue;
            };
            let now = recently
                .as_ref()
                .and_then(|it| it.projects.digest(&project));
            match wanted.action {
                Action::Leave => {}
                // A quarantine never waits.
                Action::RemoveFromRecentlyClaimed if now != wanted.if_digest => {
                    published.left.push(project);
                }
                Action::RemoveFromRecentlyClaimed | Action::Quarantine => {
                    self.remove(project.clone());
                    published.removed.push(project);
                }
            }
        }
        Ok(published)
    }

    fn recently_now(&self) -> Result<Option<Delegations>, Failure> {
        const FILE: &str = "recently-claimed.json";
        let Some(bytes) = &self.recently else {
            return Ok(None);
        };
        Envelope::parse(FILE, bytes.clone(), Limits::LARGE)
            .and_then(|envelope| delegation::delegations(FILE, &envelope))
            .map(Some)
            .map_err(|finding| Failure::refused(&[finding]))
    }

    /// Puts a target file where clients of a repository with consistent snapshots look for it, below `targets`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn store(targets: &Path, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (project, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = targets.join(project);
        std::fs::create_dir_all(&folder).map_err(|fault| disk(&folder, &fault))?;
        put(&folder, &format!("{}.{name}", Sha256::of(bytes)), bytes)
    }
}

/// The section `projects` of a bundle's `online-actions.json`; empty where the ceremony was about none.
fn actions(bundle: &Path) -> Result<Vec<ProjectAction>, Failure> {
    let path = bundle.join("online/online-actions.json");
    let bytes = files::read(&path, files::CAP).map_err(|fault| Failure::disk(fault.to_string()))?;
    let wrong = |fault: serde_json::Error| Failure::usage(format!("{}: {fault}", path.display()));
    let all: serde_json::Value = serde_json::from_slice(&bytes).map_err(wrong)?;
    let projects = all.get("projects").cloned();
    projects.map_or_else(
        || Ok(Vec::new()),
        |it| serde_json::from_value(it).map_err(wrong),
    )
}
