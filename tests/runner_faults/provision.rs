//! Tokens erased and given new secrets, over a world that breaks anywhere: whatever happens, what a token wants to see lies in an envelope, no secret is
//! anywhere else, and nothing is erased that was not named, typed and free to go.

use tuf_ceremony::ceremony::event::{Credential, Event};
use tuf_ceremony::ceremony::port::TokenFault;
use tuf_ceremony::ceremony::progress::Status;
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::pypi::holders::{HeldKey, Holders};
use tuf_ceremony::token::Module;

use super::calls::faults;
use super::people::People;
use super::record::Entry;
use super::stand::{Stand, genesis, provision};
use super::world::{Fault, Lie};

const ALL: [Credential; 4] = [
    Credential::So,
    Credential::User,
    Credential::Puk,
    Credential::Mgmt,
];

/// Two tokens in use that are given every secret there is.
pub fn stand() -> Stand {
    let mut stand = Stand::new(provision());
    stand.world.listed = Some(every_secret());
    stand
}

fn every_secret() -> Lie<tuf_ceremony::ceremony::port::TokenInfo> {
    Box::new(|mut token| {
        token.credentials = ALL.to_vec();
        token
    })
}

fn register(stand: &Stand) -> Holders {
    Holders::parse("holders.toml", &stand.world.disk["ceremony/holders.toml"]).unwrap()
}

pub fn held(stand: &Stand, holder: &str) -> Vec<HeldKey> {
    let register = register(stand);
    let mut holders = register.holders.into_iter();
    let found = holders.find(|known| known.name == holder);
    found.map(|known| known.keys).unwrap_or_default()
}

/// Before each reset: the phrase typed, and all four envelopes written since the token was looked at.
fn check_order(stand: &Stand) {
    let mut envelopes = Vec::new();
    let mut typed = false;
    for entry in stand.log.entries() {
        match entry {
            Entry::Asked(id) if id.starts_with("serial:") => {
                (envelopes, typed) = (Vec::new(), false);
            }
            Entry::Recorded(Event::Answered { prompt, .. }) if prompt.starts_with("erase:") => {
                typed = true;
            }
            Entry::Envelope(kind) => envelopes.push(kind),
            Entry::Call {
                method: "reset", ..
            } => {
                assert!(envelopes == ALL && typed, "changed before it was safe");
            }
            _ => {}
        }
    }
}

/// No secret is on record, in a file, or in anything that was said.
fn check_secrets(stand: &Stand, people: &People) {
    let said = format!("{:?}", (stand.log.entries(), &people.told));
    for (.., secret) in &people.envelopes {
        let secret = std::str::from_utf8(secret).unwrap();
        assert!(!said.contains(secret), "a secret was said");
        for (path, bytes) in &stand.world.disk {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(secret), "a secret is in {path}");
        }
    }
}

fn check_done(stand: &Stand, people: &People) {
    assert_eq!(stand.progress().status(), Status::Closed);
    check_order(stand);
    check_secrets(stand, people);
    for holder in ["alice", "bob"] {
        let keys = held(stand, holder);
        assert_eq!(keys.len(), 1);
        let [key] = keys.as_slice() else { panic!() };
        assert_eq!((key.role.as_str(), key.storage.as_str()), ("root", "token"));
        assert_eq!(key.bag, Some(format!("bag of {holder}")));
        assert_eq!(key.last_proven.as_deref(), Some("2026-12-01"));
        let progress = stand.progress();
        let evidence = progress.evidence();
        let token = evidence.provisioned(holder).unwrap();
        assert_eq!(token.label, format!("tuf-{holder}"));
        assert_eq!(key.serial.as_deref(), Some(token.serial.as_str()));
        assert!(evidence.is_proven("root", &key.keyid));
        assert_eq!(
            evidence.opened_bag(holder),
            Some(format!("old bag of {holder}").as_str())
        );
    }
    let set = stand
        .log
        .events()
        .into_iter()
        .find_map(|event| match event {
            Event::Provisioned { credentials, .. } => Some(credentials),
            _ => None,
        });
    assert_eq!(set.unwrap(), ALL);
}

