//! The secrets of a backup, learnt as those learn them who may: from the sheets of its custodians, and from what these open.

use std::fs;
use std::path::Path;

use aes_kw::{KeyInit as _, KwpAes256};
use p256::pkcs8::der::{Decode as _, SliceReader};
use p256::pkcs8::{DecodePrivateKey as _, PrivateKeyInfoRef};
use sha2::Digest as _;
use tuf_ceremony::backup::{Held, Record, combine, open_shared, sheet};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::tuf::digest::Sha256;

use crate::scan::Needles;
use crate::support::stage::PIN;

pub(crate) const SERVERS: &str = "the servers' key";
pub(crate) const WRAPPING: &str = "the wrapping key";
pub(crate) const EPHEMERAL: &str = "an ephemeral key";
const IDENTITY: &str = "the identity";
pub(crate) const WRAPPED: &str = "alice's key";
pub(crate) const SHARE: &str = "a share";
pub(crate) const WORDS: &str = "a share's words";
pub(crate) const PINS: &str = "a PIN";
pub(crate) const OPENS: &str = "an identity in the room";

/// How many keys are made for targets and bins.
const THROWAWAY: usize = 4;
/// Bytes of a share before its data: which one it is, and of which backup; the record says so too.
const PUBLIC: usize = 6;

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

/// All of them; `medium` has the backup, and each sheet has six lines.
pub(crate) fn learnt(sheets: &[Vec<String>], medium: &Path, identities: &[String]) -> Needles {
    let mut needles = Needles::default();
    needles.bytes(PINS, PIN.as_bytes());
    for text in identities {
        needles.identity(OPENS, text);
    }
    let mut shares = Vec::new();
    for lines in sheets {
        let text = secret(&(lines.join("\n") + "\n"));
        shares.push(sheet::read("paper", &text).unwrap());
        needles.sheet(lines.iter().map(String::as_str));
    }
    for share in &shares {
        share.bytes().expose(|bytes| needles.share(bytes));
    }
    let file = fs::read(medium.join("everything.age")).unwrap();
    let record = fs::read(medium.join("shares.json")).unwrap();
    let record = Record::parse("shares.json", &record).unwrap();
    let held: Vec<_> = shares
        .iter()
        .map(|share| Held {
            from: "paper",
            share,
        })
        .collect();
    let identity = combine(Sha256::of(&file), Some(&record), &held).unwrap();
    identity.expose(|identity| {
        needles.bytes(IDENTITY, identity);
        let hrp = bech32::Hrp::parse("AGE-SECRET-KEY-").unwrap();
        let text = bech32::encode_upper::<bech32::Bech32>(hrp, identity).unwrap();
        needles.identity(IDENTITY, &text);
    });
    let everything = open_shared(&file, Some(&record), &held).unwrap();
    assert_eq!(everything.check().unwrap(), []);
    for online in &everything.infrastructure.online {
        online.pem().expose(|pem| {
            let pem = str::from_utf8(pem).unwrap();
            needles.pem(SERVERS, pem);
            let key = ed25519_dalek::pkcs8::KeypairBytes::from_pkcs8_pem(pem).unwrap();
            needles.ed25519(SERVERS, &key.secret_key);
        });
    }
    let wrapped = everything.wrapped.unwrap();
    wrapped.wrap_key.expose(|wrap_key| {
        needles.bytes(WRAPPING, wrap_key);
        for key in &wrapped.keys {
            let mut der = vec![0; key.blob().len()];
            let cipher = KwpAes256::new_from_slice(wrap_key).unwrap();
            let der = cipher.unwrap_key(key.blob(), &mut der).unwrap();
            // SoftHSM fills PKCS#8 up with zeros, which are left in the reader.
            let mut reader = SliceReader::new(der).unwrap();
            let key = PrivateKeyInfoRef::decode(&mut reader).unwrap();
            let key = p256::SecretKey::try_from(key).unwrap();
            needles.p256(WRAPPED, &key);
        }
    });
    needles
}

