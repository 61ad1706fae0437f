//! SHA-256 and SHA-512 values that cannot have the wrong length.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// A SHA-256 value; shown and stored as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A SHA-512 value; shown and stored as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha512(pub [u8; 64]);

/// A text that is not the lower-case hexadecimal form of such a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0} lower-case hexadecimal digits")]
pub struct NotADigest(usize);

macro_rules! digest {
    ($name:ident, $length:literal, $hasher:ty) => {
        impl $name {
            /// Hashes `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                Self(<$hasher>::digest(bytes).into())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = NotADigest;
            fn from_str(text: &str) -> Result<Self, NotADigest> {
                HEXLOWER
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or(NotADigest($length * 2))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

digest!(Sha256, 32, sha2::Sha256);
digest!(Sha512, 64, sha2::Sha512);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_shown_and_read_as_lower_case_hexadecimal() {
        let digest = Sha256::of(b"");
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(format!("{digest:?}"), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(digest));
        assert_eq!(
            Sha512::of(b"abc").to_string(),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
    }

    #[test]
    fn another_length_or_spelling_is_no_digest() {
        let upper = EMPTY.to_uppercase();
        let spaced = format!(" {}", &EMPTY[1..]);
        let table = [
            "",
            &EMPTY[1..],
            &EMPTY[2..],
            &upper,
            &spaced,
            &EMPTY.replace('e', "g"),
        ];
        for text in table {
            let error = text.parse::<Sha256>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "expected 64 lower-case hexadecimal digits",
                "{text}"
            );
        }
        let error = EMPTY.parse::<Sha512>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected 128 lower-case hexadecimal digits"
        );
    }

    #[test]
    fn a_digest_is_a_string_in_json_and_no_other_length_is_read() {
        let digest = Sha256::of(b"");
        let json = format!("\"{EMPTY}\"");
        assert_eq!(serde_json::to_string(&digest).unwrap(), json);
        assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<Sha512>(&json).is_err());
        assert!(serde_json::from_str::<Sha256>("7").is_err());
    }
}
