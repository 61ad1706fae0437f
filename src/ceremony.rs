//! Ceremonies: a reviewed script becomes a plan, the runner works through its steps and says everything it does as events.
//!
//! Three ports are all it knows of the world: [`port::Operator`] asks people, [`port::World`] is tokens, disk and clock,
//! [`port::Sink`] takes the events. It never reads a clock, a file or a device itself.

pub mod event;
pub mod plan;
pub mod port;
pub mod progress;
pub mod prompt;
pub mod review;
pub mod script;
