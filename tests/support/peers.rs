//! Asks independent TUF clients what they say about a repository in a folder.
//!
//! The clients live under tests/peers and print one JSON object each; see there. What is missing is a panic with the
//! command that installs it, never a passed test. Time is always given (`At`), so no verdict depends on the day.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The client accepted everything it was asked for.
    pub ok: bool,
    /// The newest root version it accepted, `None` when it did not even accept the trusted root.
    pub root_version: Option<u64>,
    /// Its own words for the refusal.
    pub error: Option<String>,
    /// SHA-256 in hex of the target file it fetched, when one was asked for.
    pub target_sha256: Option<String>,
}

impl Verdict {
    /// The refusal's words; panics when the client accepted, because then the test expected too much of it.
    pub fn refusal(&self) -> &str {
        assert!(!self.ok, "the client accepted: {self:?}");
        self.error.as_deref().unwrap_or_default()
    }
}

/// The independent clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// python-tuf 7.0.1, what pip would use.
    PythonTuf,
    /// tuf-js 6.0.2, what npm uses.
    TufJs,
    /// tough 0.24, what Rust programs use.
    Tough,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PythonTuf, Self::TufJs, Self::Tough];

    /// Refreshes a client from the published folder. Its cache is kept: the same `Client` called again after each
    /// publishing step is a client that was there all along.
    pub fn client(self, client: &Client<'_>) -> Verdict {
        let mut arguments = vec![
            "client".to_owned(),
            format!("--root={}", client.trusted_root.display()),
            format!("--cache={}", client.cache.display()),
            format!("--metadata={}", client.published.join("metadata").display()),
        ];
        if let Some(target) = client.target {
            let targets = client.published.join("targets");
            arguments.push(format!("--targets={}", targets.display()));
            arguments.push(format!("--target={target}"));
        }
        self.ask(&arguments, client.at)
    }

    /// Which roots the client accepts from `trusted_root` on, by `N.root.json` in `metadata`, whatever has expired.
    pub fn root_chain(self, trusted_root: &Path, metadata: &Path) -> Verdict {
        let root = format!("--root={}", trusted_root.display());
        let metadata = format!("--metadata={}", metadata.display());
        self.ask(&["root-chain".to_owned(), root, metadata], None)
    }

    /// Whether the client can read one metadata file at all.
    pub fn parse(self, file: &Path) -> Verdict {
        self.ask(&["parse".to_owned(), file.display().to_string()], None)
    }

    fn ask(self, arguments: &[String], at: Option<&str>) -> Verdict {
        let mut command = match (self, at) {
            // tough reads the clock itself.
            (Self::Tough, Some(at)) => {
                let mut command = Command::new("faketime");
                // A stopped clock in UTC, whatever the machine's zone.
                command
                    .env("TZ", "UTC")
                    .arg(at.replace('T', " ").replace('Z', ""));
                command.arg(tough_peer());
                command
            }
            (Self::Tough, None) => Command::new(tough_peer()),
            (Self::PythonTuf, _) => python("python_client.py"),
            (Self::TufJs, _) => {
                let mut command = Command::new("node");
                command.arg(tuf_js_client());
                command
            }
        };
        command.args(arguments);
        if let (Self::PythonTuf | Self::TufJs, Some(at)) = (self, at) {
            command.arg(format!("--at={at}"));
        }
        verdict(&run(&mut command))
    }
}

/// Clients that look up several paths in one sitting, by the names of docs/compatibility.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "names and versions")]
pub enum Sitter {
    PythonTuf600,
    PythonTuf700,
    PythonTuf701,
    TufJs501,
    TufJs602,
    /// The same, but for the one list that costs it time with the square of a snapshot's files (`makeLinear` in tests/peers/js/client.js, which
    /// [`linear_is_tuf_js`] holds against tuf-js as it comes). For repositories that would take it days.
    TufJs602Linear,
}

/// What a sitting came to.
#[derive(Debug, Clone)]
pub struct Sitting {
    /// The newest root version it accepted.
    pub root_version: Option<u64>,
    /// Why nothing could be looked up.
    pub error: Option<String>,
    /// Path by path: SHA-256 of the file that the client fetched, `None` where nobody answers, or the client's words for a refusal.
    pub lookups: Vec<Result<Option<String>, String>>,
}

impl Sitter {
    /// All of them, as they come.
    pub const ALL: [Self; 5] = [
        Self::PythonTuf600,
        Self::PythonTuf700,
        Self::PythonTuf701,
        Self::TufJs501,
        Self::TufJs602,
    ];

