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

/// How the card left the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The other side closed the wire, or somebody here did.
    Closed,
    /// A fault pulled it.
    Pulled,
}

/// Serves the reader until the wire is closed or the card is pulled; closing the wire is the removal.
///
/// # Errors
///
/// The wire broke.
pub fn serve(mut stream: &TcpStream, card: &Mutex<Card>) -> io::Result<Left> {
    stream.set_nodelay(true)?;
    loop {
        let Some(message) = receive(&mut stream)? else {
            return Ok(Left::Closed);
        };
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
            Answer::Bytes(bytes) => send(&mut stream, &bytes)?,
            Answer::Pulled => return Ok(Left::Pulled),
        }
    }
}

/// Takes the card out: half an answer, then a reset.
///
/// vpcd 3.3 takes the end of the wire, and even a reset where an answer should begin, for an answer without bytes,
/// which no reader gives. A reset inside an answer it reports as what it is, a failed transmission.
pub fn tear(mut stream: &TcpStream) {
    // It may be torn already.
    let _ = stream.write_all(&[0, 2]);
    let _ = rustix::net::connect_unspec(stream);
}

fn receive(stream: &mut &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

fn send(stream: &mut &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "answer beyond 64 KiB"))?;
    stream.write_all(&[&length.to_be_bytes(), bytes].concat())
}
