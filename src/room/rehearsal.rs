//! Rehearsals: the same scripts and the same program over throwaway tokens in a folder of their own. Real SoftHSM where its module is there, else software
//! keys in memory; which one is said and stands in the transcript.

mod backups;
pub mod online;
mod operator;
mod play;
mod scripts;
mod stage;
mod standing;

use std::path::{Path, PathBuf};

use online::Sizes;
pub use operator::Rehearser;
use play::Play;
pub use play::{FORGED, SEED};
use stage::Stage;

use super::clock;
use super::failure::Failure;
use super::hardening;
use super::session::{Done, Session};
use crate::tuf::digest::Sha256;

/// The PIN of every throwaway token. It protects nothing.
pub const PIN: &str = "654321";

/// Where `SoftHSM2`'s module usually lies.
const SOFTHSM: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// `SoftHSM2`'s module, if it is installed.
pub fn softhsm() -> Option<&'static Path> {
    SOFTHSM.iter().map(Path::new).find(|path| path.exists())
}

/// One ceremony of a tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Act {
    /// What it is called in the tour: the name of its bundle.
    name: &'static str,
    /// The example script that it follows.
    script: &'static str,
}

/// The second claim of a tour: what was not ready at the first, and changes of what was claimed.
const SECOND_CLAIM: Act = Act {
    name: "claim-second",
    script: "claim",
};

/// The ceremonies that rehearsing `kind` takes, in order; the whole tour if none is named.
fn tour(kind: Option<&str>) -> Result<Vec<Act>, Failure> {
    let plain = |name| Act { name, script: name };
    let acts: &[&'static str] = match kind {
        None | Some("renew") => &["genesis-458", "admin-key", "renew"],
        Some("genesis") => &["genesis"],
        Some("admin-key") => &["genesis-458", "admin-key"],
        Some("renew-ephemeral") => &["genesis-ephemeral", "renew-ephemeral"],
        Some("provision") => &["provision"],
        Some("check-in") => &["genesis-458", "check-in"],
        Some("backup") => &["genesis-backup", "backup"],
        Some("restore-drill") => &["genesis-backup", "restore-drill"],
        Some("restore") => &[
            "genesis-backup",
            "restore-drill",
            "restore",
            "renew-ephemeral",
        ],
        Some("abort") => &["genesis-458", "abort"],
        Some("claim") => return Ok(vec![plain("genesis"), plain("claim"), SECOND_CLAIM]),
        Some("rotate-dev") => &["genesis", "claim", "rotate-dev"],
        Some("projects") => {
            return Ok(vec![
                plain("genesis"),
                plain("claim"),
                SECOND_CLAIM,
                plain("rotate-dev"),
            ]);
        }
        Some("redelegate") => &["genesis-458", "redelegate"],
        Some(other) => {
            return Err(Failure::usage(format!(
                "there is no kind {other:?} to rehearse; there are {}",
                crate::ceremony::kinds::names().join(", ")
            )));
        }
    };
    Ok(acts.iter().copied().map(plain).collect())
}

/// The examples that make or open backups.
const BACKUPS: [&str; 4] = ["genesis-backup", "backup", "restore-drill", "restore"];

/// Whether a tour is about projects, so that the online side is played.
fn has_projects(tour: &[Act]) -> bool {
    let about = ["claim", "rotate-dev", "redelegate"];
    tour.iter().any(|act| about.contains(&act.script))
}

/// What is to be rehearsed.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// A kind; none: the whole tour.
    pub kind: Option<String>,
    /// Where the bundles go; none: they stay in the rehearsal's own folder.
    pub output: Option<PathBuf>,
    /// Fail without SoftHSM.
    pub require_softhsm: bool,
    /// Software keys even where SoftHSM is installed.
    pub software: bool,
    /// How many projects a shard of claimed has at most; none: claimed has no shards.
    pub shards: Option<usize>,
    /// How many projects there are, where a tour is about projects; none: [`PROJECTS`].
    pub projects: Option<usize>,
    /// How many more were claimed long ago, where a tour has claims: they stand in claimed, signed by the rehearsal's own tokens, before the first of its claims.
    pub claimed: usize,
}

