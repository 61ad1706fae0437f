//! What all commands print alike: findings, quorums, digests. Untrusted text is escaped here and nowhere later.

use std::io::{self, Write};

use crate::plain::escape;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, Level};
use crate::words;

/// `error RULE file: text`, one line each.
///
/// # Errors
/// What the writer says.
pub fn findings(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let level = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        write!(out, "{level} {}", finding.rule)?;
        if !finding.file.is_empty() {
            write!(out, " {}", escape(&finding.file))?;
        }
        writeln!(out, ": {}", escape(&finding.text))?;
    }
    Ok(())
}

/// A digest to be compared: whole, in hexadecimal and in PGP words, eight words a line.
///
/// # Errors
/// What the writer says.
pub fn digest(out: &mut dyn Write, digest: Sha256) -> io::Result<()> {
    writeln!(out, "  {digest}")?;
    for line in words::of(&digest.0).chunks(8) {
        writeln!(out, "  {}", line.join(" "))?;
    }
    Ok(())
}

/// One JSON object on a line of its own.
///
/// # Errors
/// What the writer says.
pub fn json(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}
