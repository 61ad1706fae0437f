//! A token with a broken generator of random numbers: whoever sees two of its signatures can compute its key.

use data_encoding::HEXLOWER;
use p256::Scalar;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::PrimeField as _;
use p256::pkcs8::EncodePublicKey as _;
use tuf_ceremony::ceremony::event::{Document, Event};
use tuf_ceremony::ceremony::material::Material;
use tuf_ceremony::ceremony::port::{PartFile, TokenFault, TokenId, TokenKey};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::PublicKey;

use super::attested::refused;
use super::stand::{Stand, admin_key, check_in, genesis};
use super::world::{Fault, Lie};

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::from_repr(bytes.into()).unwrap()
}

/// The public half as DER; its last 64 bytes are the point.
fn spki(secret: [u8; 32]) -> Vec<u8> {
    let key = SigningKey::from_slice(&secret).unwrap();
    let spki = key.verifying_key().to_public_key_der().unwrap();
    spki.into_vec()
}

/// Tokens show P-256 keys that this test knows, each in place of one that they hold.
fn shown() -> Lie<TokenKey> {
    Box::new(|mut key: TokenKey| {
        let secret = key.public.fingerprint().0;
        key.public = PublicKey::from_spki_der(&spki(secret)).unwrap();
        key
    })
}

fn secret(module: &mut SoftwareModule, token: &TokenId, label: &str) -> [u8; 32] {
    let keys = module.keys(token).unwrap();
    let held = keys.iter().find(|known| known.label == label).unwrap();
    held.public.fingerprint().0
}

fn sign(secret: [u8; 32], nonce: [u8; 32], bytes: &[u8]) -> Vec<u8> {
    let point = spki(nonce);
    let x: [u8; 32] = point[point.len() - 64..][..32].try_into().unwrap();
    let (r, nonce, secret) = (scalar(x), scalar(nonce), scalar(secret));
    let s = nonce.invert().unwrap() * (scalar(Sha256::of(bytes).0) + r * secret);
    let signature = Signature::from_scalars(r.to_repr(), s.to_repr()).unwrap();
    signature.to_der().as_bytes().to_vec()
}

fn stuck(module: &mut SoftwareModule, token: &TokenId, key: &TokenKey, bytes: &[u8]) -> Vec<u8> {
    sign(secret(module, token, &key.label), [0x42; 32], bytes)
}

fn healthy(module: &mut SoftwareModule, token: &TokenId, key: &TokenKey, bytes: &[u8]) -> Vec<u8> {
    let secret = secret(module, token, &key.label);
    let nonce = Sha256::of(&[&secret[..], bytes].concat()).0;
    sign(secret, nonce, bytes)
}

/// Everybody's keys signed once with the stuck number, which nobody can tell; then Alice's root key is replaced.
fn before() -> Stand {
    after_genesis(admin_key)
}

fn after_genesis(script: fn(&Stand) -> String) -> Stand {
    let mut stand = Stand::new(genesis());
    stand.world.shown = Some(shown());
    stand.world.signs = Some(stuck);
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
    let mut stand = stand.then(script);
    stand.world.shown = Some(shown());
    stand
}

#[test]
fn a_signature_that_repeats_a_nonce_is_thrown_away_and_its_key_signs_nothing_more() {
    let mut stand = before();
    stand.world.signs = Some(stuck);
    let halt = stand.run(&mut stand.people()).unwrap_err();
    let (rules, text) = refused(&halt);
    assert_eq!(rules, ["SIG-NONCE"], "{text}");
    assert!(
        text.contains(" for root v2: the key with the fingerprint "),
        "{text}"
    );
    assert!(
        text.contains("with the same random number, so its private half can be computed from them"),
        "{text}"
    );
    assert!(
        text.ends_with("The new signature was thrown away and counts for nothing, and nothing more is signed with this key: stop, and treat it as known to others"),
        "{text}"
    );
    let failed = |event: &Event| matches!(event, Event::SigningFailed { reason, .. } if text.contains(reason));
    assert_eq!(stand.log.count(failed), 1);
    assert_eq!(stand.signatures(), []);
    assert_eq!(stand.world.metadata(), []);
    stand.check_record();
    // A token that is well again does not make the key a secret again.
    stand.world.signs = Some(healthy);
    let asked = stand.log.calls("sign").len();
    let halt = stand.run(&mut stand.people()).unwrap_err();
    assert_eq!(refused(&halt).0, ["SIG-NONCE"]);
    assert_eq!(stand.log.calls("sign").len(), asked);
}

