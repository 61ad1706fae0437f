//! The wire to vsmartcard's reader driver: two bytes of length, then a control byte or an APDU.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

use crate::card::{Answer, Card};

/// A `YubiKey` 5's answer to reset: T=1 only, and the vendor's name in the historical bytes.
const ATR: [u8; 23] = [
    0x3b, 0xfd, 0x13, 0, 0, 0x81, 0x31, 0xfe, 0x15, 0x80, 0x73, 0xc0, 0x21, 0xc0, 0x57, 0x59, 0x75,
    0x62, 0x69, 0x4b, 0x65, 0x79, 0x40,
];

const POWER_OFF: u8 = 0;
const POWER_ON: u8 = 1;
const RESET: u8 = 2;
const ASK_ATR: u8 = 4;

/// A connection to a reader. As long as it stands, the card is in.
pub struct Wire {
    stream: TcpStream,
    /// Held while anything is written, so that a removal never falls between the bytes of an answer.
    torn: Mutex<bool>,
}

impl Wire {
    /// The card is in the reader from here on.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            torn: Mutex::new(false),
        })
    }

    /// Serves the reader until the connection ends or the card is pulled, from here or by a fault.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub fn serve(&self, card: &Mutex<Card>) -> io::Result<()> {
        while let Some(message) = self.receive()? {
            let mut card = card.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = match message.as_slice() {
                [POWER_OFF | POWER_ON | RESET] => {
                    card.reset();
                    continue;
                }
                [ASK_ATR] => Answer::Bytes(ATR.to_vec()),
                apdu => card.transmit(apdu),
            };
            drop(card);
            match answer {
                Answer::Bytes(bytes) => self.send(&bytes)?,
                Answer::Pulled => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes the card out: half an answer, then a reset.
    ///
    /// vpcd 3.3 takes the end of the connection, and even a reset where an answer should begin, for an answer without
    /// bytes, which no reader gives. A reset inside an answer it reports as what it is, a failed transmission.
    pub fn tear(&self) {
        let mut torn = self.torn.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *torn, true) {
            // The other side may have ended it already.
            let _ = (&self.stream).write_all(&[0, 2]);
            let _ = rustix::net::connect_unspec(&self.stream);
        }
    }

    /// Whether the card is out again. It is true before the reader can know.
    pub fn is_torn(&self) -> bool {
        *self.torn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let mut stream = &self.stream;
        let mut length = [0; 2];
        match stream.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        // vpcd sends length and message apart, and its kernel keeps the second back until the first is acknowledged, 40 ms later if it is not said
        // so. The kernel here forgets it at each read.
        rustix::net::sockopt::set_tcp_quickack(stream, true)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message)?;
        Ok(Some(message))
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let length = u16::try_from(bytes.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "answer beyond 64 KiB"))?;
        let torn = self.torn.lock().unwrap_or_else(PoisonError::into_inner);
        if *torn {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        (&self.stream).write_all(&[&length.to_be_bytes(), bytes].concat())
    }
}
