//! The cards in all readers, and one of them by its serial: never "the first one", and never [`YubiKey::open`], which fails where there are two.

use pcsc::Disposition;
use yubikey::reader::Context;
use yubikey::{Error, YubiKey};

use super::errors::guarded;

/// Whether the smart card service answers. No reader is no error.
pub(super) fn service() -> Result<(), Error> {
    match Context::open() {
        Err(error) if !is(&error, pcsc::Error::NoReadersAvailable) => Err(error),
        _ => Ok(()),
    }
}

/// Every `YubiKey` in a reader that is not among `busy`, in the order of the readers. Readers that are empty, hold another card or are held by another
/// program are passed over.
pub(super) fn cards(busy: &[&str]) -> Result<Vec<YubiKey>, Error> {
    Ok(each(busy)?.into_iter().flatten().collect())
}

/// The card with this serial, in a reader that is not among `busy`. Others are let go as they are.
pub(super) fn card(serial: &str, busy: &[&str]) -> Result<YubiKey, Error> {
    let mut wanted = None;
    // What may have hidden the card that is wanted.
    let mut hidden = Error::NotFound;
    for opened in each(busy)? {
        match opened {
            Ok(card) if wanted.is_none() && card.serial().to_string() == serial => {
                wanted = Some(card);
            }
            Ok(other) => release(other),
            Err(error) if is(&error, pcsc::Error::SharingViolation) => hidden = error,
            Err(_) => {}
        }
    }
    wanted.ok_or(hidden)
}

/// Uses a connection and ends it as [`release`] does.
pub(super) fn with<T>(mut card: YubiKey, act: impl FnOnce(&mut YubiKey) -> T) -> T {
    let done = act(&mut card);
    release(card);
    done
}

/// Ends a connection without a reset: a card of somebody else keeps its state. Dropping a connection resets the card, and pcscd (1.9) does not get over
/// a card that leaves at that moment: its reader then stays dead.
pub(super) fn release(card: YubiKey) {
    // One that is gone needs no release.
    let _ = card.disconnect(Disposition::LeaveCard);
}

fn is(error: &Error, code: pcsc::Error) -> bool {
    matches!(error, Error::PcscError { inner } if *inner == Some(code))
}

fn each(busy: &[&str]) -> Result<Vec<Result<YubiKey, Error>>, Error> {
    let none = |error: &Error| is(error, pcsc::Error::NoReadersAvailable);
    let mut context = match Context::open() {
        Err(error) if none(&error) => return Ok(Vec::new()),
        context => context?,
    };
    let readers = match context.iter() {
        Err(error) if none(&error) => return Ok(Vec::new()),
        readers => readers?,
    };
    let free = readers.filter(|reader| !busy.contains(&reader.name().as_ref()));
    Ok(free
        .map(|reader| guarded(|| reader.open()).and_then(numbered))
        .collect())
}

/// A card that gives no serial cannot be told from another.
fn numbered(card: YubiKey) -> Result<YubiKey, Error> {
    if card.serial().0 != 0 {
        return Ok(card);
    }
    release(card);
    Err(Error::NotSupported)
}
