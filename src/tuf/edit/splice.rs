//! Renewal by text: two values are replaced where they stand. It holds the file a second time, never a tree of it, so a role of 300 MB can be renewed.

use crate::tuf::envelope::Envelope;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Header;

/// The unsigned next version of `old`: version plus one, `expires` replaced, every other byte of the signed part as it was, no signatures.
///
/// # Errors
/// `EXPIRES-FORM` for a date that is not of the strict form, and what the readers refuse.
pub fn renew(file: &str, old: &Envelope, expires: &str) -> Result<Envelope, Finding> {
    let version = Header::read(file, old)?.version + 1;
    with_header(file, old, version, expires)
}

/// As [`renew`], with any version.
///
/// # Errors
/// As [`renew`], and `VERSION-FORM` for a version that is no version.
pub fn with_header(
    file: &str,
    old: &Envelope,
    version: u64,
    expires: &str,
) -> Result<Envelope, Finding> {
    Header::read(file, old)?;
    strict(file, expires)?;
    let blank = old.shared().without_signatures();
    let signed = blank.signed();
    let mut edits: Vec<_> = [
        ("version", version.to_string()),
        ("expires", format!("\"{expires}\"")),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((signed.get(name)?.span(), text)))
    .collect();
    edits.sort_by_key(|(span, _)| span.start);
    let renewed = blank.edited(file, &edits)?;
    Header::read(file, &renewed)?;
    Ok(renewed)
}

/// What we write has the one form of date that every client reads.
pub(super) fn strict(file: &str, expires: &str) -> Result<(), Finding> {
    match Expires::parse(expires) {
        Ok(date) if date.is_strict() => Ok(()),
        _ => Err(Finding::error(
            "EXPIRES-FORM",
            file,
            format!(
                "The new expiry {expires:?} is not of the form YYYY-MM-DDTHH:MM:SSZ, which every client reads. Write it so, in UTC."
            ),
        )),
    }
}
