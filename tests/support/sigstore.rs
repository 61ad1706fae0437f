//! A Sigstore of our own, whole and small: an authority, a log of certificates and a log of signatures, with keys that are the same in every run. It signs
//! bundles as the public instance does, and flawed ones. DER and proofs are written by hand here, so that nothing is judged by the code that made it.

use data_encoding::{BASE64, HEXLOWER};
use p256::ecdsa::{DerSignature, Signature, SigningKey, signature::Signer as _};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const AUTHORITY: u8 = 71;
const CERTIFICATES: u8 = 72;
const SIGNATURES: u8 = 73;
const LEAF: u8 = 74;
/// A key that no trusted root knows.
pub const STRANGER: u8 = 75;

/// From when the authority and the logs are believed.
pub const SINCE: &str = "2026-01-01T00:00:00Z";
pub const ISSUER: &str = "https://accounts.example.org";

/// One signature by an identity, right unless a field is changed.
#[derive(Clone)]
pub struct Order {
    pub artifact: Vec<u8>,
    /// Names in the certificate.
    pub names: Vec<String>,
    /// In the extension of today.
    pub issuer: String,
    /// In the older extension.
    pub old_issuer: String,
    /// When the log took it.
    pub logged: jiff::Timestamp,
    /// When the certificate begins; it lives ten minutes.
    pub from: jiff::Timestamp,
    /// Whose keys sign.
    pub authority: u8,
    pub certificates: u8,
    pub signatures: u8,
    /// Whether the certificate is for signing code.
    pub code_signing: bool,
    /// An extension that stands in it once more.
    pub twice: bool,
    /// What the log took instead of the artifact.
    pub logged_artifact: Option<Vec<u8>>,
}

impl Order {
    /// A signature by `identity` over `artifact`, made at `at`.
    pub fn of(identity: &str, artifact: &[u8], at: jiff::Timestamp) -> Self {
        Self {
            artifact: artifact.to_vec(),
            names: vec![identity.to_owned()],
            issuer: ISSUER.to_owned(),
            old_issuer: ISSUER.to_owned(),
            logged: at,
            from: at - jiff::SignedDuration::from_secs(5),
            authority: AUTHORITY,
            certificates: CERTIFICATES,
            signatures: SIGNATURES,
            code_signing: true,
            twice: false,
            logged_artifact: None,
        }
    }

