//! A share as words for paper: six lines of eight PGP words. The last word of a line is its check, so that the line with a mistake is known while it is
//! typed; the check at the end of the share then tells which word of the line it is, and what should stand there.
//!
//! Nothing is put right in silence. A mistake is told by its place; the word that should stand there is a [`Hint`]. A word that nobody can read any more
//! is typed as `?`: one in a line follows from the line's check, and the check at the end says whether it is the one.

use super::share::{LENGTH, Share};
use super::{Fault, Hint};
use crate::secret::{Secret, SecretError};
use crate::tuf::finding::Finding;
use crate::words;

/// Lines of a share.
pub const LINES: usize = LENGTH / DATA;
/// Words of a line.
pub const WORDS: usize = DATA + 1;
/// Words of a line before its check.
const DATA: usize = 7;
/// What is typed for a word that cannot be read.
const UNREAD: &[u8] = b"?";
/// Three lines, each wrong in an unknown place: of so many ways to put them right a false one passes the check at the end once in eight million times.
const MOST_WAYS: usize = WORDS.pow(3);

/// The share's words: a blank between two, a newline after each line.
///
/// # Errors
/// No memory for secrets.
pub fn written(share: &Share) -> Result<Secret, SecretError> {
    let mut text = Secret::new()?;
    share.bytes().expose(|bytes| {
        for (number, data) in (1..).zip(bytes.chunks(DATA)) {
            let check = sum(number, data.iter().copied().chain([0]));
            for (place, byte) in data.iter().chain(&[check]).enumerate() {
                push(&mut text, words::word(place, *byte))?;
                text.push(if place == DATA { b'\n' } else { b' ' })?;
            }
        }
        Ok(text)
    })
}

/// Reads all six lines; `from` says whose share it is.
///
/// # Errors
/// `SHARE-WORDS` as [`Fault::Mistyped`], and what [`Share::read`] says.
pub fn read(from: &str, typed: &Secret) -> Result<Share, Fault> {
    let count = typed.expose(|typed| not_blank(typed).count());
    if count != LINES {
        let text = format!(
            "a share has {LINES} lines, and {count} were typed. Type each line of the paper as one line"
        );
        let finding = Finding::error("SHARE-WORDS", from, text);
        return Err(Fault::Mistyped(finding, None));
    }
    let lines: Vec<Line> = typed.expose(|typed| {
        let lines = (1..).zip(not_blank(typed));
        let lines = lines.map(|(number, line)| Line::parse(number, line));
        lines.collect::<Result<_, _>>()
    })?;
    let worn: Vec<_> = lines.iter().map(Line::worn).collect();
    if lines
        .iter()
        .all(|line| line.is_right() || line.worn().is_some())
    {
        let share = Share::read(from, assembled(&lines, &worn)?);
        // What is wrong beside a word that cannot be read is told below.
        if share.is_ok() || lines.iter().all(Line::is_right) {
            return Ok(share?);
        }
    }
    let mut fitting = Vec::new();
    for repair in ways(&lines) {
        if Share::read(from, assembled(&lines, &repair)?).is_ok() {
            fitting.push(repair);
        }
    }
    // What the check at the end does not confirm is no hint.
    let repair: &[_] = match &fitting[..] {
        [repair] => repair,
        _ => &[None; LINES],
    };
    Err(mistyped(from, &lines, repair)?)
}

/// Judges one line as soon as it was typed; what should stand there is known after all six. `number` is from 1. One word may be `?` if the sheet is `old`.
///
/// # Errors
/// `SHARE-WORDS` as [`Fault::Mistyped`].
pub fn line(from: &str, number: u8, typed: &Secret, old: bool) -> Result<(), Fault> {
    let line = typed.expose(|typed| Line::parse(number, typed))?;
    if line.is_right() || old && line.worn().is_some() {
        return Ok(());
    }
    Err(mistyped(from, &[line], &[None])?)
}

fn not_blank(typed: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = typed.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.trim_ascii().is_empty())
}

/// Whether a word is typed as one that cannot be read.
pub fn has_worn(typed: &Secret) -> bool {
    typed.expose(|typed| typed.contains(&UNREAD[0]))
}

/// A line as it was typed.
struct Line {
    number: u8,
    /// A byte a word; zero for a strange one.
    bytes: Secret,
    /// Places of what is no word, or a word of the other list.
    strange: Vec<usize>,
    /// How many of those were typed as [`UNREAD`].
    unread: usize,
}

impl Line {
    fn parse(number: u8, typed: &[u8]) -> Result<Self, SecretError> {
        let mut line = Self {
            number,
            bytes: Secret::new()?,
            strange: Vec::new(),
            unread: 0,
        };
        let typed = typed.split(u8::is_ascii_whitespace);
        for word in typed.filter(|word| !word.is_empty()) {
            let place = line.bytes.len();
            let byte = words::byte(place, word);
            if byte.is_none() {
                line.strange.push(place);
                line.unread += usize::from(word == UNREAD);
            }
            line.bytes.push(byte.unwrap_or(0))?;
        }
        Ok(line)
    }

