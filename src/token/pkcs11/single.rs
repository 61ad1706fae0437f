//! Calls made a single time, into memory of our own size.
//!
//! `cryptoki` asks a module how long an answer will be, believes it, and calls again. For `C_Sign` that is a second request to the device (a second
//! touch, a second count of a limited key); for lists and attributes it is memory in an amount that a hostile module chooses. Here each is one call with
//! a buffer that has room for all that we use, and a length that does not fit it is an error. The one exception is the slot list, which the standard
//! renews only when it is asked for its length (PKCS#11 2.40, 5.5).
//!
//! The library is opened a second time, which gives the same one: the loader counts. Handles and return codes are `cryptoki`'s.
#![allow(
    unsafe_code,
    reason = "cryptoki has neither a C_Sign or C_WrapKey without a length query nor CKM_AES_KEY_WRAP_KWP nor a bound on what a module says of lengths"
)]

use std::path::Path;

use cryptoki::context::Function;
use cryptoki::error::{Error, Rv, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BBOOL, CK_FUNCTION_LIST, CK_INFO, CK_MECHANISM, CK_MECHANISM_INFO,
    CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CK_RV, CK_SLOT_ID, CK_TRUE, CK_ULONG, CKA_VALUE,
    CKF_UNWRAP, CKF_WRAP,
};
use libloading::Library;

use crate::secret::Secret;

/// Slots that are looked at. More than any reader stack has, and than a person can tell apart.
pub(super) const SLOTS: usize = 64;
/// Objects of one class that are looked at.
pub(super) const OBJECTS: usize = 4096;
/// Objects asked for at a time.
const BATCH: usize = 64;
/// Bytes of an attribute: a certificate is the longest that we read.
const ATTRIBUTE: usize = 16 * 1024;
/// Bytes of a signature: RSA of 16,384 bits, far beyond what tokens have.
const SIGNATURE: usize = 2048;
/// Bytes of a wrapped key: RSA of 8192 bits has 4,700.
const WRAPPED: usize = 8192;

/// `CK_UNAVAILABLE_INFORMATION`.
const UNAVAILABLE: CK_ULONG = CK_ULONG::MAX;

/// A module's own functions.
pub(super) struct Single {
    functions: CK_FUNCTION_LIST,
    /// Keeps the functions where they are.
    _library: Library,
}

type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;

