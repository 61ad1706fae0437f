//! PIV cards as their holder prepares them: provisioned by this program, keys made as Yubico's tools make them. The serial says which card; no other is
//! written to.

use std::process::Command;

use tuf_ceremony::ceremony::event::Credential;
use tuf_ceremony::ceremony::port::{Reset, TokenId};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::yubikey::YubikeyModule;
use tuf_ceremony::tuf::key::{Algorithm, PublicKey};
use virtual_yubikey::{Firmware, Inserted, Stage};
use x509_cert::der::Encode as _;
use yubikey::certificate::{CertInfo, Certificate};
use yubikey::piv::{AlgorithmId, SlotId};
use yubikey::{ChuId, MgmKey, PinPolicy, Serial, TouchPolicy, YubiKey};

use super::secret;
use super::stage::succeeds;

/// The PUK and the management key that cards are given.
const PUK: &str = "8642-puk";
const MANAGEMENT: &str = "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8c1c2c3c4c5c6c7c8";

/// Agency, system and credential 9999 and so on, in the five-bit digits of the FASC-N.
const FASC_N: [u8; 25] = [
    0xd4, 0xe7, 0x39, 0xda, 0x73, 0x9c, 0xed, 0x39, 0xce, 0x73, 0x9d, 0x83, 0x68, 0x58, 0x21, 0x08,
    0x42, 0x10, 0x84, 0x21, 0xc8, 0x42, 0x10, 0xc3, 0xeb,
];

/// Virtual cards and the readers they are in.
pub struct Cards<'a> {
    pub stage: &'a Stage,
    pub brought: Vec<Inserted>,
}

impl<'a> Cards<'a> {
    pub fn new(stage: &'a Stage) -> Self {
        Self {
            stage,
            brought: Vec::new(),
        }
    }

    /// A card as it leaves the factory, in the next free reader.
    pub fn bring(&mut self, serial: u32, firmware: Firmware) {
        self.brought.push(self.stage.insert_new(serial, firmware));
    }

    pub fn first(&self) -> &Inserted {
        &self.brought[0]
    }
}

/// Erases the card and gives it the suite's secrets, as a ceremony of the kind provision does.
pub fn provision(serial: u32, pin: &str) {
    let mut module = YubikeyModule::new("provision").unwrap();
    let reset = Reset {
        label: String::new(),
        old_so: None,
        new: vec![
            (Credential::Mgmt, secret(MANAGEMENT)),
            (Credential::Puk, secret(PUK)),
            (Credential::User, secret(pin)),
        ],
    };
    module.reset(&id(serial), &reset).unwrap();
    drop(module);
    name(serial, pin);
}

/// Gives the card a holder's unique identifier (SP 800-73-4 part 1, 3.1.2), as Yubico's programs do with the first certificate: `OpenSC` takes a card's
/// serial from it, and calls each one without it 00000000.
fn name(serial: u32, pin: &str) {
    let mut card = managed(serial, pin);
    let expires = b"20500101";
    let guid = [&[0x5a; 12][..], &serial.to_be_bytes()].concat();
    let unique = [
        // The FASC-N of issuers outside the US government: agency 9999, which means that the UUID counts.
        &[0x30, 0x19][..],
        &FASC_N,
        &[0x34, 16],
        &guid,
        &[0x35, 8],
        expires,
        &[0x3e, 0, 0xfe, 0],
    ];
    let unique = unique.concat().try_into().unwrap();
    ChuId(unique).set(&mut card).unwrap();
}

/// The card, opened for making keys.
fn managed(serial: u32, pin: &str) -> YubiKey {
    let mut card = YubiKey::open_by_serial(Serial(serial)).unwrap();
    card.verify_pin(pin.as_bytes()).unwrap();
    let management = MgmKey::get_protected(&mut card).unwrap();
    card.authenticate(&management).unwrap();
    card
}

fn id(serial: u32) -> TokenId {
    TokenId {
        module: "provision".to_owned(),
        serial: serial.to_string(),
        label: format!("YubiKey PIV #{serial}"),
    }
}

/// Makes a key in a slot, with the slot's own PIN policy and no touch, and puts its attestation there as its certificate: some modules show a key only
/// beside one.
pub fn make_key(serial: u32, pin: &str, slot: u8, algorithm: Algorithm) -> PublicKey {
    let mut card = managed(serial, pin);
    let slot = SlotId::try_from(slot).unwrap();
    let algorithm = match algorithm {
        Algorithm::EcdsaP256 => AlgorithmId::EccP256,
        Algorithm::EcdsaP384 => AlgorithmId::EccP384,
        Algorithm::Ed25519 => AlgorithmId::Ed25519,
        Algorithm::RsaPss => AlgorithmId::Rsa2048,
    };
    let (ask, touch) = (PinPolicy::Default, TouchPolicy::Never);
    let made = yubikey::piv::generate(&mut card, slot, algorithm, ask, touch).unwrap();
    let attestation = yubikey::piv::attest(&mut card, slot).unwrap();
    Certificate::from_bytes(attestation)
        .unwrap()
        .write(&mut card, slot, CertInfo::Uncompressed)
        .unwrap();
    PublicKey::from_spki_der(&made.to_der().unwrap()).unwrap()
}

/// Brings a key from outside into 9a, with a certificate that calls it as [`make_key`] would.
pub fn import_key(serial: u32, pin: &str) -> PublicKey {
    let folder = tempfile::tempdir().unwrap();
    let [pem, der] = ["key.pem", "certificate.der"].map(|name| folder.path().join(name));
    let mut make = Command::new("openssl");
    make.args([
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-noout",
        "-out",
    ]);
    succeeds(make.arg(&pem));
    let mut certify = Command::new("openssl");
    certify.args(["req", "-x509", "-subj", "/CN=YubiKey PIV Attestation 9a"]);
    certify.args(["-outform", "DER", "-key"]).arg(&pem);
    succeeds(certify.arg("-out").arg(&der));
    let secret = p256::SecretKey::from_sec1_pem(&std::fs::read_to_string(&pem).unwrap()).unwrap();

    let mut card = managed(serial, pin);
    let slot = SlotId::try_from(0x9a).unwrap();
    let (ask, touch) = (PinPolicy::Default, TouchPolicy::Never);
    let scalar = secret.to_bytes();
    let p256 = AlgorithmId::EccP256;
    yubikey::piv::import_ecc_key(&mut card, slot, p256, &scalar, touch, ask).unwrap();
    let certificate = Certificate::from_bytes(std::fs::read(&der).unwrap()).unwrap();
    let spki = certificate.subject_pki().to_der().unwrap();
    certificate
        .write(&mut card, slot, CertInfo::Uncompressed)
        .unwrap();
    PublicKey::from_spki_der(&spki).unwrap()
}
