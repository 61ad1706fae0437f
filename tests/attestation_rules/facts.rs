//! What attestations say, and what of it is refused.

use tuf_ceremony::attestation::{Object, PinPolicy, Product, TouchPolicy};

use super::forge::{HSM, PIV, capabilities, device, extension, hsm, hsm_device, piv, tlv, with};
use super::{pair, refused, verify};

#[test]
fn a_yubihsm_under_a_test_root_is_told_whole() {
    let several = with(hsm(), &format!("{HSM}.5"), capabilities(&[5, 6, 7, 8]));
    let all_domains = with(several, &format!("{HSM}.4"), tlv(0x03, &[0, 0x80, 0x03]));
    let mut hostile = with(
        all_domains,
        &format!("{HSM}.9"),
        tlv(0x0c, "a\u{1b}[2J\u{202e}".as_bytes()),
    );
    hostile
        .extensions
        .push(extension(&format!("{HSM}.10"), &[2, 1, 6]));
    let statement = verify(&pair(&hostile, &hsm_device())).unwrap();
    assert!(statement.fips && statement.test_root);
    assert_eq!(
        statement.lines()[..3],
        [
            "YubiHSM 2, FIPS, serial 7654321, firmware 2.4.1",
            "key in object 0x0003 \"a\\u{1b}[2J\\u{202e}\", made in the device, never outside",
            "may sign-pkcs, sign-pss, sign-ecdsa, sign-eddsa; domains 1, 2, 16",
        ]
    );
}

#[test]
fn keys_that_were_outside_are_refused() {
    assert!(verify(&pair(&hsm(), &hsm_device())).is_ok());
    let cases = [
        (0x02, "imported"),
        (0x11, "generated and imported under wrap"),
        (0x12, "imported and imported under wrap"),
        (0x00, "unknown (0x00)"),
        (0x05, "unknown (0x05)"),
    ];
    for (origin, words) in cases {
        let leaf = with(hsm(), &format!("{HSM}.3"), tlv(0x03, &[0, origin]));
        let text = format!(
            "the key was not made in the device and kept there: its origin is {words}; copies may exist. Make a new key in the device"
        );
        refused(&pair(&leaf, &hsm_device()), &[("ATTEST-ORIGIN", &text)]);
    }
}

#[test]
fn keys_that_may_more_than_sign_are_refused() {
    assert!(verify(&pair(&hsm(), &hsm_device())).is_ok());
    let cases: [(&[u32], &str); 5] = [
        (&[7, 16], "exportable-under-wrap"),
        (&[7, 11], "derive-ecdh"),
        (&[7, 34], "sign-attestation-certificate"),
        (&[7, 55], "delete-public-wrap-key"),
        (&[7, 25, 63], "sign-ssh-certificate, capability-0x3f"),
    ];
    for (bits, names) in cases {
        let leaf = with(hsm(), &format!("{HSM}.5"), capabilities(bits));
        let text = format!(
            "the key may do more than sign: {names}. Make a new key that has the capabilities sign-ecdsa, sign-eddsa, sign-pkcs or sign-pss only"
        );
        refused(&pair(&leaf, &hsm_device()), &[("ATTEST-CAPABILITY", &text)]);
    }
}

#[test]
fn two_serial_numbers_are_two_devices() {
    assert!(verify(&pair(&hsm(), &hsm_device())).is_ok());
    let leaf = with(hsm(), &format!("{HSM}.2"), tlv(0x02, &[1]));
    let text = "the attestation says serial number 1, the device's certificate 7654321; they are of two devices";
    refused(&pair(&leaf, &hsm_device()), &[("ATTEST-SERIAL", text)]);
}

#[test]
fn every_slot_and_policy_of_a_yubikey_is_read() {
    let slots = [
        ("9a", "9a"),
        ("9d", "9d"),
        ("9e", "9e"),
        ("82", "r1"),
        ("95", "r20"),
    ];
    for (written, read) in slots {
        let mut leaf = piv();
        leaf.subject = format!("YubiKey PIV Attestation {written}");
        let Object::Piv { slot, .. } = verify(&pair(&leaf, &device())).unwrap().object else {
            panic!()
        };
        assert_eq!(slot, read);
    }
    let policies = [
        ([1, 1], PinPolicy::Never, TouchPolicy::Never),
        ([2, 3], PinPolicy::Once, TouchPolicy::Cached),
        ([4, 2], PinPolicy::MatchOnce, TouchPolicy::Always),
        ([5, 2], PinPolicy::MatchAlways, TouchPolicy::Always),
    ];
    for (bytes, pin, touch) in policies {
        // Bare, and in an OCTET STRING.
        for value in [bytes.to_vec(), tlv(0x04, &bytes)] {
            let leaf = with(piv(), &format!("{PIV}.8"), value);
            let object = verify(&pair(&leaf, &device())).unwrap().object;
            assert!(
                matches!(object, Object::Piv { pin_policy, touch_policy, .. } if pin_policy == pin && touch_policy == touch)
            );
        }
    }
    let marks: [(&str, u8, Product, &str); 4] = [
        (
            "10",
            0x81,
            Product::YubiKeyFips,
            "YubiKey FIPS, serial 12345678, firmware 5.7.1",
        ),
        (
            "11",
            0x03,
            Product::YubiKey,
            "YubiKey, CSPN, serial 12345678, firmware 5.7.1",
        ),
        (
            "12",
            0x07,
            Product::YubiKeyBio,
            "YubiKey Bio, serial 12345678, firmware 5.7.1",
        ),
        (
            "12",
            0x3f,
            Product::YubiKey,
            "YubiKey, serial 12345678, firmware 5.7.1",
        ),
    ];
    for (mark, form_factor, product, line) in marks {
        let leaf = with(piv(), &format!("{PIV}.9"), vec![form_factor]);
        let mut device = device();
        device
            .extensions
            .push(extension(&format!("{PIV}.{mark}"), &[2, 1, 2]));
        let statement = verify(&pair(&leaf, &device)).unwrap();
        assert_eq!(
            (statement.product, statement.lines()[0].as_str()),
            (product, line)
        );
    }
}
