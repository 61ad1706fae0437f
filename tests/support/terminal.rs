//! One run in a pseudo-terminal: types like a person, reads like a terminal, and checks that the terminal is left as it was.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "tests; no test program uses every helper"
)]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// The key that turns a page.
const PAGE_DOWN: &str = "\x1b[6~";

struct Output {
    bytes: Vec<u8>,
    parser: vt100::Parser,
}

pub struct Session {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<Mutex<Output>>,
    /// Settings of the terminal before the program ran.
    before: String,
}

/// What was left.
pub struct End {
    pub code: u32,
    pub bytes: Vec<u8>,
    /// Settings as before, normal screen, cursor shown, no mouse, no bracketed paste.
    pub restored: bool,
    told: String,
}

impl End {
    /// What stands on the normal screen, and the state of the terminal.
    pub fn text(&self) -> String {
        self.told.clone()
    }
    pub fn contains(&self, text: &str) -> bool {
        self.bytes
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    }
}

impl Session {
    /// Starts a program in a terminal of this size.
    pub fn start(command: CommandBuilder, rows: u16, columns: u16) -> Self {
        let pair = native_pty_system().openpty(size(rows, columns)).unwrap();
        let before = settings(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        let output = Arc::new(Mutex::new(Output {
            bytes: Vec::new(),
            parser,
        }));
        let shared = Arc::clone(&output);
        let mut reader = pair.master.try_clone_reader().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut output = shared.lock().unwrap();
                output.bytes.extend_from_slice(&buffer[..count]);
                output.parser.process(&buffer[..count]);
            }
        });
        Self {
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            output,
            before,
        }
    }

    /// Waits until the screen shows a text.
    pub fn sees(&mut self, text: &str) {
        self.waits(&format!("no {text:?}"), |screen| screen.contains(text));
    }

    /// Does what well-behaved people do, question after question, until the screen shows a text: reads every review to its end, types the phrases
    /// that are asked, brings the tokens (they are all here), chooses what is proposed, and types `pin` into every PIN field.
    pub fn answers_until(&mut self, text: &str, pin: &str) {
        self.answers_with(text, pin, &mut |_| None);
    }

    /// As [`Self::answers_until`], but for the screens that `own` answers.
    pub fn answers_with(
        &mut self,
        text: &str,
        pin: &str,
        own: &mut dyn FnMut(&str) -> Option<String>,
    ) {
        loop {
            let mut screen = String::new();
            let mut keys = None;
            self.waits(&format!("neither {text:?} nor a question"), |shown| {
                shown.clone_into(&mut screen);
                if !shown.contains(text) {
                    keys = own(shown).or_else(|| proper_answer(shown, pin));
                }
                shown.contains(text) || keys.is_some()
            });
            let Some(keys) = keys else { return };
            self.types(&keys);
            self.waits("no answer to the keys", |shown| shown != screen);
            self.settles();
        }
    }

    /// Waits until the page stands still: one that is half drawn would be answered twice.
    fn settles(&self) {
        let mut before = self.screen();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(30));
            let now = self.screen();
            if now == before {
                return;
            }
            before = now;
        }
    }

    fn waits(&self, complaint: &str, mut there: impl FnMut(&str) -> bool) {
        let begun = Instant::now();
        while !there(&self.screen()) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{complaint} on\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The program's process.
    pub fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Everything that was written to the terminal so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.output.lock().unwrap().bytes.clone()
    }

    pub fn types(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Gives a key that does nothing the time to do nothing.
    pub fn rests(&self) {
        thread::sleep(Duration::from_millis(300));
        assert!(!self.screen().is_empty());
    }

    pub fn signal(&mut self, name: &str) {
        let child = self.process().to_string();
        let status = std::process::Command::new("kill")
            .args(["-s", name, &child])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        let mut output = self.output.lock().unwrap();
        let screen = output.parser.screen_mut();
        screen.set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        drop(output);
        self.master.resize(size(rows, columns)).unwrap();
    }

    /// Waits for the end of the program.
    pub fn end(mut self) -> End {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("the program does not end:\n{}", self.screen());
            }
            thread::sleep(Duration::from_millis(10));
        };
        // The last bytes may still be on their way from the kernel to the reading thread.
        thread::sleep(Duration::from_millis(100));
        let after = settings(&*self.master);
        let output = self.output.lock().unwrap();
        let screen = output.parser.screen();
        let restored = after == self.before
            && !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
        let mut told = screen.contents().replace('\n', "");
        write!(told, "\nbefore {}\nafter  {after}", self.before).unwrap();
        End {
            code: status.exit_code(),
            bytes: output.bytes.clone(),
            restored,
            told,
        }
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.output.lock().unwrap().parser.screen().contents()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// A custodian's share on paper, line by line.
pub type Sheet = Vec<String>;

/// The six lines on the screen, as a custodian writes them down.
pub fn written(screen: &str) -> Sheet {
    let mut lines = Sheet::new();
    for row in screen.lines() {
        let words: Vec<&str> = row.split_whitespace().collect();
        match words[..] {
            [number, ref words @ ..] if words.len() == 4 && number.parse::<u8>().is_ok() => {
                lines.push(words.join(" "));
            }
            ref words if words.len() == 4 && row.starts_with("     ") => {
                let line = lines.last_mut().unwrap();
                line.push(' ');
                line.push_str(&words.join(" "));
            }
            _ => {}
        }
    }
    assert_eq!(lines.len(), 6, "{screen}");
    assert!(
        lines.iter().all(|line| line.split(' ').count() == 8),
        "{screen}"
    );
    lines
}

/// The keys that a well-behaved person presses on this screen; none: nothing is asked.
fn proper_answer(screen: &str, pin: &str) -> Option<String> {
    let phrase = screen
        .lines()
        .find_map(|line| line.split_once("ype exactly:  "));
    let keys = if let Some((_, phrase)) = phrase {
        if screen.contains("\n > _") {
            format!("{}\r", phrase.trim_end())
        } else {
            "\t".to_owned()
        }
    } else if screen.contains("Read to the end to enable signing") {
        PAGE_DOWN.repeat(20)
    } else if screen.contains("Press Enter to open the PIN field.")
        || screen.contains("Waiting for: Enter, to begin")
        || screen.contains("\n   > ")
    {
        "\r".to_owned()
    } else if screen.contains("PIN: _") {
        format!("{pin}\r")
    } else if screen.contains("the names of both witnesses") {
        "Wanda Witness, Walt Witness\r".to_owned()
    } else {
        return None;
    };
    Some(keys)
}

fn size(rows: u16, columns: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// All settings as `stty -a` shows them, but for the size.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
