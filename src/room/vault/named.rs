//! What a room must name for the backups of a script. It is asked before anything begins: once a key is in memory only, nobody can go and change the room file.

use crate::ceremony::SPARE;
use crate::ceremony::planning::wrapped;
use crate::ceremony::script::Script;
use crate::room::config::Room;
use crate::tuf::finding::Finding;

/// What is missing in the room file, called `file`. Whether media are plugged in is asked when they are needed.
pub(in crate::room) fn missing(file: &str, room: &Room, script: &Script) -> Vec<Finding> {
    let mut missing = Vec::new();
    let mut lacks = |rule: &str, text: String| missing.push(Finding::error(rule, file, text));
    let media = &room.backup;
    let mut medium = |what: &str, is_named: bool| {
        if !is_named {
            lacks("BACKUP-MEDIUM", unnamed(what));
        }
    };
    if let Some(backup) = &script.backup {
        medium("everything", media.everything.is_some());
        if !backup.infrastructure.is_empty() {
            medium("infrastructure", media.infrastructure.is_some());
        }
    }
    let into_files = script.restore.iter().flat_map(|restore| &restore.keys);
    if into_files.into_iter().any(|key| key.holder.is_none()) {
        medium("restored", media.restored.is_some());
    }
    let Some(backup) = &script.backup else {
        return missing;
    };
    if !backup.infrastructure.is_empty() && media.identities.is_empty() {
        let text = "nobody in this room could open the export for the infrastructure: give the files with identities (backup.identities)";
        lacks("BACKUP-RECIPIENT", text.to_owned());
    }
    for name in backup.sealed.keys() {
        if !media.custodians.iter().any(|known| known.name == *name) {
            lacks("BACKUP-MEDIUM", without_medium(name));
        }
    }
    let has_spare = room.holders.iter().any(|holder| holder.name == SPARE);
    if wrapped(script).next().is_some() && !has_spare {
        let text = format!(
            "a token's key is backed up, and its blob is tried on another token: name that one as the holder {SPARE}"
        );
        lacks("ROOM-HOLDER", text);
    }
    missing
}

/// No medium of this kind.
pub(super) fn unnamed(what: &str) -> String {
    format!("the room names no medium for {what}: give backup.{what}")
}

/// No medium for a sealed share.
pub(super) fn without_medium(custodian: &str) -> String {
    format!(
        "the share of {custodian} is to be sealed, and the room names no medium for it: give a [[backup.custodian]] called {custodian}"
    )
}