#[test]
fn nothing_broken_two_tokens_are_provisioned_and_the_register_has_their_keys() {
    let mut stand = stand();
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check_done(&stand, &people);
    // Each PIN was typed from its envelope once: the login that proved it also made the key and the proof.
    assert_eq!(stand.log.calls("login"), ["tuf-alice", "tuf-bob"]);
}

#[test]
fn whichever_call_of_a_provisioning_breaks_it_begins_anew_and_comes_to_the_same_end() {
    let mut whole = stand();
    whole.run(&mut whole.people()).unwrap();
    let calls = whole.log.breakable();
    assert!(calls.contains(&"reset") && calls.contains(&"new_secret"));
    let (mut halted, mut anew) = (0, 0);
    for (index, method) in calls.iter().enumerate() {
        for fault in faults(method) {
            let mut stand = stand();
            stand.world.breaks = Some((index, fault));
            let mut people = stand.people();
            let mut halts = 0;
            while let Err(halt) = stand.run(&mut people) {
                assert!(
                    !matches!(halt, Halt::Illegal(_)),
                    "{index} {fault:?}: {halt}"
                );
                check_order(&stand);
                halts += 1;
                assert!(halts < 3, "{index} {method} {fault:?}: {halt}");
            }
            check_done(&stand, &people);
            halted += halts;
            anew += usize::from(people.envelopes.len() > 8);
        }
    }
    assert!(halted > 0 && anew > 0);
}

#[test]
fn whichever_event_is_not_recorded_a_provisioning_comes_to_the_same_end() {
    let mut whole = stand();
    whole.run(&mut whole.people()).unwrap();
    for at in 0..whole.log.events().len() {
        let mut stand = stand();
        stand.tape.fails_at = Some(at);
        let mut people = stand.people();
        assert!(
            matches!(stand.run(&mut people), Err(Halt::World(_))),
            "{at}"
        );
        stand.run(&mut people).unwrap();
        check_done(&stand, &people);
    }
}

#[test]
fn another_serial_than_the_tokens_is_refused_and_nothing_is_erased() {
    let mut stand = stand();
    let mut people = stand.people();
    people.answers = vec![("serial:alice", "21073412"), ("erase:alice", "erase it")];
    stand.run(&mut people).unwrap();
    check_done(&stand, &people);
    assert!(people.told["token:provision:alice"].contains(
        "The serial that was typed is not this token's. It was refused; nothing was erased."
    ));
    let asked = |wanted: &str| {
        let entries = stand.log.entries().into_iter();
        let mut asked = entries.filter(|entry| matches!(entry, Entry::Asked(id) if id == wanted));
        asked.by_ref().count()
    };
    assert_eq!((asked("serial:alice"), asked("erase:alice")), (2, 2));
    assert_eq!(stand.log.calls("reset").len(), 2);
}

#[test]
fn what_will_be_erased_is_told_key_by_key() {
    let mut stand = Stand::finished(genesis()).then_with(Vec::new(), |_| provision());
    let module = &mut stand.world.module;
    let id = module.list().unwrap()[0].id.clone();
    let keys = module.keys(&id).unwrap();
    assert_eq!(keys.len(), 3);
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    let told = &people.told["erase:alice"];
    for key in keys {
        let line = format!(
            "{} ({}): public key SHA-256 {}",
            key.label,
            data_encoding::HEXLOWER.encode(&key.id),
            key.public.fingerprint()
        );
        assert!(told.contains(&line), "{told}");
    }
    assert!(told.starts_with(&format!(
        "ALL KEYS ON TOKEN {} WILL BE GONE FOR EVER.",
        id.serial
    )));
}