impl Single {
    /// The functions of a library that `cryptoki` has loaded.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        // SAFETY: `cryptoki` has loaded this file before, so what it does when it is loaded has been done; whoever named it in the room trusts it.
        let library = unsafe { Library::new(path) }.map_err(Error::LibraryLoading)?;
        // SAFETY: every PKCS#11 module exports this function with this signature (PKCS#11 2.40, 5.4).
        let get = unsafe { library.get::<GetFunctionList>(b"C_GetFunctionList\0") }
            .map_err(|_| Error::MissingSymbol("C_GetFunctionList"))?;
        let mut list = std::ptr::null_mut();
        // SAFETY: the function writes one pointer to the place it is given, which is ours.
        ok(unsafe { get(&raw mut list) }, Function::GetFunctionList)?;
        if list.is_null() {
            return Err(Error::NullFunctionPointer);
        }
        // SAFETY: the list is the module's and stays as long as the module is loaded (PKCS#11 2.40, 5.4). The copy is kept beside the library.
        let functions = unsafe { *list };
        Ok(Self {
            functions,
            _library: library,
        })
    }

    /// Whether the module that `cryptoki` initialised is this one. `p11-kit-proxy` gives each caller a module of its own.
    pub(super) fn is_initialised(&self) -> Result<bool, Error> {
        let get_info = self.functions.C_GetInfo.ok_or(Error::NullFunctionPointer)?;
        let mut info = CK_INFO::default();
        // SAFETY: the function fills one structure, which is ours.
        match ok(unsafe { get_info(&raw mut info) }, Function::GetInfo) {
            Ok(()) => Ok(true),
            Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The slots that have a token in them now.
    pub(super) fn slots(&self) -> Result<Vec<Slot>, Error> {
        let list = self
            .functions
            .C_GetSlotList
            .ok_or(Error::NullFunctionPointer)?;
        let mut count = 0;
        // SAFETY: without a list the function writes one number, to a place that is ours. It is not believed: it is asked for to have the list renewed.
        let asked = unsafe { list(CK_TRUE, std::ptr::null_mut(), &raw mut count) };
        ok(asked, Function::GetSlotList)?;
        let mut slots: [CK_SLOT_ID; SLOTS] = [0; SLOTS];
        count = CK_ULONG::try_from(SLOTS)?;
        // SAFETY: the function writes at most `count` numbers to the list, which has room for as many.
        let told = unsafe { list(CK_TRUE, slots.as_mut_ptr(), &raw mut count) };
        ok(told, Function::GetSlotList)?;
        let told = slots
            .get(..usize::try_from(count)?)
            .ok_or(Error::InvalidValue)?;
        told.iter().map(|slot| Slot::try_from(*slot)).collect()
    }

    /// The objects that fit a template.
    pub(super) fn objects(
        &self,
        session: &Session,
        template: &[Attribute],
    ) -> Result<Vec<ObjectHandle>, Error> {
        let (Some(begin), Some(next), Some(end)) = (
            self.functions.C_FindObjectsInit,
            self.functions.C_FindObjects,
            self.functions.C_FindObjectsFinal,
        ) else {
            return Err(Error::NullFunctionPointer);
        };
        let mut wanted: Vec<CK_ATTRIBUTE> = template.iter().map(Into::into).collect();
        let length = CK_ULONG::try_from(wanted.len())?;
        // SAFETY: the template points into `template`, which outlives the call, and has the length that is said.
        let started = unsafe { begin(session.handle(), wanted.as_mut_ptr(), length) };
        ok(started, Function::FindObjectsInit)?;
        let room = CK_ULONG::try_from(BATCH)?;
        let mut found = Vec::new();
        let outcome = loop {
            let mut batch: [CK_OBJECT_HANDLE; BATCH] = [0; BATCH];
            let mut count: CK_ULONG = 0;
            // SAFETY: the function writes at most `room` handles to the batch, which has room for as many, and one number.
            let told = unsafe { next(session.handle(), batch.as_mut_ptr(), room, &raw mut count) };
            if let Err(error) = ok(told, Function::FindObjects) {
                break Err(error);
            }
            match batch.get(..usize::try_from(count).unwrap_or(usize::MAX)) {
                None => break Err(Error::InvalidValue),
                Some([]) => break Ok(()),
                Some(told) => found.extend_from_slice(told),
            }
            if found.len() > OBJECTS {
                break Err(Error::Pkcs11(
                    RvError::BufferTooSmall,
                    Function::FindObjects,
                ));
            }
        };
        // SAFETY: the function takes a handle only. Its answer changes nothing: the search is over.
        let _ = unsafe { end(session.handle()) };
        outcome?;
        // SAFETY: not of memory: these are numbers that the module gave for this session.
        Ok(found
            .into_iter()
            .map(|handle| unsafe { ObjectHandle::new_from_raw(handle) })
            .collect())
    }

    /// One attribute; none where the object does not have it, does not say it, or has more of it than we read.
    pub(super) fn attribute(
        &self,
        session: &Session,
        object: ObjectHandle,
        kind: AttributeType,
    ) -> Result<Option<Vec<u8>>, Error> {
        let get = self
            .functions
            .C_GetAttributeValue
            .ok_or(Error::NullFunctionPointer)?;
        let mut value = vec![0_u8; room(kind)];
        let mut template = CK_ATTRIBUTE {
            type_: kind.into(),
            pValue: value.as_mut_ptr().cast(),
            ulValueLen: CK_ULONG::try_from(value.len())?,
        };
        // SAFETY: the function writes at most `ulValueLen` bytes to the value, which has room for as many, and the length to the template.
        let told = unsafe { get(session.handle(), object.handle(), &raw mut template, 1) };
        match ok(told, Function::GetAttributeValue) {
            Ok(()) => {}
            Err(Error::Pkcs11(
                RvError::AttributeTypeInvalid
                | RvError::AttributeSensitive
                | RvError::BufferTooSmall,
                _,
            )) => return Ok(None),
            Err(error) => return Err(error),
        }
        if template.ulValueLen == UNAVAILABLE {
            return Ok(None);
        }
        shortened(value, template.ulValueLen).map(Some)
    }

    /// One physical `C_Sign` in a session in which `C_SignInit` was called. A buffer that is too small is an error like any other: it is never asked twice.
    pub(super) fn sign(&self, session: &Session, data: &[u8]) -> Result<Vec<u8>, Error> {
        let sign = self.functions.C_Sign.ok_or(Error::NullFunctionPointer)?;
        // A copy, because the function takes a pointer through which it could write, and these bytes were reviewed.
        let mut data = data.to_vec();
        let length = CK_ULONG::try_from(data.len())?;
        let mut signature = vec![0_u8; SIGNATURE];
        let mut told = CK_ULONG::try_from(signature.len())?;
        // SAFETY: the data has the length that is said and is ours. The function writes at most `told` bytes to the signature, which has room for as
        // many, and one number.
        let signed = unsafe {
            sign(
                session.handle(),
                data.as_mut_ptr(),
                length,
                signature.as_mut_ptr(),
                &raw mut told,
            )
        };
        ok(signed, Function::Sign)?;
        shortened(signature, told)
    }

    /// Whether the token in a slot wraps and unwraps keys with a mechanism. `cryptoki` does not know `CKM_AES_KEY_WRAP_KWP`.
    pub(super) fn wraps(&self, slot: Slot, mechanism: CK_MECHANISM_TYPE) -> Result<bool, Error> {
        let get = self
            .functions
            .C_GetMechanismInfo
            .ok_or(Error::NullFunctionPointer)?;
        let mut info = CK_MECHANISM_INFO::default();
        // SAFETY: the function writes the information to the place it is given, which is ours.
        let told = unsafe { get(slot.id(), mechanism, &raw mut info) };
        match ok(told, Function::GetMechanismInfo) {
            Ok(()) => Ok(info.flags & (CKF_WRAP | CKF_UNWRAP) == CKF_WRAP | CKF_UNWRAP),
            Err(Error::Pkcs11(RvError::MechanismInvalid, _)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An object with this value, which the module reads from its locked page; `cryptoki` would copy it.
    pub(super) fn secret_object(
        &self,
        session: &Session,
        template: &[Attribute],
        value: &Secret,
    ) -> Result<ObjectHandle, Error> {
        let create = self
            .functions
            .C_CreateObject
            .ok_or(Error::NullFunctionPointer)?;
        value.expose(|value| {
            let mut wanted: Vec<CK_ATTRIBUTE> = template.iter().map(Into::into).collect();
            wanted.push(CK_ATTRIBUTE {
                type_: CKA_VALUE,
                pValue: value.as_ptr().cast_mut().cast(),
                ulValueLen: CK_ULONG::try_from(value.len())?,
            });
            let length = CK_ULONG::try_from(wanted.len())?;
            let mut handle: CK_OBJECT_HANDLE = 0;
            // SAFETY: the template points into `template` and `value`, which outlive the call, and has the length that is said; the function only reads it
            // (PKCS#11 2.40, 5.7). It writes one number, to a place that is ours.
            let created = unsafe {
                create(
                    session.handle(),
                    wanted.as_mut_ptr(),
                    length,
                    &raw mut handle,
                )
            };
            ok(created, Function::CreateObject)?;
            // SAFETY: not of memory: it is a number that the module gave for this session.
            Ok(unsafe { ObjectHandle::new_from_raw(handle) })
        })
    }

    /// One physical `C_WrapKey` with a mechanism that has no parameters.
    pub(super) fn wrap(
        &self,
        session: &Session,
        mechanism: CK_MECHANISM_TYPE,
        under: ObjectHandle,
        key: ObjectHandle,
    ) -> Result<Vec<u8>, Error> {
        let wrap = self.functions.C_WrapKey.ok_or(Error::NullFunctionPointer)?;
        let mut mechanism = without_parameters(mechanism);
        let mut wrapped = vec![0_u8; WRAPPED];
        let mut told = CK_ULONG::try_from(wrapped.len())?;
        // SAFETY: the mechanism is ours and has no parameters. The function writes at most `told` bytes to the buffer, which has room for as many, and one
        // number.
        let done = unsafe {
            wrap(
                session.handle(),
                &raw mut mechanism,
                under.handle(),
                key.handle(),
                wrapped.as_mut_ptr(),
                &raw mut told,
            )
        };
        ok(done, Function::WrapKey)?;
        shortened(wrapped, told)
    }

    /// One `C_UnwrapKey` with a mechanism that has no parameters.
    pub(super) fn unwrap(
        &self,
        session: &Session,
        mechanism: CK_MECHANISM_TYPE,
        under: ObjectHandle,
        wrapped: &[u8],
        template: &[Attribute],
    ) -> Result<ObjectHandle, Error> {
        let unwrap = self
            .functions
            .C_UnwrapKey
            .ok_or(Error::NullFunctionPointer)?;
        let mut mechanism = without_parameters(mechanism);
        let mut wanted: Vec<CK_ATTRIBUTE> = template.iter().map(Into::into).collect();
        let mut wrapped = wrapped.to_vec();
        let (length, count) = (
            CK_ULONG::try_from(wrapped.len())?,
            CK_ULONG::try_from(wanted.len())?,
        );
        let mut handle: CK_OBJECT_HANDLE = 0;
        // SAFETY: the mechanism is ours and has no parameters, the wrapped key has the length that is said and is ours, the template points into `template`,
        // which outlives the call, and has the length that is said. The function writes one number, to a place that is ours.
        let done = unsafe {
            unwrap(
                session.handle(),
                &raw mut mechanism,
                under.handle(),
                wrapped.as_mut_ptr(),
                length,
                wanted.as_mut_ptr(),
                count,
                &raw mut handle,
            )
        };
        ok(done, Function::UnwrapKey)?;
        // SAFETY: not of memory: it is a number that the module gave for this session.
        Ok(unsafe { ObjectHandle::new_from_raw(handle) })
    }
}

/// Bytes for an attribute: exactly those of its type where that has a size, because NSS gives numbers in a form of its own otherwise.
fn room(kind: AttributeType) -> usize {
    match kind {
        AttributeType::KeyType => size_of::<CK_ULONG>(),
        AttributeType::AlwaysAuthenticate
        | AttributeType::AlwaysSensitive
        | AttributeType::Extractable
        | AttributeType::Local
        | AttributeType::NeverExtractable
        | AttributeType::Sensitive
        | AttributeType::WrapWithTrusted => size_of::<CK_BBOOL>(),
        _ => ATTRIBUTE,
    }
}

/// What the module says that it wrote. More than there was room for is a lie.
fn shortened(mut buffer: Vec<u8>, length: CK_ULONG) -> Result<Vec<u8>, Error> {
    let length = usize::try_from(length)?;
    if length > buffer.len() {
        return Err(Error::InvalidValue);
    }
    buffer.truncate(length);
    Ok(buffer)
}

fn without_parameters(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism,
        pParameter: std::ptr::null_mut(),
        ulParameterLen: 0,
    }
}

fn ok(code: CK_RV, function: Function) -> Result<(), Error> {
    Rv::from(code).into_result(function)
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn length_beyond_the_buffer_is_an_error() {
        assert_eq!(shortened(vec![7; 4], 3).ok(), Some(vec![7; 3]));
        assert_eq!(shortened(vec![7; 4], 4).ok(), Some(vec![7; 4]));
        for lie in [5, 1 << 20, u64::MAX] {
            assert!(shortened(vec![7; 4], lie).is_err(), "{lie}");
        }
    }
}
