//! What every kind of token has to keep. A claim is a function over a stage; what differs from row to row is in the row.

#[path = "claims/keys.rs"]
mod keys;
#[path = "claims/pins.rs"]
mod pins;
#[path = "claims/presence.rs"]
mod presence;
#[path = "claims/signing.rs"]
mod signing;
#[path = "claims/wrapping.rs"]
mod wrapping;

pub use keys::*;
pub use pins::*;
pub use presence::*;
pub use signing::*;
pub use wrapping::*;
