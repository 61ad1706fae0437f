//! A maker of devices for tests: certificates as a YubiKey and a YubiHSM write them, under a root that only tests believe.
//! Everything can be made wrong, so it is raw DER and not a builder that refuses.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;

pub(crate) const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
pub(crate) const PIV: &str = "1.3.6.1.4.1.41482.3";
pub(crate) const HSM: &str = "1.3.6.1.4.1.41482.4";

/// Tag, length, content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=0x7f => out.push(u8::try_from(length).unwrap()),
        0x80..=0xff => out.extend([0x81, u8::try_from(length).unwrap()]),
        _ => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    let oid = der::oid::ObjectIdentifier::new(text).unwrap();
    tlv(0x06, oid.as_bytes())
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = sequence(&[oid("2.5.4.3"), tlv(0x0c, common_name.as_bytes())]);
    sequence(&[tlv(0x31, &attribute)])
}

/// A key that signs; the same number gives the same key.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) SigningKey);

impl Key {
    pub(crate) fn new(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).unwrap())
    }
    pub(crate) fn spki(&self) -> Vec<u8> {
        self.0
            .verifying_key()
            .to_public_key_der()
            .unwrap()
            .into_vec()
    }
}

/// One extension: object identifier, critical, value.
pub(crate) type Extension = (String, bool, Vec<u8>);

pub(crate) fn extension(oid: &str, value: &[u8]) -> Extension {
    (oid.to_owned(), false, value.to_vec())
}

/// basicConstraints of an issuer.
pub(crate) fn issuer(path_length: Option<u8>) -> Extension {
    let length = path_length.map_or(Vec::new(), |length| tlv(0x02, &[length]));
    let value = sequence(&[tlv(0x01, &[0xff]), length]);
    ("2.5.29.19".to_owned(), true, value)
}

/// keyUsage with these bits.
pub(crate) fn key_usage(unused: u8, bits: u8) -> Extension {
    ("2.5.29.15".to_owned(), true, tlv(0x03, &[unused, bits]))
}

/// A certificate to be.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) version: u8,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) algorithm: String,
    pub(crate) inner_algorithm: String,
    pub(crate) not_after: &'static str,
}

impl Draft {
    pub(crate) fn new(issuer: &str, subject: &str, key: &Key, extensions: Vec<Extension>) -> Self {
        Self {
            version: 2,
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            spki: key.spki(),
            extensions,
            algorithm: ECDSA_SHA256.to_owned(),
            inner_algorithm: ECDSA_SHA256.to_owned(),
            not_after: "20520417000000Z",
        }
    }

    pub(crate) fn sign(&self, issuer: &Key) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|(id, critical, value)| {
                let critical = if *critical {
                    tlv(0x01, &[0xff])
                } else {
                    Vec::new()
                };
                sequence(&[oid(id), critical, tlv(0x04, value)])
            })
            .collect();
        let version = if self.version == 0 {
            Vec::new()
        } else {
            tlv(0xa0, &tlv(0x02, &[self.version]))
        };
        let signed = sequence(&[
            version,
            tlv(0x02, &[1]),
            sequence(&[oid(&self.inner_algorithm)]),
            name(&self.issuer),
            sequence(&[
                tlv(0x17, b"160314000000Z"),
                tlv(
                    // UTCTime until 2049 (RFC 5280, 4.1.2.5).
                    if self.not_after.len() == 13 {
                        0x17
                    } else {
                        0x18
                    },
                    self.not_after.as_bytes(),
                ),
            ]),
            name(&self.subject),
            self.spki.clone(),
            if extensions.is_empty() {
                Vec::new()
            } else {
                tlv(0xa3, &sequence(&extensions))
            },
        ]);
        let signature: DerSignature = issuer.0.sign(&signed);
        let bits = [&[0], signature.as_bytes()].concat();
        sequence(&[signed, sequence(&[oid(&self.algorithm)]), tlv(0x03, &bits)])
    }
}

