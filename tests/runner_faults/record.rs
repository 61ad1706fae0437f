//! What happened, in one order: calls of the world, questions, events. The sink that records events and may fail to.

use std::cell::RefCell;
use std::rc::Rc;

use tuf_ceremony::ceremony::event::{Credential, Event};
use tuf_ceremony::ceremony::port::{Sink, WorldError};

#[derive(Clone, Debug)]
pub enum Entry {
    /// A call of the world, and whose token or which file; `index` counts the calls that can fail.
    Call {
        method: &'static str,
        about: String,
        index: Option<usize>,
    },
    Asked(String),
    PinAsked,
    /// What people were told before a token was asked.
    Told(String),
    /// A new secret was written down.
    Envelope(Credential),
    Recorded(Event),
    /// An event that could not be recorded.
    Lost,
}

#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<Entry>>>);

impl Log {
    pub fn add(&self, entry: Entry) {
        self.0.borrow_mut().push(entry);
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.0.borrow().clone()
    }

    /// What is on record.
    pub fn events(&self) -> Vec<Event> {
        let recorded = |entry| match entry {
            Entry::Recorded(event) => Some(event),
            _ => None,
        };
        self.entries().into_iter().filter_map(recorded).collect()
    }

    /// How often the world was called so, and about whom or what.
    pub fn calls(&self, wanted: &str) -> Vec<String> {
        let called = |entry| match entry {
            Entry::Call { method, about, .. } if method == wanted => Some(about),
            _ => None,
        };
        self.entries().into_iter().filter_map(called).collect()
    }

    /// The calls that can fail, in order.
    pub fn breakable(&self) -> Vec<&'static str> {
        let breakable = |entry| match entry {
            Entry::Call {
                method,
                index: Some(_),
                ..
            } => Some(method),
            _ => None,
        };
        self.entries().into_iter().filter_map(breakable).collect()
    }

    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|event| wanted(event)).count()
    }
}

/// Records in memory; fails once, at the event with this number.
pub struct Tape {
    log: Log,
    pub fails_at: Option<usize>,
    seen: usize,
}

impl Tape {
    pub fn on(log: &Log) -> Self {
        Self {
            log: log.clone(),
            fails_at: None,
            seen: 0,
        }
    }
}

impl Sink for Tape {
    fn record(&mut self, event: &Event) -> Result<(), WorldError> {
        let fails = self.fails_at == Some(self.seen);
        self.seen += 1;
        if fails {
            self.log.add(Entry::Lost);
            return Err(WorldError {
                path: "transcript.jsonl".to_owned(),
                said: "no space left on device".to_owned(),
            });
        }
        self.log.add(Entry::Recorded(event.clone()));
        Ok(())
    }
}