    /// The bundle, version 0.3.
    pub fn bundle(&self) -> Value {
        let certificate = self.certificate();
        let signature = sign(LEAF, &self.artifact);
        let (logged, logged_signature) = match &self.logged_artifact {
            Some(other) => (other.as_slice(), sign(LEAF, other)),
            None => (self.artifact.as_slice(), signature.clone()),
        };
        let entry = self.entry(&certificate, logged, &logged_signature);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": BASE64.encode(&certificate)},
                "tlogEntries": [entry],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": BASE64.encode(&Sha256::digest(&self.artifact))},
                "signature": BASE64.encode(&signature),
            },
        })
    }

    /// RFC 6962: the log of certificates signs what the authority signs later, without its own extension.
    fn certificate(&self) -> Vec<u8> {
        let names = self.names.iter().map(|name| {
            // rfc822Name, uniformResourceIdentifier.
            let tag = if name.contains("://") { 0x86 } else { 0x81 };
            tlv(tag, name.as_bytes())
        });
        let names = tlv(0x30, &names.collect::<Vec<_>>().concat());
        // serverAuth instead of codeSigning.
        let purpose = if self.code_signing { 3 } else { 1 };
        let purpose = tlv(0x30, &oid(&[0x2b, 6, 1, 5, 5, 7, 3, purpose]));
        let mut extensions = vec![
            extension(&[0x55, 0x1d, 0x0f], true, &[3, 2, 7, 0x80]),
            extension(&[0x55, 0x1d, 0x25], false, &purpose),
            subject_key(LEAF),
            extension(
                &[0x55, 0x1d, 0x23],
                false,
                &tlv(0x30, &tlv(0x80, &key_identifier(self.authority))),
            ),
            extension(&[0x55, 0x1d, 0x11], true, &names),
            extension(&fulcio(1), false, self.old_issuer.as_bytes()),
            extension(&fulcio(8), false, &tlv(0x0c, self.issuer.as_bytes())),
        ];
        if self.twice {
            extensions.push(extension(
                &fulcio(8),
                false,
                &tlv(0x0c, b"https://other.example.org"),
            ));
        }
        let tbs = |extensions: &[Vec<u8>]| {
            tbs(
                &[1, 2, 3],
                "Test intermediate",
                "",
                self.from,
                self.from + jiff::SignedDuration::from_mins(10),
                LEAF,
                extensions,
            )
        };
        let timestamp = u64::try_from(self.from.as_millisecond()).unwrap();
        let issuer = Sha256::digest(spki(self.authority));
        let precertificate = tbs(&extensions);
        let signed = [
            &[0, 0][..],
            &timestamp.to_be_bytes(),
            &[0, 1],
            &issuer,
            &u32::try_from(precertificate.len()).unwrap().to_be_bytes()[1..],
            &precertificate,
            &[0, 0],
        ];
        let signature = sign(self.certificates, &signed.concat());
        let receipt = [
            &[0][..],
            &Sha256::digest(spki(self.certificates)),
            &timestamp.to_be_bytes(),
            &[0, 0, 4, 3],
            &counted(&signature),
        ];
        let receipts = counted(&counted(&receipt.concat()));
        extensions.push(extension(
            &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2],
            false,
            &tlv(4, &receipts),
        ));
        certificate(&tbs(&extensions), self.authority)
    }

    /// An entry of Rekor v1 at place 1 of 3, with its promise and its proof.
    fn entry(&self, certificate: &[u8], artifact: &[u8], signature: &[u8]) -> Value {
        let pem = pem(certificate);
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": HEXLOWER.encode(&Sha256::digest(artifact))}},
                "signature": {"content": BASE64.encode(signature), "publicKey": {"content": BASE64.encode(pem.as_bytes())}},
            },
        });
        // serde_json writes members in order, which is canonical for these.
        let body = body.to_string();
        let log = Sha256::digest(spki(self.signatures));
        let promise = json!({
            "body": BASE64.encode(body.as_bytes()),
            "integratedTime": self.logged.as_second(),
            "logID": HEXLOWER.encode(&log),
            "logIndex": 1,
        });
        let (before, after) = (leaf_hash(b"before"), leaf_hash(b"after"));
        let root = node(&node(&before, &leaf_hash(body.as_bytes())), &after);
        let note = format!("log.example.org - 1\n3\n{}\n", BASE64.encode(&root));
        let signed = [&log[..4], &sign(self.signatures, note.as_bytes())].concat();
        let checkpoint = format!(
            "{note}\n\u{2014} log.example.org {}\n",
            BASE64.encode(&signed)
        );
        json!({
            "logIndex": "1",
            "logId": {"keyId": BASE64.encode(&log)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
            "integratedTime": self.logged.as_second().to_string(),
            "inclusionPromise": {"signedEntryTimestamp": BASE64.encode(&sign(self.signatures, promise.to_string().as_bytes()))},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": BASE64.encode(&root),
                "treeSize": "3",
                "hashes": [BASE64.encode(&before), BASE64.encode(&after)],
                "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": BASE64.encode(body.as_bytes()),
        })
    }
}

/// `trusted_root.json` of this instance.
pub fn trusted_root() -> Value {
    let key = |seed: u8| {
        json!({
            "rawBytes": BASE64.encode(&spki(seed)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": SINCE},
        })
    };
    let log = |seed: u8, address: &str| {
        json!({
            "baseUrl": address,
            "hashAlgorithm": "SHA2_256",
            "publicKey": key(seed),
            "logId": {"keyId": BASE64.encode(&Sha256::digest(spki(seed)))},
        })
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [log(SIGNATURES, "https://log.example.org")],
        "certificateAuthorities": [{
            "subject": {"organization": "example.org", "commonName": "Test intermediate"},
            "uri": "https://authority.example.org",
            "certChain": {"certificates": [{"rawBytes": BASE64.encode(&authority())}]},
            "validFor": {"start": SINCE},
        }],
        "ctlogs": [log(CERTIFICATES, "https://certificates.example.org")],
        "timestampAuthorities": [],
    })
}

