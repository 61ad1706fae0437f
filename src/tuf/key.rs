//! Keys: the object as it stands in metadata, its keyid, and the key material that thresholds count.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::Sha256;
use super::finding::shown;
use super::json::Json;
use super::value::Value;

mod material;
mod message;
mod signature;
#[cfg(test)]
mod tests;
mod weakness;

pub use message::Message;

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
    /// DER `SubjectPublicKeyInfo`.
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

impl KeyError {
    fn form(text: impl Into<String>) -> Self {
        Self::new("KEY-FORM", text)
    }
    fn material(text: impl Into<String>) -> Self {
        Self::new("KEY-MATERIAL", text)
    }
    fn weak(text: impl Into<String>) -> Self {
        Self::new("KEY-WEAK", text)
    }
    fn private(text: impl Into<String>) -> Self {
        Self::new("KEY-PRIVATE", text)
    }
    fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Self {
            rule,
            text: text.into(),
        }
    }
}

impl Key {
    /// Reads a key object. Unknown keytypes are kept as opaque; known ones with broken material are errors
    /// (bad PEM, point not on the curve, identity or low-order Ed25519 point, RSA under 2048 bits or e < 65537,
    /// a `private` member). A known keytype under a scheme we do not verify (`rsa-pkcs1v15-sha256`) keeps its
    /// material, so that the same physical key is still recognised.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_json(json: Json<'_>) -> Result<Self, KeyError> {
        Self::from_value(Value::from_json(json), material::from_text)
    }

    /// As [`Self::from_json`], of an object that was judged, or that signers answer for (docs/decisions/0021): 32 bytes are taken for an Ed25519 key
    /// unproven. Of one that is no point of the curve, or a weak one, no signature counts.
    pub(super) fn from_judged(json: Json<'_>) -> Option<Self> {
        let read = |text: &str| {
            material::bytes_of_ed25519(text).map_or_else(|| material::from_text(text), Ok)
        };
        Self::from_value(Value::from_json(json), read).ok()
    }

    fn from_value(
        value: Value,
        read: impl Fn(&str) -> Result<PublicKey, KeyError>,
    ) -> Result<Self, KeyError> {
        let text = |name: &str| match value.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(KeyError::form(format!("its {name} must be a string"))),
        };
        let keytype = text("keytype")?;
        let scheme = text("scheme")?;
        let Some(keyval @ Value::Object(_)) = value.get("keyval") else {
            return Err(KeyError::form("its keyval must be an object"));
        };
        // securesystemslib once wrote `"private": ""` into every public key; only a secret is refused.
        let secret = [&value, keyval]
            .into_iter()
            .filter_map(|object| object.get("private"))
            .any(|private| private.as_str() != Some(""));
        if secret {
            return Err(KeyError::private(
                "it has a member private: secret key material must never be in metadata",
            ));
        }
        let public = public_key(&keytype, &scheme, keyval, read)?;
        Ok(Self {
            value,
            keytype,
            scheme,
            public,
        })
    }

    /// The object we write for a key of ours: `ed25519` as 64 hex digits, ECDSA (keytype `ecdsa`) and RSA as SPKI PEM with LF and a final
    /// newline; nothing else in it. `None` for opaque material.
    pub fn from_public(public: &PublicKey) -> Option<Self> {
        let (keytype, scheme) = match public.algorithm()? {
            Algorithm::Ed25519 => ("ed25519", "ed25519"),
            Algorithm::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256"),
            Algorithm::EcdsaP384 => ("ecdsa", "ecdsa-sha2-nistp384"),
            Algorithm::RsaPss => ("rsa", "rsassa-pss-sha256"),
        };
        let member = |name: &str, text: &str| (name.to_owned(), Value::string(text));
        let value = Value::Object(vec![
            member("keytype", keytype),
            (
                "keyval".to_owned(),
                Value::Object(vec![member("public", &material::to_text(public)?)]),
            ),
            member("scheme", scheme),
        ]);
        Some(Self {
            value,
            keytype: keytype.to_owned(),
            scheme: scheme.to_owned(),
            public: public.clone(),
        })
    }

    /// SHA-256 over the canonical form of the whole object (TUF 1.0.34, 4.3).
    pub fn keyid(&self) -> KeyId {
        KeyId(Sha256::of(&self.value.canonical()).to_string())
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
        algorithm(&self.keytype, &self.scheme)
    }
    /// Whether an elliptic-curve key is written as a hexadecimal point instead of PEM (Sigstore's roots 1 to 4).
    pub fn is_hex_point(&self) -> bool {
        matches!(self.public, PublicKey::P256(_) | PublicKey::P384(_))
            && self
                .value
                .get("keyval")
                .and_then(|keyval| keyval.get("public"))
                .and_then(Value::as_str)
                .is_some_and(|text| !material::is_pem(text))
    }
    /// A holder's name carried in a custom field (`x-tuf-on-ci-keyowner`, `x-rstuf-key-name`). Untrusted text.
    pub fn owner(&self) -> Option<&str> {
        ["x-tuf-on-ci-keyowner", "x-rstuf-key-name"]
            .into_iter()
            .find_map(|field| self.value.get(field)?.as_str())
    }
    /// Whether `signature` (as TUF carries it: raw 64 bytes for Ed25519, DER for ECDSA) is by this key over `message`.
    /// Never for a scheme we do not verify.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.algorithm()
            .is_some_and(|algorithm| self.signed(&Message::of(algorithm, message), signature))
    }
    /// As [`Self::verifies`], over a message that was made ready for keys of this algorithm.
    pub fn signed(&self, message: &Message<'_>, signature: &[u8]) -> bool {
        self.algorithm() == Some(message.algorithm())
            && signature::verifies(&self.public, message.bytes(), signature)
    }
    /// A name for people: `P-256`, `P-384`, `Ed25519`, `RSA 4096`, else keytype/scheme.
    pub fn description(&self) -> String {
        match self.algorithm() {
            Some(Algorithm::Ed25519) => "Ed25519".to_owned(),
            Some(Algorithm::EcdsaP256) => "P-256".to_owned(),
            Some(Algorithm::EcdsaP384) => "P-384".to_owned(),
            Some(Algorithm::RsaPss) => match material::rsa_bits(&self.public) {
                Some(bits) => format!("RSA {bits}"),
                None => "RSA".to_owned(),
            },
            None => format!("{}/{}", shown(&self.keytype), shown(&self.scheme)),
        }
    }
}

