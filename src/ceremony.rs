//! Ceremonies: a reviewed script becomes a plan, the runner works through its steps and says everything it does as events.
//!
//! Three ports are all it knows of the world: [`port::Operator`] asks people, [`port::World`] is tokens, disk and clock,
//! [`port::Sink`] takes the events. It never reads a clock, a file or a device itself.

pub mod attested;
pub mod build;
pub mod candidate;
pub mod challenge;
pub mod decisions;
pub mod device;
pub mod event;
pub mod identities;
pub mod intake;
pub mod kinds;
pub mod ledger;
pub mod lint;
pub mod material;
pub mod plan;
pub mod planning;
pub mod port;
pub mod prepare;
pub mod progress;
pub mod prompt;
pub mod review;
pub mod roll;
pub mod rotation;
pub mod runner;
pub mod script;
pub mod shadow;
pub mod sharding;
pub mod thresholds;
pub mod vetting;

/// The name that keys made in memory for one ceremony sign under; no holder may be called so.
pub const EPHEMERAL: &str = "ephemeral";
/// Under this name the room gives the token on which blobs of a backup are tried. Nobody is called so.
pub const SPARE: &str = "spare";
/// The role under which an online key is on record that a ceremony makes: one key may have several.
pub const ONLINE: &str = "online";

/// The name under which an online key is on record that a ceremony makes. No person's name has a colon.
pub fn made_online(name: &str) -> String {
    format!("{ONLINE}:{name}")
}
