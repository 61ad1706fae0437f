//! Logins that the real module does not know: a fresh one for each signature, and a PIN typed on the token.

use cryptoki_sys::{
    CK_RV, CK_SESSION_HANDLE, CK_SESSION_INFO, CK_SLOT_ID, CK_ULONG, CK_USER_TYPE, CKF_RW_SESSION,
    CKF_SERIAL_SESSION, CKR_OK, CKR_OPERATION_NOT_INITIALIZED, CKR_USER_NOT_LOGGED_IN,
    CKU_CONTEXT_SPECIFIC, CKU_USER,
};

use crate::calls::{Call, lacking};
use crate::lies::Answer;

/// `C_Login`.
///
/// # Safety
/// `pin` is NULL or has `length` bytes.
pub(crate) unsafe fn login(
    call: &Call<'_>,
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut u8,
    length: CK_ULONG,
) -> Answer {
    let plan = &call.shim.plan;
    let mut typed = plan.pin_pad.clone().filter(|_| pin.is_null());
    let typed_here = typed.is_some();
    let (pin, length) = match &mut typed {
        // SAFETY: a module only reads a PIN.
        Some(typed) => (typed.as_ptr().cast_mut(), typed.len() as CK_ULONG),
        None => (pin, length),
    };
    let code = if plan.always_authenticate && user == CKU_CONTEXT_SPECIFIC {
        // SAFETY: by contract, or our own text.
        unsafe { checked_again(call, session, pin, length) }
    } else {
        let real = call.real.C_Login;
        // SAFETY: by contract, or our own text.
        real.map_or_else(lacking, |login| unsafe {
            login(session, user, pin, length)
        })
    };
    let by_the_user = user == CKU_USER || user == CKU_CONTEXT_SPECIFIC;
    if code == CKR_OK
        && by_the_user
        && let Some(slot) = slot_of(call, session)
    {
        call.shim.memory().fresh_logins.insert(slot, true);
    }
    if typed_here {
        Answer::lied(code)
    } else {
        Answer::forwarded(code)
    }
}

/// What `C_Sign` gives where each signature wants a login of its own and there was none.
pub(crate) fn refuses(call: &Call<'_>, session: CK_SESSION_HANDLE) -> Option<CK_RV> {
    let slot = slot_of(call, session).filter(|_| call.shim.plan.always_authenticate)?;
    let fresh = call.shim.memory().fresh_logins.get(&slot).copied();
    (fresh == Some(false)).then_some(CKR_USER_NOT_LOGGED_IN)
}

/// A signature was made with the login.
pub(crate) fn used(call: &Call<'_>, session: CK_SESSION_HANDLE) {
    if let Some(slot) = slot_of(call, session) {
        call.shim.memory().fresh_logins.insert(slot, false);
    }
}

/// The session's token is about to be logged out of.
pub(crate) fn forget(call: &Call<'_>, session: CK_SESSION_HANDLE) {
    if let Some(slot) = slot_of(call, session) {
        call.shim.memory().fresh_logins.remove(&slot);
    }
}

/// Whether the PIN is right, while the user stays logged in: `SoftHSM` says so when it is to be changed to itself.
///
/// # Safety
/// `pin` is NULL or has `length` bytes.
unsafe fn checked_again(
    call: &Call<'_>,
    session: CK_SESSION_HANDLE,
    pin: *mut u8,
    length: CK_ULONG,
) -> CK_RV {
    let is_signing = call.shim.memory().operations.contains_key(&session);
    let real = call.real;
    let (Some(slot), true) = (slot_of(call, session), is_signing) else {
        return CKR_OPERATION_NOT_INITIALIZED;
    };
    let (Some(open), Some(set), Some(close)) =
        (real.C_OpenSession, real.C_SetPIN, real.C_CloseSession)
    else {
        return lacking();
    };
    let mut own = 0;
    // SAFETY: our own variables, and the PIN by contract.
    unsafe {
        let flags = CKF_RW_SESSION | CKF_SERIAL_SESSION;
        match open(slot, flags, std::ptr::null_mut(), None, &raw mut own) {
            CKR_OK => {}
            code => return code,
        }
        let code = set(own, pin, length, pin, length);
        close(own);
        code
    }
}

fn slot_of(call: &Call<'_>, session: CK_SESSION_HANDLE) -> Option<CK_SLOT_ID> {
    let mut info = CK_SESSION_INFO::default();
    // SAFETY: our own variable.
    let code = unsafe { call.real.C_GetSessionInfo?(session, &raw mut info) };
    (code == CKR_OK).then_some(info.slotID)
}
