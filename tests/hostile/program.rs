//! The real program, held to two seconds of processor time.

use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct Answer {
    /// -1 if it was killed.
    pub(crate) exit: i32,
    pub(crate) out: String,
    err: String,
}

/// Runs it with nothing on standard input. More than two seconds of computing end it, and so does a minute of waiting (on a pipe that it should not have opened).
pub(crate) fn run(folder: &Path, arguments: &[String]) -> Answer {
    let output = Command::new("sh")
        .args(["-c", "ulimit -t 2; exec timeout 60 \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Answer {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Answer {
    pub(crate) fn told(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
    /// The lines that refuse.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.told()
            .lines()
            .filter(|line| line.starts_with("error ") || line.starts_with("refused "))
            .map(ToOwned::to_owned)
            .collect()
    }
}
