//! Core dumps of the real program, stopped at points of a ceremony, hold no four bytes of the PIN: of the program with any kind of token, and of the process
//! of `SoftHSM`.
//!
//! What other modules keep in their processes is theirs: it is counted and printed (`--nocapture`), and docs/tokens.md has the table.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests; their numbers go into docs/"
)]

mod support;

#[path = "pin_residue/alone.rs"]
mod alone;
#[path = "pin_residue/dump.rs"]
mod dump;
#[path = "token_faults/flow.rs"]
#[allow(dead_code, reason = "shared with tests/token_faults.rs")]
mod flow;
#[path = "pin_residue/others.rs"]
mod others;
#[path = "pin_residue/panicking.rs"]
mod panicking;
#[path = "pin_residue/points.rs"]
mod points;
#[path = "pin_residue/rows.rs"]
mod rows;
#[path = "pin_residue/scene.rs"]
mod scene;
