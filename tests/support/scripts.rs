//! The project's own example scripts, filled for a test: dates counted from today, digests and keyids of the test's own chain.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jiff::ToSpan;
use tuf_ceremony::pypi::holders::Holders;
use tuf_ceremony::tuf::digest::Sha256;

/// The day on which the examples play.
const EXAMPLE_DAY: &str = "2026-12-01T00:00:00Z";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The example of ceremony-scripts/ called `name`, filled for today over the bundle of the ceremony before it.
pub fn example(name: &str, before: Option<&Path>) -> String {
    fill(&read(name), before, 0)
}

/// An example as it lies in ceremony-scripts/.
pub fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("ceremony-scripts/{name}.toml"));
    fs::read_to_string(path).unwrap()
}

/// An example filled: keyids by the register of the bundle before, dates as far from today and `shift` days as they are from the example's day.
pub fn fill(example: &str, before: Option<&Path>, shift: i64) -> String {
    let keyids = before.map(keyids).unwrap_or_default();
    let filled = example.lines().map(|line| {
        let Some((key, text)) = line.split_once(" = \"") else {
            return line.to_owned();
        };
        let text = text.trim_end_matches('"');
        if key == "expires" {
            return format!("expires = \"{}\"", in_days(distance(text) + shift));
        }
        let keyid = keyids.get(text);
        keyid.map_or_else(|| line.to_owned(), |keyid| format!("{key} = \"{keyid}\""))
    });
    let filled = filled.collect::<Vec<_>>().join("\n") + "\n";
    match before {
        Some(bundle) => filled.replacen(ZEROS, &newest_root(bundle).to_string(), 1),
        None => filled,
    }
}

/// Root's next version, expiring in so many days and unchanged otherwise.
pub fn renew_root(before: &Path, days: i64) -> String {
    let mut script = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"renew\"\ntitle = \"Root renewed\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n\n[root]\nversion = {}\nexpires = \"{}\"\n",
        newest_root(before),
        newest_root_version(before) + 1,
        in_days(days)
    );
    for (name, keyid) in keyids(before) {
        if let Some(holder) = name.strip_suffix(".root") {
            let _ = write!(
                script,
                "\n[[holder]]\nname = \"{holder}\"\nperson = \"{holder} Example\"\nroot.keyid = \"{keyid}\"\n"
            );
        }
    }
    script
}

/// Gives up another payload of root's version for this script's.
pub fn superseding(script: &str, version: u64, sha256: &str, signed_by: &[&str]) -> String {
    format!(
        "{script}\n[[supersedes]]\nrole = \"root\"\nversion = {version}\nsha256 = \"{sha256}\"\nsigned_by = {signed_by:?}\n"
    )
}

/// The script with this public key for all online roles.
pub fn with_online_key(script: &str, public: &str) -> String {
    let start = script.find("-----BEGIN PUBLIC KEY-----").unwrap();
    let end = "-----END PUBLIC KEY-----\n";
    let stop = script.find(end).unwrap() + end.len();
    format!("{}{public}{}", &script[..start], &script[stop..])
}

/// Today and so many days, at midnight.
pub fn in_days(days: i64) -> String {
    let day = jiff::Timestamp::now() + (days * 24).hours();
    day.strftime("%Y-%m-%dT00:00:00Z").to_string()
}

/// SHA-256 of the newest root in a bundle.
pub fn newest_root(bundle: &Path) -> Sha256 {
    let version = newest_root_version(bundle);
    Sha256::of(&fs::read(bundle.join(format!("metadata/{version}.root.json"))).unwrap())
}

/// The version of the newest root in a bundle.
pub fn newest_root_version(bundle: &Path) -> u64 {
    let names = fs::read_dir(bundle.join("metadata")).unwrap();
    let versions = names.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".root.json")?.parse().ok()
    });
    versions.max().unwrap()
}

/// Keyids by `holder.role`, by the register in a bundle.
pub fn keyids(bundle: &Path) -> BTreeMap<String, String> {
    let bytes = fs::read(bundle.join("ceremony/holders.toml")).unwrap();
    let holders = Holders::parse("holders.toml", &bytes).unwrap();
    let keys = holders.holders.into_iter().flat_map(|holder| {
        let name = holder.name;
        let named = move |key: tuf_ceremony::pypi::holders::HeldKey| {
            (format!("{name}.{}", key.role), key.keyid.0)
        };
        holder.keys.into_iter().map(named)
    });
    keys.collect()
}

/// Days from the example's day.
fn distance(expires: &str) -> i64 {
    let day = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    day(expires).duration_since(day(EXAMPLE_DAY)).as_hours() / 24
}

/// The schemes of the keys of a root's root role, each once, sorted.
pub fn keytypes(root: &Path) -> Vec<String> {
    let root: serde_json::Value = serde_json::from_slice(&fs::read(root).unwrap()).unwrap();
    let signed = &root["signed"];
    let keyids = signed["roles"]["root"]["keyids"].as_array().unwrap().iter();
    let schemes = keyids.map(|keyid| {
        let key = &signed["keys"][keyid.as_str().unwrap()];
        key["scheme"].as_str().unwrap().to_owned()
    });
    let schemes: std::collections::BTreeSet<_> = schemes.collect();
    schemes.into_iter().collect()
}