impl Needles {
    /// Ephemeral keys are told to nobody: they are what else stands in locked pages when keys were made.
    pub(crate) fn ephemeral<'a>(&mut self, locked: impl Iterator<Item = &'a [u8]>) {
        let unknown: Vec<_> = locked
            .filter(|page| self.found_in(page).is_empty())
            .collect();
        assert_eq!(unknown.len(), THROWAWAY);
        for page in unknown {
            self.number(EPHEMERAL, page);
        }
    }

    /// The private half of a key, up to its last byte that is not zero. Of which kind it is, 32 bytes do not tell.
    pub(crate) fn number(&mut self, name: &str, number: &[u8]) {
        let mut room = [0; 48];
        room[..number.len()].copy_from_slice(number);
        if number.len() > 32 {
            self.p384(name, &p384::SecretKey::from_slice(&room).unwrap());
            return;
        }
        self.ed25519(name, room.first_chunk().unwrap());
        if let Ok(key) = p256::SecretKey::from_slice(&room[..32]) {
            self.p256(name, &key);
        }
    }

    /// Lines of eight words.
    pub(crate) fn sheet<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        // Of the first all but one word and the check are those of the backup.
        lines.skip(1).for_each(|line| self.words(WORDS, line));
    }

    pub(crate) fn share(&mut self, bytes: &[u8]) {
        self.bytes(SHARE, &bytes[PUBLIC..]);
    }

    /// The private half of an Ed25519 key.
    pub(crate) fn pem(&mut self, name: &str, pem: &str) {
        let lines = pem.lines().filter(|line| !line.starts_with('-'));
        let body: String = lines.collect();
        // What is the same for every such key goes before.
        self.letters(name, body[24..].trim_end_matches('='));
    }

    pub(crate) fn identity(&mut self, name: &str, text: &str) {
        let text = text
            .lines()
            .find_map(|line| line.strip_prefix("AGE-SECRET-KEY-1"));
        let text = text.unwrap().trim_end();
        self.letters(name, text);
        self.letters(name, &text.to_lowercase());
    }

    /// A seed, and what signing makes of it.
    fn ed25519(&mut self, name: &str, seed: &[u8; 32]) {
        self.bytes(name, seed);
        let expanded: [u8; 64] = sha2::Sha512::digest(seed).into();
        self.bytes(name, &expanded);
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let scalar = key.to_scalar().to_bytes();
        self.bytes(name, &scalar);
        self.bytes(name, &limbs(&scalar));
        self.digits(name, &digits(&scalar));
    }

    /// A number, as it is and as it is multiplied with.
    fn p256(&mut self, name: &str, key: &p256::SecretKey) {
        let scalar = *key.to_nonzero_scalar();
        let montgomery = (0..256).fold(scalar, |scalar, _| scalar.double());
        for form in [scalar, montgomery] {
            self.both_ways(name, &form.to_bytes());
        }
    }

    fn p384(&mut self, name: &str, key: &p384::SecretKey) {
        let scalar = *key.to_nonzero_scalar();
        let montgomery = (0..384).fold(scalar, |scalar, _| scalar.double());
        for form in [scalar, montgomery] {
            self.both_ways(name, &form.to_bytes());
        }
    }

    /// A number from its highest byte, as it is written, and from its lowest, as it lies in memory.
    fn both_ways(&mut self, name: &str, number: &[u8]) {
        self.bytes(name, number);
        let reversed: Vec<u8> = number.iter().rev().copied().collect();
        self.bytes(name, &reversed);
    }
}

/// Five limbs of 52 bits, as products are computed with them.
fn limbs(scalar: &[u8; 32]) -> Vec<u8> {
    let bit = |at: usize| {
        scalar
            .get(at / 8)
            .map_or(0, |byte| u64::from(byte >> (at % 8) & 1))
    };
    let limb = |from: usize| (0..52).fold(0, |limb, at| limb | bit(from + at) << at);
    (0..5)
        .flat_map(|number| limb(52 * number).to_le_bytes())
        .collect()
}

/// Digits from -8 to 8, by which multiples of the base point are chosen.
fn digits(scalar: &[u8; 32]) -> Vec<u8> {
    let mut carry = 0;
    let nibbles = scalar.iter().flat_map(|byte| [byte & 15, byte >> 4]);
    nibbles
        .map(|nibble| {
            let digit = nibble.cast_signed() + carry;
            carry = (digit + 8) >> 4;
            (digit - (carry << 4)).cast_unsigned()
        })
        .collect()
}
