//! What a verified attestation says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plain::escape;
use crate::tuf::digest::Sha256;
use crate::tuf::key::Algorithm;

/// A device by what advisories and attestations tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// A YubiKey 4 or 5; the major version of the firmware is the series.
    #[serde(rename = "yubikey")]
    YubiKey,
    /// A YubiKey of a FIPS series.
    #[serde(rename = "yubikey-fips")]
    YubiKeyFips,
    /// A YubiKey Bio.
    #[serde(rename = "yubikey-bio")]
    YubiKeyBio,
    /// A YubiHSM 2, FIPS or not.
    #[serde(rename = "yubihsm-2")]
    YubiHsm2,
}

impl Product {
    /// What a PKCS#11 token says of itself, trailing blanks or not; `None` for what we have no advisories of. It tells no FIPS
    /// series and no Bio from others.
    pub fn of_token(manufacturer: &str, model: &str) -> Option<Self> {
        let is_yubico = manufacturer.trim_start().starts_with("Yubico");
        let model = model.trim();
        if is_yubico && model.starts_with("YubiHSM") {
            Some(Self::YubiHsm2)
        } else if is_yubico && model.starts_with("YubiKey") {
            Some(Self::YubiKey)
        } else {
            None
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::YubiKey => "YubiKey",
            Self::YubiKeyFips => "YubiKey FIPS",
            Self::YubiKeyBio => "YubiKey Bio",
            Self::YubiHsm2 => "YubiHSM 2",
        })
    }
}

/// A firmware version; `5.7.1` in text and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Firmware {
    /// First number.
    pub major: u8,
    /// Second number.
    pub minor: u8,
    /// Third number.
    pub patch: u8,
}