    /// As verdicts and pages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PythonTuf600 => "python-tuf 6.0.0",
            Self::PythonTuf700 => "python-tuf 7.0.0",
            Self::PythonTuf701 => "python-tuf 7.0.1",
            Self::TufJs501 => "tuf-js 5.0.1",
            Self::TufJs602 => "tuf-js 6.0.2",
            Self::TufJs602Linear => "tuf-js 6.0.2 with one list linear",
        }
    }

    /// Follows the repository in `published` from its first root and looks up one path after the other. `largest` bytes of a targets file are read; `None` is
    /// the client's own limit.
    pub fn sits(
        self,
        published: &Path,
        cache: &Path,
        largest: Option<u64>,
        paths: &[&str],
    ) -> Sitting {
        let mut command = match self {
            Self::PythonTuf701 => python("python_client.py"),
            Self::PythonTuf600 => older_python("6.0.0"),
            Self::PythonTuf700 => older_python("7.0.0"),
            Self::TufJs501 | Self::TufJs602 | Self::TufJs602Linear => {
                let mut command = Command::new("node");
                command.arg(tuf_js_client());
                command
            }
        };
        if self == Self::TufJs501 {
            let older = installed("js/older/tuf-js-5.0.1");
            installed("js/older/tuf-js-5.0.1/node_modules/tuf-js");
            command.env("TUF_JS", older);
        }
        command.arg("sitting").arg("--root");
        command.arg(published.join("metadata/1.root.json"));
        command.arg("--cache").arg(cache);
        command.arg("--published").arg(published);
        command.args(largest.map(|largest| format!("--largest={largest}")));
        if self == Self::TufJs602Linear {
            command.arg("--linear");
        }
        command.args(paths.iter().map(|path| format!("--target={path}")));
        let answer = parsed(&run(&mut command));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let lookups = answer["lookups"].as_array().into_iter().flatten();
        Sitting {
            root_version: answer["root_version"].as_u64(),
            error: text(&answer["error"]),
            lookups: lookups
                .map(|lookup| {
                    text(&lookup["error"]).map_or_else(|| Ok(text(&lookup["sha256"])), Err)
                })
                .collect(),
        }
    }
}

/// Holds what [`Sitter::TufJs602Linear`] makes of a snapshot, whole and broken, against what tuf-js as it comes makes of it; gives the number of its files.
pub fn linear_is_tuf_js(snapshot: &Path) -> u64 {
    let mut command = Command::new("node");
    command.arg(tuf_js_client()).arg("linear").arg(snapshot);
    let answer = parsed(&run(&mut command));
    assert_eq!(answer["error"], Value::Null, "{}", snapshot.display());
    answer["files"].as_u64().expect("how many files there are")
}

fn older_python(version: &str) -> Command {
    let older = installed(&format!("../.venv/older/tuf-{version}"));
    let mut command = python("python_client.py");
    command.env("PYTHONPATH", older);
    command
}

/// A client's memory, what it was shipped with, and where it looks.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The root file shipped with it.
    pub trusted_root: &'a Path,
    /// Its own folder, kept between calls; one for each client.
    pub cache: &'a Path,
    /// A published repository (`metadata/`, `targets/`), as `publish` makes it.
    pub published: &'a Path,
    /// A target path to look up, fetch and hash.
    pub target: Option<&'a str>,
    /// The client's time as `2026-11-22T00:00:00Z`; `None` is now.
    pub at: Option<&'a str>,
}

/// One publishing step of PyPI's online side.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// A folder with `metadata/`, laid over what is published already.
    pub bundle: &'a Path,
    /// PEM files of the throwaway online private keys.
    pub online_keys: &'a [&'a Path],
    /// The published repository; made if absent, kept between steps.
    pub out: &'a Path,
    /// Target paths and the files to publish there.
    pub targets: &'a [(&'a str, &'a Path)],
    /// When it is signed, as `2026-11-22T00:00:00Z`; valid one day. `None` is now.
    pub at: Option<&'a str>,
}

/// Publishes; gives the published version of each role by name, or the publisher's complaint.
pub fn publish(step: &Publication<'_>) -> Result<Value, String> {
    let mut command = python("publish.py");
    command.arg("--bundle").arg(step.bundle);
    command.arg("--out").arg(step.out);
    for key in step.online_keys {
        command.arg("--key").arg(key);
    }
    for (path, file) in step.targets {
        command.arg(format!("--target={path}={}", file.display()));
    }
    if let Some(at) = step.at {
        command.arg("--at").arg(at);
    }
    let output = start(&mut command);
    if output.status.success() {
        Ok(parsed(&output))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// A small genuine PEP 458 repository made by python-tuf alone, with broken twins; the folders are named in
/// `tests/peers/make_repo.py`.
pub fn make_repository(out: &Path) {
    run(python("make_repo.py").arg("--out").arg(out));
}

/// Files with one oddity each; their folders are named in `tests/peers/probes/make.py`.
pub fn make_probes(out: &Path) {
    run(python("probes/make.py").arg("--out").arg(out));
}

fn python(script: &str) -> Command {
    let mut command = Command::new(installed("../.venv/bin/python"));
    // A test leaves nothing behind in the source tree.
    command.arg("-B").arg(installed(script));
    command
}

fn tuf_js_client() -> PathBuf {
    installed("js/node_modules/tuf-js");
    installed("js/client.js")
}

fn tough_peer() -> PathBuf {
    // Test programs lie in target/PROFILE/deps, the workspace's programs one above.
    let test = std::env::current_exe().expect("the test program has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps");
    present(profile.join("tough-peer"))
}

fn installed(path: &str) -> PathBuf {
    present(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/peers")
            .join(path),
    )
}

fn present(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} is not there. Run ./ceremony-scripts/test, which installs what the tests need.",
        path.display()
    );
    path
}

fn start(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        let program = command.get_program().to_string_lossy();
        panic!("{program} did not start ({error}). Run ./ceremony-scripts/test, which installs what the tests need.")
    })
}

fn run(command: &mut Command) -> Output {
    let output = start(command);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {complaint}");
    output
}

fn parsed(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("not one JSON object ({error}): {text}"))
}

fn verdict(output: &Output) -> Verdict {
    let answer = parsed(output);
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Verdict {
        ok: answer["ok"].as_bool().expect("every answer says ok"),
        root_version: answer["root_version"].as_u64(),
        error: text("error"),
        target_sha256: text("target_sha256"),
    }
}
