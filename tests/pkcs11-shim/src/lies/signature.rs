//! Signatures that are not what was asked for.

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CKA_CLASS,
    CKA_EC_PARAMS, CKA_KEY_TYPE, CKO_PRIVATE_KEY, CKR_BUFFER_TOO_SMALL, CKR_FUNCTION_FAILED,
    CKR_OK,
};

use super::objects::value_of;
use super::{Answer, Lie, counts};
use crate::calls::{Call, lacking};

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureLie {
    /// One bit is another.
    Flip,
    /// Zeros.
    Zero,
    /// One byte less.
    Short,
    /// One byte more.
    Long,
    /// None at all.
    Empty,
    /// The one of the same length before.
    Stale,
    /// By another key of the same kind on the token.
    OtherKey,
    /// Over other bytes.
    OtherPayload,
}

/// What a session is about to sign with.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    mechanism: CK_ULONG,
    parameter: Vec<u8>,
    key: CK_OBJECT_HANDLE,
}

/// Longer than any signature.
const LONGEST: usize = 4096;

impl SignatureLie {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "flip" => Self::Flip,
            "zero" => Self::Zero,
            "short" => Self::Short,
            "long" => Self::Long,
            "empty" => Self::Empty,
            "stale" => Self::Stale,
            "other-key" => Self::OtherKey,
            "other-payload" => Self::OtherPayload,
            _ => return None,
        })
    }
}

impl Operation {
    /// # Safety
    /// `mechanism` is NULL or valid.
    pub(crate) unsafe fn of(mechanism: *const CK_MECHANISM, key: CK_OBJECT_HANDLE) -> Option<Self> {
        // SAFETY: by contract.
        let mechanism = unsafe { mechanism.as_ref() }?;
        let length = usize::try_from(mechanism.ulParameterLen).ok()?;
        let parameter = if mechanism.pParameter.is_null() {
            Vec::new()
        } else {
            // SAFETY: PKCS#11 wants the parameter to be that long.
            unsafe { std::slice::from_raw_parts(mechanism.pParameter.cast::<u8>(), length) }
                .to_vec()
        };
        let mechanism = mechanism.mechanism;
        Some(Self {
            mechanism,
            parameter,
            key,
        })
    }
}

/// `C_Sign` or `C_SignFinal`, which has no data.
pub(crate) struct Signing<'a> {
    pub(crate) session: CK_SESSION_HANDLE,
    pub(crate) data: Option<&'a [u8]>,
    pub(crate) signature: *mut u8,
    pub(crate) length: *mut CK_ULONG,
}

