//! Shows a share to its custodian alone, and has it typed back from the paper, line by line; each line is judged when it is typed. As with new secrets for
//! envelopes everything is written to the terminal itself, from locked memory, and wiped behind it.

use std::io;

use crossterm::terminal::size;

use super::envelope::{LINE, Screen, WIPE, plain};
use super::pin::{PinKey, PinReader};
use super::terminal::Signals;
use crate::backup::{Fault, sheet};
use crate::ceremony::prompt::SharePrompt;
use crate::secret::Secret;

/// Words in a row of the page: a line of the sheet is two rows, so that it fits 80 columns.
const ROW: usize = 4;
/// Columns of a word and the gap behind it; the longest word has eleven letters.
const COLUMN: usize = 14;

/// How it ended. The screen is wiped in every case.
pub(super) enum Shared {
    /// Six lines, as they were typed.
    Typed(Secret),
    /// Esc or Ctrl-C.
    Cancelled,
    /// The screen was changed, or a signal came.
    Interrupted,
}

/// Shows the share, if it is to be shown, until Enter; then asks for it. Raw mode is the caller's, and drawing its own pages again too.
pub(super) fn serve(
    prompt: &SharePrompt,
    shown: Option<&Secret>,
    signals: &Signals,
) -> io::Result<Shared> {
    if let Some(share) = shown {
        let before = size()?;
        let screen = Screen::open()?;
        let page = page(prompt, share)?;
        let mut keys = PinReader::open()?;
        page.expose(|bytes| screen.write(bytes))?;
        drop(page);
        loop {
            match keys.key()? {
                PinKey::Enter => break,
                PinKey::Cancel => return Ok(Shared::Cancelled),
                _ if signals.stop() || size()? != before => return Ok(Shared::Interrupted),
                _ => {}
            }
        }
    }
    typed(prompt, signals)
}

/// Six lines from the paper.
fn typed(prompt: &SharePrompt, signals: &Signals) -> io::Result<Shared> {
    let screen = Screen::open()?;
    let mut keys = PinReader::open()?;
    let mut entry = Entry::new()?;
    entry.draw(prompt, &screen)?;
    loop {
        let before = entry.line.len();
        match keys.next(&mut entry.line)? {
            PinKey::Enter => entry.enter(prompt)?,
            PinKey::Cancel => return Ok(Shared::Cancelled),
            PinKey::Nothing if signals.stop() => return Ok(Shared::Interrupted),
            PinKey::Nothing => continue,
            _ if entry.line.len() != before => entry.note = None,
            _ => continue,
        }
        if entry.done == sheet::LINES {
            return Ok(Shared::Typed(entry.lines));
        }
        entry.draw(prompt, &screen)?;
    }
}

/// What was typed so far.
struct Entry {
    /// The lines that are right, each with its end.
    lines: Secret,
    done: usize,
    /// The one that is typed.
    line: Secret,
    /// What is wrong with it: places, never words.
    note: Option<String>,
}

impl Entry {
    fn new() -> io::Result<Self> {
        let secret = || Secret::new().map_err(io::Error::other);
        Ok(Self {
            lines: secret()?,
            done: 0,
            line: secret()?,
            note: None,
        })
    }

    /// Judges the line; a right one is kept, a wrong one stands to be corrected.
    fn enter(&mut self, prompt: &SharePrompt) -> io::Result<()> {
        let number = u8::try_from(self.done + 1).map_err(io::Error::other)?;
        match sheet::line(&prompt.custodian, number, &self.line) {
            Ok(()) => {
                let lines = &mut self.lines;
                self.line.expose(|line| {
                    let mut bytes = line.iter().chain(b"\n");
                    bytes.try_for_each(|byte| lines.push(*byte).map_err(io::Error::other))
                })?;
                while !self.line.is_empty() {
                    self.line.pop();
                }
                self.done += 1;
                self.note = None;
                Ok(())
            }
            Err(Fault::Mistyped(finding, _)) => {
                self.note = Some(finding.text);
                Ok(())
            }
            Err(fault) => Err(io::Error::other(fault.to_string())),
        }
    }

    fn draw(&self, prompt: &SharePrompt, screen: &Screen) -> io::Result<()> {
        let page = self.page(prompt)?;
        page.expose(|bytes| screen.write(bytes))
    }

    fn page(&self, prompt: &SharePrompt) -> io::Result<Secret> {
        let mut page = Page::new(prompt)?;
        page.put(&format!(
            " The share of {}, from the paper. A word that cannot be read is typed as ?.{LINE}{LINE}",
            plain(&prompt.custodian)
        ))?;
        let mut lines = (1..).zip(1..=sheet::LINES);
        self.lines.expose(|typed| {
            let typed = typed.split(|byte| *byte == b'\n');
            for ((number, _), line) in lines.by_ref().take(self.done).zip(typed) {
                page.put(&format!(" {number}  "))?;
                page.put_secret(line)?;
                page.put(&format!("  [ OK ]{LINE}"))?;
            }
            io::Result::Ok(())
        })?;
        if let Some((number, _)) = lines.next() {
            page.put(&format!(" {number}  \x1b[1m"))?;
            self.line.expose(|line| page.put_secret(line))?;
            page.put(&format!("_\x1b[0m{LINE}"))?;
        }
        for (number, _) in lines {
            page.put(&format!(" {number}{LINE}"))?;
        }
        page.put(LINE)?;
        if let Some(note) = &self.note {
            page.put(&format!(" [FAIL] {}{LINE}{LINE}", plain(note)))?;
        }
        page.put(" Eight words, then Enter. Ctrl-U: clear the line. Esc: stop; nothing is kept.")?;
        Ok(page.0)
    }
}

