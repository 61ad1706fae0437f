//! Sealed backups against the world: age's public vectors, other programs that open ours and whose files we open, files that were damaged, the sheets
//! of others, and the way back without this program (docs/restore.py).
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "backup_age/damage.rs"]
mod damage;
#[path = "backup_age/memlock.rs"]
mod memlock;
#[path = "backup_age/others.rs"]
mod others;
#[path = "backup_age/paper.rs"]
mod paper;
#[path = "support/plugin.rs"]
mod plugin;
#[path = "backup_age/sample.rs"]
mod sample;
#[path = "backup_age/vectors.rs"]
mod vectors;

use tuf_ceremony::backup::{Fault, Held, Identities, Share};
use tuf_ceremony::secret::Secret;

/// Of the age project's own tests.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn secret(bytes: impl AsRef<[u8]>) -> Secret {
    Secret::take(&mut bytes.as_ref().to_vec()).unwrap()
}

fn identities(file: impl AsRef<[u8]>) -> Identities {
    Identities::read("identity.txt", &secret(file), None).unwrap()
}

fn held(shares: &[Share]) -> Vec<Held<'_>> {
    let names = ["Ada", "Grace", "Edith", "Joan", "Mary"];
    let shares = names.into_iter().zip(shares);
    shares.map(|(from, share)| Held { from, share }).collect()
}

/// `RULE file: text` of each finding.
fn refused(fault: Fault) -> Vec<String> {
    let Fault::Refused(findings) = fault else {
        panic!("{fault}")
    };
    let said = findings.iter().map(|finding| {
        // For people, and on terminals: nothing that cannot be seen.
        assert!(finding.text.is_ascii(), "{}", finding.text);
        format!("{} {}: {}", finding.rule, finding.file, finding.text)
    });
    said.collect()
}
