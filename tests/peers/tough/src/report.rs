//! The one JSON object that every peer prints: `ok`, `root_version`, `error`, `target_sha256`.

use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;

use serde::Serialize;

/// What the client said.
#[derive(Serialize)]
pub(crate) struct Report {
    ok: bool,
    root_version: Option<u64>,
    error: Option<String>,
    target_sha256: Option<String>,
}

impl Report {
    pub(crate) fn accepted(root_version: Option<u64>, target_sha256: Option<String>) -> Self {
        Self {
            ok: true,
            root_version,
            error: None,
            target_sha256,
        }
    }

    /// A refusal; the whole chain of causes, because the outer error alone often says only "failed to parse".
    pub(crate) fn failed(root_version: Option<u64>, failure: &dyn Error) -> Self {
        let mut error = failure.to_string();
        let mut cause = failure.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !error.ends_with(&inner_text) {
                error = format!("{error}: {inner_text}");
            }
            cause = inner.source();
        }
        Self {
            ok: false,
            root_version,
            error: Some(error),
            target_sha256: None,
        }
    }

    /// Prints the object; the exit code tells whether there is one, never what it says.
    pub(crate) fn print(&self) -> ExitCode {
        let written = serde_json::to_string(self)
            .map_err(std::io::Error::from)
            .and_then(|line| writeln!(stdout(), "{line}"));
        if written.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
