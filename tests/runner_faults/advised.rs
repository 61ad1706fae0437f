//! Devices with published weaknesses: they make no key that would be weak, and what they made before signs with a sign-off in writing.

use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::{TokenFault, TokenInfo};
use tuf_ceremony::ceremony::review::Mark;

use super::attested::{chain, leaf, refused, rows, serials, stand as attested_stand};
use super::forge::{self, PIV};
use super::stand::{HOLDERS, Stand, admin_key, genesis};
use super::world::{Fault, Lie};

const SIGN_OFF: &str = "sign-off:YSA-2024-03:bob";
const REASON: &str = "replaced in March; the token stays in its bag until then";

fn yubikey(firmware: &'static str) -> Lie<TokenInfo> {
    Box::new(move |mut token| {
        "Yubico".clone_into(&mut token.identity.manufacturer);
        "YubiKey YK5".clone_into(&mut token.identity.model);
        token.firmware = Some(firmware.to_owned());
        token
    })
}

fn p256() -> String {
    genesis().replace("ed25519\"\n", "ecdsa-p256\"\n")
}

fn signed_off(stand: &Stand) -> Vec<(String, String, String)> {
    let events = stand.log.events().into_iter();
    events
        .filter_map(|event| match event {
            Event::SignedOff {
                holder,
                advisory,
                reason,
                ..
            } => Some((holder, advisory, reason)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_device_with_a_published_weakness_makes_no_key() {
    let mut stand = Stand::new(p256());
    stand.world.listed = Some(yubikey("5.4.3"));
    let halt = stand.run(&mut stand.people()).unwrap_err();
    let (rules, text) = refused(&halt);
    assert_eq!(rules, ["TOKEN-ADVISORY"]);
    assert!(
        text.contains("firmware 5.4.3) has YSA-2024-03 (EUCLEAK, CVE-2024-45678)"),
        "{text}"
    );
    for call in ["login", "generate"] {
        assert_eq!(stand.log.calls(call).len(), 0, "{call}");
    }
    // Newer firmware, and a type of key that is not concerned.
    for (script, firmware) in [(p256(), "5.7.1"), (p256(), "5.71"), (genesis(), "5.4.3")] {
        let mut stand = Stand::new(script);
        stand.world.listed = Some(yubikey(firmware));
        stand.run(&mut stand.people()).unwrap();
        stand.check_finished();
        assert_eq!(signed_off(&stand), []);
    }
}

#[test]
fn the_attestation_is_believed_before_the_token() {
    // It says of itself that it is newer than its maker says.
    let mut stand = attested_stand(|token, key| {
        let leaf = leaf(&token.label, &key.public);
        chain(&forge::with(leaf, &format!("{PIV}.3"), vec![5, 4, 3]))
    });
    let mut serials = serials();
    let mut newer = yubikey("5.7.1");
    stand.world.listed = Some(Box::new(move |token| newer(serials(token))));
    let mut stand = with_p256(stand);
    let halt = stand.run(&mut stand.people()).unwrap_err();
    let (rules, text) = refused(&halt);
    assert_eq!(rules, ["TOKEN-ADVISORY"], "{text}");
    assert!(
        text.contains(
            "token 12345601 (YubiKey, firmware 5.4.3, by its attestation) has YSA-2024-03"
        ),
        "{text}"
    );
    let entered = |event: &Event| matches!(event, Event::KeyEnrolled { .. });
    assert_eq!(stand.log.count(entered), 0);
}

/// The same world with P-256 keys.
fn with_p256(stand: Stand) -> Stand {
    let mut new = Stand::new(p256());
    new.world.listed = stand.world.listed;
    new.world.attests = stand.world.attests;
    new.world.roots = stand.world.roots;
    new
}

#[test]
fn an_old_key_in_a_weak_device_signs_with_a_reason_in_writing_once() {
    let mut stand = Stand::finished(p256()).then(admin_key);
    stand.world.listed = Some(yubikey("5.4.3"));
    let mut people = stand.people();
    people.answers = vec![
        (SIGN_OFF, "ok"),
        (SIGN_OFF, REASON),
        ("sign-off:YSA-2024-03:alice", "her old key, this once"),
        ("sign-off:YSA-2024-03:carol", "as agreed on the list"),
    ];
    // The token goes away after the sign-off, and is brought again: the reason stands.
    let mut dry = Stand::finished(p256()).then(admin_key);
    dry.run(&mut dry.people()).unwrap();
    let calls = dry.log.breakable();
    let first = calls.iter().position(|call| *call == "sign").unwrap();
    stand.world.breaks = Some((first, Fault::Before(TokenFault::Removed)));
    stand.run(&mut people).unwrap();
    stand.check_finished();
    let told = &people.told[SIGN_OFF];
    assert!(told.starts_with("token "), "{told}");
    assert!(
        told.contains("has YSA-2024-03 (EUCLEAK, CVE-2024-45678): who has the device open"),
        "{told}"
    );
    let mut signed_off = signed_off(&stand);
    signed_off.sort();
    let entry = |holder: &str, reason: &str| {
        (
            holder.to_owned(),
            "YSA-2024-03".to_owned(),
            reason.to_owned(),
        )
    };
    assert_eq!(
        signed_off,
        [
            entry("alice", "her old key, this once"),
            entry("bob", REASON),
            entry("carol", "as agreed on the list")
        ]
    );
}

#[test]
fn without_a_reason_nothing_is_signed_with_an_old_key_in_a_weak_device() {
    let mut stand = Stand::finished(p256()).then(admin_key);
    stand.world.listed = Some(yubikey("5.4.3"));
    let mut people = stand.people();
    people.reasons = false;
    let halt = stand.run(&mut people).unwrap_err();
    assert!(
        halt.to_string()
            .contains("no answer is given for the prompt sign-off:YSA-2024-03:"),
        "{halt}"
    );
    assert_eq!(signed_off(&stand), []);
    // Alice's new Ed25519 key is not concerned, but her turn for it had not come.
    assert_eq!(stand.signatures(), []);
    assert_eq!(stand.world.metadata(), []);
}

#[test]
fn a_key_that_is_found_in_a_weak_device_enters_with_the_reason_in_the_review() {
    let first = Stand::finished(p256());
    let keyid = first.keyid("alice", "root");
    let mut stand = first.then_with(Vec::new(), |_| {
        let found =
            format!("name = \"alice\"\nperson = \"alice Example\"\nroot.keyid = \"{keyid}\"");
        let made = "name = \"alice\"\nperson = \"alice Example\"\nroot.generate = \"ecdsa-p256\"";
        p256().replace(made, &found).replace("Faults", "Found")
    });
    let mut weak = yubikey("5.4.3");
    stand.world.listed = Some(Box::new(move |token| {
        if token.id.label == "alice" {
            weak(token)
        } else {
            token
        }
    }));
    // Her other keys would be made now, which a weak device does not do: others hold them.
    let mut people = stand.people();
    people.answers = vec![("sign-off:YSA-2024-03:alice", REASON)];
    let halt = stand.run(&mut people).unwrap_err();
    assert_eq!(refused(&halt).0, ["TOKEN-ADVISORY"]);
    assert_eq!(
        signed_off(&stand),
        [(
            "alice".to_owned(),
            "YSA-2024-03".to_owned(),
            REASON.to_owned()
        )]
    );
    stand.world.listed = None;
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    stand.check_finished();
    let row = rows(&people, "YSA-2024-03 accepted");
    assert_eq!(row[0].mark, Mark::Warning);
    assert_eq!(
        row[0].text,
        format!("root key {keyid}: YSA-2024-03 accepted: {REASON}")
    );
    assert_eq!(signed_off(&stand).len(), 1);
}

#[test]
fn of_a_token_without_advisories_nothing_is_claimed_and_that_is_said_once() {
    let mut stand = Stand::new(p256());
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    assert!(HOLDERS.len() > 1);
    let unknown = |event: &Event| matches!(event, Event::Found { finding } if finding.rule == "TOKEN-UNKNOWN");
    assert_eq!(stand.log.count(unknown), 1);
    let rows = rows(
        &people,
        "TOKEN-UNKNOWN: no advisories are kept here about tokens like ",
    );
    assert!(rows.iter().all(|row| row.mark == Mark::Note) && !rows.is_empty());
    let mut stand = Stand::new(p256());
    stand.world.listed = Some(yubikey("5.7.1"));
    stand.run(&mut stand.people()).unwrap();
    assert_eq!(stand.log.count(unknown), 0);
}
