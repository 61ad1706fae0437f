//! Canonical JSON as TUF clients agree on it (OLPC style, interop facts 2.4): only `"` and `\` escaped,
//! control characters literal, keys sorted by code point, integers only, no white space, no NFC.

use super::digest::Sha256;
use super::json::Json;

/// Streams the canonical form of `value` into `out`, piece by piece.
pub fn write(value: Json<'_>, out: &mut dyn FnMut(&[u8])) {
    let _ = (value, out);
    todo!()
}

/// The canonical form in memory.
pub fn to_vec(value: Json<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// SHA-256 of the canonical form; a value that is canonical as written is hashed in place.
pub fn sha256(value: Json<'_>) -> Sha256 {
    let _ = value;
    todo!()
}

/// Whether `value` is canonical as written.
pub fn is_canonical(value: Json<'_>) -> bool {
    let _ = value;
    todo!()
}
