//! What the processes may reach: sockets by family, other processes, and what a rehearsal says of it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::{fs, thread};

use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, netlink, socket_with};
use tuf_ceremony::ceremony::event::Reach;
use tuf_ceremony::ceremony::port::TokenFault;
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Limits, Setup, Sockets, WorkerModule, confine};

use crate::support::scripts::example;
use crate::support::shim::Shim;
use crate::support::stage::{PIN, Stage, pin};
use crate::{Bench, keeper, wait_until};

const INSIDE: &str = "TUF_CEREMONY_TEST_CONFINED";

/// Runs `claim` in a new process of this test program: a filter cannot be taken away again.
fn in_own_process(test: &str, claim: fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return claim();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{test} did not run:\n{said}");
}

/// Whether a socket of this kind may be opened.
fn opens(family: AddressFamily, protocol: Option<Protocol>) -> bool {
    let kind = match family {
        AddressFamily::NETLINK => SocketType::RAW,
        _ => SocketType::DGRAM,
    };
    match socket_with(family, kind, SocketFlags::CLOEXEC, protocol) {
        Ok(_) => true,
        Err(Errno::ACCESS) => false,
        Err(errno) => panic!("{family:?}: {errno}"),
    }
}

/// UNIX, IPv4, IPv6, uevent netlink, route netlink (protocol 0).
fn families() -> [bool; 5] {
    let uevent = netlink::KOBJECT_UEVENT;
    [
        opens(AddressFamily::UNIX, None),
        opens(AddressFamily::INET, None),
        opens(AddressFamily::INET6, None),
        opens(AddressFamily::NETLINK, Some(uevent)),
        opens(AddressFamily::NETLINK, None),
    ]
}

#[test]
fn without_a_filter_all_sockets_open() {
    assert_eq!(families(), [true; 5]);
}

#[test]
fn the_program_opens_sockets_to_this_machine_only() {
    in_own_process(
        "reach::the_program_opens_sockets_to_this_machine_only",
        || {
            confine(Sockets::default()).unwrap();
            assert_eq!(families(), [true, false, false, false, false]);
            // Threads that are started later too.
            let thread = thread::spawn(|| opens(AddressFamily::INET, None));
            assert!(!thread.join().unwrap());
        },
    );
}

#[test]
fn usb_adds_the_messages_of_the_kernel_and_no_other_netlink() {
    in_own_process(
        "reach::usb_adds_the_messages_of_the_kernel_and_no_other_netlink",
        || {
            confine(Sockets {
                usb: true,
                network: false,
            })
            .unwrap();
            assert_eq!(families(), [true, false, false, true, false]);
        },
    );
}

#[test]
fn network_adds_ipv4_and_ipv6() {
    in_own_process("reach::network_adds_ipv4_and_ipv6", || {
        confine(Sockets {
            usb: false,
            network: true,
        })
        .unwrap();
        assert_eq!(families(), [true, true, true, false, false]);
    });
}

#[test]
fn a_confined_process_cannot_widen_what_it_may() {
    in_own_process("reach::a_confined_process_cannot_widen_what_it_may", || {
        confine(Sockets::default()).unwrap();
        confine(Sockets {
            usb: true,
            network: true,
        })
        .unwrap();
        assert_eq!(families(), [true, false, false, false, false]);
    });
}

/// By number, from a program that the confined process starts: so the test knows the numbers from somewhere else.
#[test]
#[cfg(target_arch = "x86_64")]
fn calls_into_other_processes_are_denied() {
    in_own_process("reach::calls_into_other_processes_are_denied", || {
        let denied = [
            ("ptrace", 101),
            ("process_vm_readv", 310),
            ("process_vm_writev", 311),
            ("io_uring_setup", 425),
            ("bpf", 321),
            ("userfaultfd", 323),
            ("perf_event_open", 298),
            ("kexec_load", 246),
            ("pidfd_getfd", 438),
            ("init_module", 175),
        ];
        let errno = |number: i64| {
            // Arguments that are wrong for each: without the filter the kernel says something else than EACCES.
            let script = format!("syscall({number}, -1, -1, -1, -1, -1); print $!+0");
            let output = Command::new("perl").args(["-e", &script]).output();
            String::from_utf8(output.expect("perl starts").stdout).unwrap()
        };
        let before: Vec<_> = denied.iter().map(|(_, number)| errno(*number)).collect();
        confine(Sockets::default()).unwrap();
        for ((name, number), before) in denied.iter().zip(before) {
            assert_ne!(before, "13", "{name}");
            assert_eq!(errno(*number), "13", "{name}");
            // x32's form of the same.
            assert_eq!(errno(0x4000_0000 | *number), "13", "{name}");
        }
        assert_eq!(errno(39), "0", "getpid");
    });
}

