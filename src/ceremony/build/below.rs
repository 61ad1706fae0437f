//! The content of the roles below targets: first versions, and successors in which only what the script names changes.

use crate::ceremony::material::Material;
use crate::ceremony::script::Role;
use crate::ceremony::thresholds;
use crate::tuf::edit::{self, BinsSpec, RoleSpec};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Targets;

/// The next version of a role that is there: a renewal, but for the number of its bins and the keys of what it delegates to itself.
pub(super) fn successor(
    material: &Material<'_>,
    name: &'static str,
    role: &Role,
    (old, parsed): (&Envelope, &Targets),
) -> Result<Envelope, Finding> {
    if role.bit_length.is_some() || role.name_prefix.is_some() {
        let prefix = role.name_prefix.as_deref();
        return edit::with_bins(name, old, role.bit_length, prefix, &role.expires);
    }
    let changed = match bins_of(parsed) {
        // Custody is signed by those who sign claimed (docs/decisions/0017), so its keys follow.
        _ if name == "claimed" => thresholds::delegated(parsed, "custody")
            .filter(|_| material.changes_keys(role))
            .map(|_| Ok(("custody", material.role("claimed")?))),
        Some(prefix) if material.script.has_online("bin-n") => {
            Some(material.online("bin-n").map(|role| (prefix, role)))
        }
        _ => None,
    };
    match changed.transpose()? {
        Some(keys) => edit::with_delegated_keys(name, old, &[keys], &role.expires),
        None => edit::renew(name, old, &role.expires),
    }
}

/// The first version of a role.
pub(super) fn first(
    material: &Material<'_>,
    name: &'static str,
    role: &Role,
) -> Result<Envelope, Finding> {
    match name {
        "claimed" => edit::projects(name, role.version, &role.expires),
        "custody" => {
            let text = "there is no trusted custody role to renew; rotate-dev makes the first";
            Err(Finding::error("SCRIPT-ROLE", "", text))
        }
        // The bins of a PEP 458 tree go on under a new name: the same delegations, so the same bin answers for every path.
        _ => match material.trusted.envelope("bins") {
            Some(bins) if name == "unclaimed" => {
                edit::with_header(name, bins, role.version, &role.expires)
            }
            _ => edit::bins(name, &bins_spec(role, material.online("bin-n")?)),
        },
    }
}

/// The prefix of a role's hash bins.
fn bins_of(role: &Targets) -> Option<&str> {
    let delegations = role.delegations.as_ref()?;
    Some(delegations.succinct.as_ref()?.name_prefix.as_str())
}

fn bins_spec(role: &Role, online: RoleSpec) -> BinsSpec {
    BinsSpec {
        version: role.version,
        expires: role.expires.clone(),
        bit_length: role.bit_length.unwrap_or(14),
        name_prefix: role.name_prefix.clone().unwrap_or_else(|| "bin".to_owned()),
        role: online,
    }
}
