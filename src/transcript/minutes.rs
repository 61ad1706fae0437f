//! Minutes for people: what a transcript says, as Markdown. A pure function of its lines.

use super::Transcript;

/// The minutes. Untrusted text is escaped.
pub fn write(transcript: &Transcript) -> String {
    let _ = transcript;
    todo!()
}
