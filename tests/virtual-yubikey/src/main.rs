//! The card as a program.

fn main() {}
