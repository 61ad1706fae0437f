//! Keys whose holders are elsewhere: given by their public halves, with or without an attestation.

use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::review::Mark;
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::tuf::key::{Key, KeyId, PublicKey};

use super::attested::{chain, leaf, refused, rows, stand as attested_stand};
use super::forge;
use super::people::People;
use super::stand::{Stand, genesis};

const CAROLS: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

fn public() -> PublicKey {
    PublicKey::from_text(CAROLS).unwrap()
}

fn keyid() -> KeyId {
    Key::from_public(&public()).unwrap().keyid()
}

/// Carol's root key is given; her other keys are made here.
fn stand() -> Stand {
    let genesis = genesis();
    let (before, after) = genesis.split_at(genesis.find("name = \"carol\"").unwrap());
    let given = format!("root.public = \"{CAROLS}\"");
    let after = after.replacen("root.generate = \"ed25519\"", &given, 1);
    let mut stand = Stand::new(format!("{before}{after}"));
    stand.world.roots = vec![("vyk-ca".to_owned(), forge::root())];
    stand
}

/// Runs until Carol's token turns out not to have her root key, which is elsewhere.
fn wait(stand: &mut Stand) -> People {
    let mut people = stand.people();
    people.try_again = false;
    let halt = stand.run(&mut people).unwrap_err();
    assert!(matches!(halt, Halt::Stopped(_)), "{halt}");
    people
}

fn carols(stand: &Stand) -> Vec<Event> {
    let of = |event: &Event| matches!(event, Event::Attested { keyid: known, .. } | Event::Unattested { keyid: known, .. } if *known == keyid());
    stand.log.events().into_iter().filter(of).collect()
}

#[test]
fn an_attestation_that_was_carried_in_binds_the_given_key_to_its_holder() {
    let mut stand = stand();
    let mut carried = chain(&leaf("carol", &public()));
    carried.reverse();
    stand.trusted.attestations.insert(keyid(), carried);
    let people = wait(&mut stand);
    let found = rows(&people, &format!("root key {}: TEST ROOT", keyid()));
    assert!(
        found[0]
            .text
            .contains("YubiKey 5.7.1 serial 12345603 slot 9c"),
        "{found:?}"
    );
    let [
        Event::Attested {
            holder,
            test_root: true,
            says,
            ..
        },
    ] = &carols(&stand)[..]
    else {
        panic!("{:?}", carols(&stand))
    };
    assert_eq!(holder, "carol");
    assert!(says[0].contains("serial 12345603"), "{says:?}");
}

#[test]
fn a_given_key_without_an_attestation_is_accepted_by_the_phrase_of_the_review_that_says_so() {
    let mut stand = stand();
    let people = wait(&mut stand);
    let found = rows(&people, &format!("root key {}", keyid()));
    assert_eq!(found[0].mark, Mark::Warning);
    assert_eq!(
        found[0].text,
        format!(
            "root key {}: NOT ATTESTED, acknowledged: nobody vouches for this key",
            keyid()
        )
    );
    let [Event::Unattested { holder, reason, .. }] = &carols(&stand)[..] else {
        panic!("{:?}", carols(&stand))
    };
    assert_eq!(holder, "carol");
    assert_eq!(
        reason,
        "its public half was given without an attestation; the review shows it"
    );
    assert!(!people.told.contains_key("unattested:root-key:carol"));
    // Asked again after a restart, nothing is settled twice.
    wait(&mut stand);
    assert_eq!(carols(&stand).len(), 1);
}

#[test]
fn a_carried_attestation_of_another_key_is_refused() {
    let other = PublicKey::from_spki_der(&forge::Key::new(9).spki()).unwrap();
    let mut stand = stand();
    let carried = chain(&leaf("carol", &other));
    stand.trusted.attestations.insert(keyid(), carried);
    let halt = stand.run(&mut stand.people()).unwrap_err();
    let (rules, text) = refused(&halt);
    assert_eq!(rules, ["ATTEST-KEY"]);
    assert!(
        text.contains("the attestation of the root key of carol is refused"),
        "{text}"
    );
    assert_eq!(carols(&stand), []);
    let built = |event: &Event| matches!(event, Event::Built { .. });
    assert_eq!(stand.log.count(built), 0);
    // Of a key that the script does not give nothing is taken in.
    let mut stand = attested_stand(|token, key| chain(&leaf(&token.label, &key.public)));
    let carried = chain(&leaf("carol", &other));
    stand.trusted.attestations.insert(keyid(), carried);
    stand.run(&mut stand.people()).unwrap();
    assert_eq!(carols(&stand), []);
}
