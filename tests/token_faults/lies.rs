//! Lying tokens: eight corruptions of a signature by three algorithms, and wrong public keys. None is accepted, each is told and on record.

use tuf_ceremony::ceremony::event::Event;

use crate::case::{in_parallel, run};
use crate::flow::{self, Flow, VICTIM};
use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::shim::{Log, Shim};
use crate::support::stage::{Outcome, Stage};

const ALGORITHMS: [&str; 3] = ["ecdsa-p256", "ecdsa-p384", "ed25519"];
const CORRUPTIONS: [&str; 8] = [
    "flip",
    "zero",
    "short",
    "long",
    "empty",
    "stale",
    "other-key",
    "other-payload",
];

/// The last of the victim's signatures in a genesis with three keys a holder, over root: there is an earlier one to be stale, and another key to sign
/// with.
const LAST: &str = "3";
const RESUMABLE: &str = "What happened so far is on record; the same command goes on from here.";

/// A genesis in which the module tells a lie.
struct Lied {
    stage: Stage,
    script: String,
    outcome: Outcome,
    log: Log,
}

impl Lied {
    fn new(script: &str, function: &str, calls: &str, lie: &str) -> Self {
        let stage = flow::copy(&Flow::Keygen.template().stage);
        let shim = flow::install(&stage, &flow::plan(&stage).fault(function, calls, lie));
        let outcome = run(&stage, &ceremony(&stage, script));
        let log = shim.log();
        Self {
            stage,
            script: script.to_owned(),
            outcome,
            log,
        }
    }

    fn ceremony(&self) -> Ceremony<'_> {
        ceremony(&self.stage, &self.script)
    }

    fn events(&self) -> Vec<Event> {
        record::events(&self.ceremony().output())
    }

    /// The reasons of signatures that failed, and how many of the victim's over root counted.
    fn on_record(&self) -> (Vec<String>, usize) {
        let mut reasons = Vec::new();
        let mut counted = 0;
        for event in self.events() {
            match event {
                Event::SigningFailed { reason, .. } => reasons.push(reason),
                Event::Signed {
                    document, signer, ..
                } if signer.holder == VICTIM && document.role == "root" => counted += 1,
                _ => {}
            }
        }
        (reasons, counted)
    }

    /// The bundle when the module does not lie any more.
    fn honestly(&self) -> i32 {
        let _: Shim = flow::install(&self.stage, &flow::plan(&self.stage));
        let mut ceremony = self.ceremony();
        for role in ["root", "targets", "bins"] {
            ceremony = ceremony.answer(&format!("adopt:{role}-key:{VICTIM}"), "use");
        }
        let outcome = run(&self.stage, &ceremony);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let root = ceremony.output().join("metadata/1.root.json");
        self.stage.verify(&root, &ceremony.output()).0
    }
}

fn ceremony<'s>(stage: &'s Stage, script: &str) -> Ceremony<'s> {
    flow::over_both_modules(stage, stage.ceremony("genesis", script))
}

/// What the program says of a corrupted signature: one that has not even the form of a signature is refused where it comes in.
fn reason(algorithm: &str, lie: &str, serial: &str) -> String {
    let formless = match lie {
        "short" | "long" | "empty" => true,
        // Two numbers of zero are none of ECDSA's.
        "zero" => algorithm != "ed25519",
        _ => false,
    };
    if formless {
        return format!(
            "sign with key \"tuf-root-v1\" of token {serial}: what the token gave is no signature; it was thrown away"
        );
    }
    "sign root v1 for alice: the token returned a signature that does not verify with the key in the metadata; it was thrown away".to_owned()
}

#[test]
fn corrupted_signatures_are_not_accepted_from_any_algorithm() {
    let all: Vec<_> = ALGORITHMS
        .iter()
        .flat_map(|algorithm| CORRUPTIONS.map(|lie| (*algorithm, lie)))
        .collect();
    assert_eq!(all.len(), 24);
    Flow::Keygen.template();
    in_parallel(all.len(), |index| {
        let (algorithm, lie) = all[index];
        let lied = Lied::new(&flow::retained(algorithm), "C_Sign", LAST, lie);
        let what = format!("{algorithm} {lie}: {:?}", lied.outcome);
        assert_eq!(lied.log.lied("C_Sign"), 1, "{what}");
        assert_eq!(lied.log.broken().len(), 1, "{what}");
        // Asked once for each key, and never again by itself.
        assert_eq!(lied.log.signatures(), 3, "{what}");
        let reason = reason(algorithm, lie, lied.stage.serial(VICTIM));
        let told = format!("The token failed: {reason}.\n{RESUMABLE}\n");
        assert_eq!((lied.outcome.code, &lied.outcome.err), (4, &told), "{what}");
        assert_eq!(lied.on_record(), (vec![reason], 0), "{what}");
        let product = lied.ceremony().output().join("metadata");
        assert!(!product.exists(), "{what}");
        assert_eq!(lied.honestly(), 0, "{what}");
        assert_eq!(lied.on_record().1, 1, "{what}");
    });
}

