//! A plugin of age that wraps nothing: who wrote the protocol down (C2SP age-plugin) can read it in `age-plugin-trial`. It wants the PIN 1234 to open.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Its recipient and its identity.
pub(crate) fn trial() -> (String, String) {
    let bech32 = |hrp: &str| {
        let hrp = bech32::Hrp::parse_unchecked(hrp);
        bech32::encode_lower::<bech32::Bech32>(hrp, b"trial").unwrap()
    };
    (
        bech32("age1trial"),
        bech32("age-plugin-trial-").to_uppercase(),
    )
}

/// Whether this process has the plugin among its programs. Where it has not, `test` is run again in one that has.
pub(crate) fn is_installed(test: &str) -> bool {
    const CHILD: &str = "TUF_CEREMONY_TEST_PLUGIN";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("age-plugin-trial");
    fs::write(&plugin, include_str!("age-plugin-trial")).unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o700)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--test-threads=1", test])
        .env(CHILD, "1")
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .status();
    assert!(status.unwrap().success());
    false
}
