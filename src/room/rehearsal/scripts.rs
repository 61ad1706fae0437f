//! The scripts of a rehearsal: the project's own example scripts, with the dates and the names of keys that only this rehearsal knows.

use std::collections::BTreeMap;

use crate::tuf::digest::Sha256;

const EXAMPLES: [(&str, &str); 10] = [
    (
        "genesis",
        include_str!("../../../ceremony-scripts/genesis.toml"),
    ),
    (
        "genesis-458",
        include_str!("../../../ceremony-scripts/genesis-458.toml"),
    ),
    (
        "genesis-ephemeral",
        include_str!("../../../ceremony-scripts/genesis-ephemeral.toml"),
    ),
    (
        "admin-key",
        include_str!("../../../ceremony-scripts/admin-key.toml"),
    ),
    (
        "renew",
        include_str!("../../../ceremony-scripts/renew.toml"),
    ),
    (
        "renew-ephemeral",
        include_str!("../../../ceremony-scripts/renew-ephemeral.toml"),
    ),
    (
        "redelegate",
        include_str!("../../../ceremony-scripts/redelegate.toml"),
    ),
    (
        "provision",
        include_str!("../../../ceremony-scripts/provision.toml"),
    ),
    (
        "check-in",
        include_str!("../../../ceremony-scripts/check-in.toml"),
    ),
    (
        "abort",
        include_str!("../../../ceremony-scripts/abort.toml"),
    ),
];

/// What an example leaves open.
pub(super) struct Facts {
    /// SHA-256 of the trusted root's file.
    pub(super) trusted_root: Option<Sha256>,
    /// Keyids by `holder.role`, as the register of the ceremony before has them.
    pub(super) keyids: BTreeMap<String, String>,
    /// The payload that `abort` gives up.
    pub(super) payload: Option<Sha256>,
    /// The date from which expiries count.
    pub(super) today: jiff::Timestamp,
}

/// The script called `name`, filled in: each date is moved to the distance from today that it has from the examples' own day.
pub(super) fn fill(name: &str, facts: &Facts) -> Option<String> {
    let (_, example) = EXAMPLES.iter().find(|(known, _)| *known == name)?;
    let lines = example.lines().map(|line| fill_line(line, facts));
    Some(lines.collect::<Vec<_>>().join("\n") + "\n")
}

/// The day on which the examples play.
const EXAMPLE_DAY: &str = "2026-12-01T00:00:00Z";

fn fill_line(line: &str, facts: &Facts) -> String {
    let Some((name, value)) = line.split_once(" = ") else {
        return line.to_owned();
    };
    let text = value.trim_matches('"');
    let filled = match name.rsplit('.').next().unwrap_or(name).trim() {
        "expires" => moved(text, facts.today),
        "trusted_root_sha256" => facts.trusted_root.map(|digest| digest.to_string()),
        "sha256" => facts.payload.map(|digest| digest.to_string()),
        "keyid" | "old_keyid" => facts.keyids.get(text).cloned(),
        _ => None,
    };
    filled.map_or_else(
        || line.to_owned(),
        |filled| format!("{name} = \"{filled}\""),
    )
}

fn moved(expires: &str, today: jiff::Timestamp) -> Option<String> {
    let example: jiff::Timestamp = EXAMPLE_DAY.parse().ok()?;
    let distance = expires
        .parse::<jiff::Timestamp>()
        .ok()?
        .duration_since(example);
    Some(
        today
            .checked_add(distance)
            .ok()?
            .strftime("%Y-%m-%dT00:00:00Z")
            .to_string(),
    )
}
