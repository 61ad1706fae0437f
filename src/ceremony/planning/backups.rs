//! What a plan says of backups.

use crate::ceremony::intake::Trusted;
use crate::ceremony::kinds::Kind;
use crate::ceremony::plan::Step;
use crate::ceremony::script::{HolderKey, Script};
use crate::tuf::finding::Finding;

/// The step that seals what the script wants to have backed up.
pub fn back_up(script: &Script) -> Option<Step> {
    let backup = script.backup.as_ref()?;
    Some(Step::BackUp {
        needed: backup.needed,
        custodians: backup.custodians.clone(),
    })
}

/// The tokens' keys that are backed up: holder, role, key.
pub fn wrapped(script: &Script) -> impl Iterator<Item = (&str, &'static str, &HolderKey)> {
    let keys = script.holders.iter().flat_map(|holder| {
        let keys = holder.keys();
        keys.map(|(role, key)| (holder.name.as_str(), role, key))
    });
    keys.filter(|(_, _, key)| key.backup.is_some())
}

/// What a script says of backups that its kind does nothing about.
pub(in crate::ceremony) fn unfit(kind: &Kind, script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let documents = (kind.documents)(script, trusted);
    let steps = (kind.steps)(script, trusted, &documents);
    let seals = steps.iter().any(|step| matches!(step, Step::BackUp { .. }));
    let opens = steps
        .iter()
        .any(|step| matches!(step, Step::OpenBackup { .. }));
    let refuse = |text: String| Finding::error("SCRIPT-BACKUP", "", text);
    let mut findings = Vec::new();
    if script.backup.is_some() && !seals {
        findings.push(refuse(format!(
            "a {} backs nothing up: remove [backup]",
            kind.name
        )));
    }
    if script.restore.is_some() && !opens {
        findings.push(refuse(format!(
            "a {} opens no backup: remove [restore]",
            kind.name
        )));
    }
    findings
}

/// 48 words are written down and typed once, in about eight minutes a custodian; a token is brought twice for each blob.
pub(super) fn minutes(step: &Step) -> u32 {
    let shares = |custodians: &[String]| u32::try_from(custodians.len()).unwrap_or(16);
    match step {
        Step::BackUp { custodians, .. } => 10 + 8 * shares(custodians),
        Step::OpenBackup { custodians } => 3 + 4 * shares(custodians),
        _ => 0,
    }
}

/// What the printed plan says of what leaves.
pub(super) fn print(script: &Script) -> Vec<String> {
    let Some(backup) = &script.backup else {
        return Vec::new();
    };
    let mut lines = vec![format!(
        "backup        any {} of {} open it: {}",
        backup.needed,
        backup.custodians.len(),
        backup.custodians.join(", ")
    )];
    let recipients = backup.infrastructure.iter();
    lines.extend(
        recipients.map(|recipient| {
            format!("              online keys and metadata also for {recipient}")
        }),
    );
    let blobs = wrapped(script);
    lines.extend(blobs.map(|(holder, role, _)| {
        format!("              the {role} key of {holder}, as a blob under a wrapping key")
    }));
    lines
}
