//! Passphrases where little memory may be locked.

use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tuf_ceremony::backup::{Identities, open, passphrase, seal_passphrase};

use super::sample::infrastructure;

/// Debian's limit. scrypt of our work factor wants 32 times as much, and aborted where all of a program's memory was to be locked.
const LIMIT: u64 = 8 << 20;

/// Run alone in a process of its own: the limit holds for all threads, and root is above it until the capability is given up.
#[test]
fn a_passphrase_seals_and_opens_where_eight_mebibytes_may_be_locked() {
    const CHILD: &str = "TUF_CEREMONY_TEST_MEMLOCK";
    if std::env::var_os(CHILD).is_none() {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--test-threads=1"])
            .arg("memlock::a_passphrase_seals_and_opens_where_eight_mebibytes_may_be_locked")
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::IPC_LOCK);
    set_capabilities(None, sets).unwrap();
    let limit = Rlimit {
        current: Some(LIMIT),
        maximum: Some(LIMIT),
    };
    setrlimit(Resource::Memlock, limit).unwrap();
    let phrase = passphrase().unwrap();
    let file = seal_passphrase(&infrastructure(1000), &phrase, false).unwrap();
    let header = String::from_utf8_lossy(&file[..100]).into_owned();
    assert!(
        header.contains("-> scrypt ") && header.contains(" 18\n"),
        "{header}"
    );
    let opened = open(&file, &Identities::passphrase(&phrase).unwrap()).unwrap();
    assert_eq!(opened.check().unwrap(), []);
}