impl Firmware {
    /// `major.minor.patch`.
    pub const fn new(major: u8, minor: u8, patch: u8) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

/// A text that is not three numbers with points between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a firmware version like 5.7.1")]
pub struct NotAFirmware;

impl FromStr for Firmware {
    type Err = NotAFirmware;
    fn from_str(text: &str) -> Result<Self, NotAFirmware> {
        let numbers: Vec<u8> = text
            .split('.')
            .map(|number| number.parse().map_err(|_| NotAFirmware))
            .collect::<Result<_, _>>()?;
        let &[major, minor, patch] = numbers.as_slice() else {
            return Err(NotAFirmware);
        };
        let firmware = Self::new(major, minor, patch);
        // "+5.07.1" reads as numbers too; one version has one writing.
        if firmware.to_string() == text {
            Ok(firmware)
        } else {
            Err(NotAFirmware)
        }
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for Firmware {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Firmware {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Where the private key comes from. Every other origin is refused by `ATTEST-ORIGIN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Made in the device, and never outside.
    Generated,
}

/// When a YubiKey asks for the PIN before it uses the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinPolicy {
    /// Never.
    Never,
    /// Once a session.
    Once,
    /// Before every signature.
    Always,
    /// A fingerprint or the PIN once a session.
    MatchOnce,
    /// A fingerprint or the PIN before every signature.
    MatchAlways,
}

/// When a YubiKey wants to be touched before it uses the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TouchPolicy {
    /// Never.
    Never,
    /// For every signature.
    Always,
    /// A touch lasts for 15 seconds.
    Cached,
}

/// What a YubiKey looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormFactor {
    /// USB-A, keychain.
    UsbAKeychain,
    /// USB-A, nano.
    UsbANano,
    /// USB-C, keychain.
    UsbCKeychain,
    /// USB-C, nano.
    UsbCNano,
    /// USB-C and Lightning.
    UsbCLightning,
    /// Bio, USB-A.
    UsbABio,
    /// Bio, USB-C.
    UsbCBio,
    /// The device does not say, or says a number that is not known yet.
    Unknown,
}

/// Where in the device the key is, and how it may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Object {
    /// A key of a YubiKey's PIV application.
    Piv {
        /// `9a`, `9c`, `9d`, `9e`, or `r1` to `r20` for the retired ones.
        slot: String,
        /// When the PIN is asked for.
        pin_policy: PinPolicy,
        /// When it must be touched.
        touch_policy: TouchPolicy,
    },
    /// An object of a YubiHSM 2.
    #[serde(rename = "yubihsm")]
    YubiHsm {
        /// Object ID.
        id: u16,
        /// Untrusted text.
        label: String,
        /// Names as in yubihsm-shell.
        capabilities: Vec<String>,
        /// 1 to 16.
        domains: Vec<u8>,
    },
}

/// The root at the end of the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorUsed {
    /// Its name; for a test root the name it was given.
    pub name: String,
    /// SHA-256 of its DER.
    pub sha256: Sha256,
}

/// What a genuine attestation says of one key. Only [`super::verify`] makes one that is proven; one that was read from a file
/// says what somebody found, and is found again by verifying the certificates again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The device.
    pub product: Product,
    /// Its serial number, as printed on it.
    pub serial: u32,
    /// Its firmware.
    pub firmware: Firmware,
    /// Where in it the key is.
    pub object: Object,
    /// Where the private key comes from.
    pub origin: Origin,
    /// What it looks like; none for a YubiHSM.
    pub form_factor: Option<FormFactor>,
    /// Whether it is of a FIPS series.
    pub fips: bool,
    /// Whether it is of the CSPN series.
    pub cspn: bool,
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// SHA-256 of the key's `SubjectPublicKeyInfo`.
    pub fingerprint: Sha256,
    /// SHA-256 of the attestation's DER.
    pub attestation: Sha256,
    /// SHA-256 of the device certificate's DER. Every YubiKey of a batch has the same; the serial number tells devices apart.
    pub device_certificate: Sha256,
    /// The root.
    pub anchor: AnchorUsed,
    /// Whether the root is one of tests: then nothing is proven of a real device.
    pub test_root: bool,
}

impl Statement {
    /// Plain lines for people, untrusted text escaped. The first says the device, the last the root.
    pub fn lines(&self) -> Vec<String> {
        let mut marks = String::new();
        if self.cspn {
            marks.push_str(", CSPN");
        }
        if self.fips && self.product == Product::YubiHsm2 {
            marks.push_str(", FIPS");
        }
        let mut lines = vec![format!(
            "{}{marks}, serial {}, firmware {}",
            self.product, self.serial, self.firmware
        )];
        lines.push(match &self.object {
            Object::Piv { slot, .. } => {
                format!("key in PIV slot {}, made in the device", escape(slot))
            }
            Object::YubiHsm { id, label, .. } => {
                format!(
                    "key in object 0x{id:04x} \"{}\", made in the device, never outside",
                    escape(label)
                )
            }
        });
        match &self.object {
            Object::Piv {
                pin_policy,
                touch_policy,
                ..
            } => {
                lines.push(format!(
                    "PIN: {}; touch: {}",
                    pin_policy.words(),
                    touch_policy.words()
                ));
            }
            Object::YubiHsm {
                capabilities,
                domains,
                ..
            } => {
                let capabilities: Vec<String> =
                    capabilities.iter().map(|name| escape(name)).collect();
                let domains: Vec<String> = domains.iter().map(u8::to_string).collect();
                lines.push(format!(
                    "may {}; domains {}",
                    or_none(&capabilities.join(", ")),
                    or_none(&domains.join(", "))
                ));
            }
        }
        lines.push(format!("device certificate {}", self.device_certificate));
        let test = if self.test_root { "TEST ROOT " } else { "" };
        lines.push(format!(
            "{test}{} {}",
            escape(&self.anchor.name),
            self.anchor.sha256
        ));
        lines
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

impl PinPolicy {
    /// For a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Never => "never asked for",
            Self::Once => "asked for once a session",
            Self::Always => "asked for before every signature",
            Self::MatchOnce => "or a fingerprint, once a session",
            Self::MatchAlways => "or a fingerprint, before every signature",
        }
    }
}

impl TouchPolicy {
    /// For a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Never => "never needed",
            Self::Always => "needed for every signature",
            Self::Cached => "needed, and lasts for 15 seconds",
        }
    }
}

/// What a reader of one kind of attestation finds.
pub(super) struct Facts {
    pub(super) product: Product,
    pub(super) serial: u32,
    pub(super) firmware: Firmware,
    pub(super) object: Object,
    pub(super) form_factor: Option<FormFactor>,
    pub(super) fips: bool,
    pub(super) cspn: bool,
}
