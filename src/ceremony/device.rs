//! What is published about the device that holds a key, and what that means for making a key in it or signing with one that it made.

use super::port::TokenInfo;
use crate::attestation::advisory::{self, Advisory, Effect, Ruling, Verdict};
use crate::attestation::{Firmware, Product, Statement};
use crate::plain::escape;
use crate::tuf::finding::Finding;
use crate::tuf::key::Algorithm;

/// A device, as far as it is known. What its maker vouches for wins over what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    product: Option<Product>,
    firmware: Option<Firmware>,
    name: String,
    model: String,
}

impl Device {
    /// By its own words, which tell no FIPS series and no Bio from others.
    pub fn of_token(token: &TokenInfo) -> Self {
        let identity = &token.identity;
        let product = Product::of_token(&identity.manufacturer, &identity.model);
        Self {
            product,
            firmware: token
                .firmware
                .as_deref()
                .and_then(|said| firmware(product, said)),
            name: format!(
                "token {} ({} {}, firmware {})",
                escape(identity.serial.trim()),
                escape(identity.manufacturer.trim()),
                escape(identity.model.trim()),
                escape(token.firmware.as_deref().unwrap_or("unknown")),
            ),
            model: format!(
                "{} {}",
                escape(identity.manufacturer.trim()),
                escape(identity.model.trim())
            ),
        }
    }

    /// By the maker's word.
    pub fn of_statement(statement: &Statement) -> Self {
        Self {
            product: Some(statement.product),
            firmware: Some(statement.firmware),
            name: format!(
                "token {} ({}, firmware {}, by its attestation)",
                statement.serial, statement.product, statement.firmware
            ),
            model: statement.product.to_string(),
        }
    }

    /// Why no key of this type is made in it.
    ///
    /// # Errors
    /// `TOKEN-ADVISORY`.
    pub fn allows_making(&self, algorithm: Algorithm) -> Result<(), Finding> {
        let refusing = self.concerning(algorithm, |effect| effect.generation == Ruling::Refused);
        let Some(advisory) = refusing.first() else {
            return Ok(());
        };
        let text = format!(
            "{} {}: {}. A key of this type that it makes does not enter the ceremony. Bring a token with newer firmware, or make a key of another type",
            self.name,
            self.has(advisory),
            advisory.text
        );
        Err(Finding::error("TOKEN-ADVISORY", "", text))
    }

    /// What must be accepted in writing before a key of this type in it signs: the advisory, and a sentence for people.
    pub fn to_sign_off(&self, algorithm: Algorithm) -> Vec<(&'static Advisory, String)> {
        let concerning = self.concerning(algorithm, |effect| effect.signing != Ruling::Allowed);
        let told = concerning.into_iter().map(|advisory| {
            let text = format!("{} {}: {}.", self.name, self.has(advisory), advisory.text);
            (advisory, text)
        });
        told.collect()
    }

    /// That nothing is known, where nothing is.
    pub fn unknown(&self) -> Option<Finding> {
        let text = format!(
            "no advisories are kept here about tokens like {}: nothing is claimed of them, and silence proves nothing",
            self.model
        );
        self.product
            .is_none()
            .then(|| Finding::note("TOKEN-UNKNOWN", "", text))
    }

    /// What is published about such a device with a key of this type, and whether it certainly has it: a firmware that is not told leaves that open.
    pub fn published(&self, algorithm: Algorithm) -> (Vec<&'static Advisory>, bool) {
        match advisory::advisories(self.product, self.firmware, algorithm) {
            Verdict::Affected(known) => (known, true),
            Verdict::Unproven(known) => (known, false),
            Verdict::Clear | Verdict::Unknown => (Vec::new(), false),
        }
    }

    fn concerning(
        &self,
        algorithm: Algorithm,
        concerns: fn(&Effect) -> bool,
    ) -> Vec<&'static Advisory> {
        let (published, _) = self.published(algorithm);
        let of = |advisory: &&Advisory| advisory.effect(algorithm).is_some_and(concerns);
        published.into_iter().filter(of).collect()
    }

    fn has(&self, advisory: &Advisory) -> String {
        let has = if self.firmware.is_some() {
            "has"
        } else {
            "does not say its firmware in full, and some of it has"
        };
        format!("{has} {} ({})", advisory.id, advisory.also)
    }
}

