//! What of a process others could get: its memory as a core would have it, and what /proc tells. Locked pages that a core leaves out are kept apart.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use rustix::process::{Pid, Signal, kill_process};

/// Pages are read one by one, so that those of zeros, most of them, need not be kept.
const PAGE: usize = 4096;

/// Everything of one process at one time.
pub(crate) struct Dump {
    /// A token's module is in it: what that keeps is not ours.
    pub(crate) has_module: bool,
    /// Ordinary memory, in pieces that lie together.
    pub(crate) memory: Vec<Vec<u8>>,
    /// The pages of [`tuf_ceremony::secret::Secret`], each up to its last byte that is not zero.
    pub(crate) locked: Vec<Vec<u8>>,
    /// Command line, environment, status and maps.
    pub(crate) told: Vec<u8>,
}

impl Dump {
    pub(crate) fn of(process: u32) -> Self {
        let read = |name: &str| fs::read(format!("/proc/{process}/{name}")).unwrap();
        let maps = String::from_utf8(read("maps")).unwrap();
        let mut dump = Self {
            has_module: maps.contains("libsofthsm2"),
            memory: Vec::new(),
            locked: Vec::new(),
            told: ["cmdline", "environ", "status", "maps"].map(read).concat(),
        };
        let mut source = File::open(format!("/proc/{process}/mem"))
            .expect("root alone reads a process that is closed to others");
        for range in ranges(&String::from_utf8(read("smaps")).unwrap()) {
            if range.is_left_out {
                for start in (range.start..range.end).step_by(PAGE) {
                    let page = page(&mut source, start).unwrap_or_default();
                    let end = page.iter().rposition(|byte| *byte != 0);
                    dump.locked.extend(end.map(|end| page[..=end].to_vec()));
                }
            } else {
                dump.memory.extend(pieces(&mut source, &range));
            }
        }
        dump
    }
}

/// A mapping that the process may read and that is not a file's alone.
struct Range {
    start: u64,
    end: u64,
    is_left_out: bool,
}

fn ranges(smaps: &str) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut wanted = false;
    for line in smaps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let ends = words[0].split_once('-');
        if let Some((start, end)) = ends.and_then(|(start, end)| Some((hex(start)?, hex(end)?))) {
            // What is a file's and cannot be written is on the disk anyway; the rest of a file's mapping is data of a program.
            let (rights, inode) = (words[1], words[4]);
            wanted = rights.starts_with("rw") || rights.starts_with('r') && inode == "0";
            wanted &= !line.contains("[v");
            if wanted {
                ranges.push(Range {
                    start,
                    end,
                    is_left_out: false,
                });
            }
        } else if words[0] == "VmFlags:" && wanted {
            // Memory that is locked alone, as modules do, would be in a core.
            ranges.last_mut().unwrap().is_left_out = words.contains(&"dd");
        }
    }
    ranges
}

fn page(source: &mut File, start: u64) -> Option<Vec<u8>> {
    let mut page = vec![0; PAGE];
    source.seek(SeekFrom::Start(start)).ok()?;
    // The guard page of a stack cannot be read.
    source.read_exact(&mut page).ok()?;
    Some(page)
}

/// The pages that hold anything, neighbours together.
fn pieces(source: &mut File, range: &Range) -> Vec<Vec<u8>> {
    let nothing = [0; PAGE];
    let mut pieces = vec![Vec::new()];
    for start in (range.start..range.end).step_by(PAGE) {
        match page(source, start) {
            Some(page) if page != nothing => pieces.last_mut().unwrap().extend(page),
            _ if pieces.last().unwrap().is_empty() => {}
            _ => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Holds a program, its helpers and their modules still, and dumps each.
pub(crate) fn of_all(program: u32) -> Vec<Dump> {
    let all = with_children(program);
    for process in &all {
        signal(*process, Signal::STOP);
    }
    let dumps = all.iter().map(|process| Dump::of(*process)).collect();
    for process in &all {
        signal(*process, Signal::CONT);
    }
    dumps
}

/// A process and all below it.
pub(crate) fn with_children(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace();
        all.extend(children.flat_map(|child| with_children(child.parse().unwrap())));
    }
    all
}

fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    kill_process(process.unwrap(), signal).unwrap();
}
