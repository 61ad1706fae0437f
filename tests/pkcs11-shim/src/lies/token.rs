//! What a module says of itself, its slots and its tokens.

use cryptoki_sys::{
    CK_FLAGS, CK_INFO, CK_SLOT_ID, CK_SLOT_INFO, CK_TOKEN_INFO, CKF_PROTECTED_AUTHENTICATION_PATH,
    CKF_TOKEN_INITIALIZED, CKR_OK,
};

use super::{Answer, Lie};
use crate::calls::Call;

/// A text of fixed width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Label,
    Serial,
    Manufacturer,
    Model,
    Description,
}

impl Field {
    pub(super) fn parse(function: &str, word: &str) -> Option<Self> {
        Some(match (function, word) {
            ("C_GetTokenInfo", "label") => Self::Label,
            ("C_GetTokenInfo", "serial") => Self::Serial,
            ("C_GetTokenInfo", "model") => Self::Model,
            ("C_GetTokenInfo" | "C_GetSlotInfo" | "C_GetInfo", "manufacturer") => {
                Self::Manufacturer
            }
            ("C_GetSlotInfo" | "C_GetInfo", "description") => Self::Description,
            _ => return None,
        })
    }
}

pub(crate) fn module_info(call: &Call<'_>, info: Option<&mut CK_INFO>, answer: Answer) -> Answer {
    let Some(info) = info.filter(|_| answer.code == CKR_OK) else {
        return answer;
    };
    let mut told = false;
    for lie in call.lies() {
        told |= match lie {
            Lie::Field(Field::Manufacturer, text) => put(&mut info.manufacturerID, text),
            Lie::Field(Field::Description, text) => put(&mut info.libraryDescription, text),
            _ => false,
        };
    }
    ended(answer, told)
}

pub(crate) fn slot_info(
    call: &Call<'_>,
    info: Option<&mut CK_SLOT_INFO>,
    answer: Answer,
) -> Answer {
    let Some(info) = info.filter(|_| answer.code == CKR_OK) else {
        return answer;
    };
    let mut told = false;
    for lie in call.lies() {
        told |= match lie {
            Lie::Field(Field::Manufacturer, text) => put(&mut info.manufacturerID, text),
            Lie::Field(Field::Description, text) => put(&mut info.slotDescription, text),
            _ => false,
        };
    }
    ended(answer, told)
}

pub(crate) fn token_info(
    call: &Call<'_>,
    slot: CK_SLOT_ID,
    info: Option<&mut CK_TOKEN_INFO>,
    answer: Answer,
) -> Answer {
    let Some(info) = info.filter(|_| answer.code == CKR_OK) else {
        return answer;
    };
    let mut told = false;
    if call.shim.plan.pin_pad.is_some() {
        told |= set(&mut info.flags, CKF_PROTECTED_AUTHENTICATION_PATH);
    }
    for lie in call.lies() {
        told |= match lie {
            Lie::Field(Field::Label, text) => put(&mut info.label, text),
            Lie::Field(Field::Serial, text) => put(&mut info.serialNumber, text),
            Lie::Field(Field::Model, text) => put(&mut info.model, text),
            Lie::Field(Field::Manufacturer, text) => put(&mut info.manufacturerID, text),
            Lie::SetFlags(flags) => set(&mut info.flags, *flags),
            Lie::ClearFlags(flags) => clear(&mut info.flags, *flags),
            Lie::Twin if info.flags & CKF_TOKEN_INITIALIZED != 0 => {
                let mut memory = call.shim.memory();
                let own = (slot, info.label, info.serialNumber);
                let (first, label, serial) = *memory.first_token.get_or_insert(own);
                info.label = label;
                info.serialNumber = serial;
                first != slot
            }
            _ => false,
        };
    }
    ended(answer, told)
}

fn ended(answer: Answer, told: bool) -> Answer {
    if told {
        Answer::lied(answer.code)
    } else {
        answer
    }
}

/// A text cut or filled up with blanks to the field's width, as PKCS#11 has it.
fn put(field: &mut [u8], text: &[u8]) -> bool {
    let length = text.len().min(field.len());
    field.fill(b' ');
    field[..length].copy_from_slice(&text[..length]);
    true
}

fn set(flags: &mut CK_FLAGS, wanted: CK_FLAGS) -> bool {
    *flags |= wanted;
    true
}

fn clear(flags: &mut CK_FLAGS, unwanted: CK_FLAGS) -> bool {
    *flags &= !unwanted;
    true
}
