//! Who must come for what once this ceremony is done: printed with the plan, for retained and for ephemeral keys, because the choice is paid for later.

use crate::ceremony::intake::Trusted;
use crate::ceremony::script::{Role, Script};

/// The lines to print; none where the script changes nobody's duties.
pub(super) fn print(script: &Script, trusted: &Trusted) -> Vec<String> {
    if script
        .root
        .as_ref()
        .is_none_or(|root| root.holders.is_none())
    {
        return Vec::new();
    }
    let root = quorum(script, trusted, "root", script.root.as_ref());
    let mut lines = vec![
        String::new(),
        "Who must come afterwards".to_owned(),
        format!("  renew root                     {root}"),
    ];
    for (name, role) in script.roles().into_iter().skip(1) {
        if super::is_ephemeral(Some(role)) {
            lines.push(format!("  renew {name:<9} (ephemeral)    {root}; new {name} keys are made and destroyed each time"));
        } else {
            lines.push(format!(
                "  renew {name:<9} (retained)     {}",
                quorum(script, trusted, name, Some(role))
            ));
        }
    }
    let delegating = if super::is_ephemeral(script.targets.as_ref()) {
        format!("{root}, because targets keys exist no longer")
    } else {
        quorum(script, trusted, "targets", script.targets.as_ref())
    };
    lines.push(format!("  replace a lost root key        {root}"));
    lines.push(format!("  change a delegation            {delegating}"));
    lines.push(format!("  replace timestamp or snapshot  {root}"));
    lines.push(format!(
        "  replace the bins' online key   {}",
        online(script, trusted, &root)
    ));
    if let Some(claimed) = &script.claimed {
        let claimed = quorum(script, trusted, "claimed", Some(claimed));
        lines.push(format!("  claim projects, rotate keys    {claimed}"));
        lines.push(format!(
            "  replace a lost claimed key     {delegating}, and those who sign claimed"
        ));
    }
    lines
}

fn online(script: &Script, trusted: &Trusted, root: &str) -> String {
    let name = if script.unclaimed.is_some() || trusted.current("unclaimed").is_some() {
        "unclaimed"
    } else {
        "bins"
    };
    let role = script.role(name);
    if super::is_ephemeral(role) {
        format!("{root}, because {name} keys exist no longer")
    } else {
        quorum(script, trusted, name, role)
    }
}

fn quorum(script: &Script, trusted: &Trusted, name: &str, role: Option<&Role>) -> String {
    let current = trusted.role(name);
    let needed = role
        .and_then(|role| role.threshold)
        .or(current.as_ref().map(|(_, keys)| keys.threshold));
    let holders = match role.and_then(|role| role.holders.as_ref()) {
        Some(holders) => holders.clone(),
        None => current
            .map(|(keys, _)| keys)
            .unwrap_or_default()
            .iter()
            .map(|(keyid, _)| {
                trusted
                    .holder_of(script, keyid)
                    .map_or_else(|| keyid.0.clone(), |(name, _)| name.to_owned())
            })
            .collect(),
    };
    match needed {
        Some(needed) => format!("any {needed} of {}", holders.join(", ")),
        None => "not set by this script".to_owned(),
    }
}