#[test]
fn signatures_with_numbers_of_their_own_count() {
    let mut stand = before();
    stand.world.signs = Some(healthy);
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
}

#[test]
fn a_challenge_that_repeats_a_nonce_proves_nothing() {
    for (how, proven) in [(healthy as super::world::Signs, 3), (stuck, 0)] {
        let mut stand = after_genesis(check_in);
        stand.world.signs = Some(how);
        let result = stand.run(&mut stand.people());
        let is_proof = |event: &Event| matches!(event, Event::Proven { .. });
        assert_eq!(stand.log.count(is_proof), proven);
        match result {
            Ok(_) => assert_eq!(proven, 3),
            Err(halt) => assert_eq!(
                (refused(&halt).0, proven),
                (vec!["SIG-NONCE".to_owned()], 0)
            ),
        }
    }
}

#[test]
fn a_part_whose_signature_repeats_a_nonce_is_refused() {
    let mut dry = before();
    dry.world.signs = Some(healthy);
    dry.run(&mut dry.people()).unwrap();
    let calls = dry.log.breakable();
    let first = calls.iter().position(|call| *call == "sign").unwrap();
    for (how, accepted) in [(healthy as super::world::Signs, true), (stuck, false)] {
        let mut stand = before();
        stand.world.signs = Some(healthy);
        stand.world.breaks = Some((first, Fault::Before(TokenFault::PinLocked)));
        stand.run(&mut stand.people()).unwrap_err();
        let part = part(&mut stand, how);
        stand.world.parts.push(part);
        let result = stand.run(&mut stand.people());
        let imported = |event: &Event| matches!(event, Event::Imported { .. });
        assert_eq!(stand.log.count(imported), usize::from(accepted));
        if accepted {
            result.unwrap();
            stand.check_finished();
        } else {
            assert_eq!(refused(&result.unwrap_err()).0, ["SIG-NONCE"]);
            assert_eq!(stand.signatures(), []);
        }
    }
}

/// What came back from Bob, signed elsewhere.
fn part(stand: &mut Stand, how: super::world::Signs) -> PartFile {
    let progress = stand.progress();
    let material = Material {
        script: &stand.script,
        trusted: &stand.trusted,
        enrolled: progress.enrolled(),
        decisions: None,
        mode: stand.mode,
    };
    let candidate = (stand.kind.build)(&material).unwrap().remove(0);
    let keyid = stand.script.holder("bob").unwrap().key("root").unwrap();
    let keyid = keyid.keyid.clone().unwrap();
    let tokens = stand.world.module.list().unwrap();
    let token = tokens.into_iter().find(|token| token.id.label == "bob");
    let token = token.unwrap().id;
    let keys = stand.world.module.keys(&token).unwrap();
    let key = keys
        .into_iter()
        .find(|key| key.label == "tuf-root-v1")
        .unwrap();
    let sig = how(
        &mut stand.world.module,
        &token,
        &key,
        &candidate.envelope.payload(),
    );
    assert!(
        candidate.verifies(&keyid, &sig),
        "{}",
        HEXLOWER.encode(&sig)
    );
    let envelope = candidate.envelope.with_signature(&keyid, &sig, &|_| false);
    PartFile {
        sha256: None,
        ceremony: stand.ceremony,
        trusted_root: stand.script.trusted_root_sha256,
        document: Document {
            role: "root".to_owned(),
            version: 2,
        },
        supersedes: Vec::new(),
        acknowledgements: Vec::new(),
        envelope: envelope.bytes().to_vec(),
    }
}
