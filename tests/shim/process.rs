//! What the module does to the process that loaded it.

use std::thread;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn process_dies_as_planned_and_the_log_shows_where() {
    for (name, what, signal, status) in [
        ("kill", "kill", Some(9), None),
        ("segv", "segv", Some(11), None),
        ("abort", "abort", Some(6), None),
        ("exit", "exit 7", None, Some(7)),
        ("kill", "after kill", Some(9), None),
    ] {
        let plan = Shim::plan().fault("C_Sign", "2", what);
        let test = name!(process_dies_as_planned_and_the_log_shows_where);
        let ran = run(test, &plan, |loaded| {
            let _ = signed(&loaded.logged_in());
        });
        let Some(ran) = ran else { return };
        assert_eq!(
            (ran.status.signal(), ran.status.code()),
            (signal, status),
            "{what}"
        );
        let last = ran.log.0.last().unwrap();
        assert_eq!((last.function.as_str(), last.number), ("C_Sign", 2));
        assert_eq!(last.faults, [name]);
        assert_eq!(last.returned, None);
        assert_eq!(ran.log.signatures(), 1);
    }
}

#[test]
fn module_hangs_until_it_is_killed() {
    let test = name!(module_hangs_until_it_is_killed);
    if is_inside() {
        let _ = signed(&Loaded::from_environment().logged_in());
        return;
    }
    let folder = prepared();
    let configuration = folder.path().join("softhsm2.conf");
    let plan = Shim::plan().softhsm(&configuration);
    let shim = plan.fault("C_Login", "1", "hang").install(folder.path());
    let mut child = again(test, folder.path(), shim.module()).spawn().unwrap();
    let began = Instant::now();
    while shim
        .log()
        .broken()
        .iter()
        .all(|call| call.faults.is_empty())
    {
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "it did not log in"
        );
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None, "it came back");
    child.kill().unwrap();
    child.wait().unwrap();
    let last = shim.log().0.pop().unwrap();
    assert_eq!((last.function.as_str(), last.returned), ("C_Login", None));
    assert_eq!(last.faults, ["hang"]);
}

#[test]
fn module_is_slow_before_and_after() {
    let plan =
        Shim::plan()
            .fault("C_Login", "1", "sleep 400")
            .fault("C_Login", "1", "after sleep 400");
    let log = holds(name!(module_is_slow_before_and_after), &plan, |loaded| {
        let began = Instant::now();
        let session = loaded.logged_in();
        assert!(began.elapsed() >= Duration::from_millis(800));
        signed(&session).unwrap();
    });
    let Some(log) = log else { return };
    assert_eq!(log.broken().len(), 1);
    assert_eq!(log.broken()[0].faults, ["sleep", "sleep"]);
}

#[test]
fn module_prints_to_stdout_and_stderr() {
    let plan = Shim::plan()
        .fault("C_Initialize", "1", "print text:hello from the module")
        .fault("C_Login", "1", "print esc");
    let ran = run(name!(module_prints_to_stdout_and_stderr), &plan, |loaded| {
        loaded.logged_in();
    });
    let Some(ran) = ran else { return };
    ran.held("prints");
    for said in [&ran.out, &ran.err] {
        assert_eq!(said.matches("hello from the module").count(), 1, "{said}");
        assert_eq!(said.matches("\x1b[2J\x1b]0;owned\x07").count(), 1, "{said}");
    }
}
