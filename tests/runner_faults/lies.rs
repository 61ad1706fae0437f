//! Tokens that lie: nothing they say counts unless it verifies with the key in the metadata.

use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::{TokenId, TokenKey};
use tuf_ceremony::token::Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::tuf::key::PublicKey;

use super::record::Entry;
use super::stand::{Stand, admin_key, genesis};
use super::world::Signs;

const THROWN_AWAY: &str = "sign targets v1 for alice: the token returned a signature that does not verify with the key in the metadata; it was thrown away";
const PROMPT: &str = "token:sign:targets-1:alice";

fn right(module: &mut SoftwareModule, token: &TokenId, key: &TokenKey, bytes: &[u8]) -> Vec<u8> {
    module.sign(token, key, bytes).unwrap()
}

/// By the key of the token that is not `key`.
fn by_another(
    module: &mut SoftwareModule,
    token: &TokenId,
    key: &TokenKey,
    bytes: &[u8],
) -> Vec<u8> {
    let keys = module.keys(token).unwrap();
    let other = keys.iter().find(|known| known.id != key.id).unwrap();
    right(module, token, other, bytes)
}

const LIES: [(&str, Signs); 8] = [
    ("a bit flipped", |module, token, key, bytes| {
        let mut sig = right(module, token, key, bytes);
        sig[7] ^= 1;
        sig
    }),
    ("truncated", |module, token, key, bytes| {
        right(module, token, key, bytes)[..63].to_vec()
    }),
    ("empty", |_, _, _, _| Vec::new()),
    ("over-long", |module, token, key, bytes| {
        [right(module, token, key, bytes), vec![0]].concat()
    }),
    ("a megabyte", |_, _, _, _| vec![0x30; 1 << 20]),
    ("over other bytes", |module, token, key, bytes| {
        right(module, token, key, &bytes[1..])
    }),
    ("over the digest", |module, token, key, bytes| {
        right(
            module,
            token,
            key,
            &tuf_ceremony::tuf::digest::Sha256::of(bytes).0,
        )
    }),
    ("by another key", by_another),
];

#[test]
fn a_signature_that_does_not_verify_is_thrown_away_and_the_holder_told() {
    for (name, lie) in LIES {
        let mut stand = Stand::new(genesis());
        stand.world.signs = Some(lie);
        let mut people = stand.people();
        people.try_again = false;
        let halt = stand.run(&mut people).unwrap_err();
        assert_eq!(halt.to_string(), "stopped by a person", "{name}");
        assert_eq!(stand.signatures(), [], "{name}");
        let told = &people.told[PROMPT];
        let words = format!(
            "{THROWN_AWAY}. Nothing was counted. Insert the token again and press Enter, or pass this holder over."
        );
        assert!(told.contains(&words), "{name}: {told}");
        let failed = |event: &Event| matches!(event, Event::SigningFailed { reason, .. } if reason == THROWN_AWAY);
        assert_eq!(stand.log.count(failed), 1, "{name}");
        assert!(stand.world.metadata().is_empty(), "{name}");
        stand.check_record();
        stand.world.signs = None;
        stand.run(&mut stand.people()).unwrap();
        stand.check_finished();
    }
}

#[test]
fn a_token_that_signs_rightly_counts() {
    let mut stand = Stand::new(genesis());
    stand.world.signs = Some(right);
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
    assert_eq!(stand.log.calls("sign").len(), stand.signatures().len());
}

/// Some other key.
fn other() -> PublicKey {
    let text = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    PublicKey::from_text(text).unwrap()
}

#[test]
fn a_token_without_the_wanted_key_is_refused_before_its_pin() {
    let mut stand = Stand::finished(genesis()).then(admin_key);
    stand.world.shown = Some(Box::new(|mut key: TokenKey| {
        if key.label == "tuf-root-v1" {
            key.public = other();
        }
        key
    }));
    let mut people = stand.people();
    people.try_again = false;
    stand.run(&mut people).unwrap_err();
    // One login: alice makes her new key. None for the old one, which the token does not show.
    let prompt = people
        .told
        .keys()
        .find(|id| id.starts_with("token:sign:"))
        .unwrap();
    assert!(people.told[prompt].ends_with(
        "Wanted: the token of alice, label alice.\nThat token does not hold this key. It was refused before its PIN; nothing was signed."
    ), "{}", people.told[prompt]);
    let entries = stand.log.entries();
    let asked = entries
        .iter()
        .position(|entry| matches!(entry, Entry::Asked(id) if id == prompt));
    let later = &entries[asked.unwrap()..];
    let touched = |entry: &&Entry| {
        matches!(
            entry,
            Entry::PinAsked
                | Entry::Call {
                    method: "login" | "sign" | "register",
                    ..
                }
        )
    };
    assert_eq!(later.iter().filter(touched).count(), 0);
    stand.world.shown = None;
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
}

#[test]
fn a_key_that_was_shown_wrongly_when_it_was_made_never_counts() {
    let mut stand = Stand::new(genesis());
    let mut alices = None;
    stand.world.shown = Some(Box::new(move |mut key: TokenKey| {
        if key.label == "tuf-targets-v1"
            && key.public == *alices.get_or_insert_with(|| key.public.clone())
        {
            key.public = other();
        }
        key
    }));
    stand.world.signs = Some(|module, token, key, bytes| {
        let keys = module.keys(token).unwrap();
        let honest = keys.iter().find(|known| known.id == key.id).unwrap();
        right(module, token, honest, bytes)
    });
    let mut people = stand.people();
    people.try_again = false;
    let halt = stand.run(&mut people).unwrap_err();
    assert_eq!(halt.to_string(), "stopped by a person");
    assert!(people.told[PROMPT].contains(THROWN_AWAY));
    assert_eq!(stand.signatures(), []);
    stand.check_record();
}

#[test]
fn one_key_shown_twice_is_refused_when_it_enters() {
    let mut stand = Stand::new(genesis());
    let mut first = None;
    stand.world.shown = Some(Box::new(move |mut key: TokenKey| {
        key.public = first.get_or_insert_with(|| key.public.clone()).clone();
        key
    }));
    let halt = stand.run(&mut stand.people()).unwrap_err();
    assert_eq!(
        halt.to_string(),
        "refused: KEY-SHARED: the targets key of alice is the root key of alice: every role and person has a key of its own"
    );
    assert_eq!(
        stand
            .log
            .count(|event| matches!(event, Event::KeyEnrolled { .. })),
        1
    );
    assert!(stand.log.calls("sign").is_empty());
}