#[test]
fn a_refused_so_pin_erases_nothing_is_asked_again_and_ends_at_the_second() {
    let begin = || {
        let mut stand = stand();
        stand.world.so_pin = Some("right so pin");
        stand
    };
    let mut stand = begin();
    let mut people = stand.people();
    people.secrets = vec!["wrong", "right so pin", "right so pin"];
    stand.run(&mut people).unwrap();
    check_done(&stand, &people);
    let asked: Vec<_> = people
        .pin_prompts
        .iter()
        .filter(|prompt| prompt.kind == Credential::So)
        .collect();
    assert_eq!(asked.len(), 3);
    assert_eq!(
        asked[1].after.as_deref(),
        Some(
            "The token refused the SO PIN; tries left: unknown. Nothing was erased. Look at the envelope's label: after a reset that was cut short it may be the newer one."
        )
    );
    assert_eq!(people.envelopes.len(), 8, "the envelopes were kept");
    let mut stand = begin();
    let mut people = stand.people();
    people.secrets = vec!["wrong", "wrong too", "right so pin"];
    let halt = stand.run(&mut people).unwrap_err().to_string();
    assert!(
        halt.contains("two wrong PINs, and this token does not say how many tries are left"),
        "{halt}"
    );
    assert_eq!(stand.log.calls("reset").len(), 2);
}

#[test]
fn a_blank_token_is_provisioned_here_and_nowhere_else() {
    let blank = |stand: &mut Stand| {
        stand.world.listed = Some(Box::new(|mut token| {
            token.credentials = ALL.to_vec();
            token.ready = token.id.label.starts_with("tuf-");
            token
        }));
    };
    let mut stand = stand();
    blank(&mut stand);
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check_done(&stand, &people);
    assert!(people.told.contains_key("so-pin:alice"));
    assert!(
        people
            .pin_prompts
            .iter()
            .all(|prompt| prompt.kind == Credential::User),
        "a blank token has no SO PIN"
    );
    let mut elsewhere = Stand::new(genesis());
    blank(&mut elsewhere);
    let mut people = elsewhere.people();
    people.answers = vec![
        ("token:root-key:alice", "ready"),
        ("token:root-key:alice", "pause"),
    ];
    assert_eq!(
        elsewhere.run(&mut people).unwrap_err().to_string(),
        "stopped by a person"
    );
    assert!(people.told["token:root-key:alice"].contains("That token is not initialised or has no PIN. Nothing was done; a ceremony of the kind provision gives it one."));
}

#[test]
fn a_token_that_keeps_its_makers_pin_is_told_and_makes_no_key() {
    let mut stand = stand();
    stand.world.reset_to = Some(vec![Credential::Mgmt]);
    let halt = stand.run(&mut stand.people()).unwrap_err().to_string();
    assert!(
        halt.starts_with("refused: TOKEN-FACTORY: token ")
            && halt.contains("still has its maker's management key"),
        "{halt}"
    );
    assert_eq!(stand.log.calls("generate"), [""; 0]);
}

#[test]
fn a_reset_that_fails_begins_anew_with_new_envelopes() {
    let mut whole = stand();
    whole.run(&mut whole.people()).unwrap();
    let calls = whole.log.breakable();
    let reset = calls.iter().position(|method| *method == "reset").unwrap();
    let mut stand = stand();
    stand.world.breaks = Some((reset, Fault::Before(TokenFault::Removed)));
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check_done(&stand, &people);
    assert_eq!(people.envelopes.len(), 12);
    let told = &people.told["token:provision:alice"];
    assert!(
        told.contains(
            "If this was begun before and cut short: it begins anew, with new envelopes."
        )
    );
    assert!(told.contains("the token may be erased in part; keep every envelope until it is done. Nothing was counted."), "{told}");
    assert!(
        people
            .pin_prompts
            .iter()
            .all(|prompt| prompt.tries != Tries::Locked)
    );
}