    fn is_right(&self) -> bool {
        let sum = || {
            self.bytes
                .expose(|bytes| sum(self.number, bytes.iter().copied()))
        };
        self.bytes.len() == WORDS && self.strange.is_empty() && sum() == 0
    }

    /// The place of the one word that cannot be read, where all others are words.
    fn worn(&self) -> Option<usize> {
        match self.strange[..] {
            [place] if self.unread == 1 && self.bytes.len() == WORDS => Some(place),
            _ => None,
        }
    }

    /// The places where one other word would make it right; None: none needs to.
    fn ways(&self) -> Vec<Option<usize>> {
        match (self.bytes.len(), &self.strange[..]) {
            _ if self.is_right() => vec![None],
            (WORDS, []) => (0..WORDS).map(Some).collect(),
            (WORDS, [place]) => vec![Some(*place)],
            _ => Vec::new(),
        }
    }

    /// The byte that makes it right at this place.
    fn repaired(&self, place: usize) -> u8 {
        self.bytes.expose(|bytes| {
            let with = |byte| {
                let replaced = bytes.iter().enumerate();
                replaced.map(move |(at, old)| if at == place { byte } else { *old })
            };
            // A word at any place moves the sum through all its values, so there is one.
            (0..=u8::MAX)
                .find(|byte| sum(self.number, with(*byte)) == 0)
                .unwrap_or(0)
        })
    }

    /// What is wrong with it, if anything.
    fn complaint(&self, repair: Option<usize>) -> Option<String> {
        let (number, count) = (self.number, self.bytes.len());
        let strange = self.strange.iter().map(|place| (place + 1).to_string());
        let strange: Vec<String> = strange.collect();
        Some(match (repair, &strange[..]) {
            _ if self.is_right() => return None,
            (Some(place), _) => format!("line {number}, word {} is wrong", place + 1),
            (None, []) if count == WORDS => format!("line {number} has a wrong word"),
            (None, []) => format!("line {number} has {count} words and not {WORDS}"),
            // After a word that was dropped or doubled all others are out of place.
            (None, [first, ..]) if count != WORDS => {
                format!("line {number} has {count} words and not {WORDS}, from word {first} on")
            }
            (None, places) => format!(
                "line {number} has no right word at {} (neighbours may have changed places)",
                places.join(", ")
            ),
        })
    }
}

/// Each way to make all lines right, a word in each wrong line; none where there are too many.
fn ways(lines: &[Line]) -> Vec<Vec<Option<usize>>> {
    lines.iter().fold(vec![Vec::new()], |ways, line| {
        let next = line.ways();
        if ways.len() * next.len() > MOST_WAYS {
            return Vec::new();
        }
        let longer = ways.iter().flat_map(|way| {
            next.iter()
                .map(move |place| [way.as_slice(), &[*place]].concat())
        });
        longer.collect()
    })
}

/// The bytes of a share from lines, each with the word at this place made right.
fn assembled(lines: &[Line], repair: &[Option<usize>]) -> Result<Secret, SecretError> {
    Secret::filled(LENGTH, |room| {
        for ((room, line), place) in room.chunks_mut(DATA).zip(lines).zip(repair) {
            line.bytes
                .expose(|bytes| room.copy_from_slice(&bytes[..DATA]));
            if let Some(place) = place.filter(|place| *place < DATA) {
                room[place] = line.repaired(place);
            }
        }
        Ok(())
    })
}

fn mistyped(from: &str, lines: &[Line], repair: &[Option<usize>]) -> Result<Fault, SecretError> {
    let mut complaints = Vec::new();
    let mut hint = Secret::new()?;
    for (line, repair) in lines.iter().zip(repair) {
        complaints.extend(line.complaint(*repair));
        if let Some(place) = *repair {
            let at = format!("line {}, word {}: ", line.number, place + 1);
            push(&mut hint, &at)?;
            push(&mut hint, words::word(place, line.repaired(place)))?;
            hint.push(b'\n')?;
        }
    }
    let complaints = complaints.join("; ");
    let text = format!("{complaints}. Compare with the paper and type it again");
    let finding = Finding::error("SHARE-WORDS", from, text);
    let hint = (!hint.is_empty()).then_some(Hint(hint));
    Ok(Fault::Mistyped(finding, hint))
}

/// Zero for a right line. Each word is added after what came before was doubled, in the field of 256 elements that the shares are in (0x11d), so every
/// place counts otherwise: no single wrong word and no two exchanged ones leave it as it was, and, as it begins with the line's number, nor do two lines.
fn sum(number: u8, bytes: impl Iterator<Item = u8>) -> u8 {
    bytes.fold(number, |sum, byte| {
        let carry = if sum & 0x80 == 0 { 0 } else { 0x1d };
        (sum << 1) ^ carry ^ byte
    })
}

fn push(secret: &mut Secret, text: &str) -> Result<(), SecretError> {
    text.bytes().try_for_each(|byte| secret.push(byte))
}
