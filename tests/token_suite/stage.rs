//! Each claim in a process and an environment of its own: modules are configured by variables and initialised once a process.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::bench::{Bench, Place};
use super::row::{Row, Stage};
pub use super::swtpm::succeeds;
use super::swtpm::{self, Swtpm};

/// Says to the process inside where its folder is.
const FOLDER: &str = "TUF_CEREMONY_TEST_FOLDER";

/// Sets the stage of `row` and holds `claim` on it; `test` is the test's full name.
pub fn run(row: &'static Row, test: &str, claim: impl FnOnce(&mut Bench)) {
    run_with(row, test, |_| {}, claim);
}

/// The same; `prepare` may give the process inside further variables.
pub fn run_with(
    row: &'static Row,
    test: &str,
    prepare: impl FnOnce(&mut Command),
    claim: impl FnOnce(&mut Bench),
) {
    for needed in row.library.iter().chain(row.needs) {
        needed.check();
    }
    match row.stage {
        Stage::Memory => claim(&mut Bench::new(row, Place::Memory)),
        Stage::Cards => virtual_yubikey::stage::on_stage_with(
            test,
            |folder, command| {
                // OpenSC keeps a cache of cards there.
                command.env("XDG_CACHE_HOME", folder);
                prepare(command);
            },
            |stage| claim(&mut Bench::new(row, Place::cards(stage))),
        ),
        Stage::SoftHsm => in_own_process(
            test,
            |folder, command| {
                prepare_softhsm(folder, command);
                prepare(command);
            },
            |folder| claim(&mut Bench::new(row, Place::Folder(folder))),
        ),
        Stage::Nss => in_own_process(
            test,
            |folder, command| {
                prepare_nss(row, folder);
                prepare(command);
            },
            |folder| claim(&mut Bench::new(row, Place::Folder(folder))),
        ),
        Stage::Swtpm => in_own_process(
            test,
            |folder, command| {
                command.envs(swtpm::variables(folder));
                prepare(command);
            },
            |folder| {
                let _swtpm = Swtpm::start(folder);
                claim(&mut Bench::new(row, Place::Folder(folder)));
            },
        ),
    }
}

/// Runs `claim` in a new process of this test program, with a folder of its own.
pub fn in_own_process(
    test: &str,
    prepare: impl FnOnce(&Path, &mut Command),
    claim: impl FnOnce(&Path),
) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return claim(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::null());
    prepare(folder.path(), &mut command);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{test} failed:\n{said}");
    assert!(said.contains("1 passed"), "{test} did not run:\n{said}");
}

/// `SoftHSM` keeps its tokens in `tokens/`.
pub fn prepare_softhsm(folder: &Path, command: &mut Command) {
    let tokens = folder.join("tokens");
    let configuration = folder.join("softhsm2.conf");
    fs::create_dir(&tokens).unwrap();
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nslots.removable = true\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&configuration, settings).unwrap();
    command.env("SOFTHSM2_CONF", configuration);
}

/// NSS's database lies in the folder itself; certutil reads its password from a file, so it is in no argument.
fn prepare_nss(row: &Row, folder: &Path) {
    let password = folder.join("password");
    fs::write(&password, row.pin).unwrap();
    let mut certutil = Command::new("certutil");
    certutil
        .arg("-N")
        .args(["-d", &format!("sql:{}", folder.display())]);
    succeeds(certutil.arg("-f").arg(&password));
    fs::remove_file(password).unwrap();
}

/// The arguments with which NSS opens the database in `folder`.
pub fn nss_arguments(folder: &Path) -> String {
    format!(
        "configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=optimizeSpace",
        folder.display()
    )
}
