//! Reading a file next to an earlier version of it: entries that are the same bytes were proven with that version, so they are
//! compared and not read again, and they are held once. Every other byte passes the strict reader. A file of another form is
//! given up and read by itself; nothing here refuses one.

use std::io::Read;
use std::sync::Arc;

use sha2::Digest as _;

use super::put_together;
use crate::tuf::canonical::Form;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::text::{Entry, List, Splice, value_end};
use crate::tuf::json::{Limits, check, string};

/// How much is read at once: so little that the processor has it at hand when it is looked at.
const CHUNK: u64 = 256 << 10;
/// The longest that is looked at before the file is given up: the members before a list, or one entry.
const LONGEST: usize = 2 << 20;
/// So many entries of the base are tried for one of the file from where the base was left, and as many further on, which
/// moves with every entry that is new: so the end of a long gap is found too, and the work stays linear.
const TRIED: usize = 16;
/// What comes before the signed part.
const SIGNED: &[u8] = b"\"signed\":";

pub(super) fn read(
    source: &mut dyn Read,
    limits: Limits,
    base: &Splice,
    begun: &mut Vec<u8>,
) -> Option<Envelope> {
    let mut beside = Beside {
        window: Window {
            source,
            buffer: Vec::new(),
            at: 0,
            total: 0,
            most: limits.bytes,
            failed: false,
            hasher: None,
        },
        limits,
        own: Vec::new(),
        opens: Vec::new(),
        comma: false,
        splice: Splice {
            base: Arc::clone(&base.base),
            canonical: base.canonical,
            fresh: String::new(),
            keys: Vec::new(),
            roles: Vec::new(),
        },
    };
    let read = beside.file();
    if read.is_none() {
        *begun = beside.so_far();
    }
    read
}

/// A file that is being read.
struct Beside<'a> {
    window: Window<'a>,
    limits: Limits,
    /// What lies outside the lists.
    own: Vec<u8>,
    /// Behind the opening brackets of the lists in `own`.
    opens: Vec<usize>,
    /// Whether a comma was passed behind the last entry.
    comma: bool,
    splice: Splice,
}

/// What was read ahead.
struct Window<'a> {
    source: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    total: usize,
    /// So much is read and no more, whoever gives it.
    most: usize,
    /// Whether the medium failed; it will say so once more.
    failed: bool,
    /// Over what was passed of the signed part.
    hasher: Option<sha2::Sha256>,
}

impl Window<'_> {
    fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }
    fn more(&mut self) -> Option<()> {
        if self.total > self.most {
            return None;
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        match self.source.take(CHUNK).read_to_end(&mut self.buffer) {
            Ok(0) => None,
            Ok(came) => {
                self.total += came;
                Some(())
            }
            Err(_) => {
                self.failed = true;
                None
            }
        }
    }
    /// Goes on by so many bytes.
    fn pass(&mut self, length: usize) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.buffer[self.at..self.at + length]);
        }
        self.at += length;
    }
    fn peek(&mut self) -> Option<u8> {
        if self.rest().is_empty() {
            self.more()?;
        }
        self.rest().first().copied()
    }
}

