//! The arguments of commands about projects' delegations.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::EXIT_CODES;

/// `claim digest SCRIPT --in DIR [--json]`, `claim archive DIR`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ClaimArgs {
    /// What to compute
    #[command(subcommand)]
    pub command: ClaimCommand,
}

/// What `claim` computes.
#[derive(Debug, Subcommand)]
pub enum ClaimCommand {
    /// Judge all requests: counts, what must be seen, an estimate, and the batch digest that is typed in the ceremony
    #[command(after_help = "\
Example:
  tuf-ceremony claim digest claim.toml --in /media/in")]
    Digest(ClaimDigestArgs),
    /// The digest of a published metadata folder, as a script names it in [[archive]]
    #[command(after_help = "\
Example:
  tuf-ceremony claim archive in/archives/2026-11-20")]
    Archive {
        /// The folder
        folder: PathBuf,
    },
}

/// `claim digest SCRIPT --in DIR [--json]`
#[derive(Debug, Args)]
pub struct ClaimDigestArgs {
    /// The reviewed ceremony script
    pub script: PathBuf,
    /// The folder that is carried in
    #[arg(long = "in", value_name = "DIR")]
    pub input: PathBuf,
    /// One JSON object for programs
    #[arg(long)]
    pub json: bool,
}

/// `incident plan SCRIPT --in DIR [--json]`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct IncidentArgs {
    /// What to compute
    #[command(subcommand)]
    pub command: IncidentCommand,
}

/// What `incident` computes.
#[derive(Debug, Subcommand)]
pub enum IncidentCommand {
    /// Every project that lists a compromised key, what it becomes, and what can be done online at once; nothing is signed
    #[command(after_help = "\
Example:
  tuf-ceremony incident plan rotate-dev.toml --in in")]
    Plan {
        /// The ceremony script
        script: PathBuf,
        /// The folder that is carried in
        #[arg(long = "in", value_name = "DIR")]
        input: PathBuf,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
}
