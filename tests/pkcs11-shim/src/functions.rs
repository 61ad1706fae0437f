//! The wrapped functions, and the list that a program gets.

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BBOOL, CK_BYTE, CK_FLAGS, CK_FUNCTION_LIST, CK_INFO, CK_MECHANISM,
    CK_MECHANISM_INFO, CK_MECHANISM_TYPE, CK_NOTIFY, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE,
    CK_SESSION_INFO, CK_SLOT_ID, CK_SLOT_INFO, CK_TOKEN_INFO, CK_ULONG, CK_USER_TYPE,
    CKR_BUFFER_TOO_SMALL, CKR_OK, CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER,
};
use std::ffi::c_void;

use crate::calls::{Call, call, lacking, shim};
use crate::lies::signature::{Operation, Signing};
use crate::lies::{Answer, Lie, counts, objects, token};
use crate::login;

/// `fn name(arguments) |call, forward| expression;`: a function with the name and arguments of PKCS#11 whose call is counted and broken.
/// `forward()` calls the real one with the same arguments.
macro_rules! wrapped {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(|$call:ident, $forward:ident| $body:expr)?;)*) => {
        /// All functions that are wrapped here.
        pub(crate) const WRAPPED: &[&str] = &["C_GetFunctionList", "C_Sign", "C_SignFinal", "C_Login", $(stringify!($name)),*];

        $(
            #[allow(non_snake_case, reason = "the name in PKCS#11")]
            unsafe extern "C" fn $name($($argument: $type),*) -> CK_RV {
                call(stringify!($name), "-", |_, _| {}, |call| {
                    // SAFETY: the caller keeps PKCS#11's rules for these arguments, and they go on as they are.
                    let forward = || call.real.$name.map_or_else(lacking, |real| unsafe { real($($argument),*) });
                    wrapped!(@answer call forward $(|$call, $forward| $body)?)
                })
            }
        )*

        fn replace(list: &mut CK_FUNCTION_LIST) {
            list.C_Sign = Some(C_Sign);
            list.C_SignFinal = Some(C_SignFinal);
            list.C_Login = Some(C_Login);
            $(list.$name = Some($name);)*
        }

        fn remove(list: &mut CK_FUNCTION_LIST, name: &str) {
            match name {
                "C_GetFunctionList" => list.C_GetFunctionList = None,
                "C_Sign" => list.C_Sign = None,
                "C_SignFinal" => list.C_SignFinal = None,
                "C_Login" => list.C_Login = None,
                $(stringify!($name) => list.$name = None,)*
                _ => {}
            }
        }
    };
    (@answer $own_call:ident $own_forward:ident) => { Answer::forwarded($own_forward()) };
    (@answer $own_call:ident $own_forward:ident |$call:ident, $forward:ident| $body:expr) => {{
        let $call: &Call<'_> = $own_call;
        let $forward = $own_forward;
        $body
    }};
}

