//! PINs by descriptor: lines `holder kind pin`, read on demand, straight into locked memory. A line that nobody asked for is an error, because it means that
//! people expected something else to happen.

use std::fs::File;
use std::io::Read;

use crate::ceremony::port::Stop;
use crate::ceremony::prompt::PinPrompt;
use crate::secret::{Secret, SecretError};

/// Longest holder's name and kind.
const LONGEST_WORD: usize = 64;

/// PINs from an open descriptor.
pub struct PinLines {
    source: File,
    kept: Vec<(String, Secret)>,
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

    /// The next PIN for this holder.
    ///
    /// # Errors
    /// [`Stop::NoAnswer`] if no line is left for the holder, [`Stop::BadAnswer`] for a line that is no such line.
    pub fn next(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        if let Some(index) = self
            .kept
            .iter()
            .position(|(holder, _)| *holder == prompt.holder)
        {
            return Ok(self.kept.remove(index).1);
        }
        while let Some((holder, pin)) = self.line()? {
            if holder == prompt.holder {
                return Ok(pin);
            }
            self.kept.push((holder, pin));
        }
        Err(Stop::NoAnswer(format!("pin:{}", prompt.holder)))
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
            Some((holder, _)) => Err(Stop::BadAnswer(format!(
                "a PIN line for {holder} was not used"
            ))),
            None => Ok(()),
        }
    }

    fn line(&mut self) -> Result<Option<(String, Secret)>, Stop> {
        let Some(holder) = self.word()? else {
            return Ok(None);
        };
        let kind = self.word()?.unwrap_or_default();
        if kind != "user" {
            return Err(Stop::BadAnswer(format!(
                "a PIN line for {holder} is of the kind {kind:?}; this ceremony asks for user PINs"
            )));
        }
        let mut pin = Secret::new().map_err(|fault| memory(&fault))?;
        while let Some(byte) = self.byte()?.filter(|byte| *byte != b'\n') {
            pin.push(byte).map_err(|fault| memory(&fault))?;
        }
        Ok(Some((holder, pin)))
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
