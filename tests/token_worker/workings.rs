//! A module in a worker is a module like others, and its process is closed.

use std::fs;
use std::io::Read as _;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Limits, WorkerModule};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::Key;

use crate::support::stage::{PIN, PROGRAM};
use crate::{Bench, keeper, ready, runs, secret, wait_until};

#[test]
fn a_worker_signs_like_the_module_in_it_and_ends_with_it() {
    let bench = Bench::new(|plan| plan);
    let mut module = bench.start().unwrap();
    let file = fs::read(bench.shim.module()).unwrap();
    assert_eq!(module.identity().sha256, Some(Sha256::of(&file)));
    assert!(module.identity().description.contains("SoftHSM"));
    let (token, key) = ready(&mut module);
    assert_eq!(module.keys(&token).unwrap(), std::slice::from_ref(&key));
    assert!(
        module
            .list()
            .unwrap()
            .iter()
            .any(|listed| listed.id == token && listed.ready)
    );
    let long = vec![b'{'; 3 << 20];
    for payload in [&b"payload"[..], &long, b""] {
        let signature = module.sign(&token, &key, payload).unwrap();
        let key = Key::from_public(&key.public).unwrap();
        assert!(key.verifies(payload, &signature));
    }
    assert_eq!(bench.shim.log().signatures(), 3);
    let pid = module.pid().unwrap();
    drop(module);
    wait_until("the worker ends", || !runs(pid));
    // It came to an end by itself: the library was finalised.
    assert_eq!(bench.shim.log().count("C_Finalize"), 1);
}

#[test]
fn what_a_module_prints_reaches_no_screen() {
    let bench = Bench::new(|plan| {
        plan.fault("C_Initialize", "1", "print text:PRINTED-BY-THE-MODULE")
            .fault("C_GetSlotList", "*", "print esc")
    });
    let mut command = Command::new(PROGRAM);
    command
        .args(["tokens", "--module"])
        .arg(bench.shim.module());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // It did print: the log has it.
    assert!(!bench.shim.log().broken().is_empty());
    for told in [&output.stdout, &output.stderr] {
        let told = String::from_utf8_lossy(told);
        assert!(!told.contains("PRINTED-BY-THE-MODULE"), "{told}");
        assert!(!told.contains('\u{1b}'), "{told}");
    }
}

#[test]
fn the_program_loads_no_module() {
    let bench = Bench::new(|plan| plan);
    let mut module = bench.start().unwrap();
    module.list().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("shim.so") && !maps.contains("softhsm"));
    // The worker does, so that looking for the name can find it.
    let log = bench.shim.log();
    assert!(log.0.iter().all(|call| Some(call.process) == module.pid()));
    assert!(!log.0.is_empty());
}

#[test]
fn a_secret_stands_in_no_argument_and_no_variable() {
    let bench = Bench::new(|plan| plan);
    let keeper = keeper();
    let mut module = WorkerModule::start(&keeper, bench.setup(), Limits::default()).unwrap();
    ready(&mut module);
    let pids = [keeper.pid(), module.pid().unwrap()];
    for (pid, name) in pids.iter().zip(["token-keeper", "token-worker"]) {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        let arguments = String::from_utf8(arguments).unwrap();
        assert_eq!(arguments, format!("tuf-ceremony\0{name}\0"));
    }
}

#[test]
fn a_worker_gets_the_variables_of_the_table_and_those_the_room_adds() {
    // Run alone: this process's own environment is what a worker's is selected from.
    const INSIDE: &str = "TUF_CEREMONY_TEST_VARIABLES";
    let bench = Bench::new(|plan| plan);
    if std::env::var_os(INSIDE).is_none() {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("workings::a_worker_gets_the_variables_of_the_table_and_those_the_room_adds")
            .env(INSIDE, "1")
            // SoftHSM without its configuration does not start, so that its list of slots tells which variables came.
            .env("SOFTHSM2_CONF", bench.path("softhsm2.conf"))
            .env("ACME_HSM", "/nowhere")
            .env("LD_PRELOAD_OF_SOMEBODY", "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let mut setup = bench.setup();
    setup.variables = vec!["ACME_HSM".to_owned()];
    let module = WorkerModule::start(&keeper(), setup, Limits::default());
    let pid = module.as_ref().unwrap().pid().unwrap();
    // Readable to the superuser alone: a worker is closed to others.
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
        assert!(!rustix::process::geteuid().is_root());
        return;
    };
    let environment = String::from_utf8(environment).unwrap();
    assert!(environment.contains("SOFTHSM2_CONF="), "{environment}");
    assert!(environment.contains("ACME_HSM=/nowhere"), "{environment}");
    for other in ["LD_PRELOAD_OF_SOMEBODY", INSIDE, "CARGO"] {
        assert!(!environment.contains(other), "{environment}");
    }
}

#[test]
fn a_descriptor_that_was_left_open_does_not_reach_a_worker() {
    let bench = Bench::new(|plan| plan);
    let (mut read, write) = std::io::pipe().unwrap();
    // As a shell opens it: `--pin-fd 3 3<pins`.
    fcntl_setfd(&write, FdFlags::empty()).unwrap();
    let module = bench.start().unwrap();
    drop(write);
    // The end comes only when nobody has the other side any more.
    let mut rest = Vec::new();
    read.read_to_end(&mut rest).unwrap();
    assert!(runs(module.pid().unwrap()));
}

#[test]
fn a_wrong_pin_is_tried_once_and_told_as_the_module_tells_it() {
    let bench = Bench::new(|plan| plan);
    let mut module = bench.start().unwrap();
    let (token, _) = ready(&mut module);
    module.logout(&token);
    let error = module.login(&token, &secret("not the PIN")).unwrap_err();
    assert_eq!(
        error.fault,
        tuf_ceremony::ceremony::port::TokenFault::PinIncorrect
    );
    assert_eq!(bench.shim.log().logins("user"), 2);
    module.login(&token, &secret(PIN)).unwrap();
}

#[test]
fn the_helpers_are_not_for_people() {
    for command in ["token-worker", "token-keeper"] {
        let output = Command::new(PROGRAM).arg(command).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            told,
            "this command is for the program itself; people need `run`\n"
        );
    }
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("tokens") && !help.contains("token-"),
        "{help}"
    );
}
