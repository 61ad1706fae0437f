//! A panic in the middle of a ceremony. Nothing that is typed or plugged in makes the program panic, so the panic is put where people are asked: in
//! a process that runs the program's own session over the program's own workers, and stays when the panic has unwound it.

use std::fs::{self, File};
use std::io::stdout;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::port::{Operator, Stop};
use tuf_ceremony::ceremony::prompt::{EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use tuf_ceremony::cli::operator::{Headless, Printer, Shared};
use tuf_ceremony::room::answers::Answers;
use tuf_ceremony::room::pins::PinLines;
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::worker::Keeper;

use crate::flow::{self, Flow};
use crate::points::{found, residue};
use crate::scene;

const FOLDER: &str = "TUF_CEREMONY_TEST_FOLDER";
const POINT: &str = "TUF_CEREMONY_TEST_POINT";

/// Where the panic is: when the PIN was read and is not used yet, and at the question after the signature, with the login open.
const POINTS: [&str; 2] = ["pin", "token:sign:root-2:bob"];

/// People over whom the program falls.
struct Panics<'a> {
    people: Headless<'a>,
    point: String,
}

impl Operator for Panics<'_> {
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        assert_ne!(prompt.id, self.point, "the panic of the test");
        self.people.ask(prompt)
    }

    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        let pin = self.people.pin(prompt);
        assert_ne!(self.point, "pin", "the panic of the test");
        pin
    }

    fn envelope(&mut self, prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop> {
        self.people.envelope(prompt, fresh)
    }

    fn share(&mut self, prompt: &SharePrompt, shown: Option<Secret>) -> Result<Secret, Stop> {
        self.people.share(prompt, shown)
    }
}

#[test]
fn after_a_panic_nothing_of_the_pin_is_in_a_dump() {
    for point in POINTS {
        let residue = residue(|| {
            let pin = scene::random_pin();
            [panicked(point, &pin), Vec::new()]
        });
        println!("SoftHSM, after a panic at {point}: {residue:?}");
        assert_eq!(residue, [[], []], "{point}");
    }
}

/// What is found of the PIN in a process that panicked at this point and lives on.
fn panicked(point: &str, pin: &str) -> Vec<crate::dump::Piece> {
    let stage = scene::stage(pin);
    let shim = scene::shim(&stage, &[]);
    Flow::Sign
        .ceremony(&stage)
        .pins(&scene::pins(pin))
        .command();
    let panicked = Panicked::at(point, &stage.path("renew"), Vec::new());
    let found = found(panicked.process(), pin);
    assert!(!panicked.said().contains(pin), "{}", panicked.said());
    let (logins, signatures) = if point == "pin" { (0, 0) } else { (1, 1) };
    assert_eq!(
        (shim.log().logins("user"), shim.log().signatures()),
        (logins, signatures)
    );
    found
}

/// A process that panicked in a ceremony, and lives on.
pub(crate) struct Panicked {
    process: Child,
    err: PathBuf,
}

impl Panicked {
    /// At this point of the ceremony in this folder, where the PIN lines are, too.
    pub(crate) fn at(point: &str, folder: &Path, variables: Vec<(&str, String)>) -> Self {
        flow::program();
        let err = folder.join("panicked");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["panicking::process_that_panics", "--exact", "--ignored"])
            .args(["--nocapture", "--test-threads=1"])
            .envs(variables)
            .env(FOLDER, folder)
            .env(POINT, point)
            .stdin(File::open(folder.join("pins")).unwrap())
            .stdout(Stdio::null())
            .stderr(File::create(&err).unwrap());
        let process = command.spawn().unwrap();
        let mut panicked = Self { process, err };
        let began = Instant::now();
        while !folder.join("unwound").exists() {
            let ended = panicked.process.try_wait().unwrap();
            assert_eq!(ended, None, "{}", panicked.said());
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "{}",
                panicked.said()
            );
            thread::sleep(Duration::from_millis(10));
        }
        let said = panicked.said();
        assert!(said.contains("the panic of the test"), "{said}");
        panicked
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }
}

impl Drop for Panicked {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "a process of the test above"]
fn process_that_panics() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let point = std::env::var(POINT).unwrap();
    // Everything of the ceremony is inside, so that all of it is unwound.
    let unwound = catch_unwind(AssertUnwindSafe(|| ceremony(&folder, point)));
    assert!(unwound.is_err(), "it came to its end");
    fs::write(folder.join("unwound"), "").unwrap();
    loop {
        thread::park();
    }
}

fn ceremony(folder: &Path, point: String) {
    let keeper = Keeper::start(flow::program()).unwrap();
    let paths = Paths {
        script: folder.join("script.toml"),
        room: folder.join("room.toml"),
        input: folder.join("in"),
        output: folder.join("out"),
    };
    let session = Session::open(&paths, &keeper).unwrap();
    let answers = Answers::read(&folder.join("answers.toml")).unwrap();
    let pins = Some(
        PinLines::from_descriptor(0)
            .map_err(|stop| stop.to_string())
            .unwrap(),
    );
    let mut printed = stdout();
    let out = Shared::new(&mut printed);
    let mut people = Panics {
        people: Headless {
            answers,
            pins,
            out: &out,
            stop: std::sync::Arc::default(),
        },
        point,
    };
    let ended = session.run(&mut people, &mut Printer::new(&mut &out));
    drop(ended);
}
