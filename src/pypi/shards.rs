//! Shards of `claimed` (docs/decisions/0018): `claimed` may delegate to roles by prefixes of project names, each of which delegates to its projects as an
//! unsharded `claimed` does. A client then reads the shard of the project that it asks for, not the file of all projects.
//!
//! The shard `claimed-re` answers for `re*/*`, every project whose name begins with `re`; where `re` was divided further, `claimed-re` answers for `re/*` alone, the
//! one project of that name. Shards have the keys and the threshold of `claimed`, overlap nowhere and end no search.

use super::project::LONGEST;

/// What the role of every shard begins with.
pub const PREFIX: &str = "claimed-";

/// Whether a role is called like a shard of `claimed`.
pub fn is_shard(role: &str) -> bool {
    role.strip_prefix(PREFIX).is_some_and(is_prefix)
}

/// Whether some project's normalized name begins with `text`, or is `text`.
fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_called_by_beginnings_of_names() {
        for role in [
            "claimed-r",
            "claimed-re",
            "claimed-py-",
            "claimed-py-t",
            "claimed-0",
        ] {
            assert!(is_shard(role), "{role}");
        }
        let long = format!("claimed-{}", "a".repeat(201));
        for role in [
            "claimed",
            "claimed-",
            "claimed--",
            "claimed-a--b",
            "claimed-Re",
            "claimed-r_2",
            "claimed-r.e",
            "recently-claimed",
            "custody",
            "project-claimed-re",
            &long,
        ] {
            assert!(!is_shard(role), "{role}");
        }
    }
}