/// A public key that is not the key's, told when it is made: nothing that it signs verifies.
#[test]
fn key_whose_public_half_is_anothers_signs_nothing() {
    in_parallel(ALGORITHMS.len(), |index| {
        let script = flow::genesis(ALGORITHMS[index]);
        let lied = Lied::new(
            &script,
            "C_GetAttributeValue",
            "*",
            "public CKA_EC_POINT other",
        );
        let what = format!("{script} {:?}", lied.outcome);
        assert!(lied.log.lied("C_GetAttributeValue") > 0, "{what}");
        let reason = "sign root v1 for alice: the token returned a signature that does not verify with the key in the metadata; it was thrown away";
        let told = format!("The token failed: {reason}.\n{RESUMABLE}\n");
        assert_eq!((lied.outcome.code, &lied.outcome.err), (4, &told), "{what}");
        assert_eq!(lied.on_record(), (vec![reason.to_owned()], 0), "{what}");
    });
}

/// One that is no key at all is refused when it is made.
#[test]
fn key_whose_public_half_is_no_key_is_not_enrolled() {
    let lies = ["truncated", "garbage", "absent", "unavailable", "huge"];
    in_parallel(ALGORITHMS.len() * lies.len(), |index| {
        let (algorithm, lie) = (ALGORITHMS[index / lies.len()], lies[index % lies.len()]);
        let lie = format!("public CKA_EC_POINT {lie}");
        let ran = Lied::new(&flow::genesis(algorithm), "C_GetAttributeValue", "*", &lie);
        let what = format!("{algorithm} {lie}: {:?}", ran.outcome);
        assert!(ran.log.lied("C_GetAttributeValue") > 0, "{what}");
        assert_eq!(ran.outcome.code, 4, "{what}");
        // What it made cannot be read, and where all keys are read for another look, neither can they.
        let serial = ran.stage.serial(VICTIM);
        let beginnings = ["make key \"tuf-root-v1\" on", "read the keys of"]
            .map(|attempted| format!("The token failed: {attempted} token {serial}: "));
        let starts = beginnings
            .iter()
            .any(|beginning| ran.outcome.err.starts_with(beginning));
        assert!(starts, "{what}");
        assert!(
            ran.outcome.err.ends_with(&format!("{RESUMABLE}\n")),
            "{what}"
        );
        let enrolled =
            |event: &Event| matches!(event, Event::KeyEnrolled { holder, .. } if holder == VICTIM);
        assert!(!ran.events().iter().any(enrolled), "{what}");
        assert_eq!(ran.log.signatures(), 0, "{what}");
    });
}

/// In a renewal the key is found by the public half in the metadata: a token that shows another is refused before its PIN. One that shows none
/// that can be read may be one that hides them until its PIN is given; it is refused after it.
#[test]
fn token_that_shows_another_public_key_signs_nothing() {
    for (lie, code, logins) in [("other", 3, 0), ("truncated", 4, 1), ("garbage", 4, 1)] {
        let stage = flow::copy(&Flow::Sign.template().stage);
        let order = format!("public CKA_EC_POINT {lie}");
        let plan = flow::plan(&stage).fault("C_GetAttributeValue", "*", &order);
        let shim = flow::install(&stage, &plan);
        let ended = run(&stage, &Flow::Sign.ceremony(&stage).here(&[VICTIM]));
        let told = if code == 3 {
            "Not finished: no answer is given for the prompt token:sign:root-2:alice (That token does not hold this key. It was refused before its PIN; nothing was signed.).\n".to_owned()
        } else {
            let serial = stage.serial(VICTIM);
            format!(
                "The token failed: find the key on token {serial}: the wanted key is not on it; nothing was signed; bring the token that the register names.\n"
            )
        };
        assert_eq!(ended.err, told + RESUMABLE + "\n", "{lie}");
        assert_eq!(ended.code, code, "{lie}");
        let log = shim.log();
        assert!(log.lied("C_GetAttributeValue") > 0, "{lie}");
        assert_eq!((log.logins("user"), log.signatures()), (logins, 0), "{lie}");
    }
}
