//! Shows a share to its custodian alone, and has it typed back from the paper, line by line; each line is judged when it is typed. As with new secrets for
//! envelopes everything is written to the terminal itself, from locked memory, and wiped behind it.

use std::cmp::Ordering;
use std::io;

use crossterm::terminal::size;

use super::envelope::{LINE, Screen, WIPE, plain};
use super::model::{SMALLEST, is_too_small};
use super::pin::{PinKey, PinReader};
use super::terminal::Signals;
use crate::backup::{Fault, sheet};
use crate::ceremony::prompt::SharePrompt;
use crate::secret::Secret;

/// Words in a row of the page: a line of the sheet is two rows, so that it fits 80 columns.
const ROW: usize = 4;
/// Columns of a word and the gap behind it; the longest word has eleven letters.
const COLUMN: usize = 14;

/// Bytes of a typed line. The longest line of a sheet has 87; what comes after this is no word of it, and is not taken.
const LONGEST: usize = 120;
/// Columns of what is typed and of what is said of it.
const WIDTH: usize = 72;

/// How it ended. The screen is wiped in every case.
pub(super) enum Shared {
    /// Six lines, as they were typed.
    Typed(Secret),
    /// Esc or Ctrl-C.
    Cancelled,
    /// The screen was changed, or a signal came.
    Interrupted,
}

/// Shows the share, if it is to be shown, until Enter; then asks for it. `label` is what else stands on its sheet. Raw mode is the caller's, and drawing
/// its own pages again too.
pub(super) fn serve(
    prompt: &SharePrompt,
    shown: Option<&Secret>,
    label: &[String],
    signals: &Signals,
) -> io::Result<Shared> {
    if let Some(share) = shown {
        let before = size()?;
        if is_too_small(before) {
            return Ok(Shared::Interrupted);
        }
        let screen = Screen::open()?;
        let page = page(prompt, share, label)?;
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

/// Six lines from the paper. On a screen that is too small nothing of them is shown and nothing is taken, until it is enlarged.
fn typed(prompt: &SharePrompt, signals: &Signals) -> io::Result<Shared> {
    let screen = Screen::open()?;
    let mut keys = PinReader::open()?;
    let mut entry = Entry::new()?;
    let mut drawn = None;
    loop {
        let now = size()?;
        if drawn != Some(now) {
            entry.draw(prompt, &screen, now)?;
            drawn = Some(now);
        }
        let key = if is_too_small(now) {
            keys.key()?
        } else {
            keys.next(&mut entry.line)?
        };
        match key {
            PinKey::Cancel => return Ok(Shared::Cancelled),
            PinKey::Nothing if signals.stop() => return Ok(Shared::Interrupted),
            PinKey::Nothing => continue,
            _ if is_too_small(now) => continue,
            PinKey::Enter => entry.enter(prompt)?,
            _ => entry.edited(),
        }
        if entry.done == sheet::LINES {
            return Ok(Shared::Typed(entry.lines));
        }
        drawn = None;
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

    /// Takes note of what was typed or erased.
    fn edited(&mut self) {
        while self.line.len() > LONGEST {
            self.line.pop();
        }
        self.note = None;
    }

    /// Judges the line; a right one is kept, a wrong one stands to be corrected.
    fn enter(&mut self, prompt: &SharePrompt) -> io::Result<()> {
        let number = u8::try_from(self.done + 1).map_err(io::Error::other)?;
        match sheet::line(
            &prompt.custodian,
            number,
            &self.line,
            prompt.index.is_none(),
        ) {
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

    fn draw(&self, prompt: &SharePrompt, screen: &Screen, size: (u16, u16)) -> io::Result<()> {
        let page = if is_too_small(size) {
            let mut page = Page::new(prompt)?;
            let (columns, rows) = SMALLEST;
            page.put(&format!(
                " Enlarge the screen to {columns} columns and {rows} rows.{LINE} What was typed is kept."
            ))?;
            page.0
        } else {
            self.page(prompt)?
        };
        page.expose(|bytes| screen.write(bytes))
    }

    /// A line that is right need not be seen again.
    fn page(&self, prompt: &SharePrompt) -> io::Result<Secret> {
        let mut page = Page::new(prompt)?;
        let worn = match prompt.index {
            None => " A word that cannot be read any more is typed as ?.",
            Some(_) => "",
        };
        page.put(&format!(
            " The share of {}, from the paper.{worn}{LINE}{LINE}",
            plain(&prompt.custodian)
        ))?;
        for line in 0..sheet::LINES {
            page.put(&format!(" {}", line + 1))?;
            match line.cmp(&self.done) {
                Ordering::Less => page.put("  [ OK ]")?,
                Ordering::Equal => {
                    page.put("  \x1b[1m")?;
                    self.line.expose(|line| page.put_words(line, "    "))?;
                    page.put("_\x1b[0m")?;
                }
                Ordering::Greater => {}
            }
            page.put(LINE)?;
        }
        page.put(LINE)?;
        if let Some(note) = &self.note {
            page.put(" [FAIL] ")?;
            page.put_words(note.as_bytes(), "        ")?;
            page.put(&format!("{LINE}{LINE}"))?;
        }
        page.put(" Eight words, then Enter. Ctrl-U: clear the line. Esc: stop; nothing is kept.")?;
        Ok(page.0)
    }
}

/// The share, six lines of eight words, and what else stands on its sheet.
fn page(prompt: &SharePrompt, share: &Secret, label: &[String]) -> io::Result<Secret> {
    let mut page = Page::new(prompt)?;
    let number = prompt.index.unwrap_or_default();
    page.put(&format!(
        " Share {number}, for {}. Write these six lines on one sheet, and what stands below:{LINE}{LINE}",
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
                    page.put_word(word)?;
                    page.put(&" ".repeat(COLUMN.saturating_sub(word.len())))?;
                }
                page.put(&format!("\x1b[0m{LINE}"))?;
            }
        }
        io::Result::Ok(())
    })?;
    page.put(LINE)?;
    for row in label {
        page.put(&format!(" {row}{LINE}"))?;
    }
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

    /// Words, each whole in its row, with a margin before the rows after the first.
    fn put_words(&mut self, text: &[u8], margin: &str) -> io::Result<()> {
        let mut column = 0;
        for (number, word) in text.split(|byte| *byte == b' ').enumerate() {
            if number > 0 && column + word.len() >= WIDTH {
                self.put(&format!("{LINE}{margin}"))?;
                column = 0;
            } else if number > 0 {
                self.put(" ")?;
                column += 1;
            }
            self.put_word(word)?;
            column += word.len();
        }
        Ok(())
    }

    /// What a person typed may be anything: only what stands on a keyboard reaches the terminal.
    fn put_word(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.iter().try_for_each(|byte| {
            let shown = if byte.is_ascii_graphic() { *byte } else { b'#' };
            self.0.push(shown).map_err(io::Error::other)
        })
    }
}

#[cfg(test)]
mod tests;
