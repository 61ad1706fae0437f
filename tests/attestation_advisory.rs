//! Advisories as data: every version at a boundary, every product, every algorithm; unknown firmware is its own outcome.
#![allow(clippy::unwrap_used, reason = "tests")]

use tuf_ceremony::attestation::advisory::{ADVISORIES, Ruling, Verdict, advisories};
use tuf_ceremony::attestation::{Firmware, Product};
use tuf_ceremony::tuf::key::Algorithm;

use Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use Product::{YubiHsm2, YubiKey, YubiKeyBio, YubiKeyFips};

fn ids(verdict: &Verdict) -> Vec<&'static str> {
    match verdict {
        Verdict::Clear | Verdict::Unknown => Vec::new(),
        Verdict::Affected(found) | Verdict::Unproven(found) => {
            found.iter().map(|advisory| advisory.id).collect()
        }
    }
}

#[test]
fn h9_weak_firmware_makes_no_new_key_and_signs_with_a_sign_off() {
    // Product, firmware, algorithm, the one advisory that is about it.
    let table = [
        (YubiKey, "4.2.5", RsaPss, ""),
        (YubiKey, "4.2.6", RsaPss, "YSA-2017-01"),
        (YubiKey, "4.3.4", RsaPss, "YSA-2017-01"),
        (YubiKey, "4.3.5", RsaPss, ""),
        (YubiKey, "4.3.4", EcdsaP256, ""),
        (YubiKey, "5.0.0", EcdsaP256, "YSA-2024-03"),
        (YubiKey, "5.2.7", EcdsaP384, "YSA-2024-03"),
        (YubiKey, "5.4.3", EcdsaP256, "YSA-2024-03"),
        (YubiKey, "5.4.3", RsaPss, ""),
        (YubiKey, "5.4.3", Ed25519, ""),
        (YubiKey, "5.6.255", EcdsaP256, "YSA-2024-03"),
        (YubiKey, "5.7.0", EcdsaP256, ""),
        (YubiKey, "5.7.1", EcdsaP384, ""),
        (YubiKeyFips, "4.4.1", EcdsaP256, ""),
        (YubiKeyFips, "4.4.2", EcdsaP256, "YSA-2019-02"),
        (YubiKeyFips, "4.4.4", RsaPss, "YSA-2019-02"),
        (YubiKeyFips, "4.4.4", EcdsaP384, "YSA-2019-02"),
        (YubiKeyFips, "4.4.5", RsaPss, ""),
        (YubiKeyFips, "5.4.3", EcdsaP256, "YSA-2024-03"),
        (YubiKeyFips, "5.7.1", EcdsaP256, "YSA-2024-03"),
        (YubiKeyFips, "5.7.2", EcdsaP256, ""),
        (YubiKeyBio, "5.6.0", EcdsaP256, "YSA-2024-03"),
        (YubiKeyBio, "5.7.1", EcdsaP384, "YSA-2024-03"),
        (YubiKeyBio, "5.7.2", EcdsaP256, ""),
        (YubiHsm2, "2.0.0", EcdsaP256, "YSA-2024-03"),
        (YubiHsm2, "2.1.2", EcdsaP256, "YSA-2024-03"),
        (YubiHsm2, "2.3.2", EcdsaP384, "YSA-2024-03"),
        (YubiHsm2, "2.3.2", Ed25519, ""),
        (YubiHsm2, "2.4.0", EcdsaP256, ""),
        (YubiHsm2, "2.4.1", EcdsaP384, ""),
    ];
    for (product, firmware, algorithm, expected) in table {
        let verdict = advisories(Some(product), Some(firmware.parse().unwrap()), algorithm);
        let case = format!("{product} {firmware} {algorithm:?}");
        if expected.is_empty() {
            assert_eq!(verdict, Verdict::Clear, "{case}");
            assert_eq!(verdict.generation(algorithm), Ruling::Allowed, "{case}");
            assert_eq!(verdict.signing(algorithm), Ruling::Allowed, "{case}");
        } else {
            assert!(matches!(verdict, Verdict::Affected(_)), "{case}");
            assert_eq!(ids(&verdict), [expected], "{case}");
            assert_eq!(verdict.generation(algorithm), Ruling::Refused, "{case}");
            assert_eq!(verdict.signing(algorithm), Ruling::SignOff, "{case}");
        }
    }
}

#[test]
fn unknown_firmware_proves_nothing() {
    let cases: [(_, _, &[&str]); 5] = [
        (YubiKey, EcdsaP256, &["YSA-2024-03"]),
        (YubiKey, RsaPss, &["YSA-2017-01"]),
        (YubiKeyFips, EcdsaP256, &["YSA-2024-03", "YSA-2019-02"]),
        (YubiHsm2, EcdsaP384, &["YSA-2024-03"]),
        (YubiHsm2, Ed25519, &[]),
    ];
    for (product, algorithm, expected) in cases {
        let verdict = advisories(Some(product), None, algorithm);
        assert_eq!(ids(&verdict), expected, "{product}");
        assert_eq!(
            matches!(verdict, Verdict::Unproven(_)),
            !expected.is_empty(),
            "{product}"
        );
        let ruled = (verdict.generation(algorithm), verdict.signing(algorithm));
        let strict = (Ruling::Refused, Ruling::SignOff);
        assert_eq!(ruled == strict, !expected.is_empty(), "{product}");
    }
    let nothing = advisories(None, Some(Firmware::new(5, 4, 3)), EcdsaP256);
    assert_eq!(nothing, Verdict::Unknown);
    assert_eq!(nothing.signing(EcdsaP256), Ruling::Allowed);
}

#[test]
fn a_token_says_itself_what_it_is() {
    let cases = [
        ("Yubico (www.yubico.com)", "YubiKey YK5", Some(YubiKey)),
        ("Yubico (www.yubico.com)", "YubiKey YK4     ", Some(YubiKey)),
        (
            "Yubico (www.yubico.com)         ",
            "YubiHSM         ",
            Some(YubiHsm2),
        ),
        ("Yubico", "YubiHSM", Some(YubiHsm2)),
        ("piv_II", "PKCS#15 emulated", None),
        ("SoftHSM project", "SoftHSM v2", None),
        ("Somebody", "YubiKey YK5", None),
        ("Yubico (www.yubico.com)", "", None),
    ];
    for (manufacturer, model, product) in cases {
        assert_eq!(
            Product::of_token(manufacturer, model),
            product,
            "{manufacturer} {model}"
        );
    }
}

#[test]
fn a_firmware_version_has_one_writing() {
    assert_eq!("5.7.1".parse(), Ok(Firmware::new(5, 7, 1)));
    assert_eq!(Firmware::new(5, 10, 0).to_string(), "5.10.0");
    assert!(Firmware::new(5, 10, 0) > Firmware::new(5, 7, 255));
    for text in [
        "", "5.7", "5.7.1.0", "5.07.1", "+5.7.1", "5.7.256", "5.7.x", " 5.7.1",
    ] {
        let error = text.parse::<Firmware>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a firmware version like 5.7.1",
            "{text}"
        );
    }
}

#[test]
fn every_advisory_has_ranges_and_effects_that_can_be_met() {
    for advisory in &ADVISORIES {
        assert!(
            !advisory.effects.is_empty() && !advisory.affected.is_empty(),
            "{}",
            advisory.id
        );
        for range in advisory.affected {
            assert!(range.from < range.fixed, "{}", advisory.id);
        }
        for effect in advisory.effects {
            assert!(effect.generation > Ruling::Allowed, "{}", advisory.id);
        }
    }
}
