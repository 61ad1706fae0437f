//! What PEP 458 and PEP 480 add to TUF, pure: the house rules for trees that we create, and what the loss or theft of keys would mean.
//! It uses [`crate::tuf`] and knows nothing of ceremonies, tokens, disks or clocks: the time is an argument.

pub mod changes;
pub mod custody;
pub mod delegation;
pub mod equivalence;
pub mod fault;
mod field;
pub mod holders;
pub mod incident;
pub mod ledger;
pub mod online_actions;
pub mod owners;
pub mod policy;
pub mod project;
pub mod quorum;
pub mod requests;
pub mod role_names;
pub mod rotation;
pub mod rstuf;
pub mod shards;
pub mod top;
pub mod tree;
pub mod vetting;