/// A firmware version as a token writes it. Yubico's modules have two numbers to say three with, and write 5.7.1 as 5.71.
fn firmware(product: Option<Product>, said: &str) -> Option<Firmware> {
    let whole = said.trim().parse().ok();
    let of_yubico = || {
        let (major, rest) = said.trim().split_once('.')?;
        let [minor, patch] = rest.as_bytes() else {
            return None;
        };
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| byte - b'0');
        Some(Firmware::new(
            major.parse().ok()?,
            digit(minor)?,
            digit(patch)?,
        ))
    };
    whole.or_else(|| product.and_then(|_| of_yubico()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::ceremony::event::TokenIdentity;
    use crate::ceremony::port::TokenId;
    use crate::ceremony::prompt::Tries;

    fn token(manufacturer: &str, model: &str, firmware: Option<&str>) -> TokenInfo {
        let text = |text: &str| text.to_owned();
        TokenInfo {
            id: TokenId {
                module: text("m"),
                serial: text("7"),
                label: text("l"),
            },
            identity: TokenIdentity {
                module: text("m"),
                manufacturer: text(manufacturer),
                model: text(model),
                serial: text("7"),
                label: text("l"),
            },
            firmware: firmware.map(text),
            ready: true,
            tries: Tries::Unknown,
            pin_pad: false,
            credentials: Vec::new(),
            factory: Vec::new(),
        }
    }

    fn yubikey(firmware: Option<&str>) -> Device {
        Device::of_token(&token("Yubico", "YubiKey YK5", firmware))
    }

    #[test]
    fn an_old_yubikey_makes_no_ecdsa_key_and_signs_with_a_sign_off() {
        let refused = yubikey(Some("5.4.3"))
            .allows_making(Algorithm::EcdsaP256)
            .unwrap_err();
        assert_eq!(refused.rule, "TOKEN-ADVISORY");
        assert_eq!(
            refused.text,
            "token 7 (Yubico YubiKey YK5, firmware 5.4.3) has YSA-2024-03 (EUCLEAK, CVE-2024-45678): who has the device open on a bench for \
             some minutes, and its PIN, can compute its ECDSA keys. A key of this type that it makes does not enter the ceremony. Bring a token \
             with newer firmware, or make a key of another type"
        );
        let old = yubikey(Some("5.4.3"));
        assert_eq!(old.to_sign_off(Algorithm::EcdsaP384)[0].0.id, "YSA-2024-03");
        assert!(old.to_sign_off(Algorithm::RsaPss).is_empty());
        assert_eq!(old.allows_making(Algorithm::RsaPss), Ok(()));
        assert_eq!(old.unknown(), None);
    }

    #[test]
    fn yubicos_modules_write_three_numbers_as_two() {
        for firmware in ["5.7.1", "5.71", " 5.70 "] {
            let device = yubikey(Some(firmware));
            assert_eq!(device.allows_making(Algorithm::EcdsaP256), Ok(()));
            assert!(device.to_sign_off(Algorithm::EcdsaP256).is_empty());
        }
        // Not said in full is not proven.
        for firmware in [None, Some("5.7"), Some("5.100"), Some("5.x1")] {
            let device = yubikey(firmware);
            let refused = device.allows_making(Algorithm::EcdsaP256).unwrap_err();
            assert!(refused.text.contains("does not say its firmware in full"));
            assert_eq!(device.to_sign_off(Algorithm::EcdsaP256).len(), 1);
        }
        assert!(
            yubikey(Some("5.43"))
                .allows_making(Algorithm::EcdsaP256)
                .is_err()
        );
    }

    #[test]
    fn of_an_unknown_token_nothing_is_claimed() {
        let device = Device::of_token(&token("SoftHSM project", "SoftHSM v2", Some("2.6")));
        assert_eq!(device.allows_making(Algorithm::EcdsaP256), Ok(()));
        assert!(device.to_sign_off(Algorithm::EcdsaP256).is_empty());
        assert_eq!(
            device.unknown().unwrap().text,
            "no advisories are kept here about tokens like SoftHSM project SoftHSM v2: nothing is claimed of them, and silence proves nothing"
        );
    }
}
