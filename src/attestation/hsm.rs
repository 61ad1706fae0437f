//! Attestations of objects in a YubiHSM 2 (arc 1.3.6.1.4.1.41482.4). A YubiHSM attests imported keys as well as its own, and keys
//! that may leave it: origin and capabilities are judged here.

use der::Decode as _;
use der::oid::ObjectIdentifier;

use super::certificate::Certificate;
use super::extension::{bits, integer, needed, octets, value};
use super::fault::Fault;
use super::statement::{Facts, Firmware, Object, Product};

/// Yubico's YubiHSM extensions.
pub(super) const ARC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4");

const FIRMWARE: u32 = 1;
const SERIAL: u32 = 2;
const ORIGIN: u32 = 3;
const DOMAINS: u32 = 4;
const CAPABILITIES: u32 = 5;
const OBJECT_ID: u32 = 6;
const LABEL: u32 = 9;
const FIPS: u32 = 10;

const SUBJECT: &str = "YubiHSM Attestation id:0x";
/// A label has at most 40 bytes.
const LONGEST_LABEL: usize = 40;

/// Bits of an origin; the third stands beside one of the others.
const ORIGINS: [(u8, &str); 3] = [
    (0x01, "generated"),
    (0x02, "imported"),
    (0x10, "imported under wrap"),
];

/// What a key that signs metadata may do.
const ALLOWED: [&str; 4] = ["sign-pkcs", "sign-pss", "sign-ecdsa", "sign-eddsa"];

/// Capabilities by their bit, as yubihsm-shell names them.
const NAMES: [&str; 56] = [
    "get-opaque",
    "put-opaque",
    "put-authentication-key",
    "put-asymmetric-key",
    "generate-asymmetric-key",
    "sign-pkcs",
    "sign-pss",
    "sign-ecdsa",
    "sign-eddsa",
    "decrypt-pkcs",
    "decrypt-oaep",
    "derive-ecdh",
    "export-wrapped",
    "import-wrapped",
    "put-wrap-key",
    "generate-wrap-key",
    "exportable-under-wrap",
    "set-option",
    "get-option",
    "get-pseudo-random",
    "put-mac-key",
    "generate-hmac-key",
    "sign-hmac",
    "verify-hmac",
    "get-log-entries",
    "sign-ssh-certificate",
    "get-template",
    "put-template",
    "reset-device",
    "decrypt-otp",
    "create-otp-aead",
    "randomize-otp-aead",
    "rewrap-from-otp-aead-key",
    "rewrap-to-otp-aead-key",
    "sign-attestation-certificate",
    "put-otp-aead-key",
    "generate-otp-aead-key",
    "wrap-data",
    "unwrap-data",
    "delete-opaque",
    "delete-authentication-key",
    "delete-asymmetric-key",
    "delete-wrap-key",
    "delete-hmac-key",
    "delete-template",
    "delete-otp-aead-key",
    "change-authentication-key",
    "put-symmetric-key",
    "generate-symmetric-key",
    "delete-symmetric-key",
    "decrypt-ecb",
    "encrypt-ecb",
    "decrypt-cbc",
    "encrypt-cbc",
    "put-public-wrap-key",
    "delete-public-wrap-key",
];

pub(super) fn read(leaf: &Certificate, device: &Certificate) -> Result<Facts, Vec<Fault>> {
    let (facts, origin) = facts(leaf, device).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let in_device = value(device, ARC, SERIAL).and_then(integer);
    if let Some(other) = in_device.filter(|other| *other != facts.serial) {
        faults.push(Fault::Serial {
            attestation: facts.serial,
            device: other,
        });
    }
    if origin != ORIGINS[0].0 {
        faults.push(Fault::Origin {
            origin: origin_words(origin),
        });
    }
    if let Object::YubiHsm { capabilities, .. } = &facts.object {
        let found: Vec<String> = capabilities
            .iter()
            .filter(|name| !ALLOWED.contains(&name.as_str()))
            .cloned()
            .collect();
        if !found.is_empty() {
            faults.push(Fault::Capability { found });
        }
    }
    if faults.is_empty() {
        Ok(facts)
    } else {
        Err(faults)
    }
}

fn facts(leaf: &Certificate, device: &Certificate) -> Result<(Facts, u8), Fault> {
    let fault = |reason: &str| Fault::form(leaf.name(), reason);
    let [major, minor, patch] = octets(needed(leaf, ARC, FIRMWARE)?)
        .ok_or_else(|| fault("has a firmware version that is not three bytes"))?;
    let serial = integer(needed(leaf, ARC, SERIAL)?)
        .ok_or_else(|| fault("has a serial number that is not a number of 32 bits"))?;
    let [origin] = bits(needed(leaf, ARC, ORIGIN)?)
        .ok_or_else(|| fault("has an origin that is not 8 bits"))?;
    let domains = bits(needed(leaf, ARC, DOMAINS)?)
        .ok_or_else(|| fault("has domains that are not 16 bits"))?;
    let capabilities = bits(needed(leaf, ARC, CAPABILITIES)?)
        .ok_or_else(|| fault("has capabilities that are not 64 bits"))?;
    let id = integer(needed(leaf, ARC, OBJECT_ID)?)
        .and_then(|id| u16::try_from(id).ok())
        .ok_or_else(|| fault("has an object ID that is not a number of 16 bits"))?;
    let label = String::from_der(needed(leaf, ARC, LABEL)?)
        .ok()
        .filter(|label| label.len() <= LONGEST_LABEL)
        .ok_or_else(|| fault("has a label that is not UTF-8 of at most 40 bytes"))?;
    if leaf.common_name() != format!("{SUBJECT}{id:04x}") {
        return Err(fault("does not name the object that it is about"));
    }
    let marked = |certificate| value(certificate, ARC, FIPS).is_some();
    let facts = Facts {
        product: Product::YubiHsm2,
        serial,
        firmware: Firmware::new(major, minor, patch),
        object: Object::YubiHsm {
            id,
            label,
            capabilities: capability_names(u64::from_be_bytes(capabilities)),
            domains: domain_numbers(u16::from_be_bytes(domains)),
        },
        form_factor: None,
        fips: marked(leaf) || marked(device),
        cspn: false,
    };
    Ok((facts, origin))
}

fn origin_words(origin: u8) -> String {
    let known = ORIGINS.iter().fold(0, |all, (bit, _)| all | bit);
    let words: Vec<&str> = ORIGINS
        .iter()
        .filter(|(bit, _)| origin & bit != 0)
        .map(|(_, word)| *word)
        .collect();
    if words.is_empty() || origin & !known != 0 {
        format!("unknown (0x{origin:02x})")
    } else {
        words.join(" and ")
    }
}

/// A bit that no published table names stays visible, and is refused like every other that is not allowed.
fn capability_names(capabilities: u64) -> Vec<String> {
    (0..64)
        .filter(|bit| capabilities >> bit & 1 == 1)
        .map(|bit| match NAMES.get(bit) {
            Some(name) => (*name).to_owned(),
            None => format!("capability-0x{bit:02x}"),
        })
        .collect()
}

fn domain_numbers(domains: u16) -> Vec<u8> {
    (1..=16)
        .filter(|number| domains >> (number - 1) & 1 == 1)
        .collect()
}