#[test]
fn a_worker_opens_what_its_module_is_flagged_for() {
    let cases = [
        ("socket unix", [true; 4]),
        ("socket inet", [false, false, true, true]),
        ("socket inet6", [false, false, true, true]),
        ("socket uevent", [false, true, false, true]),
        ("socket netlink", [false, false, false, false]),
        // Its first act is the uevent socket.
        ("libusb", [false, true, false, true]),
    ];
    for (order, expected) in cases {
        let bench = Bench::new(|plan| plan.fault("C_Initialize", "*", order));
        let keeper = keeper();
        for (index, expected) in expected.into_iter().enumerate() {
            let setup = Setup {
                usb: index & 1 != 0,
                network: index & 2 != 0,
                ..bench.setup()
            };
            let started = WorkerModule::start(&keeper, setup, Limits::default());
            if let Err(error) = &started {
                assert!(error.said.contains("CKR_DEVICE_ERROR"), "{error}");
                assert_eq!(error.fault, TokenFault::Module, "{order}");
            }
            let reach = [("usb", 1), ("network", 2)].map(|(name, bit)| (name, index & bit != 0));
            assert_eq!(started.is_ok(), expected, "{order} {reach:?}");
        }
    }
}

#[test]
fn what_a_module_may_reach_is_the_rooms_word() {
    let bench = Bench::new(|plan| plan);
    let setup = Setup {
        usb: true,
        network: true,
        ..bench.setup()
    };
    let module = WorkerModule::start(&keeper(), setup, Limits::default()).unwrap();
    assert_eq!(module.identity().reach, [Reach::Usb, Reach::Network]);
    assert_eq!(
        module.identity().reach_in_words().unwrap(),
        "sees USB devices come and go and MAY REACH THE NETWORK"
    );
}

#[test]
fn a_rehearsal_may_use_a_module_on_the_network_and_says_so() {
    let stage = Stage::with_tokens(&["alice", "bob", "carol", "dave", "erin"]);
    let mut genesis = stage.ceremony("genesis", example("genesis-458", None));
    genesis.flags = "network = true\nusb = true\n";
    let outcome = genesis.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let said = "sees USB devices come and go and MAY REACH THE NETWORK";
    assert!(outcome.out.contains(said), "{outcome:?}");
    let minutes = genesis.output().join("ceremony/minutes.md");
    let minutes = fs::read_to_string(minutes).unwrap();
    assert!(minutes.contains(&format!("The module softhsm {said}.")));
    let transcript = fs::read_to_string(genesis.output().join("transcript.jsonl")).unwrap();
    assert!(transcript.contains("\"reach\":[\"usb\",\"network\"]"));
}

#[test]
fn the_opening_page_says_what_a_module_may_reach() {
    let stage = Stage::with_tokens(&["alice", "bob", "carol", "dave", "erin"]);
    // The shim brings SoftHSM's configuration along: this process has none in its environment.
    let shim = Shim::plan().softhsm(&stage.path("softhsm2.conf"));
    let shim = shim.install(&stage.path(""));
    let mut genesis = stage.ceremony("genesis", example("genesis-458", None));
    genesis.modules = vec![shim.module().display().to_string()];
    genesis.flags = "network = true\n";
    let _ = genesis.command();
    let path = |name: &str| stage.path("genesis").join(name);
    let paths = Paths {
        script: path("script.toml"),
        room: path("room.toml"),
        input: path("in"),
        output: path("out"),
    };
    let session = Session::open(&paths, &keeper()).unwrap_or_else(|failure| {
        panic!("{:?}", failure.lines);
    });
    let line = "The module softhsm MAY REACH THE NETWORK.";
    assert!(session.today().iter().any(|said| said == line));
}

/// The processes that a process started, and those that they started.
fn descendants(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
    children
        .flat_map(|child| [vec![child], descendants(child)].concat())
        .collect()
}

#[test]
fn a_ceremony_and_its_helpers_are_confined_before_the_first_pin() {
    let stage = Stage::with_tokens(&["alice", "bob", "carol", "dave", "erin"]);
    let genesis = stage.ceremony("genesis", example("genesis-458", None));
    let mut command = genesis.command();
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut program = command.spawn().unwrap();
    let transcript = genesis.output().join("transcript.jsonl");
    // The first line is written after the modules were opened; the first PIN is asked for much later.
    wait_until("the ceremony begins", || {
        let text = fs::read_to_string(&transcript).unwrap_or_default();
        text.contains("\"event\":\"plan-fixed\"")
    });
    let helpers = descendants(program.id());
    assert_eq!(helpers.len(), 2, "keeper and worker");
    for pid in [vec![program.id()], helpers].concat() {
        for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let status = thread.unwrap().path().join("status");
            let status = fs::read_to_string(status).unwrap();
            for line in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
                assert!(status.contains(line), "{pid}: {status}");
            }
        }
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let cores = limits.lines().find(|line| line.starts_with("Max core"));
        let cores: Vec<_> = cores.unwrap().split_whitespace().collect();
        assert_eq!(cores[4..6], ["0", "0"]);
    }
    let mut stdin = program.stdin.take().unwrap();
    stdin.write_all(pin("nobody", PIN).as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(program.wait().unwrap().code(), Some(3));
}
