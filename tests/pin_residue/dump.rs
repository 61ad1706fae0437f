//! A core dump of a living process, as root's debugger takes it, and what of a secret is in it.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Command;

/// Bytes of a piece that would already help.
const PIECE: usize = 4;
/// A text of 8, 16 or 32 bits a character, and records of up to so many bytes with one character each.
const WIDEST: usize = 32;

/// What `gcore` writes of a process: its memory, but for pages that are marked to be left out and files that lie on the disk anyway.
pub(crate) fn core_of(process: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let ran = Command::new("gcore")
        .arg("-o")
        .arg(folder.path().join("core"))
        .arg(process.to_string())
        .output();
    let ran = ran.expect("gcore starts (Debian: apt-get install gdb)");
    let core = fs::read(folder.path().join(format!("core.{process}")));
    core.unwrap_or_else(|error| {
        panic!(
            "{error}: root alone can dump a process that is closed to others: {}",
            String::from_utf8_lossy(&ran.stderr)
        )
    })
}

/// All memory that the process itself may read, whatever a dump leaves out.
pub(crate) fn memory_of(process: u32) -> Vec<u8> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut source = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut memory = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let is_file = words.nth(2).is_some_and(|inode| inode != "0");
        if !rights.starts_with('r') || is_file || line.contains("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut room = vec![0; usize::try_from(end - start).unwrap()];
        source.seek(SeekFrom::Start(start)).unwrap();
        // The guard page of a stack cannot be read.
        if source.read_exact(&mut room).is_ok() {
            memory.extend(room);
        }
    }
    memory
}

/// Four bytes of a secret that follow each other, found with the same distance between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    /// Its place in the secret.
    pub(crate) index: usize,
    /// From one byte to the next.
    pub(crate) distance: usize,
    /// Where its first byte is in the memory.
    pub(crate) place: usize,
}

/// The pieces of `secret` in `memory`, each as often as it is there.
pub(crate) fn pieces(memory: &[u8], secret: &[u8]) -> Vec<Piece> {
    let mut first = [false; 256];
    for byte in &secret[..=secret.len() - PIECE] {
        first[usize::from(*byte)] = true;
    }
    let mut found = Vec::new();
    let nothing = [0; 4096];
    for (number, page) in memory.chunks(nothing.len()).enumerate() {
        if page == &nothing[..page.len()] {
            continue;
        }
        for (index, byte) in page.iter().enumerate() {
            if !first[usize::from(*byte)] {
                continue;
            }
            let place = number * nothing.len() + index;
            found
                .extend((1..=WIDEST).filter_map(|distance| piece(memory, place, distance, secret)));
        }
    }
    found
}

/// How often all of `secret` is in `memory`, byte by byte.
pub(crate) fn copies(memory: &[u8], secret: &[u8]) -> usize {
    let first = secret[0];
    let starts = memory
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == first);
    starts
        .filter(|(place, _)| memory[*place..].starts_with(secret))
        .count()
}

fn piece(memory: &[u8], place: usize, distance: usize, secret: &[u8]) -> Option<Piece> {
    let at = |index: usize| memory.get(place + index * distance).copied();
    let here = [memory[place], at(1)?, at(2)?, at(3)?];
    let index = secret.windows(PIECE).position(|window| window == here)?;
    Some(Piece {
        index,
        distance,
        place,
    })
}

#[test]
fn pieces_are_found_at_every_distance() {
    let secret = b"k8#Wq2";
    for distance in 1..=WIDEST {
        let mut memory = vec![7; 9000];
        for (index, byte) in secret[1..5].iter().enumerate() {
            memory[4090 + index * distance] = *byte;
        }
        let one = Piece {
            index: 1,
            distance,
            place: 4090,
        };
        assert_eq!(pieces(&memory, secret), [one]);
        memory[4090 + 3 * distance] ^= 1;
        assert_eq!(pieces(&memory, secret), []);
    }
    assert_eq!(copies(b"k8#Wq2-k8#Wqk8#Wq2", secret), 2);
    let start = Piece {
        index: 0,
        distance: 1,
        place: 0,
    };
    assert_eq!(pieces(b"k8#W", secret), [start]);
    assert_eq!(pieces(&[0; 5000], secret), []);
}
