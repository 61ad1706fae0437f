//! Published weaknesses of devices, as data: which firmware, which algorithm, and what that means for making a key and for
//! signing with one that exists.
//!
//! Sources: Yubico's advisories under <https://www.yubico.com/support/security-advisories/>. YSA-2024-03 (CVE-2024-45678) is
//! about a modular inversion inside ECDSA that is not constant-time; both name ECDSA keys alone, and Ed25519 has no such
//! inversion, so it is not in the table. Yubico's own advice for the old firmware is RSA. The advisory speaks of the
//! YubiKey 5 series; that it is silent about older ones does not say that they are better.

use serde::{Deserialize, Serialize};

use super::statement::{Firmware, Product};
use crate::tuf::key::Algorithm;

/// What may be done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// Without further ado.
    Allowed,
    /// With a sign-off in writing.
    SignOff,
    /// Not at all.
    Refused,
}

/// What an advisory means for keys of one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Making a new key in such a device.
    pub generation: Ruling,
    /// Signing with a key that such a device made.
    pub signing: Ruling,
}

/// Affected firmware of one product: `from` and later, before `fixed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The product.
    pub product: Product,
    /// The first affected version.
    pub from: Firmware,
    /// The first that is not affected any more.
    pub fixed: Firmware,
}

/// One published weakness.
#[derive(Debug, PartialEq, Eq)]
pub struct Advisory {
    /// The publisher's name for it.
    pub id: &'static str,
    /// Its other names.
    pub also: &'static str,
    /// What an attacker can do, in one sentence.
    pub text: &'static str,
    /// Which devices.
    pub affected: &'static [Affected],
    /// Which keys.
    pub effects: &'static [Effect],
}

impl Advisory {
    /// What it means for keys of this algorithm, if anything.
    pub fn effect(&self, algorithm: Algorithm) -> Option<&Effect> {
        self.effects
            .iter()
            .find(|effect| effect.algorithm == algorithm)
    }

    fn is_about(&self, product: Product, firmware: Firmware) -> bool {
        self.affected
            .iter()
            .any(|range| range.product == product && (range.from..range.fixed).contains(&firmware))
    }
}

const fn affected(product: Product, from: (u8, u8, u8), fixed: (u8, u8, u8)) -> Affected {
    Affected {
        product,
        from: Firmware::new(from.0, from.1, from.2),
        fixed: Firmware::new(fixed.0, fixed.1, fixed.2),
    }
}

/// No new keys; old ones sign with a sign-off.
const fn retire(algorithm: Algorithm) -> Effect {
    Effect {
        algorithm,
        generation: Ruling::Refused,
        signing: Ruling::SignOff,
    }
}

/// All that is known.
pub static ADVISORIES: [Advisory; 3] = [
    Advisory {
        id: "YSA-2024-03",
        also: "EUCLEAK, CVE-2024-45678",
        text: "who has the device open on a bench for some minutes, and its PIN, can compute its ECDSA keys",
        affected: &[
            affected(Product::YubiKey, (5, 0, 0), (5, 7, 0)),
            affected(Product::YubiKeyFips, (5, 0, 0), (5, 7, 2)),
            affected(Product::YubiKeyBio, (5, 0, 0), (5, 7, 2)),
            affected(Product::YubiHsm2, (2, 0, 0), (2, 4, 0)),
        ],
        effects: &[retire(Algorithm::EcdsaP256), retire(Algorithm::EcdsaP384)],
    },
    Advisory {
        id: "YSA-2019-02",
        also: "reduced initial randomness",
        text: "the first random numbers after power-up are partly known, so RSA keys and ECDSA signatures of that moment are weak",
        affected: &[affected(Product::YubiKeyFips, (4, 4, 2), (4, 4, 5))],
        effects: &[
            retire(Algorithm::RsaPss),
            retire(Algorithm::EcdsaP256),
            retire(Algorithm::EcdsaP384),
        ],
    },
    Advisory {
        id: "YSA-2017-01",
        also: "ROCA, CVE-2017-15361",
        text: "RSA keys that the device made can be computed from their public halves",
        affected: &[affected(Product::YubiKey, (4, 2, 6), (4, 3, 5))],
        effects: &[retire(Algorithm::RsaPss)],
    },
];

/// What is known of a device for keys of one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No advisory is about it.
    Clear,
    /// These are.
    Affected(Vec<&'static Advisory>),
    /// The firmware is not known and these are about some firmware of this product: nothing is proven either way.
    Unproven(Vec<&'static Advisory>),
    /// No advisory is kept here for such a device; silence proves nothing.
    Unknown,
}

impl Verdict {
    /// Whether a new key may be made. Unproven counts as affected: a new key can be made elsewhere.
    pub fn generation(&self, algorithm: Algorithm) -> Ruling {
        self.strictest(algorithm, |effect| effect.generation)
    }
    /// Whether a key that exists may sign. Unproven asks for the sign-off too.
    pub fn signing(&self, algorithm: Algorithm) -> Ruling {
        self.strictest(algorithm, |effect| effect.signing)
    }

    fn strictest(&self, algorithm: Algorithm, of: fn(&Effect) -> Ruling) -> Ruling {
        let (Self::Affected(advisories) | Self::Unproven(advisories)) = self else {
            return Ruling::Allowed;
        };
        let effects = advisories
            .iter()
            .filter_map(|advisory| advisory.effect(algorithm));
        effects.map(of).max().unwrap_or(Ruling::Allowed)
    }
}

/// What is known of `product` with `firmware` (both as far as they are known) for keys of `algorithm`.
pub fn advisories(
    product: Option<Product>,
    firmware: Option<Firmware>,
    algorithm: Algorithm,
) -> Verdict {
    let Some(product) = product else {
        return Verdict::Unknown;
    };
    let concerning = |concerns: &dyn Fn(&Advisory) -> bool| -> Vec<&'static Advisory> {
        ADVISORIES
            .iter()
            .filter(|advisory| advisory.effect(algorithm).is_some() && concerns(advisory))
            .collect()
    };
    match firmware {
        Some(firmware) => match concerning(&|advisory| advisory.is_about(product, firmware)) {
            none if none.is_empty() => Verdict::Clear,
            some => Verdict::Affected(some),
        },
        None => match concerning(&|advisory| {
            advisory
                .affected
                .iter()
                .any(|range| range.product == product)
        }) {
            none if none.is_empty() => Verdict::Clear,
            some => Verdict::Unproven(some),
        },
    }
}
