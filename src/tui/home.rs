//! The home screen: which ceremony, a rehearsal, a verification; and the form for the paths. It does nothing itself.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::text::Line;

use super::app::glyphs;
use super::page::Page;
use super::terminal::{Guard, Signals, next};
use super::text::{Tone, lines, tagged};
use super::update::edit;
use super::view::{Chrome, draw};
use super::{Home, HomeChoice, ScriptEntry};

/// Where the home screen is.
struct Model {
    scripts: Vec<ScriptEntry>,
    selected: usize,
    form: Option<Form>,
}

/// Paths to be typed.
struct Form {
    title: String,
    /// What is wanted, and what is typed.
    fields: Vec<(&'static str, String)>,
    current: usize,
    note: Option<&'static str>,
    /// Run a script, or verify.
    run: bool,
}

/// Shows the home screen until something is chosen.
pub(super) fn show(home: Home, signals: &Signals) -> io::Result<HomeChoice> {
    let (_guard, mut terminal) = Guard::take()?;
    let glyphs = glyphs(home.ascii);
    let mut model = Model::new(home.scripts);
    loop {
        let clock = (home.clock)();
        terminal.draw(|frame| {
            let chrome = Chrome {
                mode: None,
                title: "tuf-ceremony",
                clock: &clock,
                step: model.place().to_owned(),
                glyphs,
            };
            let area = frame.area();
            let page = model.page(usize::from(area.width));
            let height = page.height(usize::from(area.height));
            let scroll = model.in_sight(height);
            draw(&chrome, &page, scroll, frame.buffer_mut());
        })?;
        if signals.stop() {
            return Ok(HomeChoice::Quit);
        }
        if let Some(Event::Key(key)) = next(Duration::from_millis(250))?
            && key.kind != KeyEventKind::Release
            && let Some(choice) = model.press(key)
        {
            return Ok(choice);
        }
    }
}

impl Model {
    fn new(scripts: Vec<ScriptEntry>) -> Self {
        Self {
            scripts,
            selected: 0,
            form: None,
        }
    }

    fn place(&self) -> &str {
        match &self.form {
            None => "What are we doing today?",
            Some(form) => &form.title,
        }
    }

    fn press(&mut self, key: KeyEvent) -> Option<HomeChoice> {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Some(HomeChoice::Quit);
        }
        match &mut self.form {
            Some(_) if key.code == KeyCode::Esc => {
                self.form = None;
                None
            }
            Some(form) => form.press(key),
            None => self.choose(key.code),
        }
    }

    fn choose(&mut self, code: KeyCode) -> Option<HomeChoice> {
        let last = self.scripts.len() + 2;
        match code {
            KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => {
                self.selected = (self.selected + 1).min(last);
            }
            KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k') => {
                self.selected = self.selected.saturating_sub(1);
            }
            KeyCode::Home | KeyCode::Char('g') => self.selected = 0,
            KeyCode::End | KeyCode::Char('G') => self.selected = last,
            KeyCode::Char('q') => return Some(HomeChoice::Quit),
            KeyCode::Enter => return self.open(),
            _ => {}
        }
        None
    }

    fn open(&mut self) -> Option<HomeChoice> {
        if let Some(script) = self.scripts.get(self.selected) {
            self.form = Some(Form::run(script));
            return None;
        }
        match self.selected - self.scripts.len() {
            0 => return Some(HomeChoice::Rehearse),
            1 => self.form = Some(Form::verify()),
            _ => return Some(HomeChoice::Quit),
        }
        None
    }

    /// The first line to show so that the selected one is in sight: two lines a script, after one of heading.
    fn in_sight(&self, height: usize) -> usize {
        match self.form {
            Some(_) => 0,
            None => (self.selected * 2 + 4).saturating_sub(height),
        }
    }

    fn page(&self, width: usize) -> Page {
        match &self.form {
            Some(form) => form.page(width),
            None => self.list(width),
        }
    }

    fn list(&self, width: usize) -> Page {
        let scripts = self.scripts.iter().map(|script| {
            let path = script.path.to_string_lossy().into_owned();
            (script.title.clone(), path)
        });
        let others = [
            (
                "Rehearse",
                "a whole ceremony with throwaway keys in a temporary folder",
            ),
            ("Verify a bundle", "reads only; needs no token"),
            ("Quit", ""),
        ];
        let others = others.map(|(name, what)| (name.to_owned(), what.to_owned()));
        let mut body = lines("Ceremony scripts found:", width, Tone::Plain);
        if self.scripts.is_empty() {
            body = lines(
                "No ceremony script (*.toml) was found here.",
                width,
                Tone::Plain,
            );
        }
        for (index, (name, what)) in scripts.chain(others).enumerate() {
            let selected = index == self.selected;
            let (tag, tone) = if selected {
                (" >", Tone::Reverse)
            } else {
                ("", Tone::Strong)
            };
            body.extend(tagged(tag, 4, &name, width, tone));
            body.extend(tagged("", 6, &what, width, Tone::Plain));
        }
        Page {
            top: Vec::new(),
            body,
            bottom: Vec::new(),
            waiting: "Waiting for: a choice, then Enter".to_owned(),
            keys: "Up/Down j/k choose  g/G first, last  Enter open  q quit",
        }
    }
}

