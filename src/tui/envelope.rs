//! Shows a new secret once, to be written down for its envelope. It is written to the terminal itself, from locked memory and past the terminal library,
//! whose buffers keep every cell that they ever drew; it never is in the model. When it is written down the screen is wiped, with what a terminal keeps
//! above it. What a terminal emulator keeps in its own memory is out of our hands: a ceremony machine shows this on its console.

use std::io;
use std::os::fd::OwnedFd;

use crossterm::terminal::size;
use rustix::fs::{Mode, OFlags, open};

use super::glyphs::Glyphs;
use super::pin::{PinKey, PinReader};
use super::terminal::Signals;
use crate::ceremony::event::Credential;
use crate::ceremony::prompt::EnvelopePrompt;
use crate::secret::Secret;

/// Clears the screen and what a terminal keeps above it, and goes to its first cell.
pub(super) const WIPE: &str = "\x1b[0m\x1b[2J\x1b[3J\x1b[H";
/// The terminal is in raw mode.
pub(super) const LINE: &str = "\r\n";
/// Characters in a group.
const GROUP: usize = 4;
/// Groups in a row.
const GROUPS: usize = 4;

/// How the showing ended. The screen is wiped in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Enter: it is on the paper.
    Written,
    /// Esc or Ctrl-C.
    Cancelled,
    /// The screen was changed, or a signal came.
    Interrupted,
}

/// Shows `fresh` until a key is pressed. Raw mode is the caller's, and drawing its own pages again too.
pub(super) fn show(
    prompt: &EnvelopePrompt,
    fresh: &Secret,
    signals: &Signals,
) -> io::Result<Shown> {
    let before = size()?;
    let screen = Screen::open()?;
    let page = page(prompt, fresh)?;
    let mut keys = PinReader::open()?;
    page.expose(|bytes| screen.write(bytes))?;
    drop(page);
    loop {
        match keys.key()? {
            PinKey::Enter => return Ok(Shown::Written),
            PinKey::Cancel => return Ok(Shown::Cancelled),
            _ if signals.stop() || size()? != before => return Ok(Shown::Interrupted),
            _ => {}
        }
    }
}

/// The terminal, wiped when dropped: on errors and panics too.
pub(super) struct Screen(OwnedFd);

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(Self(open("/dev/tty", flags, Mode::empty())?))
    }

    pub(super) fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = rustix::io::write(&self.0, bytes)?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing any more.
        let _ = self.write(WIPE.as_bytes());
    }
}

/// The whole page in locked memory.
fn page(prompt: &EnvelopePrompt, fresh: &Secret) -> io::Result<Secret> {
    let mut page = Secret::new().map_err(io::Error::other)?;
    let mut put = |text: &str| -> io::Result<()> {
        let mut bytes = text.bytes();
        bytes.try_for_each(|byte| page.push(byte).map_err(io::Error::other))
    };
    put(WIPE)?;
    put("\x1b[7m TURN THE CAMERA AWAY. Only the holder looks at this screen. \x1b[0m")?;
    let about = format!(
        "{LINE}{LINE} {} of {}, token {}{LINE} Write it on the paper that goes into the envelope:{LINE}{LINE}",
        prompt.kind.name(),
        plain(&prompt.holder),
        plain(&prompt.token.serial)
    );
    put(&about)?;
    fresh.expose(|bytes| {
        bytes.chunks(GROUP * GROUPS).try_for_each(|row| {
            put("     \x1b[1m")?;
            for group in row.chunks(GROUP) {
                for byte in group {
                    // One character at a time: no copy of the secret outlives this page.
                    put(char::from(*byte).encode_utf8(&mut [0; 4]))?;
                    put(" ")?;
                }
                put("   ")?;
            }
            put("\x1b[0m")?;
            put(LINE)?;
            put(LINE)
        })
    })?;
    put(&format!(" {}{LINE}{LINE}", legend(prompt.kind)))?;
    put(" Enter: it is written down; the screen is wiped, and you type it from the paper.")?;
    put(LINE)?;
    put(" Esc: stop. The token was not changed.")?;
    Ok(page)
}

/// What can be in it, so that handwriting is read as it was meant.
fn legend(kind: Credential) -> &'static str {
    match kind {
        Credential::User | Credential::Puk => "8 digits. Put a slash through each 0.",
        Credential::So => {
            "16 lower-case letters and digits; never b, i, l, o, s, and never 0, 1, 2, 5, 8."
        }
        Credential::Mgmt => "48 digits and letters from a to f. Put a slash through each 0.",
    }
}

/// Untrusted text with nothing in it that a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    let allowed = |symbol| if Glyphs::allows(symbol) { symbol } else { '?' };
    text.chars().take(64).map(allowed).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::page;
    use crate::ceremony::event::{Credential, TokenIdentity};
    use crate::ceremony::prompt::EnvelopePrompt;
    use crate::secret::Secret;

    fn shown(kind: Credential, secret: &str) -> String {
        let prompt = EnvelopePrompt {
            holder: "alice".to_owned(),
            kind,
            token: TokenIdentity {
                module: String::new(),
                manufacturer: String::new(),
                model: String::new(),
                serial: "21\x1b[2J12".to_owned(),
                label: String::new(),
            },
            text: Vec::new(),
        };
        let fresh = Secret::take(&mut secret.as_bytes().to_vec()).unwrap();
        let page = page(&prompt, &fresh).unwrap();
        page.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_secret_is_shown_in_groups_of_four_on_less_than_a_screen() {
        let rows = [
            (Credential::User, "48215937", vec!["4 8 2 1    5 9 3 7"]),
            (
                Credential::Mgmt,
                "00112233445566778899aabbccddeeff0011223344556677",
                vec![
                    "0 0 1 1    2 2 3 3    4 4 5 5    6 6 7 7",
                    "8 8 9 9    a a b b    c c d d    e e f f",
                ],
            ),
        ];
        for (kind, secret, rows) in rows {
            let page = shown(kind, secret);
            for row in rows {
                assert!(page.contains(row), "{page}");
            }
            let lines: Vec<_> = page.split("\r\n").collect();
            assert!(lines.len() < 24 && lines.iter().all(|line| line.len() < 100));
        }
    }

    #[test]
    fn a_serial_cannot_wipe_the_warning() {
        let page = shown(Credential::So, "kqx7wmfr4tcv9ehg");
        assert!(page.contains("token 21?[2J12"), "{page}");
        assert_eq!(page.matches("\x1b[2J").count(), 1);
    }
}
