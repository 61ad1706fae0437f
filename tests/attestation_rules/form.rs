//! What cannot be read as an attestation.

use tuf_ceremony::attestation::split;

use super::forge::{
    self, HSM, Key, PIV, ROOT, device, hsm, hsm_device, issuer, piv, tlv, with, without,
};
use super::{HSM_NAME, PIV_NAME, malformed, pair, refused, verify};

#[test]
fn attestations_of_the_wrong_form_are_refused() {
    let piv_value =
        |last: u32, value: Vec<u8>| pair(&with(piv(), &format!("{PIV}.{last}"), value), &device());
    let hsm_value = |last: u32, value: Vec<u8>| {
        pair(&with(hsm(), &format!("{HSM}.{last}"), value), &hsm_device())
    };
    let cases = [
        (
            piv_value(3, vec![5, 7]),
            PIV_NAME,
            "has a firmware version that is not three bytes",
        ),
        (
            piv_value(7, tlv(0x02, &[1, 0, 0, 0, 0])),
            PIV_NAME,
            "has a serial number that is not a number of 32 bits",
        ),
        (
            piv_value(7, tlv(0x02, &[0xff])),
            PIV_NAME,
            "has a serial number that is not a number of 32 bits",
        ),
        (
            piv_value(8, vec![3]),
            PIV_NAME,
            "has PIN and touch policies that are not two bytes",
        ),
        (
            piv_value(8, vec![0, 2]),
            PIV_NAME,
            "has a PIN policy that is not known",
        ),
        (
            piv_value(8, vec![3, 4]),
            PIV_NAME,
            "has a touch policy that is not known",
        ),
        (
            piv_value(9, vec![]),
            PIV_NAME,
            "has a form factor that is not one byte",
        ),
        (
            hsm_value(1, vec![4, 3, 2, 4]),
            HSM_NAME,
            "has a firmware version that is not three bytes",
        ),
        (
            hsm_value(2, vec![]),
            HSM_NAME,
            "has a serial number that is not a number of 32 bits",
        ),
        (
            hsm_value(3, tlv(0x03, &[0, 0, 1])),
            HSM_NAME,
            "has an origin that is not 8 bits",
        ),
        (
            hsm_value(4, tlv(0x03, &[0, 1])),
            HSM_NAME,
            "has domains that are not 16 bits",
        ),
        (
            hsm_value(5, tlv(0x03, &[1, 0, 0, 0, 0, 0, 0, 0, 0x80])),
            HSM_NAME,
            "has capabilities that are not 64 bits",
        ),
        (
            hsm_value(6, tlv(0x02, &[1, 0, 0])),
            HSM_NAME,
            "has an object ID that is not a number of 16 bits",
        ),
        (
            hsm_value(6, tlv(0x02, &[4])),
            HSM_NAME,
            "does not name the object that it is about",
        ),
        (
            hsm_value(9, tlv(0x0c, &[0xff])),
            HSM_NAME,
            "has a label that is not UTF-8 of at most 40 bytes",
        ),
        (
            hsm_value(9, tlv(0x0c, &[b'a'; 41])),
            HSM_NAME,
            "has a label that is not UTF-8 of at most 40 bytes",
        ),
    ];
    for (certificates, name, reason) in cases {
        malformed(&certificates, &format!("{name} {reason}"));
    }
}

#[test]
fn attestations_that_lack_something_are_refused() {
    assert!(
        verify(&pair(&piv(), &device())).is_ok() && verify(&pair(&hsm(), &hsm_device())).is_ok()
    );
    for last in [3, 7, 8] {
        let leaf = without(piv(), &format!("{PIV}.{last}"));
        malformed(
            &pair(&leaf, &device()),
            &format!("{PIV_NAME} lacks the extension {PIV}.{last}"),
        );
    }
    for last in [1, 2, 3, 4, 5, 6, 9] {
        let leaf = without(hsm(), &format!("{HSM}.{last}"));
        malformed(
            &pair(&leaf, &hsm_device()),
            &format!("{HSM_NAME} lacks the extension {HSM}.{last}"),
        );
    }
    // No slot to sign with: the attesting key itself, upper case, none, and what only looks like a name.
    for subject in ["f9", "9C", "", "9c ", "81", "96", "+9"] {
        let mut leaf = piv();
        leaf.subject = format!("YubiKey PIV Attestation {subject}");
        malformed(
            &pair(&leaf, &device()),
            &format!("\"{}\" names no PIV slot", leaf.subject),
        );
    }
    // A device's own certificate, and one that claims to be both.
    let mut plain = piv();
    plain.extensions.clear();
    malformed(
        &pair(&plain, &device()),
        &format!("{PIV_NAME} says nothing of a PIV key of a YubiKey or an object of a YubiHSM 2"),
    );
    let mut both = piv();
    both.extensions.extend(forge::hsm_extensions());
    malformed(
        &pair(&both, &device()),
        &format!("{PIV_NAME} says nothing of a PIV key of a YubiKey or an object of a YubiHSM 2"),
    );
}