impl Form {
    fn run(script: &ScriptEntry) -> Self {
        Self {
            title: script.title.clone(),
            fields: vec![
                (
                    "Ceremony script (file)",
                    script.path.to_string_lossy().into_owned(),
                ),
                ("Room (room.toml)", String::new()),
                ("Carried in (folder)", String::new()),
                ("Write to (folder)", String::new()),
            ],
            current: 1,
            note: None,
            run: true,
        }
    }
    fn verify() -> Self {
        Self {
            title: "Verify a bundle".to_owned(),
            fields: vec![
                ("Trusted root (file)", String::new()),
                ("Bundle, folder or file", String::new()),
            ],
            current: 0,
            note: None,
            run: false,
        }
    }

    fn press(&mut self, key: KeyEvent) -> Option<HomeChoice> {
        let last = self.fields.len() - 1;
        self.note = None;
        match key.code {
            KeyCode::Down | KeyCode::Tab => self.current = (self.current + 1).min(last),
            KeyCode::Up | KeyCode::BackTab => self.current = self.current.saturating_sub(1),
            KeyCode::Enter if self.current < last => self.current += 1,
            KeyCode::Enter => return self.choice(),
            _ => {
                edit(&mut self.fields[self.current].1, key);
            }
        }
        None
    }

    fn choice(&mut self) -> Option<HomeChoice> {
        if let Some(empty) = self
            .fields
            .iter()
            .position(|(_, typed)| typed.trim().is_empty())
        {
            self.current = empty;
            self.note = Some("[WARN] This path is missing.");
            return None;
        }
        let mut paths = self
            .fields
            .iter()
            .map(|(_, typed)| PathBuf::from(typed.trim()));
        let first = paths.next()?;
        let second = paths.next()?;
        Some(if self.run {
            HomeChoice::Run {
                script: first,
                room: second,
                input: paths.next()?,
                out: paths.next()?,
            }
        } else {
            HomeChoice::Verify {
                trusted_root: first,
                path: second,
            }
        })
    }

    fn page(&self, width: usize) -> Page {
        let mut body: Vec<Line> = Vec::new();
        for (index, (name, typed)) in self.fields.iter().enumerate() {
            let here = index == self.current;
            let (tag, cursor) = if here { (" >", "_") } else { ("", "") };
            body.extend(tagged(tag, 4, name, width, Tone::Strong));
            body.extend(tagged(
                "",
                6,
                &format!("{typed}{cursor}"),
                width,
                Tone::Plain,
            ));
            if let (true, Some(note)) = (here, self.note) {
                body.extend(tagged("", 6, note, width, Tone::Warn));
            }
        }
        Page {
            top: Vec::new(),
            body,
            bottom: Vec::new(),
            waiting: "Waiting for: the paths; Enter in the last field goes on".to_owned(),
            keys: "Enter next  Tab Up Down field  Ctrl-U clear  Esc back  Ctrl-C quit",
        }
    }
}
