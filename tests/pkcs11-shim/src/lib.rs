//! A PKCS#11 module that forwards to another and fails on command: return codes, crashes, lies. For tests alone; README.md is its manual.
//!
//! `plan` says what is to go wrong, `calls` counts and breaks every call, `functions` is the list that a program gets, `lies` changes
//! results, `login` emulates what `SoftHSM` has not, `process` is what a module does to its process, `log` is for the tests.
#![allow(
    unsafe_code,
    reason = "a PKCS#11 module is C functions with raw pointers; nothing of this is shipped"
)]

use std::sync::OnceLock;

use cryptoki_sys::{CK_FUNCTION_LIST, CK_RV, CKR_ARGUMENTS_BAD, CKR_GENERAL_ERROR, CKR_OK};

use crate::calls::{Call, call, shim};
use crate::lies::{Answer, Lie};

mod calls;
mod codes;
mod functions;
mod lies;
mod log;
mod login;
mod names;
mod plan;
mod process;
mod reach;

/// The list, where the program finds it for as long as it runs.
struct List(CK_FUNCTION_LIST);

// SAFETY: plain pointers to functions, never changed.
unsafe impl Sync for List {}
// SAFETY: as above.
unsafe impl Send for List {}

/// The one symbol of PKCS#11 2.40 that a program looks up.
///
/// # Safety
/// `list` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    static LIST: OnceLock<List> = OnceLock::new();
    let Ok(shim) = shim() else {
        return CKR_GENERAL_ERROR;
    };
    let given = |call: &Call<'_>| {
        // SAFETY: by contract.
        let Some(list) = (unsafe { list.as_mut() }) else {
            return Answer::forwarded(CKR_ARGUMENTS_BAD);
        };
        if call.lies().any(|lie| *lie == Lie::NoList) {
            *list = std::ptr::null_mut();
            return Answer::lied(CKR_OK);
        }
        let own = LIST.get_or_init(|| List(functions::list(&shim.real, &shim.plan.missing)));
        *list = (&raw const own.0).cast_mut();
        Answer::forwarded(CKR_OK)
    };
    call("C_GetFunctionList", "-", |_, _| {}, given)
}