impl Signing<'_> {
    /// Makes the call with the plan's lies.
    ///
    /// # Safety
    /// `signature` and `length` are as PKCS#11 wants them of the caller.
    pub(crate) unsafe fn run(&self, call: &Call<'_>) -> Answer {
        let lie = call.lies().find_map(|lie| match lie {
            Lie::Signature(lie) => Some(*lie),
            _ => None,
        });
        // SAFETY: by contract.
        let room = unsafe { self.length.as_ref() }.copied();
        let Some((lie, room)) = lie.zip(room) else {
            let code = self.real(call, self.data, self.signature, self.length);
            if code == CKR_OK && !self.signature.is_null() && !self.length.is_null() {
                // SAFETY: the real module has just written so many bytes there.
                let made = unsafe {
                    let length = usize::try_from(*self.length).unwrap_or_default();
                    std::slice::from_raw_parts(self.signature, length)
                };
                call.shim
                    .memory()
                    .previous
                    .insert(made.len(), made.to_vec());
            }
            // SAFETY: by contract.
            return unsafe { counts::claimed(call, self.length, code) };
        };
        if self.signature.is_null() {
            let code = self.real(call, self.data, self.signature, self.length);
            if code == CKR_OK && lie == SignatureLie::Long {
                // SAFETY: by contract; `room` shows that it is not null.
                unsafe { *self.length += 1 };
                return Answer::lied(code);
            }
            return Answer::forwarded(code);
        }
        let truth = match self.made(call, lie) {
            Ok(truth) => truth,
            Err(code) => return Answer::forwarded(code),
        };
        let kept = truth.clone();
        let previous = call.shim.memory().previous.insert(truth.len(), kept);
        if lie == SignatureLie::Stale && previous.is_none() {
            call.cannot("no-signature-before");
        }
        let told = altered(lie, truth.clone(), previous);
        let length = told.len() as CK_ULONG;
        // SAFETY: by contract; `room` shows that it is not null.
        unsafe { self.length.write(length) };
        if room < length {
            return Answer::lied(CKR_BUFFER_TOO_SMALL);
        }
        // SAFETY: by contract the buffer has `room` bytes.
        unsafe {
            self.signature
                .copy_from_nonoverlapping(told.as_ptr(), told.len());
        }
        let made_elsewhere = matches!(lie, SignatureLie::OtherKey | SignatureLie::OtherPayload);
        if told == truth && !made_elsewhere {
            return Answer::forwarded(CKR_OK);
        }
        Answer::lied(CKR_OK)
    }

    /// Ends the real operation when the shim has answered in its place: PKCS#11 says that every error ends it but the one of a
    /// buffer that is too short.
    pub(crate) fn give_up(&self, call: &Call<'_>, code: CK_RV) {
        if code != CKR_OK && code != CKR_BUFFER_TOO_SMALL {
            let _ = self.genuine(call, self.data);
        }
    }

    /// A signature by the real module: the right one, or one that is wrong in a way that only it can make.
    fn made(&self, call: &Call<'_>, lie: SignatureLie) -> Result<Vec<u8>, CK_RV> {
        match (lie, self.data) {
            (SignatureLie::OtherPayload, Some(data)) => {
                let mut other = data.to_vec();
                match other.first_mut() {
                    Some(byte) => *byte ^= 1,
                    None => other.push(b'x'),
                }
                self.genuine(call, Some(&other))
            }
            (SignatureLie::OtherPayload, None) => {
                let mut more = *b"x";
                let update = call.real.C_SignUpdate;
                // SAFETY: a valid buffer of one byte.
                let code = update.map_or_else(lacking, |update| unsafe {
                    update(self.session, more.as_mut_ptr(), 1)
                });
                if code != CKR_OK {
                    return Err(code);
                }
                self.genuine(call, None)
            }
            (SignatureLie::OtherKey, data) => {
                self.genuine(call, data)?;
                self.by_another_key(call, data)
            }
            (_, data) => self.genuine(call, data),
        }
    }

    fn genuine(&self, call: &Call<'_>, data: Option<&[u8]>) -> Result<Vec<u8>, CK_RV> {
        let mut signature = vec![0; LONGEST];
        let mut length = LONGEST as CK_ULONG;
        match self.real(call, data, signature.as_mut_ptr(), &raw mut length) {
            CKR_OK => {
                signature.truncate(usize::try_from(length).unwrap_or_default());
                Ok(signature)
            }
            code => Err(code),
        }
    }

    fn by_another_key(&self, call: &Call<'_>, data: Option<&[u8]>) -> Result<Vec<u8>, CK_RV> {
        let operation = call.shim.memory().operations.get(&self.session).cloned();
        let (Some(mut operation), Some(start)) = (operation, call.real.C_SignInit) else {
            call.cannot("no-operation");
            return Err(CKR_FUNCTION_FAILED);
        };
        let Some(other) = self.another_key(call, operation.key) else {
            call.cannot("no-other-key");
            return Err(CKR_FUNCTION_FAILED);
        };
        let mut mechanism = CK_MECHANISM {
            mechanism: operation.mechanism,
            pParameter: operation.parameter.as_mut_ptr().cast(),
            ulParameterLen: operation.parameter.len() as CK_ULONG,
        };
        // SAFETY: `mechanism` and its parameter live until the call returns.
        match unsafe { start(self.session, &raw mut mechanism, other) } {
            CKR_OK => self.genuine(call, data),
            code => Err(code),
        }
    }

    /// Another private key with the same type and curve.
    fn another_key(&self, call: &Call<'_>, key: CK_OBJECT_HANDLE) -> Option<CK_OBJECT_HANDLE> {
        let kind = |key: CK_OBJECT_HANDLE| {
            [CKA_KEY_TYPE, CKA_EC_PARAMS].map(|attribute| {
                let ask = |template: *mut CK_ATTRIBUTE, count| {
                    // SAFETY: `value_of` gives a valid template.
                    call.real
                        .C_GetAttributeValue
                        .map_or_else(lacking, |get| unsafe {
                            get(self.session, key, template, count)
                        })
                };
                value_of(ask, attribute)
            })
        };
        let mut class = CKO_PRIVATE_KEY;
        let mut privates = CK_ATTRIBUTE {
            type_: CKA_CLASS,
            pValue: (&raw mut class).cast(),
            ulValueLen: size_of_val(&class) as CK_ULONG,
        };
        let mut found = [0; 64];
        let mut count = 0;
        // SAFETY: all buffers are our own and as long as is said.
        unsafe {
            if call.real.C_FindObjectsInit?(self.session, &raw mut privates, 1) != CKR_OK {
                return None;
            }
            call.real.C_FindObjects?(
                self.session,
                found.as_mut_ptr(),
                found.len() as CK_ULONG,
                &raw mut count,
            );
            call.real.C_FindObjectsFinal?(self.session);
        }
        let wanted = kind(key);
        let found = found.into_iter().take(usize::try_from(count).ok()?);
        found
            .filter(|other| *other != key)
            .find(|other| kind(*other) == wanted)
    }

    fn real(
        &self,
        call: &Call<'_>,
        data: Option<&[u8]>,
        signature: *mut u8,
        length: *mut CK_ULONG,
    ) -> CK_RV {
        // SAFETY: the caller's pointers, or buffers of our own; a module does not write to the data.
        unsafe {
            match data {
                Some(data) => call.real.C_Sign.map_or_else(lacking, |sign| {
                    let size = data.len() as CK_ULONG;
                    sign(
                        self.session,
                        data.as_ptr().cast_mut(),
                        size,
                        signature,
                        length,
                    )
                }),
                None => call
                    .real
                    .C_SignFinal
                    .map_or_else(lacking, |end| end(self.session, signature, length)),
            }
        }
    }
}

fn altered(lie: SignatureLie, mut signature: Vec<u8>, previous: Option<Vec<u8>>) -> Vec<u8> {
    match lie {
        SignatureLie::Flip => {
            let middle = signature.len() / 2;
            if let Some(byte) = signature.get_mut(middle) {
                *byte ^= 1;
            }
        }
        SignatureLie::Zero => signature.fill(0),
        SignatureLie::Short => {
            signature.pop();
        }
        SignatureLie::Long => signature.push(0),
        SignatureLie::Empty => signature.clear(),
        SignatureLie::Stale => return previous.unwrap_or(signature),
        SignatureLie::OtherKey | SignatureLie::OtherPayload => {}
    }
    signature
}
