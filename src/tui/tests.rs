//! The screen without a terminal: what keys do, what every page shows at three sizes, and what hostile text cannot do.

#![allow(clippy::unwrap_used, reason = "tests")]

mod batch;
mod counting;
mod fixture;
mod hostile;
mod keys;
mod pages;
mod reviews;
mod searched_pages;
mod searches;
mod shares;