fn authority() -> Vec<u8> {
    let from: jiff::Timestamp = SINCE.parse().unwrap();
    let until = from + jiff::SignedDuration::from_hours(24 * 365 * 10);
    let extensions = [
        extension(&[0x55, 0x1d, 0x0f], true, &[3, 2, 1, 6]),
        extension(&[0x55, 0x1d, 0x13], true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]),
        subject_key(AUTHORITY),
    ];
    let name = "Test intermediate";
    let tbs = tbs(&[1], name, name, from, until, AUTHORITY, &extensions);
    certificate(&tbs, AUTHORITY)
}

fn tbs(
    serial: &[u8],
    issuer: &str,
    subject: &str,
    from: jiff::Timestamp,
    until: jiff::Timestamp,
    key: u8,
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let time = |at: jiff::Timestamp| tlv(0x17, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes());
    let parts = [
        vec![0xa0, 3, 2, 1, 2],
        tlv(2, serial),
        ecdsa_with_sha256(),
        name(issuer),
        tlv(0x30, &[time(from), time(until)].concat()),
        name(subject),
        spki(key),
        tlv(0xa3, &tlv(0x30, &extensions.concat())),
    ];
    tlv(0x30, &parts.concat())
}

fn certificate(tbs: &[u8], signer: u8) -> Vec<u8> {
    let bits = [&[0], &sign(signer, tbs)[..]].concat();
    tlv(0x30, &[tbs, &ecdsa_with_sha256(), &tlv(3, &bits)].concat())
}

fn ecdsa_with_sha256() -> Vec<u8> {
    tlv(0x30, &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))
}

fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return tlv(0x30, &[]);
    }
    let pair = tlv(
        0x30,
        &[oid(&[0x55, 4, 3]), tlv(0x0c, common.as_bytes())].concat(),
    );
    tlv(0x30, &tlv(0x31, &pair))
}

/// 1.3.6.1.4.1.57264.1.`last`.
fn fulcio(last: u8) -> [u8; 10] {
    [0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, last]
}

fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical {
        tlv(1, &[0xff])
    } else {
        Vec::new()
    };
    tlv(0x30, &[oid(id), critical, tlv(4, value)].concat())
}

fn subject_key(seed: u8) -> Vec<u8> {
    extension(&[0x55, 0x1d, 0x0e], false, &tlv(4, &key_identifier(seed)))
}

/// RFC 7093, method 1, as far as it matters here: 20 bytes that depend on the key.
fn key_identifier(seed: u8) -> Vec<u8> {
    Sha256::digest(spki(seed))[..20].to_vec()
}

fn oid(id: &[u8]) -> Vec<u8> {
    tlv(6, id)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short @ 0..=0x7f] => vec![short],
        [0, long] => vec![0x81, long],
        [high, low] => vec![0x82, high, low],
    };
    [&[tag], &length[..], content].concat()
}

/// TLS: two bytes of length.
fn counted(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], content].concat()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn spki(seed: u8) -> Vec<u8> {
    let der = key(seed).verifying_key().to_public_key_der().unwrap();
    der.as_bytes().to_vec()
}

fn sign(seed: u8, message: &[u8]) -> Vec<u8> {
    let signature: Signature = key(seed).sign(message);
    let der: DerSignature = signature.to_der();
    der.as_bytes().to_vec()
}

fn pem(der: &[u8]) -> String {
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, der).unwrap()
}

fn leaf_hash(body: &[u8]) -> Vec<u8> {
    Sha256::digest([&[0], body].concat()).to_vec()
}

fn node(left: &[u8], right: &[u8]) -> Vec<u8> {
    Sha256::digest([&[1], left, right].concat()).to_vec()
}