impl PublicKey {
    /// Reads DER `SubjectPublicKeyInfo` of a type we verify with.
    ///
    /// # Errors
    /// Material that is broken or weak, or of an unknown type.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        material::from_spki_der(der)
    }
    /// Reads a key as `keyval.public` writes it: `SubjectPublicKeyInfo` PEM, or hexadecimal.
    ///
    /// # Errors
    /// As [`Self::from_spki_der`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        material::from_text(text.trim())
    }
    /// The material of an Ed25519 key object as nearly every one is written, with nothing else in it: taken from the text unproven, so of an object that was
    /// judged before. `None` for any other.
    pub fn plain(object: Json<'_>) -> Option<Self> {
        material::plain(object)
    }
    /// DER `SubjectPublicKeyInfo` (RFC 5280, RFC 8410); `None` for opaque material.
    pub fn to_spki_der(&self) -> Option<Vec<u8>> {
        material::to_spki_der(self)
    }
    /// SHA-256 of the `SubjectPublicKeyInfo` (of the stored bytes for opaque material): the fingerprint shown to people.
    pub fn fingerprint(&self) -> Sha256 {
        match self {
            Self::Opaque(bytes) => Sha256::of(bytes),
            known => Sha256::of(&known.to_spki_der().unwrap_or_default()),
        }
    }
    /// The algorithm; `None` for opaque material.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Ed25519(_) => Some(Algorithm::Ed25519),
            Self::P256(_) => Some(Algorithm::EcdsaP256),
            Self::P384(_) => Some(Algorithm::EcdsaP384),
            Self::Rsa(_) => Some(Algorithm::RsaPss),
            Self::Opaque(_) => None,
        }
    }
}

/// The pairs of keytype and scheme we verify; `ecdsa-sha2-nistp*` as a keytype is the older writing.
fn algorithm(keytype: &str, scheme: &str) -> Option<Algorithm> {
    match (keytype, scheme) {
        ("ed25519", "ed25519") => Some(Algorithm::Ed25519),
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => Some(Algorithm::EcdsaP256),
        ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => Some(Algorithm::EcdsaP384),
        ("rsa", "rsassa-pss-sha256") => Some(Algorithm::RsaPss),
        _ => None,
    }
}

fn public_key(
    keytype: &str,
    scheme: &str,
    keyval: &Value,
    read: impl Fn(&str) -> Result<PublicKey, KeyError>,
) -> Result<PublicKey, KeyError> {
    let public = keyval.get("public").and_then(Value::as_str);
    if public.is_some_and(|text| text.contains("PRIVATE KEY-----")) {
        return Err(KeyError::private(
            "its keyval.public holds a private key: secret key material must never be in metadata",
        ));
    }
    let known_keytype = matches!(
        keytype,
        "ed25519" | "ecdsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "rsa"
    );
    match (algorithm(keytype, scheme), public) {
        (Some(_), None) => Err(KeyError::form("its keyval.public must be a string")),
        (Some(algorithm), Some(text)) => {
            let public = read(text)?;
            if public.algorithm() == Some(algorithm) {
                Ok(public)
            } else {
                Err(KeyError::material(format!(
                    "its keyval.public is not a key of keytype {keytype} and scheme {scheme}"
                )))
            }
        }
        (None, Some(text)) if known_keytype => {
            Ok(read(text).unwrap_or_else(|_| opaque(keytype, keyval)))
        }
        (None, _) => Ok(opaque(keytype, keyval)),
    }
}

fn opaque(keytype: &str, keyval: &Value) -> PublicKey {
    let identity = Value::Object(vec![
        ("keytype".to_owned(), Value::string(keytype)),
        ("keyval".to_owned(), keyval.clone()),
    ]);
    PublicKey::Opaque(identity.canonical())
}
