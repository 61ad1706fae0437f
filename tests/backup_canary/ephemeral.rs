//! Ephemeral keys are made, sign and are destroyed in a child of this test, which is looked at in between: nothing is left of them then, not even in locked
//! memory. The same child shows that what is left is found.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::software::EphemeralKeys;
use tuf_ceremony::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519};

use crate::dump::{self, Dump};
use crate::scan::Needles;

/// Makes this program the child.
const PUPPET: &str = "TUF_CEREMONY_TEST_PUPPET";
/// Stands in the environment of the child.
const CANARY: &str = "0-canary-in-the-environment-1";

/// Tells where it is and waits.
#[allow(clippy::print_stdout, reason = "the test waits for it")]
fn pause(at: &str) {
    println!("\nat {at}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// What the child does.
#[test]
fn puppet() {
    if std::env::var_os(PUPPET).is_none() {
        return;
    }
    let mut keys = EphemeralKeys::default();
    let public = keys.make(&[Ed25519, EcdsaP256, EcdsaP384]).unwrap();
    pause("made");
    for public in &public {
        keys.sign(public, b"the metadata of targets and bins")
            .unwrap();
    }
    pause("signed");
    let private = keys.private(&public[0]).unwrap();
    let mut copied = private.expose(<[u8]>::to_vec);
    pause("copied");
    drop(Secret::take(&mut copied).unwrap());
    keys.destroy();
    pause("destroyed");
}

struct Puppet {
    child: Child,
    orders: ChildStdin,
    told: BufReader<std::process::ChildStdout>,
}

impl Puppet {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["ephemeral::puppet", "--exact", "--nocapture"])
            .env(PUPPET, CANARY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            orders: child.stdin.take().unwrap(),
            told: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Waits until the child is there, looks at it and lets it go on.
    fn at(&mut self, place: &str) -> Dump {
        let mut lines = self.told.by_ref().lines();
        let line = lines.find(|line| line.as_ref().unwrap().starts_with("at "));
        assert_eq!(line.unwrap().unwrap(), format!("at {place}"));
        let dump = dump::of_all(self.child.id()).remove(0);
        self.orders.write_all(b"\n").unwrap();
        dump
    }
}

fn pieces(needles: &Needles, parts: &[Vec<u8>]) -> usize {
    let found = parts
        .iter()
        .flat_map(|part| needles.found_in(part).into_values());
    found.sum()
}

#[test]
fn ephemeral_keys_are_in_locked_memory_alone_and_after_their_destruction_nowhere() {
    let mut puppet = Puppet::start();
    let made = puppet.at("made");
    assert_eq!(made.locked.len(), 3);
    let mut needles = Needles::default();
    for number in &made.locked {
        needles.number("an ephemeral key", number);
    }
    assert_eq!(pieces(&needles, &made.memory), 0);
    let signed = puppet.at("signed");
    assert_ne!(pieces(&needles, &signed.locked), 0);
    assert_eq!(pieces(&needles, &signed.memory), 0);
    // What finds nothing must be able to find.
    let copied = puppet.at("copied");
    assert_ne!(pieces(&needles, &copied.memory), 0);
    let destroyed = puppet.at("destroyed");
    assert_eq!(pieces(&needles, &destroyed.locked), 0);
    assert_eq!(pieces(&needles, &destroyed.memory), 0);
    assert!(puppet.child.wait().unwrap().success());

    let mut needles = Needles::default();
    needles.letters("the canary", CANARY);
    assert_ne!(needles.found_in(&made.told).len(), 0);
}
