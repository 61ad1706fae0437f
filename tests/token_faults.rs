//! Tokens that fail and tokens that lie, under the real program: `SoftHSM` behind the module that fails on command (tests/pkcs11-shim).
//!
//! What is covered, and the campaign with every code, is in docs/token-faults.md.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests; their numbers go into docs/"
)]

mod support;

#[path = "token_faults/case.rs"]
mod case;
#[path = "token_faults/classes.rs"]
mod classes;
#[path = "token_faults/counts.rs"]
mod counts;
#[path = "token_faults/flow.rs"]
mod flow;
#[path = "token_faults/identity.rs"]
mod identity;
#[path = "token_faults/judge.rs"]
mod judge;
#[path = "token_faults/lies.rs"]
mod lies;
#[path = "token_faults/matrix.rs"]
mod matrix;
