//! Crashes, hangs and kills: named, limited, never repeated.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::port::{Leaves, TokenError, TokenFault};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Keeper, Limits, WorkerModule};
use tuf_ceremony::tuf::key::Key;

use crate::support::stage::PIN;
use crate::{Bench, keeper, ready, runs, secret, signal, wait_until};

/// `said` after what every such error begins with.
fn died(error: &TokenError, how: &str) {
    assert_eq!(error.said, format!("the module's process {how}"));
    assert_eq!(error.fault, TokenFault::Module);
}

#[test]
fn a_module_that_dies_in_a_signature_is_named_and_the_next_worker_knows_no_login() {
    for (fault, how) in [
        ("kill", "was killed by signal 9 (SIGKILL)"),
        ("segv", "was killed by signal 11 (SIGSEGV)"),
        ("abort", "was killed by signal 6 (SIGABRT)"),
        ("exit 3", "ended with exit code 3"),
    ] {
        let bench = Bench::new(|plan| {
            plan.order("count-across-processes")
                .fault("C_Sign", "1", fault)
        });
        let mut module = bench.start().unwrap();
        let (token, key) = ready(&mut module);
        let error = module.sign(&token, &key, b"payload").unwrap_err();
        died(&error, how);
        assert!(error.may_have_signed, "{fault}");
        assert_eq!(bench.shim.log().signatures(), 1);

        let error = module.sign(&token, &key, b"payload").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn, "{fault}");
        assert!(!error.may_have_signed, "{fault}");
        let log = bench.shim.log();
        assert_eq!((log.signatures(), log.logins("user")), (1, 1));

        module.login(&token, &secret(PIN)).unwrap();
        let signature = module.sign(&token, &key, b"payload").unwrap();
        let key = Key::from_public(&key.public).unwrap();
        assert!(key.verifies(b"payload", &signature));
    }
}

#[test]
fn a_module_that_dies_when_it_is_loaded_or_asked_is_named() {
    for (function, call) in [("C_Initialize", "start"), ("C_GetSlotList", "list")] {
        let bench = Bench::new(|plan| plan.fault(function, "*", "segv"));
        let error = match bench.start() {
            Err(error) => error,
            Ok(mut module) => module.list().unwrap_err(),
        };
        died(&error, "was killed by signal 11 (SIGSEGV)");
        assert!(!error.may_have_signed);
        let attempted = match call {
            "start" => "load the PKCS#11 module room (",
            _ => "list the tokens of module room",
        };
        assert!(error.attempted.starts_with(attempted), "{error}");
    }
}

#[test]
fn a_pin_and_a_new_key_are_sent_once_to_a_module_that_dies() {
    let bench = Bench::new(|plan| {
        plan.order("count-across-processes")
            .fault("C_Login", "3", "kill")
            .fault("C_GenerateKeyPair", "2", "kill")
    });
    let mut module = bench.start().unwrap();
    // Logins 1 (security officer) and 2.
    let (token, _) = ready(&mut module);
    let error = module
        .generate(
            &token,
            "other",
            tuf_ceremony::tuf::key::Algorithm::Ed25519,
            Leaves::Never,
        )
        .unwrap_err();
    died(&error, "was killed by signal 9 (SIGKILL)");
    let error = module.login(&token, &secret(PIN)).unwrap_err();
    died(&error, "was killed by signal 9 (SIGKILL)");
    let log = bench.shim.log();
    assert_eq!(log.count("C_GenerateKeyPair"), 2);
    assert_eq!(log.count("C_Login"), 3);
}

#[test]
fn a_module_that_hangs_is_stopped_when_its_time_is_over() {
    let limit = Duration::from_secs(2);
    let bench = Bench::new(|plan| plan.fault("C_Sign", "*", "hang"));
    let limits = Limits {
        sign: limit,
        ..Limits::default()
    };
    let mut module = bench.start_within(limits).unwrap();
    let (token, key) = ready(&mut module);
    let pid = module.pid().unwrap();
    let begun = Instant::now();
    let error = module.sign(&token, &key, b"payload").unwrap_err();
    assert!(begun.elapsed() >= limit);
    assert_eq!(error.fault, TokenFault::TimedOut);
    assert_eq!(
        error.said,
        "no answer within 2 seconds; the module's process was stopped"
    );
    assert!(error.may_have_signed);
    assert!(!runs(pid));
    assert_eq!(bench.shim.log().signatures(), 1);
    let error = module.sign(&token, &key, b"payload").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
}

