//! Attestations of keys in a YubiKey's PIV application (arc 1.3.6.1.4.1.41482.3). A YubiKey attests only keys that it made.

use der::oid::ObjectIdentifier;

use super::certificate::Certificate;
use super::extension::{integer, needed, octets, value};
use super::fault::Fault;
use super::statement::{Facts, Firmware, FormFactor, Object, PinPolicy, Product, TouchPolicy};

/// Yubico's PIV extensions.
pub(super) const ARC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3");

const FIRMWARE: u32 = 3;
const SERIAL: u32 = 7;
const POLICIES: u32 = 8;
const FORM_FACTOR: u32 = 9;
const FIPS: u32 = 10;
const CSPN: u32 = 11;

const SUBJECT: &str = "YubiKey PIV Attestation ";

pub(super) fn read(leaf: &Certificate, device: &Certificate) -> Result<Facts, Fault> {
    let fault = |reason: &str| Fault::form(leaf.name(), reason);
    let [major, minor, patch] = octets(needed(leaf, ARC, FIRMWARE)?)
        .ok_or_else(|| fault("has a firmware version that is not three bytes"))?;
    let serial = integer(needed(leaf, ARC, SERIAL)?)
        .ok_or_else(|| fault("has a serial number that is not a number of 32 bits"))?;
    let [pin, touch] = octets(needed(leaf, ARC, POLICIES)?)
        .ok_or_else(|| fault("has PIN and touch policies that are not two bytes"))?;
    let form_factor = match value(leaf, ARC, FORM_FACTOR) {
        None => FormFactor::Unknown,
        Some(bytes) => {
            let [byte] =
                octets(bytes).ok_or_else(|| fault("has a form factor that is not one byte"))?;
            // The two high bits are flags of the series.
            form_factor(byte & 0x3f)
        }
    };
    // The mark of a series stands in the device's certificate, or in both.
    let marked = |mark| {
        [leaf, device]
            .into_iter()
            .any(|certificate| value(certificate, ARC, mark).is_some())
    };
    let fips = marked(FIPS);
    let product = match form_factor {
        FormFactor::UsbABio | FormFactor::UsbCBio => Product::YubiKeyBio,
        _ if fips => Product::YubiKeyFips,
        _ => Product::YubiKey,
    };
    Ok(Facts {
        product,
        serial,
        firmware: Firmware::new(major, minor, patch),
        object: Object::Piv {
            slot: slot(leaf.common_name()).ok_or_else(|| fault("names no PIV slot"))?,
            pin_policy: pin_policy(pin)
                .ok_or_else(|| fault("has a PIN policy that is not known"))?,
            touch_policy: touch_policy(touch)
                .ok_or_else(|| fault("has a touch policy that is not known"))?,
        },
        form_factor: Some(form_factor),
        fips,
        cspn: marked(CSPN),
    })
}

/// The slot stands in the subject's common name and nowhere else. f9, the attesting key itself, is no slot to sign with.
fn slot(common_name: &str) -> Option<String> {
    let name = common_name.strip_prefix(SUBJECT)?;
    match name {
        "9a" | "9c" | "9d" | "9e" => Some(name.to_owned()),
        _ if name.len() == 2
            && name
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) =>
        {
            let number = u8::from_str_radix(name, 16).ok()?;
            (0x82..=0x95)
                .contains(&number)
                .then(|| format!("r{}", number - 0x81))
        }
        _ => None,
    }
}

fn pin_policy(byte: u8) -> Option<PinPolicy> {
    match byte {
        1 => Some(PinPolicy::Never),
        2 => Some(PinPolicy::Once),
        3 => Some(PinPolicy::Always),
        4 => Some(PinPolicy::MatchOnce),
        5 => Some(PinPolicy::MatchAlways),
        _ => None,
    }
}

fn touch_policy(byte: u8) -> Option<TouchPolicy> {
    match byte {
        1 => Some(TouchPolicy::Never),
        2 => Some(TouchPolicy::Always),
        3 => Some(TouchPolicy::Cached),
        _ => None,
    }
}

fn form_factor(byte: u8) -> FormFactor {
    match byte {
        1 => FormFactor::UsbAKeychain,
        2 => FormFactor::UsbANano,
        3 => FormFactor::UsbCKeychain,
        4 => FormFactor::UsbCNano,
        5 => FormFactor::UsbCLightning,
        6 => FormFactor::UsbABio,
        7 => FormFactor::UsbCBio,
        _ => FormFactor::Unknown,
    }
}
