//! The program, stopped in the middle of a ceremony: the module hangs in a chosen call, and both processes are halted there.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::flow::{self, Flow, VICTIM};
use crate::support::shim::{Log, Logged, SOFTHSM, Shim};
use crate::support::stage::{PIN, Stage, pin};

/// A PIN of 8 characters that nothing else in memory is likely to look like, another each time.
pub(crate) fn random_pin() -> String {
    let mut bytes = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut source| std::io::Read::read_exact(&mut source, &mut bytes))
        .unwrap();
    let plain = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let marks = b"!#%+:=@^~";
    let symbols = bytes.iter().enumerate().map(|(index, byte)| {
        let from: &[u8] = if index % 2 == 0 { plain } else { marks };
        char::from(from[usize::from(*byte) % from.len()])
    });
    symbols.collect()
}

/// The stage of a renewal, the victim's token with this PIN.
pub(crate) fn stage(canary: &str) -> Stage {
    let stage = flow::copy(&Flow::Sign.template().stage);
    let mut change = stage.command("pkcs11-tool");
    change.args(["--module", SOFTHSM, "--token-label", VICTIM]);
    change.args(["--login", "--pin", PIN, "--change-pin", "--new-pin", canary]);
    let changed = change.output();
    let changed = changed.expect("pkcs11-tool starts (Debian: apt-get install opensc)");
    assert!(changed.status.success(), "{changed:?}");
    stage
}

/// The PINs of the renewal, the victim's last.
pub(crate) fn pins(victim: &str) -> String {
    pin("bob", PIN) + &pin("carol", PIN) + &pin(VICTIM, victim)
}

/// Two halted processes.
pub(crate) struct Stopped {
    pub(crate) program: Child,
    pub(crate) worker: u32,
    keeper: u32,
    pub(crate) log: Log,
    _stage: Stage,
}

impl Stopped {
    /// The renewal with these faults, the last of which is a hang.
    /// The victim's token has the PIN `canary`, and `typed` is typed.
    pub(crate) fn at(faults: &[String], canary: &str, typed: &str) -> Self {
        let stage = stage(canary);
        let shim = shim(&stage, faults);
        let ceremony = Flow::Sign.ceremony(&stage).pins(&pins(typed));
        let prepared = ceremony.command();
        let mut command = Command::new(flow::program());
        command.args(prepared.get_args());
        let program = command
            .stdin(File::open(stage.path("renew/pins")).unwrap())
            .stdout(Stdio::null())
            .stderr(File::create(stage.path("err")).unwrap())
            .spawn()
            .unwrap();
        let mut stopped = Self {
            program,
            worker: 0,
            keeper: 0,
            log: Log::default(),
            _stage: stage,
        };
        let began = Instant::now();
        loop {
            let log = shim.log();
            if let Some(hung) = log.0.iter().find(|call| is_hung(call)) {
                stopped.worker = hung.process;
                stopped.log = log;
                break;
            }
            let ended = stopped.program.try_wait().unwrap();
            assert_eq!(ended, None, "{faults:?}: it came to its end");
            assert!(began.elapsed() < Duration::from_mins(1), "{faults:?}");
            thread::sleep(Duration::from_millis(5));
        }
        // No time limit runs out while it is looked at, nor does the process that ends late workers.
        stopped.keeper = parent_of(stopped.worker);
        signal(stopped.keeper, Signal::STOP);
        signal(stopped.program.id(), Signal::STOP);
        signal(stopped.worker, Signal::STOP);
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        signal(self.keeper, Signal::KILL);
        signal(self.worker, Signal::KILL);
    }
}

/// The process that started this one.
fn parent_of(process: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent.unwrap().trim().parse().unwrap()
}

/// Installs the victim's module with these faults.
pub(crate) fn shim(stage: &Stage, faults: &[String]) -> Shim {
    let plan = faults
        .iter()
        .fold(flow::plan(stage), |plan, fault| plan.order(fault));
    flow::install(stage, &plan)
}

fn is_hung(call: &Logged) -> bool {
    call.returned.is_none() && call.faults.iter().any(|fault| fault == "hang")
}

fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let Some(process) = process {
        let _ = kill_process(process, signal);
    }
}

/// The calls of the renewal when its module has these faults and answers otherwise, to its end.
pub(crate) fn calls(faults: &[String], typed: Option<&str>) -> Log {
    let canary = random_pin();
    let stage = stage(&canary);
    let typed = typed.unwrap_or(&canary);
    let shim = shim(&stage, faults);
    let ceremony = Flow::Sign.ceremony(&stage).pins(&pins(typed));
    let _ = ceremony.run();
    assert!(fs::metadata(shim.module()).is_ok());
    shim.log()
}

/// The order that hangs in the first call after the last one of `function`.
pub(crate) fn hang_after(log: &Log, function: &str) -> String {
    let last = log.0.iter().rposition(|call| call.function == function);
    let next = &log.0[last.expect("the call is made") + 1];
    format!("{} {} hang", next.function, next.number)
}
