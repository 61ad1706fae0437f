//! The command line as other programs rely on it: names, options, help that teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod changes;
mod rstuf;

pub use changes::{ClaimArgs, ClaimCommand, ClaimDigestArgs, IncidentArgs, IncidentCommand};
pub use rstuf::{ExportArgs, RstufArgs, RstufCommand};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused by a rule, or verification failed
  2  bad usage or script
  3  stopped by a person, or a threshold is not reached yet
  4  token or PIN
  5  input or output";

const EXAMPLES: &str = "\
Examples:
  Open the screens:
      tuf-ceremony
  Rehearse a genesis with throwaway tokens in a temporary directory:
      tuf-ceremony rehearse genesis
  Verify the root chain of a repository on a given day:
      tuf-ceremony verify --trusted-root 1.root.json metadata/ --at 2026-11-01T00:00:00Z
  Read what a new root changes before you sign it:
      tuf-ceremony review metadata/7.root.json candidate/8.root.json
  Unite the part files that came back from the holders:
      tuf-ceremony merge --trusted-root 7.root.json --out 8.root.part.json parts/*.json
";

/// Key-signing ceremonies for TUF repositories. Without a command it opens the screens.
#[derive(Debug, Parser)]
#[command(name = "tuf-ceremony", version, after_help = format!("{EXAMPLES}\n{EXIT_CODES}"), disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; none: open the screens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a ceremony script, or go on with one that was interrupted
    Run(RunArgs),
    /// Rehearse a kind of ceremony with throwaway tokens
    Rehearse(RehearseArgs),
    /// Verify a root chain, a repository's metadata or a ceremony's bundle; needs no token and no network
    Verify(VerifyArgs),
    /// Say which role answers for a target path, with every role that is asked on the way
    Resolve(ResolveArgs),
    /// Say what a file is and what is in it: metadata, part file, manifest or transcript
    Inspect(InspectArgs),
    /// Say in words what a new version changes, who must sign it, and which clients will read it
    Review(ReviewArgs),
    /// List the tokens that are plugged in
    Tokens(TokensArgs),
    /// Unite part files of one candidate; the order does not matter
    Merge(MergeArgs),
    /// Check what a device says about a key that it made
    Attest(AttestArgs),
    /// Judge the requests of a claim on a machine of one's own, without a token
    Claim(ClaimArgs),
    /// What an incident file means for every project, without a token
    Incident(IncidentArgs),
    /// Payloads of RSTUF, PyPI's own service: what it would make of them, out of them, into them
    Rstuf(RstufArgs),
    /// A module in a process of its own; the program starts it itself
    #[command(hide = true)]
    TokenWorker,
    /// The process that starts those; the program starts it itself
    #[command(hide = true)]
    TokenKeeper,
}

/// `run SCRIPT --room ROOM --in DIR --out DIR [--headless --answers FILE] [--pin-fd N]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
An existing --out folder with a transcript is resumed: finished steps are verified and skipped.

Examples:
  tuf-ceremony run ceremony-scripts/renew.toml --room room.toml --in /media/in --out /media/out
  tuf-ceremony run renew.toml --room rehearsal.toml --in in --out out --headless --answers answers.toml --pin-fd 3 3<pins

{EXIT_CODES}"))]
pub struct RunArgs {
    /// The reviewed ceremony script
    pub script: PathBuf,
    /// The room: mode, modules, who holds which token
    #[arg(long)]
    pub room: PathBuf,
    /// The folder that was carried in: trusted/, candidate/, parts/
    #[arg(long = "in", value_name = "DIR")]
    pub input: PathBuf,
    /// The folder that is carried away; an existing one is resumed
    #[arg(long = "out", value_name = "DIR")]
    pub output: PathBuf,
    /// Print the plan with its digest and end; nothing is written and no token is touched
    #[arg(long, conflicts_with_all = ["headless", "answers", "pin_fd"])]
    pub plan: bool,
    /// Without screens: line by line, answers from --answers, or stop at the first open question
    #[arg(long)]
    pub headless: bool,
    /// Answers to all questions (rehearsals and tests only)
    #[arg(long, requires = "headless", value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Read PINs from this open descriptor, lines `holder kind pin`
    #[arg(long, value_name = "N")]
    pub pin_fd: Option<i32>,
}

/// `rehearse [KIND] [--out DIR] [--headless]`
#[derive(Debug, Default, Args)]
#[command(after_help = format!("\
SoftHSM is used if its module is installed, else software keys; the first lines say which.

Examples:
  tuf-ceremony rehearse
  tuf-ceremony rehearse admin-key --out rehearsal --headless

{EXIT_CODES}"))]
pub struct RehearseArgs {
    /// genesis, renew, admin-key, renew-ephemeral, claim, rotate-dev, redelegate, abort and so on, with what must come before it; none: genesis, admin-key, renew
    pub kind: Option<String>,
    /// Keep the bundles here; none: a temporary directory, named at the end
    #[arg(long = "out", value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Without screens
    #[arg(long)]
    pub headless: bool,
    /// Fail if SoftHSM is not installed, instead of using software keys
    #[arg(long)]
    pub require_softhsm: bool,
    /// Use software keys even if SoftHSM is installed
    #[arg(long, conflicts_with = "require_softhsm")]
    pub software: bool,
    /// How many projects the online side has, in claim, rotate-dev and redelegate; none: 60
    #[arg(long, value_name = "N")]
    pub projects: Option<usize>,
    /// Divide claimed into shards of at most so many projects, in claim and rotate-dev
    #[arg(long, value_name = "N")]
    pub shards: Option<usize>,
    /// So many more were claimed long ago: a month's claim at the size of all PyPI (claim, rotate-dev)
    #[arg(long, value_name = "N", default_value_t)]
    pub claimed: usize,
}

/// `verify --trusted-root FILE PATH... [--at UTC] [--rehearsal] [--json]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
A PATH is a metadata file, a folder of metadata (N.root.json, root_history/, root.json, targets.json) or a bundle
(a folder with a manifest.json). Expiry of the newest root is an error; house rules are at most warnings.

Examples:
  tuf-ceremony verify --trusted-root 1.root.json metadata/
  tuf-ceremony verify --trusted-root 7.root.json bundle/ --json
  tuf-ceremony verify --trusted-root 1.root.json metadata/ --at 2026-11-01T00:00:00Z

{EXIT_CODES}"))]
pub struct VerifyArgs {
    /// The root that is trusted because you got it another way
    #[arg(long, value_name = "FILE")]
    pub trusted_root: PathBuf,
    /// What to verify
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Judge expiry at this moment instead of now: YYYY-MM-DDTHH:MM:SSZ
    #[arg(long, value_name = "UTC", value_parser = instant)]
    pub at: Option<jiff::Timestamp>,
    /// The files come from a rehearsal: demand its marker instead of refusing it
    #[arg(long)]
    pub rehearsal: bool,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `resolve --trusted-root FILE --repository DIR PATH... [--unpublished] [--role-names] [--at UTC] [--json]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
The folder holds metadata as a server publishes it (N.root.json, timestamp.json, N.snapshot.json, N.role.json). Each role on the
way is verified by its delegator's keys. Expiry is told and stops nothing: archives are old.
Exit code 0: every path was found or is certainly not there; 1: a role is missing or does not verify.

Examples:
  tuf-ceremony resolve --trusted-root 1.root.json --repository metadata/ django/Django-5.2.tar.gz
  tuf-ceremony resolve --trusted-root 1.root.json --repository bundle/metadata --unpublished django/Django-5.2.tar.gz --json
  tuf-ceremony resolve --trusted-root 1.root.json --repository archives/2026-11-20 --role-names

{EXIT_CODES}"))]
pub struct ResolveArgs {
    /// The root that is trusted because you got it another way
    #[arg(long, value_name = "FILE")]
    pub trusted_root: PathBuf,
    /// The folder of metadata
    #[arg(long, value_name = "DIR")]
    pub repository: PathBuf,
    /// Target paths, as they stand in metadata
    #[arg(required_unless_present = "role_names", value_name = "PATH")]
    pub paths: Vec<String>,
    /// The folder has no timestamp and snapshot yet (a bundle's metadata/): take the newest version of each role
    #[arg(long)]
    pub unpublished: bool,
    /// Also go through all roles of the folder: every role name must have one delegator
    #[arg(long)]
    pub role_names: bool,
    /// Judge expiry at this moment instead of now: YYYY-MM-DDTHH:MM:SSZ
    #[arg(long, value_name = "UTC", value_parser = instant)]
    pub at: Option<jiff::Timestamp>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `inspect FILE [--json]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
Nothing is verified against a trusted root here: see `verify`.

Examples:
  tuf-ceremony inspect metadata/11.root.json
  tuf-ceremony inspect parts/alice.json --json

{EXIT_CODES}"))]
pub struct InspectArgs {
    /// Metadata, a part file, a manifest or a transcript
    pub file: PathBuf,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `review OLD NEW [--json]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
Keys are matched by their bytes, never by JSON text. The digest at the end is that of the bytes that are signed.

Examples:
  tuf-ceremony review metadata/7.root.json candidate/8.root.json
  tuf-ceremony review 3.targets.json 4.targets.json --json

{EXIT_CODES}"))]
pub struct ReviewArgs {
    /// The version that is trusted today
    pub old: PathBuf,
    /// The candidate: metadata or a part file
    pub new: PathBuf,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `tokens [--module PATH] [--json]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
No PIN is asked for and nothing is changed.

Examples:
  tuf-ceremony tokens
  tuf-ceremony tokens --module /usr/lib/softhsm/libsofthsm2.so --json

{EXIT_CODES}"))]
pub struct TokensArgs {
    /// A PKCS#11 module to look into; none: the ones found in their usual places, and PIV cards in readers
    #[arg(long, value_name = "PATH")]
    pub module: Vec<PathBuf>,
    /// The room whose modules to look into
    #[arg(long, conflicts_with = "module")]
    pub room: Option<PathBuf>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `merge --trusted-root FILE --out FILE PART...`
#[derive(Debug, Args)]
#[command(after_help = format!("\
Every signature is verified; only valid ones are kept. Among the PARTs may be records of abandoned payloads, and metadata that
names the keys (a newer root for targets, targets for bins), and signatures that RSTUF collected (its sign, pending and update
payloads). --out is never overwritten.
Exit code 3: the file was written, but a threshold is not reached yet; the output says which, and who is missing.

Examples:
  tuf-ceremony merge --trusted-root 7.root.json --out 8.root.part.json alice.part.json bob.part.json

{EXIT_CODES}"))]
pub struct MergeArgs {
    /// The root that the ceremony trusts; none at genesis
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// Where the united part file goes
    #[arg(long = "out", value_name = "FILE")]
    pub output: PathBuf,
    /// Part files
    #[arg(required = true, value_name = "PART")]
    pub parts: Vec<PathBuf>,
    /// Also write the metadata file alone here, for publishing
    #[arg(long, value_name = "FILE")]
    pub metadata: Option<PathBuf>,
}

/// `attest verify --key PUBKEY CERT...`
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct AttestArgs {
    /// What to do
    #[command(subcommand)]
    pub action: AttestAction,
}

/// What to do with an attestation.
#[derive(Debug, Subcommand)]
pub enum AttestAction {
    /// Verify an attestation up to an embedded root of the maker, and that it is of exactly this key
    Verify(AttestVerifyArgs),
}

/// `attest verify --key PUBKEY CERT... [--test-root FILE]... [--json]`
#[derive(Debug, Args)]
#[command(after_help = format!("\
Certificates are DER or PEM (several in one file, too): the attestation of the key first, then the device's, others in any order.
Roots and intermediates of Yubico are built in. No network, no token, no clock: dates are not judged. Exit code 0: a genuine
device made exactly this key; warnings about the device do not change that.

Examples:
  tuf-ceremony attest verify --key root.pub.pem 9c.attestation.pem f9.pem
  tuf-ceremony attest verify --key root.pub.pem attestation.der device.der --json

{EXIT_CODES}"))]
pub struct AttestVerifyArgs {
    /// The public key as metadata has it: SPKI as PEM or DER, or hexadecimal
    #[arg(long, value_name = "PUBKEY")]
    pub key: PathBuf,
    /// The certificates
    #[arg(required = true, value_name = "CERT")]
    pub certificates: Vec<PathBuf>,
    /// A root that only a test or rehearsal believes; the verdict says TEST ROOT
    #[arg(long = "test-root", value_name = "FILE")]
    pub test_roots: Vec<PathBuf>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

fn instant(text: &str) -> Result<jiff::Timestamp, String> {
    let form = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    text.parse()
        .ok()
        .filter(|_| form)
        .ok_or_else(|| "expected the form YYYY-MM-DDTHH:MM:SSZ".to_owned())
}
