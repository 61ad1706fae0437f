//! Attributes of objects.

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_OBJECT_CLASS, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE,
    CK_ULONG, CK_UNAVAILABLE_INFORMATION, CKA_ALWAYS_AUTHENTICATE, CKA_CLASS, CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL, CKR_OK,
};

use super::{Answer, Lie};
use crate::calls::{Call, lacking};
use crate::names;
use crate::plan::{bytes, split};

/// A lie about one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectLie {
    /// Of objects of this class only.
    class: Option<CK_OBJECT_CLASS>,
    attribute: CK_ATTRIBUTE_TYPE,
    told: Told,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// Another one of the same kind: a curve's base point, a modulus with a bit flipped, the other truth value.
    Other,
    /// Without its DER OCTET STRING.
    Bare,
    /// Without its last byte.
    Truncated,
    /// The same length of nonsense.
    Garbage,
    /// The value, with a length of 2^40.
    Huge,
    /// The value, with the length that means "unavailable", and `CKR_OK`.
    Unavailable,
    /// The device does not know this attribute.
    Absent,
    Value(Vec<u8>),
}

/// What a caller is told about one attribute.
struct Claim {
    value: Vec<u8>,
    /// In place of the value's own length.
    length: Option<CK_ULONG>,
    code: CK_RV,
}

impl ObjectLie {
    /// `[private|public] CKA_NAME LIE`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (class, text) = match split(text) {
            ("private", rest) => (Some(CKO_PRIVATE_KEY), rest),
            ("public", rest) => (Some(CKO_PUBLIC_KEY), rest),
            _ => (None, text),
        };
        let (name, word) = split(text);
        let attribute = names::attribute(name).ok_or("no such fault, and no such attribute")?;
        let told = match word {
            "other" => Told::Other,
            "bare" => Told::Bare,
            "truncated" => Told::Truncated,
            "garbage" => Told::Garbage,
            "huge" => Told::Huge,
            "unavailable" => Told::Unavailable,
            "absent" => Told::Absent,
            "true" => Told::Value(vec![1]),
            "false" => Told::Value(vec![0]),
            text => Told::Value(bytes(text)?),
        };
        Ok(Self {
            class,
            attribute,
            told,
        })
    }
}

impl Told {
    /// The claim in place of the truth; none where there is no truth to change.
    fn claim(&self, truth: Option<Vec<u8>>) -> Option<Claim> {
        let as_it_is = |value| Claim {
            value,
            length: None,
            code: CKR_OK,
        };
        Some(match self {
            Self::Value(value) => as_it_is(value.clone()),
            Self::Absent => Claim {
                value: Vec::new(),
                length: Some(CK_UNAVAILABLE_INFORMATION),
                code: CKR_ATTRIBUTE_TYPE_INVALID,
            },
            Self::Other => as_it_is(another(truth?)),
            Self::Bare => {
                let mut wrapped = truth.filter(|truth| truth.len() > 2)?;
                as_it_is(wrapped.split_off(2))
            }
            Self::Truncated => {
                let mut value = truth?;
                value.pop();
                as_it_is(value)
            }
            Self::Garbage => as_it_is(vec![0x5a; truth?.len()]),
            Self::Huge => Claim {
                length: Some(1 << 40),
                ..as_it_is(truth?)
            },
            Self::Unavailable => Claim {
                length: Some(CK_UNAVAILABLE_INFORMATION),
                ..as_it_is(truth?)
            },
        })
    }
}

