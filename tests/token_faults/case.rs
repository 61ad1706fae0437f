//! One case: tokens of its own, a module with one fault, the program once with it and once without.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::flow::{self, Flow, VICTIM};
use crate::support::ceremony::Ceremony;
use crate::support::shim::Shim;
use crate::support::stage::{Outcome, PROGRAM, Stage, outcome};

/// Longer than any time limit of the program's own for a call that is answered at once.
const LIMIT: &str = "120";

/// What goes wrong, as `C_Sign 1 CKR_DEVICE_REMOVED`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) function: String,
    pub(crate) number: u64,
    pub(crate) what: String,
}

/// A flow with a fault, on tokens of its own: `SoftHSM` does not always survive what is done to it.
pub(crate) struct Case {
    pub(crate) flow: Flow,
    pub(crate) stage: Stage,
    pub(crate) shim: Shim,
}

impl Case {
    pub(crate) fn new(flow: Flow, fault: &Fault) -> Self {
        let stage = flow::copy(&flow.template().stage);
        let calls = fault.number.to_string();
        let plan = flow::plan(&stage).fault(&fault.function, &calls, &fault.what);
        let shim = flow::install(&stage, &plan);
        Self { flow, stage, shim }
    }

    /// How many objects the victim's token has.
    pub(crate) fn objects(&self) -> usize {
        let tokens = fs::read_dir(self.stage.path("tokens")).unwrap();
        let files = tokens.flat_map(|token| fs::read_dir(token.unwrap().path()).unwrap());
        let names = files.map(|file| file.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|kind| kind == "object"))
            .count()
    }

    pub(crate) fn ceremony(&self) -> Ceremony<'_> {
        self.flow.ceremony(&self.stage)
    }

    /// The program with the fault; what only an interrupted run asks is not answered.
    pub(crate) fn with_fault(&self) -> Outcome {
        run(&self.stage, &self.ceremony())
    }

    /// The same command when the module works again; people decide to go on.
    pub(crate) fn without(&self) -> Outcome {
        self.shim.replan(&flow::plan(&self.stage));
        let mut ceremony = self.ceremony();
        for (prompt, answer) in [
            ("intent:root-1", "ask the token again"),
            ("intent:root-2", "ask the token again"),
            ("adopt:root-key", "use"),
            // A reset that was cut short: the token has no PIN, and an SO PIN.
            ("so-pin", "set"),
        ] {
            ceremony = ceremony.answer(&format!("{prompt}:{VICTIM}"), answer);
        }
        run(&self.stage, &ceremony)
    }
}

/// The program with a limit: one that hangs is a failure with a name, not a test that never ends.
pub(crate) fn run(stage: &Stage, ceremony: &Ceremony<'_>) -> Outcome {
    let command = ceremony.command();
    let mut limited = Command::new("timeout");
    limited.args(["--signal=KILL", LIMIT]);
    assert_eq!(command.get_program(), PROGRAM);
    limited.arg(flow::program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap());
    }
    let pins = File::open(stage.path(&ceremony.name).join("pins")).unwrap();
    outcome(limited.stdin(Stdio::from(pins)).output().unwrap())
}

/// Does `work` for each of so many, as many at a time as there are processors; results in order.
pub(crate) fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let (next, work) = (&next, &work);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < count);
                    std::iter::from_fn(take)
                        .map(|index| (index, work(index)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap());
        done.flatten().collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
