//! A rehearsal without a screen, from the first root to a signature with the key that came back. It is held still wherever it wants to tell of a step: what it
//! writes to does not take the line before the test does. Nobody tells its secrets: they are what stands in its locked pages.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::dump;
use crate::scan::Needles;
use crate::secrets::{OPENS, SHARE, WORDS};
use crate::support::stage::PROGRAM;
use crate::watch::{Watch, in_files};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a line has in it before which is looked, as often as it comes, and what stands in locked pages then. When it is told, it has happened and is on
/// record. The words are the custodians', whom the rehearsal plays: it has their sheets as long as it runs.
const LINES: [(&str, &[&str]); 12] = [
    ("Review targets v1", &[NUMBER, WORDS]),
    ("ephemeral keys destroyed", &[NUMBER, WORDS]),
    ("away as a blob", &[NUMBER]),
    ("sealed everything.age", &[NUMBER, SHARE]),
    ("share 1 of ada was read", &[NUMBER, SHARE, WORDS]),
    ("share 5 of eli was read", &[NUMBER, SHARE, WORDS]),
    ("out of its blob", &[NUMBER, SHARE, WORDS]),
    ("opened the backup", &[NUMBER, PEM, SHARE, WORDS]),
    ("everything.age is the backup", &[WORDS]),
    ("is alive", &[NUMBER, PEM, SHARE, WORDS]),
    ("restored to token", &[NUMBER, PEM, SHARE, WORDS]),
    ("closed", &[WORDS]),
];

/// A number that signs or opens.
const NUMBER: &str = "a number";
/// The servers' key as it lies in the backup.
const PEM: &str = "a private key's PEM";

/// Where the program writes its lines: the queue is full of lines, and each that is taken out lets one in.
struct Gate {
    taken: UnixDatagram,
    given: UnixDatagram,
}

impl Gate {
    fn new(folder: &Path) -> Self {
        let path = folder.join("lines");
        let taken = UnixDatagram::bind(&path).unwrap();
        let given = UnixDatagram::unbound().unwrap();
        given.connect(path).unwrap();
        given.set_nonblocking(true).unwrap();
        while given.send(b"").is_ok() {}
        given.set_nonblocking(false).unwrap();
        Self { taken, given }
    }

    fn is_full(&self) -> bool {
        let mut given = [PollFd::new(&self.given, PollFlags::OUT)];
        poll(&mut given, Some(&Timespec::default())).unwrap() == 0
    }

    /// Takes one line out.
    fn take(&self) -> Vec<u8> {
        let mut line = vec![0; 1 << 16];
        let length = self.taken.recv(&mut line).unwrap();
        line.truncate(length);
        line
    }
}

/// The line that one of these processes waits to write.
fn waiting(program: u32) -> Option<String> {
    let write = if cfg!(target_arch = "x86_64") {
        "1 0x1 "
    } else {
        "64 0x1 "
    };
    dump::with_children(program)
        .into_iter()
        .find_map(|process| {
            let call = fs::read_to_string(format!("/proc/{process}/syscall")).ok()?;
            let mut rest = call.strip_prefix(write)?.split(' ');
            let mut number = || u64::from_str_radix(rest.next()?.strip_prefix("0x")?, 16).ok();
            let (start, length) = (number()?, number()?);
            let mut line = vec![0; usize::try_from(length).unwrap()];
            let mut memory = File::open(format!("/proc/{process}/mem")).unwrap();
            memory.seek(SeekFrom::Start(start)).unwrap();
            memory.read_exact(&mut line).unwrap();
            Some(String::from_utf8(line).unwrap())
        })
}

/// Waits for the next line that is to be written; None: the program has ended.
fn next(child: &mut Child, gate: &Gate) -> Option<String> {
    let began = Instant::now();
    loop {
        if gate.is_full()
            && let Some(line) = waiting(child.id())
        {
            return Some(line);
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(began.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(1));
    }
}

/// What the pages hold that are locked.
fn learnt(watch: &Watch) -> Needles {
    let mut needles = Needles::default();
    for page in watch.all_locked() {
        match page {
            // The PIN of a rehearsal, which is in the program too.
            b"654321" => {}
            _ if page.starts_with(b"-----BEGIN") => {
                let pem = str::from_utf8(page).unwrap();
                needles.pem(PEM, pem);
            }
            _ if page.len() > 300 => {
                let sheet = str::from_utf8(page).unwrap();
                needles.sheet(sheet.lines());
            }
            _ if (38..=42).contains(&page.len()) => needles.share(page),
            _ if (28..=32).contains(&page.len()) => needles.number(NUMBER, page),
            _ => panic!("a locked page of {} bytes", page.len()),
        }
    }
    needles
}

#[test]
fn without_a_screen_nothing_is_found_wherever_something_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    let gate = Gate::new(folder.path());
    let mut child = Command::new(PROGRAM)
        .args(["rehearse", "restore", "--headless", "--require-softhsm"])
        .env("TMPDIR", &work)
        .stdin(Stdio::null())
        .stdout(OwnedFd::from(gate.given.try_clone().unwrap()))
        .stderr(File::create(work.join("err")).unwrap())
        .spawn()
        .unwrap();
    let mut watch = Watch::default();
    let mut told = Vec::new();
    while let Some(line) = next(&mut child, &gate) {
        if let Some((step, _)) = LINES.into_iter().find(|(step, _)| line.contains(step)) {
            watch.look(step, child.id());
        }
        told.extend(line.bytes());
        gate.take();
    }
    assert!(
        child.wait().unwrap().success(),
        "{}",
        String::from_utf8_lossy(&told)
    );
    let mut needles = learnt(&watch);
    watch.holds(&LINES, &needles);
    watch.finds_nothing(&needles);
    assert!(needles.found_in(&told).is_empty());
    let mut folders = work.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let rehearsal = folders.find(|path| path.is_dir()).unwrap();
    // The rehearsal plays the infrastructure's people too.
    let identity = rehearsal.join("media/infrastructure-identity.txt");
    needles.identity(OPENS, &fs::read_to_string(&identity).unwrap());
    let meant = BTreeSet::from([(identity, OPENS.to_owned())]);
    assert_eq!(in_files(&work, &needles), meant);
}
