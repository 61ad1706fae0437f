//! How long a worker may take for a call: the one place.

use std::time::Duration;

/// Time limits by call. A worker that takes longer is stopped.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the start of the process until its module is loaded and initialised. Vendors' modules look for their devices meanwhile.
    pub start: Duration,
    /// `list`, and `attestation`: reading.
    pub list: Duration,
    /// `keys`: reading, over cards that have dozens of objects.
    pub keys: Duration,
    /// `login` and `authorise`.
    pub login: Duration,
    /// What is added where somebody types a PIN on the token itself.
    pub pin_pad: Duration,
    /// `sign`; a touch included, for which cards wait 15 seconds.
    pub sign: Duration,
    /// `generate`; RSA on a card takes minutes.
    pub generate: Duration,
    /// `wrap`, with two logins, `sign_wrapped`, with a touch as for `sign`, and `unwrap`.
    pub wrap: Duration,
    /// `initialise` and `reset`.
    pub reset: Duration,
    /// `logout`, and the end of the process.
    pub end: Duration,
}

impl Limits {
    /// The same for every call, for tests.
    pub fn all(limit: Duration) -> Self {
        Self {
            start: limit,
            list: limit,
            keys: limit,
            login: limit,
            pin_pad: limit,
            sign: limit,
            generate: limit,
            wrap: limit,
            reset: limit,
            end: limit,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            list: Duration::from_secs(10),
            keys: Duration::from_secs(30),
            login: Duration::from_secs(30),
            pin_pad: Duration::from_secs(90),
            sign: Duration::from_mins(1),
            generate: Duration::from_mins(3),
            wrap: Duration::from_mins(2),
            reset: Duration::from_mins(2),
            end: Duration::from_secs(5),
        }
    }
}
