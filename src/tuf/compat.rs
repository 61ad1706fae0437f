//! Which clients will read and verify a file, from measurements on 2026-11-22 (docs/compatibility.md), before a key or field enters metadata.

use super::envelope::Envelope;

/// A client we predict for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "names of programs")]
pub enum Client {
    PythonTuf,
    Tough,
    GoTuf,
    TufJs,
    RustTuf,
}

/// What a client will do with a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The client.
    pub client: Client,
    /// Its name and least version for which this was measured: `tough 0.24`.
    pub version: &'static str,
    /// Why it refuses the file or cannot count a signature that the role needs; empty: accepted.
    pub reasons: Vec<String>,
}

/// Predicts for all clients.
pub fn verdicts(envelope: &Envelope) -> Vec<Verdict> {
    let _ = envelope;
    todo!()
}
