//! What a script may ask of a backup.

use tuf_ceremony::ceremony::script::Script;

use crate::support::scripts::read;

#[test]
fn a_script_of_backups_says_whole_things_or_is_refused() {
    let genesis = read("genesis-backup");
    let restore = read("restore");
    for good in [&genesis, &restore, &read("backup"), &read("restore-drill")] {
        // Names of keyids stand for digits in examples.
        let good = good.replace("alice.root", &"ab".repeat(32));
        Script::parse("script.toml", good.as_bytes()).unwrap();
    }
    let restore = restore.replace("alice.root", &"ab".repeat(32));
    let key = format!(
        "[[restore.key]]\nkeyid = \"{}\"\nholder = \"alice\"\n",
        "ab".repeat(32)
    );
    let kept = |words: &str| {
        let person = "person = \"Alice Example, administrator\"\n";
        genesis.replace(person, &format!("{person}pin_kept = \"{words}\"\n"))
    };
    Script::parse(
        "script.toml",
        kept("envelope 12, safe of the board").as_bytes(),
    )
    .unwrap();
    let cases = [
        (kept("271828"), "SCRIPT-HOLDER", "never what it is"),
        (
            genesis.replace("needed = 3", "needed = 1"),
            "SCRIPT-BACKUP",
            "any 1 of 5 custodians",
        ),
        (
            genesis.replace("needed = 3", "needed = 6"),
            "SCRIPT-BACKUP",
            "any 6 of 5 custodians",
        ),
        (
            genesis.replace("\"ben\"", "\"ada\""),
            "SCRIPT-BACKUP",
            "lists ada twice",
        ),
        (
            genesis.replace("infrastructure = [\"age1example\"]\n", ""),
            "SCRIPT-BACKUP",
            "nobody would get it",
        ),
        (
            genesis.replace("generate = \"ed25519\"\nprov", "prov"),
            "SCRIPT-KEY",
            "one of public and generate",
        ),
        (
            genesis.replace(
                "generate = \"ed25519\"\nprov",
                "generate = \"rsa-pss\"\nprov",
            ),
            "SCRIPT-KEY",
            "not made",
        ),
        (
            genesis.replace(
                "root.generate = \"ecdsa-p256\"\nroot.backup",
                "root.public = \"aa\"\nroot.backup",
            ),
            "SCRIPT-BACKUP",
            "where it is made or shown",
        ),
        (
            genesis.replace("\"ben\"", "\"spare\""),
            "SCRIPT-NAME",
            "spare",
        ),
        (
            restore.replace("\"dov\"", "\"ben\""),
            "SCRIPT-BACKUP",
            "lists ben twice",
        ),
        (
            format!("{restore}\n{key}"),
            "SCRIPT-RESTORE",
            "listed twice",
        ),
    ];
    let unsealed = genesis.find("# Custodians need").unwrap();
    let unsealed =
        genesis[..unsealed].replace("generate = \"ed25519\"\nprov", "public = \"aa\"\nprov");
    let cases = cases
        .into_iter()
        .chain([(unsealed, "SCRIPT-BACKUP", "nothing is backed up")]);
    for (script, rule, text) in cases {
        let refused = Script::parse("script.toml", script.as_bytes()).err();
        let refused = refused.unwrap_or_else(|| panic!("{rule} {text}: taken"));
        assert!(
            refused.rule == rule && refused.text.contains(text),
            "{rule} {text}: {refused:?}"
        );
    }
}
