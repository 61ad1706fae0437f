//! A token's turn: it is brought, works, and may be brought again if it did not. What it must be told and asked before it signs, whatever it signs.

use super::ask::Question;
use super::{Halt, Runner};
use crate::ceremony::port::{
    Operator, PinPolicy, SignRequest, Stop, TokenError, TokenFault, TokenInfo, TokenKey,
    TouchPolicy,
};

/// What became of a token that was brought.
pub(super) enum Turn<T> {
    /// It did its work.
    Done(T),
    /// The holder is passed over.
    Passed,
    /// It was not let do it, for this reason; another may be brought.
    Refused(String),
}

/// What a token is brought for.
pub(super) type Work<'w, 'r, T> =
    dyn FnMut(&mut Runner<'r>, &TokenInfo) -> Result<Turn<T>, Halt> + 'w;

/// Which token may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bring {
    /// One with a PIN.
    Ready,
    /// One with a PIN; the holder may be passed over.
    OrPass,
    /// Any, a blank one too.
    Blank,
}

impl<'r> Runner<'r> {
    /// Has the holder's token brought until its work is done; none: the holder is passed over.
    pub(super) fn take_turn<T>(
        &mut self,
        question: &Question<'_>,
        holder: &str,
        which: Bring,
        work: &mut Work<'_, 'r, T>,
    ) -> Result<Option<T>, Halt> {
        let mut seen = None;
        let mut failure: Option<TokenError> = None;
        loop {
            let before = failure.take();
            let token = match self.bring(question, holder, which, seen.take()) {
                Ok(Some(token)) => token,
                Ok(None) => return Ok(None),
                Err(halt) => return Err(ended(halt, before)),
            };
            seen = Some(match work(self, &token) {
                Ok(Turn::Done(done)) => return Ok(Some(done)),
                Ok(Turn::Passed) => return Ok(None),
                Ok(Turn::Refused(why)) => why,
                Err(Halt::Token(failed)) if is_passing(failed.fault) => {
                    self.end_session();
                    if let Err(halt) = self.settle_pending() {
                        return Err(ended(halt, Some(failed)));
                    }
                    let text = sentence(&failed, which);
                    failure = Some(failed);
                    text
                }
                Err(halt) => return Err(ended(halt, before)),
            });
        }
    }

    /// Asks a token for one signature, once: people are told to touch it before the call that waits for them.
    pub(super) fn ask_once(
        &mut self,
        request: &SignRequest<'_>,
        token: &TokenInfo,
        key: &TokenKey,
    ) -> Result<Vec<u8>, TokenError> {
        tell_touch(self.operator, key.usage.touch);
        self.world.sign(request, &token.id, key)
    }
}

/// Tells people to touch the key, where it wants that.
pub(super) fn tell_touch(operator: &mut dyn Operator, touch: TouchPolicy) {
    match touch {
        TouchPolicy::Always => operator.tell("Touch the key that blinks; you have 15 seconds."),
        TouchPolicy::Cached => operator.tell(
            "Touch the key if it blinks; you have 15 seconds. It may still know the last touch.",
        ),
        TouchPolicy::Unknown | TouchPolicy::Never => {}
    }
}

/// Whether the key wants its PIN for each signature and the last one used it up.
pub(super) fn wants_pin_again(key: &TokenKey, sig: &Result<Vec<u8>, TokenError>) -> bool {
    key.usage.pin == PinPolicy::Always
        && matches!(sig, Err(failed) if failed.fault == TokenFault::NotLoggedIn)
}

/// Why a key cannot sign so many bytes, where it cannot: said before its PIN is asked for.
pub(super) fn too_long(keys: &[TokenKey], size: usize) -> Option<String> {
    let longest = keys.iter().filter_map(|key| key.usage.longest).min()?;
    (size > longest).then(|| {
        format!(
            "This key takes at most {longest} bytes at once (Ed25519 is signed whole), and this is {size}. It was refused before its PIN; nothing was signed. Let another holder sign, and replace the key by a P-256 one (admin-key, generate = \"ecdsa-p256\")."
        )
    })
}

/// Where nobody is there to insert the token again, to type its PIN again or to decide, its failure is the end.
fn ended(halt: Halt, before: Option<TokenError>) -> Halt {
    match (halt, before) {
        (Halt::Stopped(Stop::NoAnswer(_)), Some(failed)) => Halt::Token(failed),
        (halt, _) => halt,
    }
}

fn sentence(failed: &TokenError, which: Bring) -> String {
    if failed.fault == TokenFault::TouchMissed {
        return "Nobody touched the key in time. Nothing was counted, and no PIN try was lost. Choose the token again and touch it when it blinks."
            .to_owned();
    }
    let pass = if which == Bring::OrPass {
        ", or pass this holder over"
    } else {
        ""
    };
    format!("{failed}. Nothing was counted. Insert the token again and press Enter{pass}.")
}

/// Whether the same token may do better when it is asked again; of a PIN no further try is used.
pub(super) fn is_passing(fault: TokenFault) -> bool {
    match fault {
        TokenFault::Removed
        | TokenFault::NotLoggedIn
        | TokenFault::Exists
        | TokenFault::Module
        | TokenFault::TouchMissed
        | TokenFault::TimedOut
        | TokenFault::Other => true,
        TokenFault::PinIncorrect
        | TokenFault::PinLocked
        | TokenFault::KeyAbsent
        | TokenFault::NotAuthorised
        | TokenFault::Unsupported
        | TokenFault::PayloadTooLarge => false,
    }
}