/// `C_GetAttributeValue` with the plan's lies.
///
/// # Safety
/// `template` is NULL or has `count` attributes with valid buffers, as PKCS#11 wants of the caller.
pub(crate) unsafe fn attributes(
    call: &Call<'_>,
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> Answer {
    let ask = |template: *mut CK_ATTRIBUTE, count: CK_ULONG| {
        // SAFETY: the caller's template, or one of our own with valid buffers.
        call.real
            .C_GetAttributeValue
            .map_or_else(lacking, |get| unsafe {
                get(session, object, template, count)
            })
    };
    let policy = call.shim.plan.always_authenticate.then(|| ObjectLie {
        class: Some(CKO_PRIVATE_KEY),
        attribute: CKA_ALWAYS_AUTHENTICATE,
        told: Told::Value(vec![1]),
    });
    let mut lies: Vec<ObjectLie> = call
        .lies()
        .filter_map(|lie| match lie {
            Lie::Object(lie) => Some(lie.clone()),
            _ => None,
        })
        .chain(policy)
        .collect();
    if lies.is_empty() || template.is_null() {
        return Answer::forwarded(ask(template, count));
    }
    if lies.iter().any(|lie| lie.class.is_some()) {
        let class = value_of(ask, CKA_CLASS)
            .and_then(|value| value.try_into().ok())
            .map(CK_OBJECT_CLASS::from_ne_bytes);
        lies.retain(|lie| lie.class.is_none() || lie.class == class);
    }
    let length = usize::try_from(count).unwrap_or_default();
    // SAFETY: by contract, and not null.
    let template = unsafe { std::slice::from_raw_parts_mut(template, length) };

    let mut claims = Vec::new();
    for (index, wanted) in template.iter().enumerate() {
        let lie = lies.iter().find(|lie| lie.attribute == wanted.type_);
        let claim = lie.and_then(|lie| lie.told.claim(value_of(ask, lie.attribute)));
        claims.extend(claim.map(|claim| (index, claim)));
    }
    let is_claimed = |index: &usize| claims.iter().any(|(claimed, _)| claimed == index);
    let honest: Vec<usize> = (0..length).filter(|index| !is_claimed(index)).collect();
    let mut code = CKR_OK;
    if !honest.is_empty() {
        let mut rest: Vec<CK_ATTRIBUTE> = honest.iter().map(|index| template[*index]).collect();
        code = ask(rest.as_mut_ptr(), honest.len() as CK_ULONG);
        for (index, answered) in honest.iter().zip(rest) {
            template[*index] = answered;
        }
    }
    if claims.is_empty() {
        return Answer::forwarded(code);
    }
    for (index, claim) in &claims {
        // SAFETY: by contract the buffer is NULL or as long as it says.
        let said = unsafe { claim.put(&mut template[*index]) };
        if code == CKR_OK {
            code = said;
        }
    }
    Answer::lied(code)
}

impl Claim {
    /// # Safety
    /// The attribute's buffer is NULL or as long as it says.
    unsafe fn put(&self, attribute: &mut CK_ATTRIBUTE) -> CK_RV {
        let length = self.value.len() as CK_ULONG;
        let mut code = self.code;
        if attribute.pValue.is_null() {
            attribute.ulValueLen = self.length.unwrap_or(length);
        } else if attribute.ulValueLen < length {
            attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
            code = CKR_BUFFER_TOO_SMALL;
        } else {
            let buffer = attribute.pValue.cast::<u8>();
            // SAFETY: by contract, and long enough.
            unsafe { buffer.copy_from_nonoverlapping(self.value.as_ptr(), self.value.len()) };
            attribute.ulValueLen = self.length.unwrap_or(length);
        }
        code
    }
}

/// What the real module says an attribute is.
pub(crate) fn value_of(
    ask: impl Fn(*mut CK_ATTRIBUTE, CK_ULONG) -> CK_RV,
    attribute: CK_ATTRIBUTE_TYPE,
) -> Option<Vec<u8>> {
    // Longer than any attribute of a key that we use.
    let mut value = vec![0_u8; 8192];
    let mut wanted = CK_ATTRIBUTE {
        type_: attribute,
        pValue: value.as_mut_ptr().cast(),
        ulValueLen: value.len() as CK_ULONG,
    };
    let code = ask(&raw mut wanted, 1);
    value.truncate(usize::try_from(wanted.ulValueLen).ok()?);
    (code == CKR_OK).then_some(value)
}

/// Another value of the same kind.
fn another(mut value: Vec<u8>) -> Vec<u8> {
    let base_point: &[u8] = match value.as_slice() {
        [0x04, 0x20, point @ ..] if point.len() == 32 => &ED25519,
        [0x04, 0x41, 0x04, point @ ..] if point.len() == 64 => &P256,
        [0x04, 0x61, 0x04, point @ ..] if point.len() == 96 => &P384,
        [truth @ (0 | 1)] => return vec![1 - truth],
        _ => {
            let middle = value.len() / 2;
            if let Some(byte) = value.get_mut(middle) {
                *byte ^= 0x10;
            }
            return value;
        }
    };
    let start = value.len() - base_point.len();
    value[start..].copy_from_slice(base_point);
    value
}

const fn unhex<const LENGTH: usize>(digits: &[u8]) -> [u8; LENGTH] {
    const fn nibble(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            _ => digit - b'a' + 10,
        }
    }
    let mut bytes = [0; LENGTH];
    let mut index = 0;
    while index < LENGTH {
        bytes[index] = nibble(digits[2 * index]) << 4 | nibble(digits[2 * index + 1]);
        index += 1;
    }
    bytes
}

/// RFC 8032, 5.1: the base point.
const ED25519: [u8; 32] =
    unhex(b"5866666666666666666666666666666666666666666666666666666666666666");
/// SEC 2, 2.4.2: the base point of secp256r1.
const P256: [u8; 64] = unhex(
    b"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
      4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
);
/// SEC 2, 2.5.1: the base point of secp384r1.
const P384: [u8; 96] = unhex(
    b"aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
      3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
);
