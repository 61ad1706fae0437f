//! What a call may return instead: twelve classes of codes, each with the code that stands for it in CI.

use crate::support::shim::codes::CODES;

/// The codes of the matrix in CI: one a class, so that every way in which a program may take an error is met at every call.
pub(crate) const CLASSES: [(&str, &str); 12] = [
    ("the device failed", "CKR_DEVICE_ERROR"),
    ("the device went away", "CKR_DEVICE_REMOVED"),
    ("no token in the slot", "CKR_TOKEN_NOT_PRESENT"),
    ("nobody knows", "CKR_GENERAL_ERROR"),
    ("out of memory", "CKR_HOST_MEMORY"),
    ("the PIN is refused", "CKR_PIN_INCORRECT"),
    ("the PIN is locked", "CKR_PIN_LOCKED"),
    ("the login is gone", "CKR_USER_NOT_LOGGED_IN"),
    ("the session is gone", "CKR_SESSION_HANDLE_INVALID"),
    ("the key is gone", "CKR_KEY_HANDLE_INVALID"),
    ("the module cannot do it", "CKR_MECHANISM_INVALID"),
    ("a vendor's own code", "0x80000bad"),
];

/// What ends the module's process instead of an answer, beside SIGKILL.
pub(crate) const DEATHS: [&str; 3] = ["segv", "abort", "exit 0"];

/// Calls after which the token is not what it was.
pub(crate) const CHANGING: [&str; 7] = [
    "C_DestroyObject",
    "C_GenerateKeyPair",
    "C_InitPIN",
    "C_InitToken",
    "C_Login",
    "C_SetPIN",
    "C_Sign",
];

/// Every code that is an error, by name, and a vendor's.
pub(crate) fn every_code() -> Vec<String> {
    let named = CODES.iter().filter(|(_, value)| *value != 0);
    let named = named.map(|(name, _)| (*name).to_owned());
    named.chain(["0x80000bad".to_owned()]).collect()
}
