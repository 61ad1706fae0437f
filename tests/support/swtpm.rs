//! A TPM in software, behind a socket of a folder: no port is open, and no two tests can clash.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Debian's path of the module.
pub const MODULE: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so";

/// A TPM that runs until this is dropped.
pub struct Swtpm(Child);

/// The variables by which the module and the tools find the TPM of `folder`.
pub fn variables(folder: &Path) -> [(&'static str, String); 4] {
    let socket = format!("swtpm:path={}", folder.join("tpm").display());
    [
        ("TPM2TOOLS_TCTI", socket.clone()),
        ("TPM2_PKCS11_TCTI", socket),
        (
            "TPM2_PKCS11_STORE",
            folder.join("store").display().to_string(),
        ),
        ("TSS2_LOG", "all+NONE".to_owned()),
    ]
}

impl Swtpm {
    /// Starts a new TPM whose state lies in `folder`.
    pub fn start(folder: &Path) -> Self {
        let (state, store) = (folder.join("state"), folder.join("store"));
        fs::create_dir_all(&state).unwrap();
        fs::create_dir_all(&store).unwrap();
        let mut setup = Command::new("swtpm_setup");
        succeeds(
            setup
                .args(["--tpm2", "--lock-nvram", "--tpmstate"])
                .arg(&state),
        );
        // tpm2-tss takes the control channel to be where the data channel is, with this ending.
        let socket = |suffix: &str| format!("type=unixio,path={}/tpm{suffix}", folder.display());
        let mut swtpm = Command::new("setpriv");
        // A test that is killed takes its TPM with it.
        swtpm
            .args(["--pdeathsig", "KILL", "--", "swtpm", "socket", "--tpm2"])
            .args(["--flags", "not-need-init,startup-clear"])
            .arg("--tpmstate")
            .arg(format!("dir={}", state.display()))
            .args(["--server", &socket(""), "--ctrl", &socket(".ctrl")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Self(swtpm.spawn().expect("setpriv and swtpm start"));
        let began = Instant::now();
        while !folder.join("tpm").exists() || !folder.join("tpm.ctrl").exists() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "swtpm does not listen"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        let tool = |program: &str| {
            let mut command = Command::new(program);
            command.envs(variables(folder));
            command
        };
        succeeds(tool("tpm2_ptool").args(["init", "--path"]).arg(&store));
        // Without a resource manager what was loaded stays loaded.
        succeeds(tool("tpm2_flushcontext").arg("-t"));
        started
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program says, which must succeed.
pub fn succeeds(command: &mut Command) -> String {
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}:\n{said}");
    said.into_owned()
}
