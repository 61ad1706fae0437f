//! `tough-peer`: what the tough client says about a repository in a folder, as one JSON object.
//!
//! It decides nothing itself: every verdict is `RepositoryLoader`'s. It never opens a socket. Time is the process's
//! clock; a test that needs another one runs this program under `faketime`.
//!
//! ```text
//! tough-peer client --root 1.root.json --cache DIR --metadata DIR [--targets DIR --target PATH]
//! tough-peer root-chain --root 1.root.json --metadata DIR
//! tough-peer parse FILE
//! ```

mod report;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use data_encoding::HEXLOWER;
use report::Report;
use sha2::{Digest, Sha256};
use tough::schema::{Root, Signed, Snapshot, Targets, Timestamp};
use tough::{
    ExpirationEnforcement, FilesystemTransport, IntoVec, Repository, RepositoryLoader, TargetName,
};
use url::Url;

type Failure = Box<dyn Error>;

#[derive(Parser)]
#[command(about = "What the tough client says about a TUF repository in a folder")]
enum Command {
    /// Refresh a kept cache from the folder, then optionally fetch one target.
    Client {
        /// The root that the client was shipped with.
        #[arg(long)]
        root: PathBuf,
        /// The client's memory, kept between calls.
        #[arg(long)]
        cache: PathBuf,
        /// The folder of published metadata.
        #[arg(long)]
        metadata: PathBuf,
        /// The folder of published target files.
        #[arg(long)]
        targets: Option<PathBuf>,
        /// A target path to look up and read.
        #[arg(long, requires = "targets")]
        target: Option<String>,
    },
    /// Follow `N.root.json` from the trusted root as far as tough accepts it, whatever has expired.
    RootChain {
        /// The root that the client was shipped with.
        #[arg(long)]
        root: PathBuf,
        /// The folder that holds `N.root.json`.
        #[arg(long)]
        metadata: PathBuf,
    },
    /// Parse one metadata file.
    Parse {
        /// The file; its type is read from `_type`.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match answer(Command::parse()) {
        Ok(report) => report.print(),
        Err(failure) => Report::failed(None, failure.as_ref()).print(),
    }
}

fn answer(command: Command) -> Result<Report, Failure> {
    // The client is asynchronous, this program is not: one thread, no reactor, nothing that could reach a network.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        match command {
            Command::Client {
                root,
                cache,
                metadata,
                targets,
                target,
            } => client(&root, &cache, &metadata, targets.as_deref(), target).await,
            Command::RootChain { root, metadata } => root_chain(&root, &metadata).await,
            Command::Parse { file } => parse(&file),
        }
    })
}

async fn client(
    root: &Path,
    cache: &Path,
    metadata: &Path,
    targets: Option<&Path>,
    target: Option<String>,
) -> Result<Report, Failure> {
    fs::create_dir_all(cache)?;
    let trusted = fs::read(root)?;
    let targets = targets.unwrap_or(metadata);
    let loaded = load(
        &trusted,
        cache,
        metadata,
        targets,
        ExpirationEnforcement::Safe,
    )
    .await?;
    let version = newest_accepted(&trusted, cache);
    let repository = match loaded {
        Ok(repository) => repository,
        Err(failure) => return Ok(Report::failed(version, &failure)),
    };
    let Some(path) = target else {
        return Ok(Report::accepted(version, None));
    };
    Ok(match digest_of_target(&repository, &path).await {
        Ok(digest) => Report::accepted(version, Some(digest)),
        Err(failure) => Report::failed(version, failure.as_ref()),
    })
}

async fn root_chain(root: &Path, metadata: &Path) -> Result<Report, Failure> {
    // Only the roots are shown to tough, so the one thing it can miss after a good chain is the timestamp.
    let (roots, cache) = (tempfile::tempdir()?, tempfile::tempdir()?);
    for entry in fs::read_dir(metadata)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".root.json") {
            fs::copy(entry.path(), roots.path().join(entry.file_name()))?;
        }
    }
    let trusted = fs::read(root)?;
    let lenient = ExpirationEnforcement::Unsafe;
    let loaded = load(&trusted, cache.path(), roots.path(), roots.path(), lenient).await?;
    let version = newest_accepted(&trusted, cache.path());
    Ok(match loaded {
        Err(failure) if misses_timestamp(&failure) => Report::accepted(version, None),
        Err(failure) => Report::failed(version, &failure),
        Ok(_) => return Err("tough loaded a repository that has no timestamp".into()),
    })
}

async fn load(
    trusted: &[u8],
    cache: &Path,
    metadata: &Path,
    targets: &Path,
    expiry: ExpirationEnforcement,
) -> Result<Result<Repository, tough::error::Error>, Failure> {
    Ok(
        RepositoryLoader::new(&trusted, folder_url(metadata)?, folder_url(targets)?)
            .transport(FilesystemTransport)
            .datastore(cache)
            .expiration_enforcement(expiry)
            .load()
            .await,
    )
}

fn folder_url(folder: &Path) -> Result<Url, Failure> {
    Url::from_directory_path(fs::canonicalize(folder)?)
        .map_err(|()| format!("{} has no file address", folder.display()).into())
}

/// The version of the newest root that tough accepted: it stores each one before it tries the next.
fn newest_accepted(trusted: &[u8], cache: &Path) -> Option<u64> {
    let stored = fs::read(cache.join("root.json")).ok();
    let root: Signed<Root> = serde_json::from_slice(stored.as_deref().unwrap_or(trusted)).ok()?;
    Some(root.signed.version.get())
}

fn misses_timestamp(failure: &tough::error::Error) -> bool {
    matches!(failure, tough::error::Error::Transport { url, .. } if url.path().ends_with("/timestamp.json"))
}

async fn digest_of_target(repository: &Repository, path: &str) -> Result<String, Failure> {
    let name = TargetName::new(path)?;
    let stream = repository
        .read_target(&name)
        .await?
        .ok_or("no such target")?;
    Ok(HEXLOWER.encode(&Sha256::digest(stream.into_vec().await?)))
}

fn parse(file: &Path) -> Result<Report, Failure> {
    let bytes = fs::read(file)?;
    let value: serde_json::Value = serde_json::from_slice(&bytes)?;
    let kind = value["signed"]["_type"].as_str().unwrap_or_default();
    let version = match kind {
        "root" => {
            let root: Signed<Root> = serde_json::from_slice(&bytes)?;
            Some(root.signed.version.get())
        }
        "targets" => serde_json::from_slice::<Signed<Targets>>(&bytes).map(|_| None)?,
        "snapshot" => serde_json::from_slice::<Signed<Snapshot>>(&bytes).map(|_| None)?,
        "timestamp" => serde_json::from_slice::<Signed<Timestamp>>(&bytes).map(|_| None)?,
        other => return Err(format!("unknown metadata type '{other}'").into()),
    };
    Ok(Report::accepted(version, None))
}
