//! `targets.ledger`: every target file of a snapshot, one line each, sorted, under one Merkle root (docs/formats.md).
//!
//! A line is `<path> <sha256> <length> <role>`. In path and role every byte that is not printable ASCII, and `%` and `#`, is written `%XX`: so
//! nothing in a line can be read in two ways, and plain tools do (`LC_ALL=C sort -c`, `diff`). The first line is `# ` and the schema, the last
//! `# <number of lines> <root>`. The root is that of RFC 6962 over the lines between, each without its newline.

use data_encoding::HEXUPPER;

use super::merkle::Tree;
use crate::pypi::fault::Fault;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};

/// The file's name in a bundle.
pub const NAME: &str = "targets.ledger";

/// What the first line says behind `# `.
pub const SCHEMA: &str = "tuf-ceremony/targets-ledger/1";

const FORM: &str = "LEDGER-FORM";

/// Writes a ledger line by line.
#[derive(Clone, Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    last: String,
    tree: Tree,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            bytes: format!("# {SCHEMA}\n").into_bytes(),
            last: String::new(),
            tree: Tree::default(),
        }
    }
}

impl Writer {
    /// Adds a target. They come in the order of their lines ([`sort_key`]).
    ///
    /// # Errors
    /// `LEDGER-ORDER`.
    pub fn push(
        &mut self,
        path: &str,
        sha256: &Sha256,
        length: u64,
        role: &str,
    ) -> Result<(), Fault> {
        let line = format!("{} {sha256} {length} {}", encoded(path), encoded(role));
        follows(&self.last, &line)?;
        self.tree.push(line.as_bytes());
        self.bytes.extend(line.as_bytes());
        self.bytes.push(b'\n');
        self.last = line;
        Ok(())
    }
    /// What was written since the last time this was asked: a ledger of any length goes to disk in pieces.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
    /// The rest with the last line, and the root.
    pub fn finish(mut self) -> (Vec<u8>, Sha256) {
        let root = self.tree.root();
        let end = format!("# {} {root}\n", self.tree.leaves());
        self.bytes.extend(end.into_bytes());
        (self.bytes, root)
    }
}

/// What targets are sorted by before they are written: the path as its line begins.
pub fn sort_key(path: &str) -> String {
    encoded(path)
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its path.
    pub path: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Its length.
    pub length: u64,
    /// The role that lists it.
    pub role: String,
}

/// Reads a ledger, gives every line to `each`, and returns the root once the last line agrees. What `each` was given is worth nothing before that.
///
/// # Errors
/// `LEDGER-FORM`, `LEDGER-ORDER`, `LEDGER-ROOT`.
pub fn read(file: &str, bytes: &[u8], each: &mut dyn FnMut(Target)) -> Result<Sha256, Finding> {
    let mut number = 0;
    lines(bytes, &mut number, each).map_err(|fault| {
        let place = format!("line {number}");
        fault.at(&place).finding(file)
    })
}

fn lines(bytes: &[u8], number: &mut usize, each: &mut dyn FnMut(Target)) -> Result<Sha256, Fault> {
    let mut tree = Tree::default();
    let mut last = "";
    let mut rest = bytes;
    loop {
        *number += 1;
        let line = next_line(&mut rest)?;
        if *number == 1 {
            if line.strip_prefix("# ") != Some(SCHEMA) {
                let text = format!("is {}; this program reads # {SCHEMA}", shown(line));
                return Err(Fault::new(FORM, text));
            }
        } else if let Some(end) = line.strip_prefix("# ") {
            if !rest.is_empty() {
                return Err(Fault::new(FORM, "something stands behind the last line"));
            }
            return judge(end, &tree);
        } else {
            let target = target(line)
                .ok_or_else(|| Fault::new(FORM, "is not <path> <sha256> <length> <role>"))?;
            follows(last, line)?;
            tree.push(line.as_bytes());
            last = line;
            each(target);
        }
    }
}

fn next_line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Fault> {
    let cut_off = || Fault::new(FORM, "is missing or has no newline: the file was cut off");
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, behind) = rest.split_at(end.ok_or_else(cut_off)?);
    *rest = &behind[1..];
    std::str::from_utf8(line).map_err(|_| Fault::new(FORM, "is not UTF-8"))
}

fn judge(end: &str, tree: &Tree) -> Result<Sha256, Fault> {
    let root = tree.root();
    let right = format!("{} {root}", tree.leaves());
    if end == right {
        return Ok(root);
    }
    let text = format!(
        "says {} for number and root of the lines; they are {right}: the file was changed",
        shown(end)
    );
    Err(Fault::new("LEDGER-ROOT", text))
}

fn target(line: &str) -> Option<Target> {
    let mut parts = line.split(' ');
    let mut part = || parts.next();
    let (path, sha256, length, role) = (part()?, part()?, part()?, part()?);
    let number: u64 = length.parse().ok()?;
    let target = Target {
        path: decoded(path)?,
        sha256: sha256.parse().ok()?,
        length: number,
        role: decoded(role)?,
    };
    // A length has one writing too.
    (part().is_none() && number.to_string() == length).then_some(target)
}

/// Lines come in strictly ascending order of their bytes.
fn follows(last: &str, line: &str) -> Result<(), Fault> {
    if last < line {
        return Ok(());
    }
    let text = format!(
        "{} stands behind {}; lines are sorted, each once",
        shown(line),
        shown(last)
    );
    Err(Fault::new("LEDGER-ORDER", text))
}

/// What stands for itself: printable ASCII but the blank, which ends a part, `%`, which escapes, and `#`, which begins the first and the last line.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"%#".contains(&byte)
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&HEXUPPER.encode(&[byte]));
        }
    }
    encoded
}

/// None where the text is not what [`encoded`] writes.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte == b'%' {
            let (digits, behind) = rest.split_at_checked(2)?;
            bytes.extend(HEXUPPER.decode(digits).ok()?);
            rest = behind;
        } else {
            bytes.push(*byte);
        }
    }
    let decoded = String::from_utf8(bytes).ok()?;
    (!decoded.is_empty() && encoded(&decoded) == text).then_some(decoded)
}

#[cfg(test)]
mod tests;
