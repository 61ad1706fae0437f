//! Metadata as the online side writes it: in canonical order and without white space, so that a delegator of twenty thousand projects is written in one pass
//! and the signed bytes are those of the file but for the line ends of keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use data_encoding::HEXLOWER;

use super::ring::Ring;
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// What everything signed in a rehearsal says of itself, as the last member of `signed`.
const MARKER: &str = "\"x-tuf-ceremony-rehearsal\":true";

/// A line end in a PEM key, as JSON writes it. Canonical form has it as it is, and there is no other escape in what we write.
const LINE_END: &str = "\\n";

/// A date as metadata writes it.
pub(super) fn date(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One delegation to a project.
pub(super) struct Entry<'a> {
    pub(super) role: String,
    pub(super) path: String,
    pub(super) keyids: &'a [KeyId],
    pub(super) threshold: u32,
}

/// The signed part of a targets role.
pub(super) fn targets(
    version: u64,
    expires: &str,
    delegations: Option<&str>,
    targets: &BTreeMap<String, Vec<u8>>,
) -> String {
    let delegations = delegations.map_or_else(String::new, |it| format!("\"delegations\":{it},"));
    let mut listed = String::new();
    for (path, bytes) in targets {
        let comma = if listed.is_empty() { "" } else { "," };
        let (sha256, length) = (Sha256::of(bytes), bytes.len());
        // Writing to a String cannot fail.
        let _ = write!(
            listed,
            "{comma}\"{path}\":{{\"hashes\":{{\"sha256\":\"{sha256}\"}},\"length\":{length}}}"
        );
    }
    format!(
        "{{\"_type\":\"targets\",{delegations}\"expires\":\"{expires}\",\"spec_version\":\"1.0.0\",\"targets\":{{{listed}}},\"version\":{version},{MARKER}}}"
    )
}

/// `delegations` to projects, in the order given.
pub(super) fn delegations(ring: &Ring, entries: &[Entry<'_>]) -> String {
    let mut keys: BTreeMap<&KeyId, String> = BTreeMap::new();
    for keyid in entries.iter().flat_map(|entry| entry.keyids) {
        if let Some(key) = ring.public(keyid) {
            let text = || String::from_utf8_lossy(&key.value().canonical()).replace('\n', LINE_END);
            keys.entry(keyid).or_insert_with(text);
        }
    }
    let keys = keys.iter().map(|(keyid, key)| format!("\"{keyid}\":{key}"));
    let roles = entries.iter().map(|entry| {
        let keyids = entry.keyids.iter().map(|keyid| format!("\"{keyid}\""));
        format!(
            "{{\"keyids\":[{}],\"name\":\"{}\",\"paths\":[\"{}\"],\"terminating\":true,\"threshold\":{}}}",
            listed(keyids),
            entry.role,
            entry.path,
            entry.threshold
        )
    });
    format!(
        "{{\"keys\":{{{}}},\"roles\":[{}]}}",
        listed(keys),
        listed(roles)
    )
}

/// The signed part of a snapshot, by the versions of roles and the lengths that are known.
pub(super) fn snapshot(
    version: u64,
    expires: &str,
    roles: &BTreeMap<String, u64>,
    length: &dyn Fn(&str, u64) -> Option<usize>,
) -> String {
    // In the order of file names, which is not that of roles: `a.json` stands behind `a-b.json`.
    let files: BTreeMap<String, String> = roles
        .iter()
        .map(|(role, version)| {
            (
                format!("{role}.json"),
                meta(*version, length(role, *version)),
            )
        })
        .collect();
    let files = files
        .iter()
        .map(|(file, meta)| format!("\"{file}\":{meta}"));
    format!(
        "{{\"_type\":\"snapshot\",\"expires\":\"{expires}\",\"meta\":{{{}}},\"spec_version\":\"1.0.0\",\"version\":{version},{MARKER}}}",
        listed(files)
    )
}

/// The signed part of a timestamp.
pub(super) fn timestamp(
    version: u64,
    expires: &str,
    (snapshot, length): (u64, Option<usize>),
) -> String {
    let meta = meta(snapshot, length);
    format!(
        "{{\"_type\":\"timestamp\",\"expires\":\"{expires}\",\"meta\":{{\"snapshot.json\":{meta}}},\"spec_version\":\"1.0.0\",\"version\":{version},{MARKER}}}"
    )
}

/// What a snapshot or a timestamp says of a file.
fn meta(version: u64, length: Option<usize>) -> String {
    let length = length.map_or_else(String::new, |length| format!("\"length\":{length},"));
    format!("{{{length}\"version\":{version}}}")
}

/// The file around a signed part, with a signature by each of these keys; none if one of them is not in the ring.
pub(super) fn sealed(ring: &Ring, signed: &str, keyids: &[KeyId]) -> Option<Vec<u8>> {
    let payload = signed.replace(LINE_END, "\n");
    let signatures = keyids.iter().map(|keyid| {
        let signature = ring.sign(keyid, payload.as_bytes())?;
        let signature = HEXLOWER.encode(&signature);
        Some(format!("{{\"keyid\":\"{keyid}\",\"sig\":\"{signature}\"}}"))
    });
    let signatures = signatures.collect::<Option<Vec<_>>>()?;
    Some(
        format!(
            "{{\"signatures\":[{}],\"signed\":{signed}}}\n",
            signatures.join(",")
        )
        .into(),
    )
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&item);
    }
    text
}