/// The share, six lines of eight words.
fn page(prompt: &SharePrompt, share: &Secret) -> io::Result<Secret> {
    let mut page = Page::new(prompt)?;
    let number = prompt.index.unwrap_or_default();
    page.put(&format!(
        " Share {number}, for {}. Write these six lines on one sheet:{LINE}{LINE}",
        plain(&prompt.custodian)
    ))?;
    share.expose(|share| {
        let lines = share
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        for (number, line) in (1..).zip(lines) {
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
            for (row, words) in words.chunks(ROW).enumerate() {
                if row == 0 {
                    page.put(&format!("  {number}  \x1b[1m"))?;
                } else {
                    page.put("     \x1b[1m")?;
                }
                for word in words {
                    page.put_secret(word)?;
                    page.put(&" ".repeat(COLUMN.saturating_sub(word.len())))?;
                }
                page.put(&format!("\x1b[0m{LINE}"))?;
            }
        }
        io::Result::Ok(())
    })?;
    page.put(&format!(
        "{LINE} Enter: it is written down; the screen is wiped, and you type it from the paper.{LINE} Esc: stop."
    ))?;
    Ok(page.0)
}

/// A page in locked memory.
struct Page(Secret);

impl Page {
    fn new(prompt: &SharePrompt) -> io::Result<Self> {
        let mut page = Self(Secret::new().map_err(io::Error::other)?);
        page.put(WIPE)?;
        page.put(&format!(
            "\x1b[7m TURN THE CAMERA AWAY. Only {} looks at this screen. \x1b[0m{LINE}{LINE}",
            plain(&prompt.custodian)
        ))?;
        Ok(page)
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        let mut bytes = text.bytes();
        bytes.try_for_each(|byte| self.0.push(byte).map_err(io::Error::other))
    }

    /// What a person typed may be anything: only letters, `?` and blanks reach the terminal.
    fn put_secret(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.iter().try_for_each(|byte| {
            let shown = if byte.is_ascii_alphabetic() || [b' ', b'?'].contains(byte) {
                *byte
            } else {
                b'#'
            };
            self.0.push(shown).map_err(io::Error::other)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Entry, page};
    use crate::backup::{Scheme, sheet, split};
    use crate::ceremony::prompt::SharePrompt;
    use crate::secret::Secret;
    use crate::tuf::digest::Sha256;

    fn prompt() -> SharePrompt {
        SharePrompt {
            custodian: "ada".to_owned(),
            index: Some(2),
            text: Vec::new(),
            after: None,
        }
    }

    fn share() -> Secret {
        let scheme = Scheme::new("", 2, 3).unwrap();
        let (_, shares) = split(&Secret::random(32).unwrap(), scheme, Sha256::of(b"")).unwrap();
        sheet::written(&shares[1]).unwrap()
    }

    fn text(secret: &Secret) -> String {
        secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn line(text: &str) -> Secret {
        Secret::take(&mut text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_share_fits_a_screen_of_80_by_24_and_every_word_is_there() {
        let share = share();
        let shown = text(&page(&prompt(), &share).unwrap());
        let rows: Vec<_> = shown.split("\r\n").collect();
        assert!(rows.len() <= 24, "{}", rows.len());
        for row in &rows {
            let seen = row.replace("\x1b[0m", "").replace("\x1b[1m", "");
            assert!(seen.len() <= 80 || seen.contains("CAMERA"), "{seen}");
        }
        for word in text(&share).split_whitespace() {
            assert!(shown.contains(word), "{word}");
        }
    }

    #[test]
    fn a_right_line_is_kept_and_a_wrong_one_stands_to_be_corrected() {
        let share = text(&share());
        let lines: Vec<_> = share.lines().collect();
        let mut entry = Entry::new().unwrap();
        entry.line = line(&lines[0].replacen(lines[0].split(' ').next().unwrap(), "?", 1));
        entry.enter(&prompt()).unwrap();
        assert_eq!(entry.done, 0);
        assert!(entry.note.as_deref().unwrap().contains("line 1"));
        assert!(!entry.line.is_empty());
        for right in &lines {
            entry.line = line(right);
            entry.enter(&prompt()).unwrap();
        }
        assert_eq!((entry.done, entry.note), (sheet::LINES, None));
        assert_eq!(text(&entry.lines), share);
    }

    #[test]
    fn what_is_typed_cannot_command_the_terminal() {
        let mut entry = Entry::new().unwrap();
        entry.line = line("aardvark \x1b[2J\u{202e}?");
        let shown = text(&entry.page(&prompt()).unwrap());
        assert_eq!(shown.matches("\x1b[2J").count(), 1);
        assert!(
            shown.contains("aardvark #[#J###?") || shown.contains("aardvark ###J###?"),
            "{shown}"
        );
    }
}
