//! Keys: the object as it stands in metadata, its keyid, and the key material that thresholds count.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::Sha256;
use super::json::Json;
use super::value::Value;

/// A keyid as found: usually 64 hexadecimal digits, but foreign files hold any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key of ours may be made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Pure Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes; 3072 bits or more.
    RsaPss,
}

/// Key material: what makes two entries the same physical key whatever their keyids, keytypes or encodings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicKey {
    /// 32 bytes.
    Ed25519([u8; 32]),
    /// Uncompressed SEC1 point, 65 bytes.
    P256(Vec<u8>),
    /// Uncompressed SEC1 point, 97 bytes.
    P384(Vec<u8>),
    /// DER SubjectPublicKeyInfo.
    Rsa(Vec<u8>),
    /// A key we keep and show but cannot verify with (`sigstore-oidc`, `ml-dsa-*`, unknown): the canonical
    /// form of keytype and keyval.
    Opaque(Vec<u8>),
}

/// One key object of metadata, unknown fields and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    value: Value,
    keytype: String,
    scheme: String,
    public: PublicKey,
}

/// Why a key object is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {text}")]
pub struct KeyError {
    /// The rule's tag: `KEY-FORM`, `KEY-MATERIAL`, `KEY-PRIVATE`, `KEY-WEAK`.
    pub rule: &'static str,
    /// One plain sentence.
    pub text: String,
}

impl Key {
    /// Reads a key object. Unknown keytypes are kept as opaque; known ones with broken material are errors
    /// (bad PEM, point not on the curve, identity or low-order Ed25519 point, RSA under 2048 bits or e < 65537,
    /// a `private` member).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_json(json: Json<'_>) -> Result<Self, KeyError> {
        let _ = json;
        todo!()
    }
    /// The object we write for a key of ours: `ed25519` as 64 hex digits, ECDSA (keytype `ecdsa`) and RSA as SPKI PEM with LF and a final
    /// newline; nothing else in it. `None` for opaque material.
    pub fn from_public(public: &PublicKey) -> Option<Self> {
        let _ = public;
        todo!()
    }
    /// SHA-256 over the canonical form of the whole object (TUF 1.0.34, 4.3).
    pub fn keyid(&self) -> KeyId {
        todo!()
    }
    /// The key material.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
    /// `keytype` as found.
    pub fn keytype(&self) -> &str {
        &self.keytype
    }
    /// `scheme` as found.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }
    /// The object as found.
    pub fn value(&self) -> &Value {
        &self.value
    }
    /// What we would call its algorithm; `None` for schemes we do not verify.
    pub fn algorithm(&self) -> Option<Algorithm> {
        todo!()
    }
    /// A holder's name carried in a custom field (`x-tuf-on-ci-keyowner`, `x-rstuf-key-name`). Untrusted text.
    pub fn owner(&self) -> Option<&str> {
        todo!()
    }
    /// Whether `signature` (as TUF carries it: raw 64 bytes for Ed25519, DER for ECDSA) is by this key over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let _ = (message, signature);
        todo!()
    }
    /// A name for people: `P-256`, `P-384`, `Ed25519`, `RSA 4096`, else keytype/scheme.
    pub fn description(&self) -> String {
        todo!()
    }
}

impl PublicKey {
    /// Reads DER SubjectPublicKeyInfo of a type we verify with.
    ///
    /// # Errors
    /// Material that is broken or weak, or of an unknown type.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let _ = der;
        todo!()
    }
    /// DER SubjectPublicKeyInfo (RFC 5280, RFC 8410); `None` for opaque material.
    pub fn to_spki_der(&self) -> Option<Vec<u8>> {
        todo!()
    }
    /// SHA-256 of the SubjectPublicKeyInfo (of the stored bytes for opaque material): the fingerprint shown to people.
    pub fn fingerprint(&self) -> Sha256 {
        todo!()
    }
    /// The algorithm; `None` for opaque material.
    pub fn algorithm(&self) -> Option<Algorithm> {
        todo!()
    }
}