wrapped! {
    fn C_Initialize(args: *mut c_void);
    fn C_Finalize(reserved: *mut c_void);
    // SAFETY (here and below): by PKCS#11 an output is NULL or valid.
    fn C_GetInfo(info: *mut CK_INFO) |call, forward| {
        let answer = Answer::forwarded(forward());
        token::module_info(call, unsafe { info.as_mut() }, answer)
    };
    fn C_GetSlotList(present: CK_BBOOL, list: *mut CK_SLOT_ID, count: *mut CK_ULONG)
        |call, forward| unsafe { counts::listed(call, list, count, forward) };
    fn C_GetSlotInfo(slot: CK_SLOT_ID, info: *mut CK_SLOT_INFO) |call, forward| {
        let answer = Answer::forwarded(forward());
        token::slot_info(call, unsafe { info.as_mut() }, answer)
    };
    fn C_GetTokenInfo(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) |call, forward| {
        let answer = Answer::forwarded(forward());
        token::token_info(call, slot, unsafe { info.as_mut() }, answer)
    };
    fn C_WaitForSlotEvent(flags: CK_FLAGS, slot: *mut CK_SLOT_ID, reserved: *mut c_void);
    fn C_GetMechanismList(slot: CK_SLOT_ID, list: *mut CK_MECHANISM_TYPE, count: *mut CK_ULONG)
        |call, forward| unsafe { counts::listed(call, list, count, forward) };
    fn C_GetMechanismInfo(slot: CK_SLOT_ID, mechanism: CK_MECHANISM_TYPE, info: *mut CK_MECHANISM_INFO);
    fn C_InitToken(slot: CK_SLOT_ID, pin: *mut u8, length: CK_ULONG, label: *mut u8);
    fn C_InitPIN(session: CK_SESSION_HANDLE, pin: *mut u8, length: CK_ULONG);
    fn C_SetPIN(session: CK_SESSION_HANDLE, old: *mut u8, old_length: CK_ULONG, new: *mut u8, new_length: CK_ULONG);
    fn C_OpenSession(slot: CK_SLOT_ID, flags: CK_FLAGS, application: *mut c_void, notify: CK_NOTIFY, session: *mut CK_SESSION_HANDLE);
    fn C_CloseSession(session: CK_SESSION_HANDLE);
    fn C_CloseAllSessions(slot: CK_SLOT_ID);
    fn C_GetSessionInfo(session: CK_SESSION_HANDLE, info: *mut CK_SESSION_INFO);
    fn C_Logout(session: CK_SESSION_HANDLE) |call, forward| {
        login::forget(call, session);
        Answer::forwarded(forward())
    };
    fn C_CreateObject(session: CK_SESSION_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG, object: *mut CK_OBJECT_HANDLE);
    fn C_CopyObject(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG, copy: *mut CK_OBJECT_HANDLE);
    fn C_DestroyObject(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE);
    fn C_GetObjectSize(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, size: *mut CK_ULONG);
    fn C_GetAttributeValue(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG)
        |call, _forward| unsafe { objects::attributes(call, session, object, template, count) };
    fn C_SetAttributeValue(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG);
    fn C_FindObjectsInit(session: CK_SESSION_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG);
    fn C_FindObjects(session: CK_SESSION_HANDLE, objects: *mut CK_OBJECT_HANDLE, room: CK_ULONG, count: *mut CK_ULONG)
        |call, forward| unsafe { counts::claimed(call, count, forward()) };
    fn C_FindObjectsFinal(session: CK_SESSION_HANDLE);
    fn C_SignInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) |call, forward| {
        let code = forward();
        if code == CKR_OK && let Some(operation) = unsafe { Operation::of(mechanism, key) } {
            call.shim.memory().operations.insert(session, operation);
        }
        Answer::forwarded(code)
    };
    fn C_SignUpdate(session: CK_SESSION_HANDLE, part: *mut CK_BYTE, length: CK_ULONG);
    fn C_VerifyInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE);
    fn C_Verify(session: CK_SESSION_HANDLE, data: *mut CK_BYTE, length: CK_ULONG, signature: *mut CK_BYTE, signature_length: CK_ULONG);
    fn C_GenerateKey(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, template: *mut CK_ATTRIBUTE, count: CK_ULONG, key: *mut CK_OBJECT_HANDLE);
    fn C_GenerateKeyPair(
        session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, public: *mut CK_ATTRIBUTE, public_count: CK_ULONG,
        private: *mut CK_ATTRIBUTE, private_count: CK_ULONG, public_key: *mut CK_OBJECT_HANDLE, private_key: *mut CK_OBJECT_HANDLE
    );
    fn C_WrapKey(
        session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, wrapping: CK_OBJECT_HANDLE, key: CK_OBJECT_HANDLE,
        wrapped: *mut CK_BYTE, length: *mut CK_ULONG
    );
    fn C_UnwrapKey(
        session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, unwrapping: CK_OBJECT_HANDLE, wrapped: *mut CK_BYTE, length: CK_ULONG,
        template: *mut CK_ATTRIBUTE, count: CK_ULONG, key: *mut CK_OBJECT_HANDLE
    );
    fn C_SeedRandom(session: CK_SESSION_HANDLE, seed: *mut CK_BYTE, length: CK_ULONG);
    fn C_GenerateRandom(session: CK_SESSION_HANDLE, random: *mut CK_BYTE, length: CK_ULONG) |call, forward| {
        let code = forward();
        if code == CKR_OK && call.lies().any(|lie| *lie == Lie::NoRandom) {
            unsafe { random.write_bytes(0, usize::try_from(length).unwrap_or_default()) };
            Answer::lied(code)
        } else {
            Answer::forwarded(code)
        }
    };
}

#[allow(non_snake_case, reason = "the name in PKCS#11")]
unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> CK_RV {
    let data = if data.is_null() {
        &[][..]
    } else {
        let data_length = usize::try_from(data_length).unwrap_or_default();
        // SAFETY: by PKCS#11 the data is so long.
        unsafe { std::slice::from_raw_parts(data, data_length) }
    };
    let signing = Signing {
        session,
        data: Some(data),
        signature,
        length,
    };
    sign("C_Sign", &signing)
}

#[allow(non_snake_case, reason = "the name in PKCS#11")]
unsafe extern "C" fn C_SignFinal(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> CK_RV {
    let signing = Signing {
        session,
        data: None,
        signature,
        length,
    };
    sign("C_SignFinal", &signing)
}

fn sign(function: &'static str, signing: &Signing<'_>) -> CK_RV {
    let asks_length = signing.signature.is_null();
    let detail = if asks_length { "length" } else { "signature" };
    let give_up = |call: &Call<'_>, code| signing.give_up(call, code);
    let code = call(function, detail, give_up, |call| {
        if !asks_length && let Some(code) = login::refuses(call, signing.session) {
            signing.give_up(call, code);
            return Answer::answered(code);
        }
        // SAFETY: the caller's pointers as PKCS#11 wants them.
        let answer = unsafe { signing.run(call) };
        if !asks_length && answer.code == CKR_OK {
            login::used(call, signing.session);
        }
        answer
    });
    // PKCS#11: only a length asked for, or a buffer too short, leaves the operation active.
    if !asks_length
        && code != CKR_BUFFER_TOO_SMALL
        && let Ok(shim) = shim()
    {
        shim.memory().operations.remove(&signing.session);
    }
    code
}

#[allow(non_snake_case, reason = "the name in PKCS#11")]
unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut u8,
    length: CK_ULONG,
) -> CK_RV {
    let detail = match user {
        CKU_SO => "so",
        CKU_USER => "user",
        CKU_CONTEXT_SPECIFIC => "context",
        _ => "unknown",
    };
    call(
        "C_Login",
        detail,
        |_, _| {},
        |call| {
            // SAFETY: the caller's PIN as PKCS#11 wants it.
            unsafe { login::login(call, session, user, pin, length) }
        },
    )
}

/// The list that a program gets: the real one with the wrapped functions in place of their own, and without those that are to be missing.
pub(crate) fn list(real: &CK_FUNCTION_LIST, missing: &[String]) -> CK_FUNCTION_LIST {
    let mut list = *real;
    list.C_GetFunctionList = Some(crate::C_GetFunctionList);
    replace(&mut list);
    for name in missing {
        remove(&mut list, name);
    }
    list
}
