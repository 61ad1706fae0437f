//! Calls that succeed with a wrong result.

use cryptoki_sys::{CK_FLAGS, CK_RV, CK_ULONG};

use crate::log::Made;
use crate::names;
use crate::plan::{bytes, number, split};

pub(crate) mod counts;
pub(crate) mod objects;
pub(crate) mod signature;
pub(crate) mod token;

use objects::ObjectLie;
use signature::SignatureLie;
use token::Field;

/// One lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lie {
    Signature(SignatureLie),
    Object(ObjectLie),
    /// Another text in a field of fixed width.
    Field(Field, Vec<u8>),
    SetFlags(CK_FLAGS),
    ClearFlags(CK_FLAGS),
    /// Every initialised token has the label and serial of the first one.
    Twin,
    /// So many entries, the missing ones invented.
    Count(CK_ULONG),
    /// This length or count is said, whatever was written.
    Claims(CK_ULONG),
    /// Nothing is found.
    NoObjects,
    /// Random bytes that are all zero.
    NoRandom,
    /// NULL where the function list should be.
    NoList,
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) code: CK_RV,
    pub(crate) made: Made,
}

impl Answer {
    pub(crate) fn forwarded(code: CK_RV) -> Self {
        let made = Made::Forwarded;
        Self { code, made }
    }

    pub(crate) fn lied(code: CK_RV) -> Self {
        let made = Made::Lied;
        Self { code, made }
    }

    pub(crate) fn answered(code: CK_RV) -> Self {
        let made = Made::Answered;
        Self { code, made }
    }
}

impl Lie {
    /// The lie that `text` tells `function` to tell.
    pub(crate) fn parse(function: &str, text: &str) -> Result<Self, String> {
        let (word, rest) = split(text);
        let unknown = || format!("no such fault, or not one of {function}");
        let counted = ["C_GetSlotList", "C_GetMechanismList"].contains(&function);
        let signs = ["C_Sign", "C_SignFinal"].contains(&function);
        match (function, word) {
            ("C_GetAttributeValue", _) => ObjectLie::parse(text).map(Self::Object),
            (_, "count") if counted => number(rest).map(Self::Count),
            (_, "claims") if counted || signs || function == "C_FindObjects" => {
                number(rest).map(Self::Claims)
            }
            ("C_GetTokenInfo", "set") => flags(rest).map(Self::SetFlags),
            ("C_GetTokenInfo", "clear") => flags(rest).map(Self::ClearFlags),
            ("C_GetTokenInfo", "twin") if rest.is_empty() => Ok(Self::Twin),
            ("C_FindObjects", "none") if rest.is_empty() => Ok(Self::NoObjects),
            ("C_GenerateRandom", "zero") if rest.is_empty() => Ok(Self::NoRandom),
            ("C_GetFunctionList", "null") if rest.is_empty() => Ok(Self::NoList),
            _ if signs && rest.is_empty() => SignatureLie::parse(word)
                .filter(|lie| function == "C_Sign" || *lie != SignatureLie::OtherKey)
                .map(Self::Signature)
                .ok_or_else(unknown),
            _ => {
                let field = Field::parse(function, word).ok_or_else(unknown)?;
                Ok(Self::Field(field, bytes(rest)?))
            }
        }
    }
}

fn flags(text: &str) -> Result<CK_FLAGS, String> {
    text.split(' ').try_fold(0, |flags, name| {
        let flag = names::flag(name).ok_or_else(|| format!("no such flag {name:?}"))?;
        Ok(flags | flag)
    })
}
