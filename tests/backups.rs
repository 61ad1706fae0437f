//! Backups as ceremonies, over software tokens: what is sealed, who can open it, what is refused, and what comes back.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "backups/flows.rs"]
mod flows;
#[path = "backups/media.rs"]
mod media;
#[path = "support/plugin.rs"]
mod plugin;
#[path = "backups/record.rs"]
mod record;
#[path = "backups/refusals.rs"]
mod refusals;
#[path = "backups/scripts.rs"]
mod scripts;
#[path = "backups/shares.rs"]
mod shares;
#[path = "backups/stage.rs"]
mod stage;
