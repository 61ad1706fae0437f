//! Whose key is whose, by the script, the register and the keys themselves.

use super::Trusted;
use crate::ceremony::script::{Holder, ROLES, Script};
use crate::pypi::holders::Holders;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};

/// The holder of the script whom a trusted key names as its owner: `@alice` (tuf-on-ci's `x-tuf-on-ci-keyowner`) is alice. Only one of whose keys neither
/// the script nor the register says anything: their word goes before that of a field that others write.
pub(super) fn named_by_owner<'a>(
    script: &'a Script,
    register: Option<&Holders>,
    owner: &str,
) -> Option<&'a Holder> {
    let name = owner.strip_prefix('@').unwrap_or(owner);
    let is_registered = |name: &str| {
        register.is_some_and(|known| known.holders.iter().any(|holder| holder.name == name))
    };
    let has_key = |holder: &Holder| {
        holder
            .keys()
            .any(|(_, key)| key.keyid.is_some() || key.old_keyid.is_some() || key.public.is_some())
    };
    let mut holders = script.holders.iter();
    holders
        .find(|holder| holder.name.eq_ignore_ascii_case(name))
        .filter(|holder| !has_key(holder) && !is_registered(&holder.name))
}

/// Register and script must agree.
pub(super) fn check_register(script: &Script, trusted: &mut Trusted) -> Result<(), Vec<Finding>> {
    let Some(holders) = &trusted.holders else {
        return Ok(());
    };
    let mut errors = Vec::new();
    for known in &holders.holders {
        for key in &known.keys {
            if let Some(said) = script
                .holder_of(&key.keyid)
                .filter(|said| said.name != known.name)
            {
                errors.push(Finding::error(
                    "HOLDER-REGISTER",
                    "holders.toml",
                    format!(
                        "key {} belongs to {} in the register and to {} in the script",
                        key.keyid, known.name, said.name
                    ),
                ));
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

impl Trusted {
    /// A key that metadata lists, and a role that it signs. Developers' keys are none of it.
    pub fn listed_key(&self, keyid: &KeyId) -> Option<(String, Key)> {
        let top = ROLES.into_iter().chain(["timestamp", "snapshot"]);
        let mut top = top.filter_map(|role| Some((role, self.role(role)?.0)));
        let in_top = top.find_map(|(role, keys)| {
            let (_, key) = keys.into_iter().find(|(known, _)| known == keyid)?;
            Some((role.to_owned(), key))
        });
        in_top.or_else(|| {
            let mut delegators = ["targets", "unclaimed", "bins"].into_iter();
            delegators.find_map(|role| {
                let (_, targets) = self.current(role)?;
                let mut keys = targets.delegations.as_ref()?.keys();
                let (_, key) = keys.find(|(known, _)| known == keyid)?;
                Some((format!("online below {role}"), key))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Holders, Script, named_by_owner};

    #[test]
    fn owner_of_a_key_is_the_holder_of_that_name_unless_script_or_register_say_more() {
        let script = r#"
            schema = "tuf-ceremony/script/1"
            kind = "renew"
            title = "t"
            profile = "room"
            trusted_root_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
            [root]
            version = 2
            expires = "2030-01-01T00:00:00Z"
            [[holder]]
            name = "alice"
            person = "Alice"
            [[holder]]
            name = "bob"
            person = "Bob"
            root.keyid = "1111111111111111111111111111111111111111111111111111111111111111"
            [[holder]]
            name = "carol"
            person = "Carol"
        "#;
        let script = Script::parse("script.toml", script.as_bytes()).unwrap();
        let register = "schema = \"tuf-ceremony/holders/1\"\n[[holder]]\nname = \"carol\"\nperson = \"Carol\"\n";
        let register = Holders::parse("holders.toml", register.as_bytes()).unwrap();
        for (owner, register, named) in [
            ("@alice", None, Some("alice")),
            ("@Alice", None, Some("alice")),
            ("alice", None, Some("alice")),
            ("@@alice", None, None),
            ("@bob", None, None),
            ("@carol", None, Some("carol")),
            ("@carol", Some(&register), None),
            ("@mallory", None, None),
            ("", None, None),
        ] {
            let found = named_by_owner(&script, register, owner);
            assert_eq!(found.map(|holder| holder.name.as_str()), named, "{owner}");
        }
    }
}
