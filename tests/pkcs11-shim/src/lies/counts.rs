//! Lists and their lengths.

use cryptoki_sys::{CK_RV, CK_ULONG, CKR_BUFFER_TOO_SMALL, CKR_OK};

use super::{Answer, Lie};
use crate::calls::Call;

/// The first of the invented identifiers: no module tested uses numbers like it.
const INVENTED: CK_ULONG = 0x7e00_0000;

/// A list of slots or mechanisms, by the convention that a call without a buffer asks for the length.
///
/// # Safety
/// `list` is NULL or has room for as many entries as `count` says; `count` is NULL or valid.
pub(crate) unsafe fn listed(
    call: &Call<'_>,
    list: *mut CK_ULONG,
    count: *mut CK_ULONG,
    forward: impl FnOnce() -> CK_RV,
) -> Answer {
    let wanted = call.lies().find_map(|lie| match lie {
        Lie::Count(wanted) => Some(*wanted),
        _ => None,
    });
    // SAFETY: by contract; null gives none.
    let room = unsafe { count.as_ref() }.copied();
    let (Some(wanted), Some(room)) = (wanted, room) else {
        let code = forward();
        // SAFETY: by contract.
        return unsafe { claimed(call, count, code) };
    };
    let lacks_room = !list.is_null() && room < wanted;
    let mut real = 0;
    if !list.is_null() && !lacks_room {
        let code = forward();
        if code != CKR_OK {
            return Answer::forwarded(code);
        }
        // SAFETY: by contract; the real module has just written it.
        real = unsafe { *count };
        for index in real..wanted {
            let offset = usize::try_from(index).unwrap_or_default();
            // SAFETY: index < wanted <= room.
            unsafe { list.add(offset).write(INVENTED + index) };
        }
    }
    // SAFETY: by contract.
    unsafe { count.write(wanted.max(real)) };
    Answer::lied(if lacks_room {
        CKR_BUFFER_TOO_SMALL
    } else {
        CKR_OK
    })
}

/// Says the planned length in place of the true one.
///
/// # Safety
/// `count` is NULL or valid.
pub(crate) unsafe fn claimed(call: &Call<'_>, count: *mut CK_ULONG, code: CK_RV) -> Answer {
    let claim = call.lies().find_map(|lie| match lie {
        Lie::Claims(claim) => Some(*claim),
        Lie::NoObjects => Some(0),
        _ => None,
    });
    match claim {
        Some(claim) if code == CKR_OK && !count.is_null() => {
            // SAFETY: by contract and not null.
            unsafe { count.write(claim) };
            Answer::lied(code)
        }
        _ => Answer::forwarded(code),
    }
}
