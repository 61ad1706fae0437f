//! What RSTUF's signers and clients demand of keys, settings and signatures.

use super::*;

#[test]
fn keyids_that_rstufs_command_line_left_wrong_are_named() {
    let mut plain = key(1);
    plain.remove("x-rstuf-key-name");
    let under = |keyid_of: &str| {
        let mut content = signed(2);
        content.get_mut("keys").unwrap().remove(&keyid(&key(1)));
        content.get_mut("keys").unwrap().set(keyid_of, key(1));
        let role = format!(r#"{{"keyids":["{keyid_of}"],"threshold":1}}"#);
        content.get_mut("roles").unwrap().set("root", value(&role));
        only(&update(&root_of(&content)), Level::Warning, "RSTUF-KEYID")
    };
    let (stale, right) = (keyid(&plain), keyid(&key(1)));
    let rest = format!(
        "it should be {right}. tough and what is built on it refuse the whole root. List the key under its own keyid in the next root; it signs that under both."
    );
    assert_eq!(
        under(&stale),
        format!(
            "the keyid {stale} was computed before RSTUF's command line added its own members to the key; {rest}"
        )
    );
    assert_eq!(
        under("alice"),
        format!("the keyid alice is not the digest of the key; {rest}")
    );
}

#[test]
fn an_online_key_that_rstuf_cannot_use_is_told() {
    let mut content = signed(2);
    let role = content.get("roles").unwrap().get("root").unwrap().clone();
    content.get_mut("roles").unwrap().set("targets", role);
    let text = only(
        &update(&root_of(&content)),
        Level::Warning,
        "RSTUF-ONLINE-KEY",
    );
    assert!(
        text.starts_with("timestamp, snapshot and targets do not have one online key in common."),
        "{text}"
    );

    let mut content = signed(2);
    let mut bare = key(2);
    bare.remove("x-rstuf-online-key-uri");
    content.get_mut("keys").unwrap().remove(&keyid(&key(2)));
    content
        .get_mut("keys")
        .unwrap()
        .set(&keyid(&bare), bare.clone());
    for role in ["timestamp", "snapshot", "targets"] {
        let keys = format!(r#"{{"keyids":["{}"],"threshold":1}}"#, keyid(&bare));
        content.get_mut("roles").unwrap().set(role, value(&keys));
    }
    assert_eq!(
        only(
            &update(&root_of(&content)),
            Level::Warning,
            "RSTUF-ONLINE-URI"
        ),
        format!(
            "the online key {} has no x-rstuf-online-key-uri, by which RSTUF's worker finds its private half; it cannot sign anything.",
            keyid(&bare)
        )
    );
}

#[test]
fn settings_have_bins_or_delegations_as_rstuf_takes_them() {
    let roles =
        |change: &dyn Fn(&mut Value)| changed(&good_bootstrap(), &["settings", "roles"], change);
    let delegations = |name: &str, path: &str| {
        value(&format!(
            r#"{{"keys":{{}},"roles":[{{"name":"{name}","terminating":true,"keyids":[],"threshold":1,"paths":["{path}"],"x-rstuf-expire-policy":3}}]}}"#
        ))
    };
    let instead = |name: &'static str, path: &'static str| {
        roles(&|roles: &mut Value| {
            roles.remove("bins");
            roles.set("delegations", delegations(name, path));
        })
    };
    assert_eq!(told(&instead("dev", "dev/*")), []);
    let one_of = "settings.roles must have exactly one of bins and delegations";
    let none = roles(&|roles: &mut Value| drop(roles.remove("bins")));
    let both = roles(&|roles: &mut Value| roles.set("delegations", delegations("dev", "dev/*")));
    assert_eq!(only(&none, Level::Error, "RSTUF-SETTINGS"), one_of);
    assert_eq!(only(&both, Level::Error, "RSTUF-SETTINGS"), one_of);
    assert_eq!(
        only(&instead("a/b", "dev/*"), Level::Error, "RSTUF-SETTINGS"),
        "settings.roles.delegations names a role a/b; RSTUF takes letters, digits, - and _"
    );
    assert_eq!(
        only(&instead("dev", ""), Level::Error, "RSTUF-SETTINGS"),
        "settings.roles.delegations gives dev an empty path; RSTUF refuses that"
    );
    let hundred = changed(&good_bootstrap(), &["settings", "roles", "bins"], |bins| {
        bins.set("number_of_delegated_bins", Value::Integer(100));
    });
    assert_eq!(
        only(&hundred, Level::Warning, "RSTUF-SETTINGS"),
        "settings.roles.bins asks for 100 bins, which is no power of two; RSTUF makes 64. Give 64 or 128."
    );
}

#[test]
fn a_bootstrap_is_signed_and_every_signature_is_right() {
    let root = root_of(&signed(1));
    let of = |root: &Envelope| bootstrap(&value(SETTINGS), root, 300);
    let keyid = root.signatures()[0].keyid.clone();
    assert_eq!(told(&of(&root)), []);
    assert_eq!(
        only(
            &of(&root.without_signatures()),
            Level::Error,
            "RSTUF-SIGNATURES"
        ),
        "root has no signature; RSTUF refuses a bootstrap without one. Let one holder sign first."
    );
    let wrong = root
        .without_signatures()
        .with_signature(&keyid, &[7; 64], &|_| false);
    let text = format!(
        "the signature of {keyid} is not a right one by a root key; RSTUF refuses the whole bootstrap for it. Take it out."
    );
    assert_eq!(only(&of(&wrong), Level::Error, "RSTUF-SIGNATURES"), text);
    // An update may be signed by the old root's keys, which it does not show.
    assert_eq!(told(&update(&wrong)), []);
    let twice = changed(
        &update(&root),
        &["metadata", "root", "signatures"],
        |list| {
            if let Value::Array(entries) = list {
                entries.push(entries[0].clone());
            }
        },
    );
    assert_eq!(
        only(&twice, Level::Error, "RSTUF-SIGNATURES"),
        format!(
            "signatures has the keyid {keyid} twice; RSTUF cannot read that. Leave one of them."
        )
    );
}

#[test]
fn offline_roles_have_no_payload() {
    assert_eq!(tree(["root", "snapshot", "timestamp"]), None);
    let roles = [
        "root",
        "targets",
        "claimed",
        "custody",
        "unclaimed",
        "bins",
        "claimed-re",
        "claimed-ro",
    ];
    let finding = tree(roles).unwrap();
    assert_eq!(
        (finding.level, finding.rule.as_str()),
        (Level::Warning, "RSTUF-TREE")
    );
    assert_eq!(
        finding.text,
        "RSTUF has no payload for bins, claimed, claimed-re, claimed-ro, custody and 2 more: it makes targets and what it delegates itself. Publish the folder metadata/ as plain files; see docs/rstuf.md."
    );
}
