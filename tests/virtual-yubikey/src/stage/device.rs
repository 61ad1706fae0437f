//! A card that a test can pull and put back.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use super::readers::Readers;
use crate::card::Card;
use crate::faults::Controls;
use crate::state::State;
use crate::vpcd::Wire;

/// How long vpcd may take to listen again after a card left.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two readers and which are taken.
pub(super) struct Bays {
    port: u16,
    readers: Readers,
    taken: Mutex<[bool; 2]>,
}

impl Bays {
    pub(super) fn new(port: u16, readers: Readers) -> Self {
        Self {
            port,
            readers,
            taken: Mutex::default(),
        }
    }

    pub(super) fn reader_names(&self) -> [String; 2] {
        self.readers.names()
    }

    fn take(&self) -> usize {
        let mut taken = locked(&self.taken);
        let free = taken.iter().position(|taken| !taken);
        let Some(bay) = free else {
            panic!("both readers hold a card: vpcd has no third");
        };
        taken[bay] = true;
        bay
    }

    fn give_back(&self, bay: usize) {
        locked(&self.taken)[bay] = false;
    }

    fn connect(&self, bay: usize) -> TcpStream {
        let second = u16::from(bay == 1);
        let began = Instant::now();
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port + second)) {
                Ok(stream) => return stream,
                Err(error) if began.elapsed() > PATIENCE => panic!("vpcd does not listen: {error}"),
                Err(_) => sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// A card of a stage. It is in a reader from the start; dropping it pulls it.
pub struct Inserted {
    card: Arc<Mutex<Card>>,
    controls: Controls,
    bays: Arc<Bays>,
    place: Mutex<Option<Place>>,
}

struct Place {
    bay: usize,
    events: Option<u32>,
    wire: Arc<Wire>,
    thread: JoinHandle<()>,
}

impl Inserted {
    pub(super) fn new(card: Card, bays: Arc<Bays>) -> Self {
        Self {
            controls: card.controls(),
            card: Arc::new(Mutex::new(card)),
            bays,
            place: Mutex::new(None),
        }
    }

    /// The handle on faults, touch and log; it outlives removal.
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// What the card remembers now. Waits for a command that it works on.
    pub fn state(&self) -> State {
        locked(&self.card).state().clone()
    }

    /// Puts the card (back) into the next free reader and waits until PC/SC sees it; pulls it first if it is in one.
    ///
    /// # Panics
    ///
    /// Both readers are taken, or pcscd does not see the card.
    pub fn insert(&self) {
        self.remove();
        let bay = self.bays.take();
        let wire = Wire::new(self.bays.connect(bay));
        let wire = Arc::new(wire.unwrap_or_else(|error| panic!("the wire to vpcd: {error}")));
        self.controls.set_pulled(false);
        let thread = self.serve(&wire);
        let mut place = locked(&self.place);
        let place = place.insert(Place {
            bay,
            events: None,
            wire,
            thread,
        });
        let seen = self.bays.readers.wait_for_card(bay, true, None);
        place.events = Some(seen.unwrap_or_else(|reason| panic!("{reason}")));
    }

    /// Pulls the card, at whatever it is doing, and waits until PC/SC knows.
    ///
    /// # Panics
    ///
    /// pcscd does not let go of the card.
    pub fn remove(&self) {
        if let Err(reason) = self.leave() {
            panic!("{reason}");
        }
    }

    /// Whether the card is in a reader: false after a fault has pulled it.
    pub fn is_inserted(&self) -> bool {
        locked(&self.place)
            .as_ref()
            .is_some_and(|place| !place.wire.is_torn())
    }

    /// Which reader it is in: an index into [`super::Stage::reader_names`].
    pub fn reader(&self) -> Option<usize> {
        locked(&self.place).as_ref().map(|place| place.bay)
    }

    fn serve(&self, wire: &Arc<Wire>) -> JoinHandle<()> {
        let wire = Arc::clone(wire);
        let card = Arc::clone(&self.card);
        spawn(move || {
            // A broken wire is a card that left: the other side says so itself.
            let _ = wire.serve(&card);
            wire.tear();
            locked(&card).reset();
        })
    }

    fn leave(&self) -> Result<(), String> {
        let Some(place) = locked(&self.place).take() else {
            return Ok(());
        };
        self.controls.set_pulled(true);
        place.wire.tear();
        let ended = place.thread.join();
        let readers = &self.bays.readers;
        let gone = readers.wait_for_card(place.bay, false, place.events);
        self.bays.give_back(place.bay);
        ended.map_err(|_| "the card's thread panicked".to_owned())?;
        gone.map(drop)
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        // pcscd may be gone by now; a test that cares removes the card itself.
        let _ = self.leave();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
