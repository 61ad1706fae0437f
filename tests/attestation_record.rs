//! What the record of a bundle says of attestations, found again from the bundle alone; every lie in it is named. The devices lie in attestation/devices;
//! PyPI's of 2020 are judged in attestation.rs where their files are.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "another test makes worse certificates with it")]
#[path = "attestation/forge.rs"]
mod forge;
#[allow(dead_code, reason = "another test asks them more")]
#[path = "attestation/real.rs"]
mod real;
#[allow(
    dead_code,
    reason = "one claim needs files that may be absent: attestation.rs"
)]
#[path = "attestation/record.rs"]
mod record;
