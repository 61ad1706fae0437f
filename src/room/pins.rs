//! PINs by descriptor: lines `holder kind pin`, read on demand, straight into locked memory. A line that nobody asked for is an error, because it means that
//! people expected something else to happen. Shares of a backup come the same way: `custodian share` and its 48 words.

use std::fs::File;
use std::io::Read;

use crate::ceremony::event::Credential;
use crate::ceremony::port::Stop;
use crate::secret::{Secret, SecretError};

/// Longest holder's name and kind.
const LONGEST_WORD: usize = 64;

/// Words of a line on a sheet.
const WORDS: usize = crate::backup::sheet::WORDS;

/// PINs from an open descriptor.
pub struct PinLines {
    source: File,
    kept: Vec<(String, Kind, Secret)>,
}

/// What a line holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Of(Credential),
    Share,
}

impl PinLines {
    /// Reads from the open descriptor `number` of this process.
    ///
    /// # Errors
    /// It is not open.
    pub fn from_descriptor(number: i32) -> Result<Self, Stop> {
        // The kernel's own name for it, so that no descriptor is taken over blindly.
        let source = File::open(format!("/proc/self/fd/{number}")).map_err(|fault| {
            Stop::BadAnswer(format!(
                "the descriptor {number} for PINs cannot be read: {fault}"
            ))
        })?;
        Ok(Self {
            source,
            kept: Vec::new(),
        })
    }

    /// The next secret of this kind for this holder.
    ///
    /// # Errors
    /// [`Stop::NoAnswer`] if no line is left for the holder, [`Stop::BadAnswer`] for a line that is no such line.
    pub fn next(&mut self, holder: &str, kind: Credential) -> Result<Secret, Stop> {
        let found = self.find(holder, Kind::Of(kind))?;
        found.ok_or_else(|| Stop::NoAnswer(format!("pin:{holder}")))
    }

    /// The share of this custodian, as lines of eight words.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn share(&mut self, custodian: &str) -> Result<Secret, Stop> {
        let found = self.find(custodian, Kind::Share)?;
        let words = found.ok_or_else(|| Stop::NoAnswer(format!("share:{custodian}")))?;
        let mut lines = Secret::new().map_err(|fault| memory(&fault))?;
        words.expose(|words| {
            let words = words.split(|byte| *byte == b' ');
            for (number, word) in (1..).zip(words) {
                let end = if number % WORDS == 0 { b'\n' } else { b' ' };
                let bytes = word.iter().copied().chain([end]);
                for byte in bytes {
                    lines.push(byte).map_err(|fault| memory(&fault))?;
                }
            }
            Ok(())
        })?;
        Ok(lines)
    }

    fn find(&mut self, holder: &str, kind: Kind) -> Result<Option<Secret>, Stop> {
        let kept = self.kept.iter();
        let mut fitting = kept.map(|(name, known, _)| name == holder && *known == kind);
        if let Some(index) = fitting.position(|fits| fits) {
            return Ok(Some(self.kept.remove(index).2));
        }
        while let Some((name, known, secret)) = self.line()? {
            if name == holder && known == kind {
                return Ok(Some(secret));
            }
            self.kept.push((name, known, secret));
        }
        Ok(None)
    }

    /// Checks that every line was used.
    ///
    /// # Errors
    /// [`Stop::BadAnswer`] names the holder of a line that was not.
    pub fn finish(mut self) -> Result<(), Stop> {
        let next = match self.kept.pop() {
            Some(kept) => Some(kept),
            None => self.line()?,
        };
        match next {
            Some((holder, _, _)) => Err(Stop::BadAnswer(format!(
                "a PIN line for {holder} was not used"
            ))),
            None => Ok(()),
        }
    }

    fn line(&mut self) -> Result<Option<(String, Kind, Secret)>, Stop> {
        let Some(holder) = self.word()? else {
            return Ok(None);
        };
        let kind = self.word()?.unwrap_or_default();
        let kind = match kind.as_str() {
            "user" => Kind::Of(Credential::User),
            "puk" => Kind::Of(Credential::Puk),
            "so" => Kind::Of(Credential::So),
            "mgmt" => Kind::Of(Credential::Mgmt),
            "share" => Kind::Share,
            _ => {
                return Err(Stop::BadAnswer(format!(
                    "a PIN line for {holder} is of the kind {kind:?}; there are user, so, puk, mgmt and share"
                )));
            }
        };
        let mut pin = Secret::new().map_err(|fault| memory(&fault))?;
        while let Some(byte) = self.byte()?.filter(|byte| *byte != b'\n') {
            pin.push(byte).map_err(|fault| memory(&fault))?;
        }
        Ok(Some((holder, kind, pin)))
    }

    /// A word and the one space after it; `None` at the end.
    fn word(&mut self) -> Result<Option<String>, Stop> {
        let mut word = String::new();
        while let Some(byte) = self.byte()? {
            if byte == b' ' {
                return Ok(Some(word));
            }
            if byte == b'\n' || !byte.is_ascii_graphic() || word.len() == LONGEST_WORD {
                return Err(Stop::BadAnswer(
                    "a PIN line is not of the form: holder kind pin".to_owned(),
                ));
            }
            word.push(char::from(byte));
        }
        if word.is_empty() {
            Ok(None)
        } else {
            Err(Stop::BadAnswer("a PIN line ends too early".to_owned()))
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, Stop> {
        let mut byte = [0];
        match self.source.read(&mut byte) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(std::mem::take(&mut byte[0]))),
            Err(fault) => Err(Stop::BadAnswer(format!("the descriptor for PINs: {fault}"))),
        }
    }
}

fn memory(fault: &SecretError) -> Stop {
    Stop::BadAnswer(fault.to_string())
}
