//! Initialising a PKCS#11 module.
//!
//! Some modules (NSS's softokn) want a C string in `pReserved` of `CK_C_INITIALIZE_ARGS`, which the standard keeps for them. `cryptoki` lets
//! callers set it, but cannot check what it points to.
#![allow(
    unsafe_code,
    reason = "cryptoki's new_with_reserved takes a pointer that it cannot check"
)]

use std::ffi::CString;
use std::ptr::NonNull;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error;

/// Calls `C_Initialize`, with `init_args` as the string in `pReserved` if there is one.
pub(super) fn initialize(context: &Pkcs11, init_args: Option<&str>) -> Result<(), Error> {
    let flags = CInitializeFlags::OS_LOCKING_OK;
    let Some(text) = init_args else {
        return context.initialize(CInitializeArgs::new(flags));
    };
    let text = CString::new(text).map_err(Error::NulError)?;
    let reserved = NonNull::from(text.as_c_str()).cast();
    // SAFETY: `text` is a C string of our own, with its final zero, and lives until after `C_Initialize` returned, which is as long as a
    // module may read its arguments (PKCS#11 2.40, 5.4). No module writes to it: the room names only modules whose argument is such a string.
    let args = unsafe { CInitializeArgs::new_with_reserved(flags, reserved) };
    let initialized = context.initialize(args);
    drop(text);
    initialized
}
