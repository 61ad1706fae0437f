//! A card that a test can pull and put back.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use super::readers::Readers;
use crate::card::Card;
use crate::faults::Controls;
use crate::state::State;
use crate::vpcd::{serve, tear};

/// How long vpcd may take to listen again after a card left.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two readers and which are taken.
pub(super) struct Bays {
    port: u16,
    readers: OnceLock<Readers>,
    taken: Mutex<[bool; 2]>,
}

impl Bays {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            readers: OnceLock::new(),
            taken: Mutex::default(),
        }
    }

    pub(super) fn set_readers(&self, readers: Readers) {
        // Set once, when pcscd is ready.
        let _ = self.readers.set(readers);
    }

    pub(super) fn reader_names(&self) -> [String; 2] {
        self.readers
            .get()
            .map_or_else(Default::default, Readers::names)
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

    fn wait(&self, bay: usize, present: bool) {
        let readers = self.readers.get();
        let waited = readers.map_or(Ok(()), |readers| readers.wait_for_card(bay, present));
        if let Err(reason) = waited {
            panic!("{reason}");
        }
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
    wire: TcpStream,
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
        let wire = self.bays.connect(bay);
        self.controls.set_pulled(false);
        let thread = self.serve(&wire);
        *locked(&self.place) = Some(Place { bay, wire, thread });
        self.bays.wait(bay, true);
    }

    /// Pulls the card, at whatever it is doing, and waits until PC/SC knows.
    ///
    /// # Panics
    ///
    /// pcscd does not let go of the card.
    pub fn remove(&self) {
        let Some(place) = self.pull() else { return };
        self.bays.wait(place, false);
        self.bays.give_back(place);
    }

    /// Whether the card is in a reader: false after a fault has pulled it.
    pub fn is_inserted(&self) -> bool {
        locked(&self.place)
            .as_ref()
            .is_some_and(|place| !place.thread.is_finished())
    }

    /// Which reader it is in: an index into [`super::Stage::reader_names`].
    pub fn reader(&self) -> Option<usize> {
        locked(&self.place).as_ref().map(|place| place.bay)
    }

    fn serve(&self, wire: &TcpStream) -> JoinHandle<()> {
        let wire = wire
            .try_clone()
            .unwrap_or_else(|error| panic!("the wire to vpcd: {error}"));
        let card = Arc::clone(&self.card);
        spawn(move || {
            // A broken wire is a card that left: the other side says so itself.
            let _ = serve(&wire, &card);
            locked(&card).reset();
            tear(&wire);
        })
    }

    fn pull(&self) -> Option<usize> {
        let place = locked(&self.place).take()?;
        self.controls.set_pulled(true);
        tear(&place.wire);
        if place.thread.join().is_err() {
            panic!("the card's thread panicked");
        }
        Some(place.bay)
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.pull();
        } else {
            self.remove();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
