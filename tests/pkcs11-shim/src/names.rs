//! Attributes and flags by their names in PKCS#11, as far as a signing program asks for them.

use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CK_FLAGS};

macro_rules! named {
    ($table:ident: $type:ty = $($name:ident)*) => {
        const $table: &[(&str, $type)] = &[$((stringify!($name), cryptoki_sys::$name)),*];
    };
}

named! { ATTRIBUTES: CK_ATTRIBUTE_TYPE =
    CKA_CLASS CKA_TOKEN CKA_PRIVATE CKA_LABEL CKA_ID CKA_KEY_TYPE CKA_SIGN CKA_SENSITIVE CKA_EXTRACTABLE CKA_ALWAYS_SENSITIVE
    CKA_NEVER_EXTRACTABLE CKA_LOCAL CKA_KEY_GEN_MECHANISM CKA_ALWAYS_AUTHENTICATE CKA_MODULUS CKA_MODULUS_BITS
    CKA_PUBLIC_EXPONENT CKA_EC_PARAMS CKA_EC_POINT CKA_PUBLIC_KEY_INFO CKA_VALUE CKA_UNIQUE_ID CKA_WRAP_WITH_TRUSTED CKA_TRUSTED
}

named! { FLAGS: CK_FLAGS =
    CKF_RNG CKF_WRITE_PROTECTED CKF_LOGIN_REQUIRED CKF_USER_PIN_INITIALIZED CKF_PROTECTED_AUTHENTICATION_PATH
    CKF_TOKEN_INITIALIZED CKF_USER_PIN_COUNT_LOW CKF_USER_PIN_FINAL_TRY CKF_USER_PIN_LOCKED CKF_USER_PIN_TO_BE_CHANGED
    CKF_SO_PIN_COUNT_LOW CKF_SO_PIN_FINAL_TRY CKF_SO_PIN_LOCKED CKF_SO_PIN_TO_BE_CHANGED CKF_ERROR_STATE
}

pub(crate) fn attribute(text: &str) -> Option<CK_ATTRIBUTE_TYPE> {
    found(ATTRIBUTES, text)
}

pub(crate) fn flag(text: &str) -> Option<CK_FLAGS> {
    found(FLAGS, text)
}

fn found<T: Copy>(table: &[(&str, T)], text: &str) -> Option<T> {
    let row = table.iter().find(|(name, _)| *name == text);
    row.map(|(_, value)| *value)
}
