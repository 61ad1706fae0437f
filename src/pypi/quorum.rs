//! What the loss or theft of holders' keys would mean to a role.
