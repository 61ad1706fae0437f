//! What `tuf::compat` predicts of clients is what installed clients say: of everything that ceremonies make, of probe files with one oddity each, and of
//! Sigstore's production roots.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "support/peers.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "no test program uses every helper"
)]
mod peers;

#[path = "compatibility/counts.rs"]
mod counts;
#[path = "compatibility/prediction.rs"]
mod prediction;
#[path = "compatibility/probes.rs"]
mod probes;
#[path = "compatibility/published.rs"]
mod published;
#[path = "compatibility/rehearsed.rs"]
mod rehearsed;
#[path = "support/scripts.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "no test program uses every helper"
)]
mod scripts;
#[path = "compatibility/sigstore.rs"]
mod sigstore;
#[path = "compatibility/stage.rs"]
mod stage;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut trials = rehearsed::trials();
    trials.extend(published::trials());
    trials.extend(probes::trials());
    trials.extend(counts::trials());
    trials.extend(sigstore::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
