//! The arguments of `rstuf`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::EXIT_CODES;

/// `rstuf lint FILE`, `rstuf import FILE --out DIR`, `rstuf export DIR --out DIR`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RstufArgs {
    /// What to do
    #[command(subcommand)]
    pub command: RstufCommand,
}

/// What `rstuf` does.
#[derive(Debug, Subcommand)]
pub enum RstufCommand {
    /// What RSTUF would drop of a payload, refuse in it, or do wrong with it
    #[command(after_help = format!("\
Exit code 1: RSTUF would refuse the payload or break its signatures.

Example:
  tuf-ceremony rstuf lint update.json

{EXIT_CODES}"))]
    Lint {
        /// A bootstrap, update, pending or sign payload
        file: PathBuf,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Take the metadata out of a payload, to be trusted, reviewed or inspected
    #[command(after_help = format!("\
Trusted files go to metadata/, candidates to candidate/. A candidate is reviewed and not signed: ceremonies make their own. Signatures that
RSTUF collected go into a part file by `merge`, which reads these payloads itself.

Examples:
  tuf-ceremony rstuf import bootstrap.json --out imported
  tuf-ceremony rstuf import pending.json --out imported
  tuf-ceremony review imported/metadata/1.root.json imported/candidate/2.root.json

{EXIT_CODES}"))]
    Import {
        /// A bootstrap, update or pending payload
        file: PathBuf,
        /// Where the files go; existing ones are never replaced
        #[arg(long = "out", value_name = "DIR")]
        output: PathBuf,
    },
    /// Write the payloads of a root and the plain files of a folder of metadata
    Export(ExportArgs),
}

/// `rstuf export DIR --out DIR [--part FILE] [--settings FILE] [--timeout N]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
metadata/ holds the files by their versions, as a web server publishes them. rstuf/ holds bootstrap.json (root v1, with --settings) or
update.json, pending.json where a threshold is not reached yet, and a sign payload for each signature. What RSTUF would refuse or
break is not written, and the exit code is 1. Run `verify` first: here a root chain is judged by its own first root only.

Examples:
  tuf-ceremony rstuf export bundle --out for-rstuf
  tuf-ceremony rstuf export bundle --out for-rstuf --settings settings.json
  tuf-ceremony rstuf export in/trusted --part root-8.part.json --out for-rstuf

{EXIT_CODES}"))]
pub struct ExportArgs {
    /// A bundle, or a folder of metadata
    pub folder: PathBuf,
    /// Where the files go; existing ones are never replaced
    #[arg(long = "out", value_name = "DIR")]
    pub output: PathBuf,
    /// A part file with the root, where not all have signed it yet
    #[arg(long, value_name = "FILE")]
    pub part: Option<PathBuf>,
    /// For a bootstrap: the object {"roles": …} that RSTUF calls settings
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// For a bootstrap: seconds after which RSTUF gives up
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub timeout: u32,
}