/// What a YubiKey 5.7.1 says of a key in slot 9c: PIN always, touch always, USB-A keychain, serial 12345678.
pub(crate) fn piv_extensions() -> Vec<Extension> {
    vec![
        extension(&format!("{PIV}.3"), &[5, 7, 1]),
        extension(
            &format!("{PIV}.7"),
            &tlv(0x02, &12_345_678_u32.to_be_bytes()),
        ),
        extension(&format!("{PIV}.8"), &[3, 2]),
        extension(&format!("{PIV}.9"), &[1]),
    ]
}

/// What a YubiHSM 2 2.4.1 says of a key that it made in object 3: may sign-ecdsa, domain 1, serial 7654321.
pub(crate) fn hsm_extensions() -> Vec<Extension> {
    let value = |last: u32, bytes: &[u8]| extension(&format!("{HSM}.{last}"), bytes);
    vec![
        value(1, &tlv(0x04, &[2, 4, 1])),
        value(2, &tlv(0x02, &7_654_321_u32.to_be_bytes())),
        value(3, &tlv(0x03, &[0, 1])),
        value(4, &tlv(0x03, &[0, 0, 1])),
        value(5, &capabilities(&[7])),
        value(6, &tlv(0x02, &[3])),
        value(9, &tlv(0x0c, b"tuf-root")),
    ]
}

pub(crate) fn capabilities(bits: &[u32]) -> Vec<u8> {
    let all = bits.iter().fold(0_u64, |all, bit| all | 1 << bit);
    tlv(0x03, &[&[0], all.to_be_bytes().as_slice()].concat())
}

pub(crate) const ROOT: u8 = 1;
pub(crate) const DEVICE: u8 = 2;
pub(crate) const ATTESTED: u8 = 3;
pub(crate) const MIDDLE: u8 = 4;
pub(crate) const LOWER: u8 = 5;

pub(crate) const ROOT_NAME: &str = "Test Attestation Root";
pub(crate) const DEVICE_NAME: &str = "Yubico PIV Attestation";
pub(crate) const HSM_DEVICE_NAME: &str = "YubiHSM Attestation (7654321)";

/// The root that only tests believe; four levels below it, as below Attestation Root 1.
pub(crate) fn root() -> Vec<u8> {
    Draft::new(
        ROOT_NAME,
        ROOT_NAME,
        &Key::new(ROOT),
        vec![issuer(Some(3)), key_usage(1, 0x86)],
    )
    .sign(&Key::new(ROOT))
}

/// The device certificate of a YubiKey, right below the root.
pub(crate) fn device() -> Draft {
    let firmware = extension(&format!("{PIV}.3"), &[5, 7, 1]);
    Draft::new(
        ROOT_NAME,
        DEVICE_NAME,
        &Key::new(DEVICE),
        vec![firmware, issuer(Some(0))],
    )
}

pub(crate) fn hsm_device() -> Draft {
    let serial = extension(
        &format!("{HSM}.2"),
        &tlv(0x02, &7_654_321_u32.to_be_bytes()),
    );
    Draft::new(
        ROOT_NAME,
        HSM_DEVICE_NAME,
        &Key::new(DEVICE),
        vec![serial, issuer(Some(0))],
    )
}

/// The attestation of a YubiKey.
pub(crate) fn piv() -> Draft {
    Draft::new(
        DEVICE_NAME,
        "YubiKey PIV Attestation 9c",
        &Key::new(ATTESTED),
        piv_extensions(),
    )
}

/// The attestation of a YubiHSM 2.
pub(crate) fn hsm() -> Draft {
    Draft::new(
        HSM_DEVICE_NAME,
        "YubiHSM Attestation id:0x0003",
        &Key::new(ATTESTED),
        hsm_extensions(),
    )
}

/// A draft with the value of one extension replaced.
pub(crate) fn with(mut draft: Draft, id: &str, value: Vec<u8>) -> Draft {
    let found = draft
        .extensions
        .iter_mut()
        .find(|extension| extension.0 == id)
        .unwrap();
    found.2 = value;
    draft
}

/// A draft without one extension.
pub(crate) fn without(mut draft: Draft, id: &str) -> Draft {
    let before = draft.extensions.len();
    draft.extensions.retain(|extension| extension.0 != id);
    assert_eq!(draft.extensions.len() + 1, before);
    draft
}