#[test]
fn certificates_of_the_wrong_form_are_refused() {
    let good = pair(&piv(), &device());
    let second = |der: Vec<u8>| [good[0].clone(), der];
    malformed(
        &second(vec![0x30; 8193]),
        "certificate 2 has 8193 bytes; at most 8192 are read",
    );
    let mut first = device();
    first.version = 0;
    first.extensions.clear();
    malformed(
        &second(first.sign(&Key::new(ROOT))),
        "certificate 2 is not an X.509 certificate of version 3",
    );
    let mut two = device();
    two.inner_algorithm = "1.2.840.10045.4.3.3".to_owned();
    malformed(
        &second(two.sign(&Key::new(ROOT))),
        "certificate 2 names two signature algorithms",
    );
    let mut twice = device();
    twice.extensions.push(issuer(None));
    malformed(
        &second(twice.sign(&Key::new(ROOT))),
        "certificate 2 has the extension 2.5.29.19 twice",
    );
    let mut critical = device();
    critical
        .extensions
        .push(("2.5.29.32".to_owned(), true, vec![0x30, 0]));
    malformed(
        &second(critical.sign(&Key::new(ROOT))),
        "certificate 2 has the critical extension 2.5.29.32, which is not understood",
    );
    critical.extensions[2].1 = false;
    assert!(verify(&second(critical.sign(&Key::new(ROOT)))).is_ok());
    // Unreadable: every kind of rubbish is an answer, never a panic.
    let length = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff];
    let nested = [0x30, 0x80].repeat(4000);
    let mut longer = good[1].clone();
    longer.push(0);
    for rubbish in [
        Vec::new(),
        vec![0x30],
        length.to_vec(),
        nested,
        longer,
        b"text".to_vec(),
    ] {
        let faults = verify(&second(rubbish)).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0]
                .to_string()
                .starts_with("certificate 2 cannot be read as a certificate: "),
            "{}",
            faults[0]
        );
    }
    // A key that is refused by itself.
    let mut curve = piv();
    let bad = curve.spki.len() - 1;
    curve.spki[bad] ^= 1;
    let faults = verify(&pair(&curve, &device())).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        format!(
            "{PIV_NAME} holds a key that is refused: KEY-MATERIAL: it is not a point of the curve P-256; nothing in it was believed. \
             Export it from the device again"
        )
    );
}

#[test]
fn none_and_too_many_certificates_are_refused() {
    for found in [0, 17] {
        let text = format!(
            "{found} certificates were given; an attestation has between 2 and 16. Give the attestation first, then the device's certificate"
        );
        let certificates = vec![device().sign(&Key::new(ROOT)); found];
        refused(&certificates, &[("ATTEST-FORM", &text)]);
    }
    let mut sixteen = pair(&piv(), &device());
    sixteen.resize(16, sixteen[1].clone());
    assert!(verify(&sixteen).is_ok());
}

#[test]
fn pem_is_split_whatever_stands_between() {
    let pem = |der: &[u8], end: &str| {
        let text = data_encoding::BASE64.encode(der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----{end}{}{end}-----END CERTIFICATE-----{end}",
            lines.join(end)
        )
    };
    let [leaf, device] = pair(&piv(), &device()).try_into().unwrap();
    let text = format!(
        "Subject: x\n{}\r\nnext\n{}",
        pem(&leaf, "\r\n"),
        pem(&device, "\n")
    );
    assert_eq!(split("f", text.as_bytes()).unwrap(), [leaf.clone(), device]);
    assert_eq!(split("f", &leaf).unwrap(), [leaf]);
    let cases: [(&[u8], &str); 5] = [
        (b"", "f is neither DER nor PEM with a certificate"),
        (b"\xff\xfe", "f is neither DER nor PEM"),
        (
            b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----",
            "f is neither DER nor PEM with a certificate",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAA==",
            "f has a PEM certificate that is not ended",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nA$==\n-----END CERTIFICATE-----",
            "f has a PEM certificate that is not base64",
        ),
    ];
    for (bytes, start) in cases {
        let text = split("f", bytes).unwrap_err().to_string();
        assert_eq!(
            text,
            format!("{start}; nothing in it was believed. Export it from the device again")
        );
    }
}