impl Beside<'_> {
    fn file(&mut self) -> Option<Envelope> {
        self.up_to(b"\"delegations\":{\"keys\":{")?;
        // Where it seems to begin; seen to be so in the end.
        let signed = self
            .own
            .windows(SIGNED.len())
            .rposition(|found| found == SIGNED);
        let signed = signed? + SIGNED.len();
        self.window.hasher = Some(sha2::Sha256::new_with_prefix(&self.own[signed..]));
        self.list(true)?;
        self.up_to(b"\"roles\":[")?;
        self.list(false)?;
        while self.window.more().is_some() {
            if self.window.rest().len() > LONGEST {
                return None;
            }
        }
        if self.window.failed || self.window.total > self.window.most {
            return None;
        }
        let text = [&self.own[..], self.window.rest()].concat();
        let envelope = put_together(String::from_utf8(text).ok()?, self.splice.clone())?;
        let rest = envelope.signed.end.checked_sub(self.own.len());
        let rest = rest.and_then(|length| self.window.rest().get(..length));
        if envelope.canonical
            && envelope.signed.start == signed
            && let Some((mut hasher, rest)) = self.window.hasher.clone().zip(rest)
        {
            hasher.update(rest);
            let _ = envelope.known.sha256.set(Sha256(hasher.finalize().into()));
        }
        // The words that led to the lists may have stood elsewhere.
        let opens = envelope.text.opens().map(|open| open.map(|open| open + 1));
        (opens == [self.opens.first().copied(), self.opens.get(1).copied()]).then_some(envelope)
    }

    /// What was read, as it was.
    fn so_far(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut from = 0;
        for (open, keys) in self.opens.iter().zip([true, false]) {
            text.extend_from_slice(&self.own[from..*open]);
            self.splice
                .runs(keys)
                .for_each(|run| text.extend_from_slice(run));
            from = *open;
        }
        text.extend_from_slice(&self.own[from..]);
        if self.comma {
            text.push(b',');
        }
        text.extend_from_slice(self.window.rest());
        text
    }

    /// Takes everything up to `words` and them over.
    fn up_to(&mut self, words: &[u8]) -> Option<()> {
        loop {
            let rest = self.window.rest();
            let found = rest.windows(words.len()).position(|found| found == words);
            if let Some(found) = found {
                let end = found + words.len();
                self.own.extend_from_slice(&rest[..end]);
                self.window.pass(end);
                self.opens.push(self.own.len());
                return Some(());
            }
            if rest.len() > LONGEST {
                return None;
            }
            self.window.more()?;
        }
    }

    /// Reads the entries of one list up to its closing bracket.
    fn list(&mut self, keys: bool) -> Option<()> {
        let base = Arc::clone(&self.splice.base);
        let list = base.list(keys)?;
        let bytes = base.own().as_bytes();
        let close = if keys { b'}' } else { b']' };
        if self.window.peek()? == close {
            return Some(());
        }
        let mut next = 0;
        let mut fresh = 0;
        loop {
            let start = self.seek(list, bytes, next, fresh);
            let end = start.map(|start| self.run(list, bytes, start));
            match (start, end) {
                (Some(start), Some(end)) if end > start => {
                    if keys && !self.ascends(base.entry(true, start)?.as_str()?.as_ref()) {
                        return None;
                    }
                    self.entries(keys).extend((start..end).map(Entry::shared));
                    (next, fresh) = (end, 0);
                }
                _ => {
                    self.entry(keys)?;
                    fresh += 1;
                }
            }
            if !self.comma {
                match self.window.peek()? {
                    b',' => {
                        self.window.pass(1);
                        self.comma = true;
                    }
                    found if found == close => return Some(()),
                    _ => return None,
                }
            }
        }
    }

    fn entries(&mut self, keys: bool) -> &mut Vec<Entry> {
        if keys {
            &mut self.splice.keys
        } else {
            &mut self.splice.roles
        }
    }

    /// Which entry of the base lies here: the next one, or one of those behind it.
    fn seek(&mut self, list: &List, bytes: &[u8], next: usize, fresh: usize) -> Option<usize> {
        let further = next + (1 + fresh) * TRIED;
        let tried = (next..next + TRIED).chain(further..further + TRIED);
        let mut tried = tried.take_while(|index| *index < list.len());
        tried.find(|index| self.lies_here(&bytes[list.run(*index..index + 1)]))
    }

    /// Whether what comes next is `entry`.
    fn lies_here(&mut self, entry: &[u8]) -> bool {
        while self.window.rest().len() < entry.len() && entry.starts_with(self.window.rest()) {
            if self.window.more().is_none() {
                return false;
            }
        }
        self.window.rest().starts_with(entry)
    }

    /// Passes entries of the base from number `start` on as long as they are the same, and says which is the first that is not.
    fn run(&mut self, list: &List, bytes: &[u8], start: usize) -> usize {
        let mut index = start;
        let mut same = 0;
        loop {
            let wanted = &bytes[list.run(index..list.len())];
            let rest = &self.window.rest()[same..];
            let more = common(rest, &wanted[same..]);
            let exhausted = more == rest.len();
            same += more;
            if same == wanted.len() {
                self.window.pass(same);
                self.comma = false;
                return list.len();
            }
            // Whole entries are passed with the comma behind them.
            let reached = list.reached(index, same);
            if reached > index {
                let passed =
                    list.run(index..list.len()).len() - list.run(reached..list.len()).len();
                self.window.pass(passed);
                same -= passed;
                index = reached;
                self.comma = true;
            }
            if !exhausted || self.window.more().is_none() {
                return index;
            }
        }
    }

    /// Reads one entry that the base does not have here.
    fn entry(&mut self, keys: bool) -> Option<()> {
        let (name, end) = loop {
            let rest = self.window.rest();
            let name = if keys { value_end(rest, 0, None) } else { 0 };
            let end = value_end(rest, name + usize::from(keys), None);
            if end < rest.len() {
                break (name, end);
            }
            if rest.len() > LONGEST {
                return None;
            }
            self.window.more()?;
        };
        let entry = &self.window.rest()[..end];
        let limits = Limits {
            depth: self.limits.depth.checked_sub(4)?,
            ..self.limits
        };
        let mut canonical = true;
        let mut prove = |text: &[u8]| {
            let form = check(text, limits).ok().map(Form::of)?;
            canonical &= form.is_canonical();
            form.is_compact().then_some(())
        };
        if keys {
            prove(&entry[..name])?;
            prove(entry.get(name + 1..).filter(|_| entry[name] == b':')?)?;
            let inner = std::str::from_utf8(entry.get(1..name - 1)?).ok()?;
            if entry[0] != b'"' || !self.ascends(&string::unescape(inner)) {
                return None;
            }
        } else {
            prove(entry)?;
        }
        let text = std::str::from_utf8(&self.window.rest()[..end]).ok()?;
        let offset = self.splice.fresh.len();
        self.splice.fresh.push_str(text);
        self.splice.canonical &= canonical;
        self.entries(keys).push(Entry::fresh(offset));
        self.window.pass(end);
        self.comma = false;
        Some(())
    }

    /// Whether `name` comes behind the last key.
    fn ascends(&self, name: &str) -> bool {
        let last = self.splice.last_key();
        last.is_none_or(|last| last.as_str().is_some_and(|last| *last < *name))
    }
}

/// How long the beginning is that both have.
fn common(a: &[u8], b: &[u8]) -> usize {
    let length = a.len().min(b.len());
    let mut same = 0;
    // By large steps first: comparing slices is as fast as memory.
    for step in [4096, 64, 1] {
        while length - same >= step && a[same..same + step] == b[same..same + step] {
            same += step;
        }
    }
    same
}
