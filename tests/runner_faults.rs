//! The runner over a world that breaks: any call may fail, tokens lie, the record cannot be written. Whatever happens, nothing counts that does not verify,
//! nothing follows what is not on record, and what is on record is not lost.

#![allow(
    clippy::large_enum_variant,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests"
)]

#[path = "runner_faults/advised.rs"]
mod advised;
#[path = "runner_faults/alive.rs"]
mod alive;
#[path = "runner_faults/attested.rs"]
mod attested;
#[path = "runner_faults/bags.rs"]
mod bags;
#[path = "runner_faults/batch.rs"]
mod batch;
#[path = "runner_faults/calls.rs"]
mod calls;
#[path = "runner_faults/claim.rs"]
mod claim;
#[path = "runner_faults/ephemeral.rs"]
mod ephemeral;
#[allow(dead_code, reason = "another test makes worse certificates with it")]
#[path = "attestation/forge.rs"]
mod forge;
#[path = "runner_faults/given.rs"]
mod given;
#[path = "runner_faults/guards.rs"]
mod guards;
#[path = "runner_faults/ledger.rs"]
mod ledger;
#[path = "runner_faults/lies.rs"]
mod lies;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support"]
mod made {
    pub mod forge;
    pub mod projects;
    pub mod sigstore;
}
#[path = "runner_faults/nonces.rs"]
mod nonces;
#[path = "runner_faults/people.rs"]
mod people;
#[path = "runner_faults/pins.rs"]
mod pins;
#[path = "runner_faults/provision.rs"]
mod provision;
#[path = "runner_faults/record.rs"]
mod record;
#[path = "runner_faults/stand.rs"]
mod stand;
#[path = "runner_faults/stand_in.rs"]
mod stand_in;
#[path = "runner_faults/unrecorded.rs"]
mod unrecorded;
#[path = "runner_faults/world.rs"]
mod world;
