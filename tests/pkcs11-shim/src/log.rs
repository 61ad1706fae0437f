//! The record of calls: one line when a call comes in, one for each fault, one when it goes out. Never data, never a PIN.
//!
//! Each line is one `write` to a file opened for appending, so that it is there after a SIGKILL and processes do not mix theirs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use cryptoki_sys::CK_RV;

use crate::codes::name_of;

/// Who made the result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The real module, unchanged.
    Forwarded,
    /// The shim; the real module was not asked.
    Answered,
    /// The real module did it, the shim returned another code.
    Overruled,
    /// The shim changed what the real module gave.
    Lied,
}

/// The open log, or none.
pub(crate) struct Log(Option<File>);

impl Log {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, String> {
        let open = |path: &Path| {
            let opened = File::options().append(true).create(true).open(path);
            opened.map_err(|error| format!("{}: {error}", path.display()))
        };
        path.map(open).transpose().map(Self)
    }

    pub(crate) fn came(&self, function: &str, number: u64, detail: &str) {
        self.line(&format!("> {function} {number} {detail}"));
    }

    pub(crate) fn fault(&self, function: &str, number: u64, what: &str) {
        self.line(&format!("! {function} {number} {what}"));
    }

    pub(crate) fn went(&self, function: &str, number: u64, code: CK_RV, made: Made) {
        let code = name_of(code);
        let made = match made {
            Made::Forwarded => "forwarded",
            Made::Answered => "answered",
            Made::Overruled => "overruled",
            Made::Lied => "lied",
        };
        self.line(&format!("< {function} {number} {code} {made}"));
    }

    fn line(&self, text: &str) {
        let Some(mut file) = self.0.as_ref() else {
            return;
        };
        let line = format!("{} {text}\n", std::process::id());
        // A module has nobody to tell; a test that counts then finds too few.
        let _ = file.write_all(line.as_bytes());
    }
}

/// How often each function was called according to a log.
pub(crate) fn counts(path: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ').skip(1);
        if let (Some(">"), Some(function)) = (words.next(), words.next()) {
            *counts.entry(function.to_owned()).or_default() += 1;
        }
    }
    counts
}
