//! The drill: every choice of custodians that should restore a backup does, and none that is one too few.

use super::age_file::opens;
use super::set::joined;
use super::{Everything, Fault, Held, Identities, Record, combine, open, subsets};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// What was tried.
pub struct Drill {
    /// Choices of enough shares. Each opened the file.
    pub restored: u32,
    /// Choices of one share less. None of them did.
    pub refused: u32,
    /// What was in it.
    pub everything: Everything,
}

/// Tries all choices of these shares that are enough, and all that are one too few. The first opens the whole file, the others what says how to open it.
///
/// # Errors
/// What [`open`] and [`combine`] say; `BACKUP-DRILL`: the custodians would not be able to do what the backup promises.
pub fn drill(backup: &[u8], record: &Record, held: &[Held<'_>]) -> Result<Drill, Fault> {
    let sha256 = Sha256::of(backup);
    let (identities, _) = Identities::of(&combine(sha256, Some(record), held)?)?;
    let everything = open(backup, &identities)?;
    let count = u8::try_from(held.len()).unwrap_or(u8::MAX);
    let needed = record.scheme().needed();
    let chosen = |size| {
        let sets = subsets(count, size);
        sets.map(|places| places.iter().map(|place| held[*place]).collect::<Vec<_>>())
    };
    let mut restored = 0;
    for held in chosen(needed) {
        let secret = combine(sha256, Some(record), &held)?;
        if opens(backup, &Identities::of(&secret)?.0).is_err() {
            let text = "give a secret that does not open the backup. Destroy these shares, and seal and split again";
            return Err(found(&held, text));
        }
        restored += 1;
    }
    let mut refused = 0;
    for held in chosen(needed - 1) {
        // Put together without asking how many are needed, as another program might.
        let secret = joined(&held)?;
        if opens(backup, &Identities::of(&secret)?.0).is_ok() {
            let text = "open the backup, and they are one too few. Destroy these shares, and seal and split again";
            return Err(found(&held, text));
        }
        refused += 1;
    }
    Ok(Drill {
        restored,
        refused,
        everything,
    })
}

fn found(held: &[Held<'_>], text: &str) -> Fault {
    let names: Vec<&str> = held.iter().map(|held| held.from).collect();
    let text = format!("the shares of {} {text}", names.join(", "));
    Finding::error("BACKUP-DRILL", "", text).into()
}
