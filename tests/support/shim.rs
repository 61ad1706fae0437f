//! The PKCS#11 module that fails on command, from tests/pkcs11-shim: builds it, gives it a plan, reads its log. Its README lists the orders.
//!
//! ```ignore
//! let shim = Shim::plan().softhsm(&configuration).fault("C_Sign", "1", "kill").install(folder);
//! // ... a program that loads shim.module() ...
//! assert_eq!(shim.log().signatures(), 1);
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

#[path = "../pkcs11-shim/src/codes.rs"]
pub mod codes;

/// Debian's path of `SoftHSM`.
pub const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// A copy of the module with a plan and a log beside it: whatever loads it needs no environment.
pub struct Shim {
    module: PathBuf,
}

/// What a module is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    orders: Vec<String>,
}

/// The calls that a module got, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log(pub Vec<Logged>);

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub process: u32,
    pub function: String,
    pub number: u64,
    /// `length` or `signature`; `user`, `so` or `context`; else `-`.
    pub detail: String,
    /// What happened to it, as `kill`.
    pub faults: Vec<String>,
    /// The name of the code that it returned, and who made it: `forwarded`, `answered`, `overruled`, `lied`. None where it never returned.
    pub returned: Option<(String, String)>,
}

impl Shim {
    /// A plan without faults: `SoftHSM`, as the environment configures it.
    pub fn plan() -> Plan {
        let orders = vec![format!("real {SOFTHSM}")];
        Plan { orders }
    }

    /// What to load.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Another plan, for processes that load the module from now on; the log begins anew.
    pub fn replan(&self, plan: &Plan) {
        let log = format!("log {}\n", self.beside(".log").display());
        fs::write(self.beside(".plan"), log + &plan.orders.join("\n")).unwrap();
        fs::write(self.beside(".log"), "").unwrap();
    }

    /// The calls up to now.
    pub fn log(&self) -> Log {
        Log::read(&self.beside(".log"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.module.clone().into_os_string();
        path.push(suffix);
        path.into()
    }
}

impl Plan {
    /// `what` goes wrong at `calls` (`2`, `2+`, `2-5`, `*`) of `function`, or of all with `*`.
    #[must_use]
    pub fn fault(self, function: &str, calls: &str, what: &str) -> Self {
        self.order(&format!("{function} {calls} {what}"))
    }

    /// Any order of the README.
    #[must_use]
    pub fn order(mut self, order: &str) -> Self {
        self.orders.push(order.to_owned());
        self
    }

    /// `SoftHSM` gets this configuration whatever the environment of the process.
    #[must_use]
    pub fn softhsm(self, configuration: &Path) -> Self {
        self.order(&format!("env SOFTHSM2_CONF {}", configuration.display()))
    }

    /// Another real module than `SoftHSM`.
    #[must_use]
    pub fn real(self, module: &Path) -> Self {
        self.order(&format!("real {}", module.display()))
    }

    /// Puts a module with this plan into `folder` as `shim.so`.
    pub fn install(&self, folder: &Path) -> Shim {
        self.install_as(folder, "shim")
    }

    /// The same with a name, where several modules lie in one folder.
    pub fn install_as(&self, folder: &Path, name: &str) -> Shim {
        let module = folder.join(format!("{name}.so"));
        // A copy: the loader takes two names of one file for one module. One that may be loaded already is not written to again.
        if !module.exists() {
            fs::copy(built(), &module).unwrap();
        }
        let shim = Shim { module };
        shim.replan(self);
        shim
    }
}

impl Log {
    /// The calls in the file.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut calls: Vec<Logged> = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [process, mark, function, number, rest @ ..] = words.as_slice() else {
                panic!("the shim's log has the line {line:?}");
            };
            let (process, number) = (process.parse().unwrap(), number.parse().unwrap());
            if *mark == ">" {
                calls.push(Logged {
                    process,
                    function: (*function).to_owned(),
                    number,
                    detail: rest.join(" "),
                    faults: Vec::new(),
                    returned: None,
                });
                continue;
            }
            let call = calls.iter_mut().rev().find(|call| {
                (call.process, call.function.as_str(), call.number) == (process, function, number)
            });
            let call = call.unwrap_or_else(|| panic!("no call came in for the line {line:?}"));
            match (*mark, rest) {
                ("!", [what]) => call.faults.push((*what).to_owned()),
                ("<", [code, by]) => {
                    call.returned = Some(((*code).to_owned(), (*by).to_owned()));
                }
                _ => panic!("the shim's log has the line {line:?}"),
            }
        }
        Self(calls)
    }

    /// How often a function was called.
    pub fn count(&self, function: &str) -> usize {
        self.of(function).count()
    }

    /// How often a module was asked for a signature, not only for its length.
    pub fn signatures(&self) -> usize {
        let signing = |call: &&Logged| call.detail == "signature";
        self.0.iter().filter(signing).count()
    }

    /// Logins tried as `user`, `so` or `context`.
    pub fn logins(&self, user: &str) -> usize {
        self.of("C_Login")
            .filter(|call| call.detail == user)
            .count()
    }

    /// How often a function lied.
    pub fn lied(&self, function: &str) -> usize {
        let lied = |call: &&Logged| call.made() == "lied";
        self.of(function).filter(lied).count()
    }

    /// The calls that did not go as they would have without the shim: what a test of a fault must find.
    pub fn broken(&self) -> Vec<&Logged> {
        let broken = |call: &&Logged| !call.faults.is_empty() || call.made() != "forwarded";
        self.0.iter().filter(broken).collect()
    }

    /// Functions and their numbers in the order of the calls: the points that a matrix of faults goes over.
    pub fn points(&self) -> Vec<(&str, u64)> {
        self.0
            .iter()
            .map(|call| (call.function.as_str(), call.number))
            .collect()
    }

    fn of(&self, function: &str) -> impl Iterator<Item = &Logged> {
        self.0.iter().filter(move |call| call.function == function)
    }
}

impl Logged {
    /// Who made what it returned.
    pub fn made(&self) -> &str {
        self.returned.as_ref().map_or("", |(_, by)| by)
    }
}

/// The module as cargo built it. Nothing can depend on a cdylib, so cargo is asked: it builds nothing where nothing has changed.
pub fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let target = profile.parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--package=pkcs11-shim", "--locked", "--quiet"])
            .args(["--message-format=json-render-diagnostics", "--target-dir"])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.output().unwrap();
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "the shim cannot be built:\n{said}");
        let messages = String::from_utf8(built.stdout).unwrap();
        let module = messages
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|message| message["target"]["name"] == "pkcs11_shim")
            .find_map(|message| message["filenames"][0].as_str().map(PathBuf::from));
        module.expect("cargo says where the shim is")
    })
}
