//! What a script says of changes to projects' delegations. Every date and digest that decides stands here, so that a stranger derives the same later.

use serde::Deserialize;

use crate::tuf::digest::Sha256;
use crate::tuf::expires::Expires;

/// The monthly move of projects to claimed (PEP 480, "Producing Consistent Snapshots").
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The day for which probation and expiry are judged, `YYYY-MM-DDTHH:MM:SSZ`.
    pub on: String,
    /// When the next claim is held, of the same form.
    pub next_ceremony: String,
    /// When the one after that is held: a project's own metadata must last until then.
    pub next_but_one: String,
    /// SHA-256 of `requests/requests.jsonl`.
    pub requests_sha256: Sha256,
    /// SHA-256 of `requests/top-projects.txt`; none where there is none, and `top` is 0.
    #[serde(default)]
    pub top_sha256: Option<Sha256>,
    /// SHA-256 of `sigstore/trusted_root.json`; none where no identity is to be green.
    #[serde(default)]
    pub sigstore_sha256: Option<Sha256>,
    /// When that file was fetched, `YYYY-MM-DDTHH:MM:SSZ`; it has no date of its own.
    #[serde(default)]
    pub sigstore_dated: Option<String>,
    /// How long a key must have stood unchanged in recently-claimed, in days.
    #[serde(default = "probation_days")]
    pub probation_days: u32,
    /// How many of the green requests are looked at one by one, drawn by dice.
    #[serde(default = "sample")]
    pub sample: u32,
    /// How many of the most downloaded projects (`requests/top-projects.txt`) are always looked at one by one.
    #[serde(default = "top")]
    pub top: u32,
}

/// Rotation of compromised developer keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// The day for which expiry is judged, `YYYY-MM-DDTHH:MM:SSZ`.
    pub on: String,
    /// SHA-256 of `requests/incident.toml`.
    pub incident_sha256: Sha256,
    /// SHA-256 of `requests/requests.jsonl`, which holds the replacement keys; none where there are none yet.
    #[serde(default)]
    pub requests_sha256: Option<Sha256>,
    /// SHA-256 of `sigstore/trusted_root.json`; none where no identity stands in for a key.
    #[serde(default)]
    pub sigstore_sha256: Option<Sha256>,
    /// When that file was fetched, `YYYY-MM-DDTHH:MM:SSZ`; it has no date of its own.
    #[serde(default)]
    pub sigstore_dated: Option<String>,
}

/// How `claimed` is divided into shards (docs/decisions/0018).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shards {
    /// A shard with more projects is divided.
    #[serde(default = "projects")]
    pub projects: u32,
    /// When shards end, `YYYY-MM-DDTHH:MM:SSZ` each, ascending: a shard has one of these dates by its name.
    pub expires: Vec<String>,
}

impl Shards {
    /// The dates.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn dates(&self) -> Result<Vec<Expires>, String> {
        let read = |text: &String| {
            let read = Expires::parse(text).ok().filter(Expires::is_strict);
            read.ok_or_else(|| {
                format!("shards.expires has {text:?}, not a moment YYYY-MM-DDTHH:MM:SSZ")
            })
        };
        let dates: Vec<Expires> = self.expires.iter().map(read).collect::<Result<_, _>>()?;
        if dates.is_empty() || !dates.is_sorted_by(|a, b| a.at() < b.at()) {
            return Err(
                "shards.expires lists one date or more, each later than the one before".to_owned(),
            );
        }
        Ok(dates)
    }
}

/// A published repository as it stood on one day, carried in as `archives/<name>/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The day, `YYYY-MM-DD`.
    pub name: String,
    /// SHA-256 of the sorted lines `<sha256 in hex>  <path in the folder>\n`: what `sha256sum` prints.
    pub sha256: Sha256,
}

fn probation_days() -> u32 {
    30
}
fn projects() -> u32 {
    2048
}
fn sample() -> u32 {
    20
}
fn top() -> u32 {
    1000
}
