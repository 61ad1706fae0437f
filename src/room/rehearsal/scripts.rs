//! The scripts of a rehearsal: the project's own example scripts, with the dates and the names of keys that only this rehearsal knows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::play::Carried;
use crate::tuf::digest::Sha256;

const EXAMPLES: [(&str, &str); 16] = [
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
        "claim",
        include_str!("../../../ceremony-scripts/claim.toml"),
    ),
    (
        "rotate-dev",
        include_str!("../../../ceremony-scripts/rotate-dev.toml"),
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
    (
        "genesis-backup",
        include_str!("../../../ceremony-scripts/genesis-backup.toml"),
    ),
    (
        "backup",
        include_str!("../../../ceremony-scripts/backup.toml"),
    ),
    (
        "restore-drill",
        include_str!("../../../ceremony-scripts/restore-drill.toml"),
    ),
    (
        "restore",
        include_str!("../../../ceremony-scripts/restore.toml"),
    ),
];

/// What an example leaves open.
pub(super) struct Facts {
    /// SHA-256 of the trusted root's file.
    pub(super) trusted_root: Option<Sha256>,
    /// Keyids by `holder.role`, as the register of the ceremony before has them.
    pub(super) keyids: BTreeMap<String, String>,
    /// The trusted versions of roles.
    pub(super) versions: BTreeMap<String, u64>,
    /// The payload that `abort` gives up.
    pub(super) payload: Option<Sha256>,
    /// The date from which expiries count.
    pub(super) today: jiff::Timestamp,
    /// The rehearsal's own online keys by name, as a script writes them.
    pub(super) online: BTreeMap<String, String>,
    /// Digests of what was carried in by their place in the script, and archives.
    pub(super) carried: Carried,
    /// How many projects a shard of claimed has at most, where it has shards.
    pub(super) shards: Option<usize>,
    /// Who opens the export for the infrastructure.
    pub(super) recipient: Option<String>,
    /// SHA-256 of the newest backup.
    pub(super) backup: Option<Sha256>,
}

/// In so many days from today shards end.
const SHARDS_END: [i64; 4] = [110, 130, 150, 170];

/// The dates on which shards end, as metadata has them.
pub(super) fn shards_end(today: jiff::Timestamp) -> [String; 4] {
    SHARDS_END.map(|days| {
        let day = today.checked_add(jiff::SignedDuration::from_hours(24 * days));
        let day = day.unwrap_or(today);
        day.strftime("%Y-%m-%dT00:00:00Z").to_string()
    })
}

/// The script called `name`, filled in: each date is moved to the distance from today that it has from the examples' own day, the public keys of servers are
/// the rehearsal's, and the archives are those that were carried in.
pub(super) fn fill(name: &str, facts: &Facts) -> Option<String> {
    let (_, example) = EXAMPLES.iter().find(|(known, _)| *known == name)?;
    let mut script = String::new();
    let (mut section, mut online) = (String::new(), String::new());
    let mut lines = example.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('[') {
            line.trim_matches(['[', ']']).clone_into(&mut section);
        }
        if section == "archive" {
            continue;
        }
        if let Some(name) = line.strip_prefix("name = ").filter(|_| section == "online") {
            name.trim_matches('"').clone_into(&mut online);
        }
        let public = facts.online.get(&online);
        if let Some(public) = public.filter(|_| section == "online" && line == "public = \"\"\"") {
            let _ = writeln!(script, "public = \"{public}\"");
            // The example's key and the quotes behind it.
            lines.by_ref().find(|line| *line == "\"\"\"");
            continue;
        }
        script.push_str(&fill_line(line, &section, facts));
        script.push('\n');
    }
    if let Some(most) = facts
        .shards
        .filter(|_| ["claim", "rotate-dev"].contains(&name))
    {
        let dates = shards_end(facts.today);
        let _ = write!(
            script,
            "\n[shards]\nprojects = {most}\nexpires = {dates:?}\n"
        );
    }
    for (name, sha256) in &facts.carried.archives {
        let _ = write!(
            script,
            "\n[[archive]]\nname = \"{name}\"\nsha256 = \"{sha256}\"\n"
        );
    }
    Some(script)
}

/// The day on which the examples play.
const EXAMPLE_DAY: &str = "2026-12-01T00:00:00Z";

fn fill_line(line: &str, section: &str, facts: &Facts) -> String {
    let Some((name, value)) = line.split_once(" = ") else {
        return line.to_owned();
    };
    let text = value.trim_matches('"');
    let last = name.rsplit('.').next().unwrap_or(name).trim();
    if last == "version" {
        let version = facts.versions.get(section).filter(|_| section != "root");
        return version.map_or_else(
            || line.to_owned(),
            |version| format!("version = {}", version + 1),
        );
    }
    let carried = facts.carried.digests.get(&*format!("{section}.{last}"));
    let filled = match last {
        "expires" | "on" | "next_ceremony" | "next_but_one" => moved(text, facts.today),
        "trusted_root_sha256" => facts.trusted_root.map(|digest| digest.to_string()),
        "backup_sha256" => facts.backup.map(|digest| digest.to_string()),
        "infrastructure" => {
            let recipient = facts.recipient.as_ref();
            return recipient.map_or_else(
                || line.to_owned(),
                |recipient| format!("infrastructure = [\"{recipient}\"]"),
            );
        }
        "sha256" => facts.payload.map(|digest| digest.to_string()),
        "keyid" | "old_keyid" => facts.keyids.get(text).cloned(),
        _ => carried.map(ToString::to_string),
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