/// So many projects are enough to see everything once.
pub const PROJECTS: usize = 60;

/// Sets the stage and runs the ceremonies of the tour, each as `each` does, which is told the batch digest of a claim as another machine has it; `say` tells people. Gives the exit code.
///
/// # Errors
/// [`Failure`].
pub fn rehearse(
    wish: &Wish,
    say: &mut dyn FnMut(&str),
    each: &mut dyn FnMut(Session, Option<Sha256>) -> Result<Done, Failure>,
) -> Result<u8, Failure> {
    let tour = tour(wish.kind.as_deref())?;
    let softhsm = softhsm().is_some() && !wish.software;
    if wish.require_softhsm && !softhsm {
        return Err(Failure::usage(
            "SoftHSM2's module is not installed, and --require-softhsm was given (Debian: apt-get install softhsm2)",
        ));
    }
    let Some(work) = work_folder() else {
        return start_again(wish, softhsm);
    };
    let keeper = hardening::harden().map_err(Failure::disk)?;
    let bundles = wish.output.clone().unwrap_or_else(|| work.join("bundles"));
    let repository = bundles.join("repository");
    let sizes = Sizes {
        before: wish.claimed,
        ..Sizes::of(wish.projects.unwrap_or(PROJECTS))
    };
    let play = Play::new(&work, &repository, sizes, clock::now());
    let mut stage = Stage::set(&work, softhsm, keeper, play)?;
    stage.shards = wish.shards;
    if tour.iter().any(|act| BACKUPS.contains(&act.script)) {
        stage.with_backups()?;
    }
    say(&format!("rehearsal with {}", stage.tokens()));
    let mut bundle = PathBuf::new();
    let has_projects = has_projects(&tour);
    for act in tour {
        bundle = bundles.join(act.name);
        let done = {
            let (session, batch) = stage.session(&act, &bundle)?;
            each(session, batch)?
        };
        done.lines.iter().for_each(|line| say(line));
        stage.give_back(done.modules);
        if act.name == "genesis" && wish.claimed > 0 {
            bundle = stage.stand(&bundle, &bundles.join("claimed-before"))?;
        }
        if has_projects {
            let lines = stage.publish(&act, &bundle)?;
            for line in &lines {
                say(line);
            }
        }
    }
    say(&format!(
        "the last bundle is {}; it verified",
        bundle.display()
    ));
    if has_projects {
        say(&format!(
            "what clients would see lies in {}",
            repository.display()
        ));
    }
    Ok(0)
}

/// Names the folder of a rehearsal to the program that was started again with SoftHSM's configuration in its environment.
const WORK_VARIABLE: &str = "TUF_CEREMONY_REHEARSAL";

#[allow(
    clippy::disallowed_methods,
    reason = "the rehearsal's own variable, set by itself"
)]
fn work_folder() -> Option<PathBuf> {
    std::env::var_os(WORK_VARIABLE).map(PathBuf::from)
}

/// SoftHSM reads its configuration from the environment when its module is loaded, and a program cannot safely change its own: so the rehearsal starts
/// the same program again with the same arguments.
fn start_again(wish: &Wish, softhsm: bool) -> Result<u8, Failure> {
    let disk = |fault: std::io::Error| Failure::disk(fault.to_string());
    let folder = tempfile::Builder::new()
        .prefix("tuf-ceremony-rehearsal-")
        .tempdir()
        .map_err(disk)?;
    if softhsm {
        Stage::write_softhsm_conf(folder.path())?;
    }
    let status = std::process::Command::new(std::env::current_exe().map_err(disk)?)
        .args(std::env::args_os().skip(1))
        .env(WORK_VARIABLE, folder.path())
        .env("SOFTHSM2_CONF", softhsm_conf(folder.path()))
        .status()
        .map_err(disk)?;
    if wish.output.is_none() {
        // The bundles are what people want to look at; the tokens beside them protect nothing.
        let _ = folder.keep();
    }
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(5))
}

/// The configuration file of SoftHSM in a rehearsal's folder; its environment variable must name it before the module is loaded.
fn softhsm_conf(work: &Path) -> PathBuf {
    work.join("softhsm2.conf")
}
