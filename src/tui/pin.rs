//! Reads a PIN from the terminal itself, byte by byte, into locked memory. The terminal library is not asked meanwhile: it would keep key events.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use zeroize::Zeroize;

use crate::secret::Secret;

/// How long a wait for a byte is, in nanoseconds: a tenth of a second, after which resizes and signals are looked at.
const PATIENCE: i64 = 100_000_000;

/// What the last byte, or waiting for one, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PinKey {
    /// Nothing, or part of a sequence that is swallowed.
    Nothing,
    /// The byte belongs to the PIN.
    Keep,
    /// Erase the last character.
    Erase,
    /// Erase all.
    Clear,
    /// The PIN is complete.
    Enter,
    /// Esc or Ctrl-C.
    Cancel,
}

/// The terminal while the PIN field is open. Raw mode is the caller's.
pub(super) struct PinReader {
    tty: OwnedFd,
    decoder: Decoder,
}

impl PinReader {
    /// Opens the controlling terminal and forgets what was typed before the field was open.
    pub(super) fn open() -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        let tty = open("/dev/tty", flags, Mode::empty())?;
        tcflush(&tty, QueueSelector::IFlush)?;
        Ok(Self {
            tty,
            decoder: Decoder::Plain,
        })
    }

    /// Waits a little for one byte and applies it to `pin`. Enter on an empty field is nothing.
    pub(super) fn next(&mut self, pin: &mut Secret) -> io::Result<PinKey> {
        let Some(mut byte) = self.read()? else {
            return Ok(self.decoder.idle());
        };
        let mut key = self.decoder.feed(byte[0]);
        match key {
            // Thousands of bytes are no PIN: it is not cut to another one, it is given up.
            PinKey::Keep if pin.push(byte[0]).is_err() => key = PinKey::Cancel,
            PinKey::Erase => erase(pin),
            PinKey::Clear => {
                while !pin.is_empty() {
                    pin.pop();
                }
            }
            _ => {}
        }
        byte.zeroize();
        Ok(if key == PinKey::Enter && pin.is_empty() {
            PinKey::Nothing
        } else {
            key
        })
    }

    /// Waits a little for one key and keeps nothing of it.
    pub(super) fn key(&mut self) -> io::Result<PinKey> {
        let Some(mut byte) = self.read()? else {
            return Ok(self.decoder.idle());
        };
        let key = self.decoder.feed(byte[0]);
        byte.zeroize();
        Ok(key)
    }

    fn read(&self) -> io::Result<Option<[u8; 1]>> {
        let patience = Timespec {
            tv_sec: 0,
            tv_nsec: PATIENCE,
        };
        let mut waiting = [PollFd::new(&self.tty, PollFlags::IN)];
        match poll(&mut waiting, Some(&patience)) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut byte = [0];
        match rustix::io::read(self.tty.as_fd(), &mut byte) {
            Ok(0) => Err(io::Error::other("the terminal was closed")),
            Ok(_) => Ok(Some(byte)),
            Err(Errno::INTR | Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for PinReader {
    fn drop(&mut self) {
        // What follows Enter may be part of a PIN typed twice: it must not end up in the next, visible field.
        let _ = tcflush(&self.tty, QueueSelector::IFlush);
    }
}

/// Erases one character, which in UTF-8 may be up to four bytes.
fn erase(pin: &mut Secret) {
    loop {
        let continues = pin.expose(|bytes| bytes.last().is_some_and(|byte| byte & 0xc0 == 0x80));
        pin.pop();
        if !continues {
            return;
        }
    }
}

/// Tells PIN bytes from keys. Arrow and function keys send sequences that begin with Esc; they are swallowed whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoder {
    Plain,
    /// After Esc.
    Escape,
    /// After Esc and `[`; the console sends a second `[` for F1 to F5.
    Sequence,
    /// After Esc and `O` or a second `[`: one more byte.
    Last,
}

impl Decoder {
    fn feed(&mut self, byte: u8) -> PinKey {
        let before = std::mem::replace(self, Self::Plain);
        *self = match (before, byte) {
            (Self::Plain | Self::Escape, 0x1b) => Self::Escape,
            (Self::Escape, b'[') | (Self::Sequence, b' '..=b'?') => Self::Sequence,
            (Self::Escape, b'O') | (Self::Sequence, b'[') => Self::Last,
            _ => Self::Plain,
        };
        match (before, byte) {
            (_, 0x03) => PinKey::Cancel,
            (Self::Plain, b'\r' | b'\n') => PinKey::Enter,
            (Self::Plain, 0x08 | 0x7f) => PinKey::Erase,
            (Self::Plain, 0x15) => PinKey::Clear,
            (Self::Plain, b' '..) => PinKey::Keep,
            _ => PinKey::Nothing,
        }
    }

    /// No byte came for a while: a lone Esc was the key itself.
    fn idle(&mut self) -> PinKey {
        match std::mem::replace(self, Self::Plain) {
            Self::Escape => PinKey::Cancel,
            _ => PinKey::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, PinKey};

    /// What is kept of the bytes, and the last key that was not nothing.
    fn typed(bytes: &[u8]) -> (Vec<u8>, PinKey) {
        let mut decoder = Decoder::Plain;
        let mut kept = Vec::new();
        let mut last = PinKey::Nothing;
        for &byte in bytes {
            match decoder.feed(byte) {
                PinKey::Nothing => {}
                PinKey::Keep => kept.push(byte),
                key => last = key,
            }
        }
        match decoder.idle() {
            PinKey::Nothing => (kept, last),
            key => (kept, key),
        }
    }

    #[test]
    fn keys_that_are_no_characters_never_become_part_of_a_pin() {
        let cases: [(&str, &[u8], &[u8], PinKey); 11] = [
            ("digits", b"123456", b"123456", PinKey::Nothing),
            ("enter", b"12\r", b"12", PinKey::Enter),
            ("arrow", b"1\x1b[A2", b"12", PinKey::Nothing),
            (
                "arrow of the application mode",
                b"1\x1bOA2",
                b"12",
                PinKey::Nothing,
            ),
            ("delete", b"1\x1b[3~2", b"12", PinKey::Nothing),
            ("control and arrow", b"1\x1b[1;5C2", b"12", PinKey::Nothing),
            ("F1 of the console", b"1\x1b[[A2", b"12", PinKey::Nothing),
            ("tab and bell", b"1\t\x072", b"12", PinKey::Nothing),
            ("lone escape", b"12\x1b", b"12", PinKey::Cancel),
            (
                "control-c inside a sequence",
                b"12\x1b[\x03",
                b"12",
                PinKey::Cancel,
            ),
            ("control-u", b"12\x15", b"12", PinKey::Clear),
        ];
        for (name, bytes, kept, last) in cases {
            assert_eq!(typed(bytes), (kept.to_vec(), last), "{name}");
        }
        assert_eq!(typed(b"1\x7f").1, PinKey::Erase);
        assert_eq!(typed(b"1\x08").1, PinKey::Erase);
        assert_eq!(typed("é".as_bytes()).0, "é".as_bytes());
    }
}