#[test]
fn a_module_that_hangs_at_its_end_is_stopped_too() {
    let bench = Bench::new(|plan| plan.fault("C_Finalize", "*", "hang"));
    let limits = Limits {
        end: Duration::from_millis(500),
        ..Limits::default()
    };
    let module = bench.start_within(limits).unwrap();
    let pid = module.pid().unwrap();
    drop(module);
    assert!(!runs(pid));
    assert_eq!(bench.shim.log().count("C_Finalize"), 1);
}

#[test]
fn a_worker_killed_between_two_calls_is_told_once() {
    let bench = Bench::new(|plan| plan);
    let mut module = bench.start().unwrap();
    let (token, key) = ready(&mut module);
    for (name, how) in [
        ("KILL", "was killed by signal 9 (SIGKILL)"),
        ("ABRT", "was killed by signal 6 (SIGABRT)"),
    ] {
        let pid = module.pid().unwrap();
        signal(pid, name);
        wait_until("the worker dies", || !runs(pid));
        let error = module.sign(&token, &key, b"payload").unwrap_err();
        died(&error, how);
        let error = module.sign(&token, &key, b"payload").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
        assert_ne!(module.pid(), Some(pid));
        module.login(&token, &secret(PIN)).unwrap();
        module.sign(&token, &key, b"payload").unwrap();
    }
}

#[test]
fn a_keeper_that_is_gone_is_an_error_and_not_a_wait() {
    let bench = Bench::new(|plan| plan);
    let keeper = keeper();
    let mut module = WorkerModule::start(&keeper, bench.setup(), Limits::default()).unwrap();
    let (worker, pid) = (module.pid().unwrap(), keeper.pid());
    signal(pid, "KILL");
    wait_until("the worker dies with its keeper", || !runs(worker));
    let error = module.list().unwrap_err();
    assert_eq!(error.fault, TokenFault::Module);
    let error = module.list().unwrap_err();
    assert!(
        error
            .said
            .starts_with("the helper that starts the processes of tokens is gone"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_no_keeper_is_an_error_and_not_a_wait() {
    for (program, said) in [
        (
            "/bin/true",
            "the helper for tokens does not start: its end of the pipe is closed",
        ),
        (
            "/bin/echo-that-is-not-there",
            "the helper for tokens does not start: No such file or directory (os error 2)",
        ),
    ] {
        let error = Keeper::start(Path::new(program)).err().unwrap();
        assert_eq!(error, said);
    }
}

/// The program dies without a word, with a module that hangs: nobody is left behind.
#[test]
fn workers_die_with_the_program() {
    const INSIDE: &str = "TUF_CEREMONY_TEST_PARENT";
    let bench = Bench::new(|plan| plan.fault("C_GetSlotList", "*", "hang"));
    if let Some(module) = std::env::var_os(INSIDE) {
        let keeper = keeper();
        let mut setup = bench.setup();
        setup.backend = tuf_ceremony::token::worker::Backend::Pkcs11 {
            name: "room".to_owned(),
            path: module.into(),
            init_args: None,
        };
        let mut module = WorkerModule::start(&keeper, setup, Limits::default()).unwrap();
        let line = format!("\nPIDS {} {}\n", keeper.pid(), module.pid().unwrap());
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
        let _ = module.list();
        return;
    }
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "death::workers_die_with_the_program",
        ])
        .env(INSIDE, bench.shim.module())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = lines
        .map(Result::unwrap)
        .find(|line| line.starts_with("PIDS "))
        .unwrap();
    let pids: Vec<u32> = line
        .split(' ')
        .skip(1)
        .map(|pid| pid.parse().unwrap())
        .collect();
    wait_until("the module hangs", || {
        bench.shim.log().count("C_GetSlotList") > 0
    });
    assert!(pids.iter().all(|pid| runs(*pid)), "{pids:?}");
    program.kill().unwrap();
    program.wait().unwrap();
    wait_until("keeper and worker die", || {
        pids.iter().all(|pid| !runs(*pid))
    });
}
