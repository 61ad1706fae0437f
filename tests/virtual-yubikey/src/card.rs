//! One card: the transport, the application that is selected, and what the tests let go wrong around them.

use std::io;
use std::path::Path;

use crate::apdu::{Command, Incoming, Link, Status};
use crate::applet::{self, Piv, Reply};
use crate::faults::Controls;
use crate::log::{Exchange, Purpose};
use crate::state::{State, Store};
use crate::tlv::{find, read, read_all};

/// What the card does with an APDU.
pub enum Answer {
    /// It answers.
    Bytes(Vec<u8>),
    /// It is no longer there.
    Pulled,
}

/// A card, in a reader or not.
pub struct Card {
    store: Store,
    controls: Controls,
    link: Link,
    selected: Selected,
}

enum Selected {
    Nothing,
    Piv(Piv),
    Management,
    Otp,
}

const SELECT: u8 = 0xa4;
const PIV: [u8; 5] = [0xa0, 0, 0, 3, 8];
const MANAGEMENT: [u8; 8] = [0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17];
const OTP: [u8; 7] = [0xa0, 0, 0, 5, 0x27, 0x20, 1];

impl Card {
    /// A card that nobody has had before, kept nowhere.
    pub fn new(state: State) -> Self {
        Self::with(Store::in_memory(state))
    }

    /// The card in the file at `path`; where there is none, `new` is put there.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is no card.
    pub fn open(path: &Path, new: State) -> io::Result<Self> {
        Ok(Self::with(Store::open(path, new)?))
    }

    fn with(store: Store) -> Self {
        Self {
            store,
            controls: Controls::default(),
            link: Link::default(),
            selected: Selected::Nothing,
        }
    }

    /// The handle on faults, touch and log.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// What the card remembers.
    pub fn state(&self) -> &State {
        &self.store.state
    }

    /// Power on or reset: what is only remembered with power is gone.
    pub fn reset(&mut self) {
        self.link = Link::default();
        self.selected = Selected::Nothing;
    }

    /// Answers one APDU.
    pub fn transmit(&mut self, bytes: &[u8]) -> Answer {
        if self.controls.pulled_by_apdu() {
            if let Some(command) = Command::parse(bytes) {
                self.record(&command, None);
            }
            return Answer::Pulled;
        }
        let command = match self.link.receive(bytes) {
            Incoming::Answered(bytes) => return Answer::Bytes(bytes),
            Incoming::Whole(command) => command,
        };
        let reply = self.execute(&command);
        // The host must not hear of a spent try that a power cut could undo.
        let saved = self.store.save();
        let (data, status) = match (reply, saved) {
            (Reply::Pulled, _) => {
                self.record(&command, None);
                return Answer::Pulled;
            }
            (_, Err(_)) => (Vec::new(), Status::INTERNAL),
            (Reply::Data(data), Ok(())) => (data, Status::OK),
            (Reply::Refused(status), Ok(())) => (Vec::new(), status),
        };
        self.record(&command, Some(status));
        Answer::Bytes(self.link.send(data, status, command.extended))
    }

    fn execute(&mut self, command: &Command) -> Reply {
        if let Some(status) = self.controls.refused(command.ins) {
            return Reply::Refused(Status(status));
        }
        if command.ins == SELECT {
            return self.select(command);
        }
        let serial = self.controls.faults().serial;
        let state = &mut self.store.state;
        let reply = match &mut self.selected {
            Selected::Nothing => Reply::Refused(Status::INSTRUCTION),
            Selected::Piv(piv) => piv.execute(command, state, &self.controls),
            Selected::Management => applet::others::management(command, state, serial),
            Selected::Otp => applet::others::otp(command, state, serial),
        };
        let signed = purpose(command) == Purpose::Sign && matches!(reply, Reply::Data(_));
        if signed && self.controls.pulled_by_signature() {
            return Reply::Pulled;
        }
        reply
    }

    fn select(&mut self, command: &Command) -> Reply {
        let state = &self.store.state;
        let name = command.data.as_slice();
        if command.p1 != 4 {
            return Reply::Refused(Status::PARAMETERS);
        }
        if name.starts_with(&PIV) {
            self.selected = Selected::Piv(Piv::default());
            Reply::Data(applet::SELECTED.to_vec())
        } else if name == MANAGEMENT {
            self.selected = Selected::Management;
            let greeting = format!("Virtual mgr - FW version {}", state.firmware);
            Reply::Data(greeting.into_bytes())
        } else if name == OTP {
            self.selected = Selected::Otp;
            Reply::Data(applet::others::otp_status(state))
        } else {
            Reply::Refused(Status::NOT_FOUND)
        }
    }

    fn record(&self, command: &Command, status: Option<Status>) {
        self.controls.record(Exchange {
            ins: command.ins,
            p1: command.p1,
            p2: command.p2,
            purpose: purpose(command),
            status: status.map(|status| status.0),
        });
    }
}

/// What a whole command is for. Part of a chain that a pull cut short counts as other.
fn purpose(command: &Command) -> Purpose {
    match (command.ins, command.p2) {
        (0x20, _) if command.data.is_empty() => Purpose::AskTries,
        (0x20, _) => Purpose::Verify,
        (0x87, 0x9b) => Purpose::Manage,
        (0x87, _) if has_element(command, 0x85) => Purpose::Agree,
        (0x87, _) if has_element(command, 0x81) => Purpose::Sign,
        _ => Purpose::Other,
    }
}

fn has_element(command: &Command, tag: u8) -> bool {
    read(&command.data)
        .and_then(|(_, template, _)| read_all(template))
        .is_some_and(|elements| find(&elements, tag).is_some())
}

impl Answer {
    /// The bytes, where the card answered; for tests that talk to a card without a reader.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Pulled => None,
        }
    }
}
