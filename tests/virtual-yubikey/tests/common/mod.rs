//! What the tests with the `yubikey` crate share.

#![allow(clippy::unwrap_used, dead_code, reason = "each test file uses a part")]

use sha2::{Digest as _, Sha256};
use virtual_yubikey::Card;
use yubikey::piv::{AlgorithmId, SlotId};
use yubikey::{Error, MgmKey, PinPolicy, Serial, TouchPolicy, YubiKey};

pub(crate) const PIN: &[u8] = b"123456";
pub(crate) const PUK: &[u8] = b"12345678";
pub(crate) const MESSAGE: &[u8] = b"what is signed";

pub(crate) fn open(serial: u32) -> YubiKey {
    YubiKey::open_by_serial(Serial(serial)).unwrap()
}

/// The card, with the factory's management key proven.
pub(crate) fn managed(serial: u32) -> YubiKey {
    let mut card = open(serial);
    let key = MgmKey::get_default(&card).unwrap();
    card.authenticate(&key).unwrap();
    card
}

/// A new P-256 key; the point.
pub(crate) fn p256(
    card: &mut YubiKey,
    slot: SlotId,
    pin: PinPolicy,
    touch: TouchPolicy,
) -> Vec<u8> {
    let public = yubikey::piv::generate(card, slot, AlgorithmId::EccP256, pin, touch).unwrap();
    public.subject_public_key.raw_bytes().to_vec()
}

/// A P-256 signature over the digest of [`MESSAGE`].
pub(crate) fn sign(card: &mut YubiKey, slot: SlotId) -> Result<Vec<u8>, Error> {
    let digest = Sha256::digest(MESSAGE);
    yubikey::piv::sign_data(card, &digest, AlgorithmId::EccP256, slot)
        .map(|signature| signature.to_vec())
}

pub(crate) fn verifies(public: &[u8], signature: &[u8]) -> bool {
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(public).unwrap();
    let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
    let digest = Sha256::digest(MESSAGE);
    key.verify_prehash(&digest, &signature).is_ok()
}

/// One APDU to a card in no reader: data and status. Extended form, so that the answer comes in one piece.
pub(crate) fn raw(card: &mut Card, head: [u8; 4], data: &[u8]) -> (Vec<u8>, u16) {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let apdu = match data {
        [] => [&head[..], &[0, 0, 0]].concat(),
        data => [&head[..], &[0], &length, data, &[0, 0]].concat(),
    };
    let mut answer = card.transmit(&apdu).bytes().unwrap();
    let status = answer.split_off(answer.len() - 2);
    (answer, u16::from_be_bytes([status[0], status[1]]))
}

/// SELECT of the PIV application.
pub(crate) fn select(card: &mut Card) {
    let (_, status) = raw(card, [0, 0xa4, 4, 0], &[0xa0, 0, 0, 3, 8]);
    assert_eq!(status, 0x9000);
}

/// SELECT, and the factory's management key by the one-sided way that the `yubikey` crate does not take.
pub(crate) fn select_managed(card: &mut Card) {
    use cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
    const KEY: [u8; 24] = [
        1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
    ];
    select(card);
    let (metadata, _) = raw(card, [0, 0xf7, 0, 0x9b], &[]);
    let algorithm = metadata[2];
    let (challenge, _) = raw(card, [0, 0x87, algorithm, 0x9b], &[0x7c, 2, 0x81, 0]);
    let response = if algorithm == 3 {
        let mut block = Block::<des::TdesEde3>::try_from(&challenge[4..]).unwrap();
        des::TdesEde3::new(&KEY.into()).encrypt_block(&mut block);
        block.to_vec()
    } else {
        let mut block = Block::<aes::Aes192>::try_from(&challenge[4..]).unwrap();
        aes::Aes192::new(&KEY.into()).encrypt_block(&mut block);
        block.to_vec()
    };
    let length = u8::try_from(response.len()).unwrap();
    let proof = [&[0x7c, length + 2, 0x82, length][..], &response].concat();
    let (_, status) = raw(card, [0, 0x87, algorithm, 0x9b], &proof);
    assert_eq!(status, 0x9000);
}

/// GENERATE with policies; the answer and its status.
pub(crate) fn generate(card: &mut Card, slot: u8, algorithm: u8) -> (Vec<u8>, u16) {
    raw(card, [0, 0x47, 0, slot], &[0xac, 3, 0x80, 1, algorithm])
}
