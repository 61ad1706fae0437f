//! Tokens whose maker vouches for their keys, and tokens that lie about it.

use tuf_ceremony::attestation::{self, Anchors, split};
use tuf_ceremony::ceremony::event::{Event, Mode};
use tuf_ceremony::ceremony::port::{TokenFault, TokenId, TokenInfo, TokenKey};
use tuf_ceremony::ceremony::review::{Mark, Row};
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::PublicKey;

use super::forge::{self, DEVICE, Draft, Key, PIV, ROOT, tlv};
use super::people::People;
use super::stand::{HOLDERS, Stand, genesis};
use super::world::{Fault, Lie};

pub const PHRASE: &str = "nobody vouches for this key";

/// What is printed on the device of a holder.
pub fn serial(holder: &str) -> u32 {
    let index = HOLDERS.iter().position(|name| *name == holder).unwrap();
    12_345_601 + u32::try_from(index).unwrap()
}

/// What a `YubiKey` 5.7.1 of this holder says of a key.
pub fn leaf(holder: &str, public: &PublicKey) -> Draft {
    let value = tlv(0x02, &serial(holder).to_be_bytes());
    let mut leaf = forge::with(forge::piv(), &format!("{PIV}.7"), value);
    leaf.spki = public.to_spki_der().unwrap();
    leaf
}

pub fn chain(leaf: &Draft) -> Vec<Vec<u8>> {
    let device = forge::device().sign(&Key::new(ROOT));
    vec![leaf.sign(&Key::new(DEVICE)), device]
}

fn own(token: &TokenId, key: &TokenKey) -> Vec<Vec<u8>> {
    chain(&leaf(&token.label, &key.public))
}

/// Tokens say the serial that is printed on them, as PKCS#11 modules do: filled up with zeros.
pub fn serials() -> Lie<TokenInfo> {
    Box::new(|mut token| {
        token.identity.serial = format!("00{}", serial(&token.id.label));
        token
    })
}

/// A genesis over `YubiKeys` under a test root.
pub fn stand(attests: impl FnMut(&TokenId, &TokenKey) -> Vec<Vec<u8>> + 'static) -> Stand {
    let mut stand = Stand::new(genesis());
    stand.world.listed = Some(serials());
    stand.world.roots = vec![("vyk-ca".to_owned(), forge::root())];
    stand.world.attests = Some(Box::new(attests));
    stand
}

pub fn rows(people: &People, part: &str) -> Vec<Row> {
    let rows = people.reviewed.iter();
    rows.filter(|row| row.text.contains(part))
        .cloned()
        .collect()
}

/// The rules that a ceremony was refused by, and all they said.
pub fn refused(halt: &Halt) -> (Vec<String>, String) {
    let Halt::Refused(findings) = halt else {
        panic!("{halt:?}")
    };
    let rules = findings.iter().map(|finding| finding.rule.clone());
    (rules.collect(), halt.to_string())
}

fn is_unattested(event: &Event) -> bool {
    matches!(event, Event::Unattested { .. })
}

fn is_attested(event: &Event) -> bool {
    matches!(event, Event::Attested { .. })
}

fn is_enrolled(event: &Event) -> bool {
    matches!(event, Event::KeyEnrolled { .. })
}

#[test]
fn keys_that_a_maker_vouches_for_enter_without_a_question_and_the_review_and_the_bundle_say_who() {
    let mut stand = stand(own);
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    stand.check_finished();
    assert_eq!(stand.log.count(is_attested), 9);
    assert_eq!(stand.log.count(is_unattested), 0);
    assert!(!people.told.keys().any(|id| id.starts_with("unattested:")));
    for holder in HOLDERS {
        let keyid = stand.keyid(holder, "root");
        let expected = Row {
            mark: Mark::Warning,
            text: format!(
                "root key {keyid}: TEST ROOT, nothing is proven of a real device: YubiKey 5.7.1 serial {} slot 9c PIN always touch always, vyk-ca {}",
                serial(holder),
                Sha256::of(&forge::root())
            ),
        };
        assert_eq!(rows(&people, &format!("root key {keyid}")), [expected]);
        // What lies in the bundle proves it to a stranger who believes the root that lies beside it, and binds it to that key.
        let files = &stand.world.disk;
        let pem = &files[&format!("evidence/attestations/{keyid}.pem")];
        let root = &files["evidence/test-roots/vyk-ca.der"];
        let anchors = Anchors::yubico().with_test_root("vyk-ca", root).unwrap();
        let progress = stand.progress();
        let mut keys = progress.enrolled().iter();
        let key = keys.find(|key| key.keyid == keyid).unwrap();
        let key = tuf_ceremony::ceremony::material::parse_object(&key.key).unwrap();
        let statement =
            attestation::verify(key.public(), &split("", pem).unwrap(), &anchors).unwrap();
        let known = progress.evidence().attestation(&keyid).unwrap().clone();
        assert_eq!(known.says, statement.lines());
        assert!(known.test_root);
    }
}

#[test]
fn a_bad_attestation_is_refused_by_name_and_its_key_does_not_enter() {
    type Lies = fn(&TokenId, &TokenKey) -> Vec<Vec<u8>>;
    let lies: [(&str, Lies, &str); 7] = [
        (
            "of another device",
            |_, key| chain(&leaf("bob", &key.public)),
            "ATTEST-TOKEN",
        ),
        (
            "of another key",
            |token, _| {
                let other = PublicKey::from_spki_der(&Key::new(9).spki()).unwrap();
                chain(&leaf(&token.label, &other))
            },
            "ATTEST-KEY",
        ),
        (
            "a bit flipped",
            |token, key| {
                let mut chain = own(token, key);
                let at = chain[0].len() - 3;
                chain[0][at] ^= 1;
                chain
            },
            "ATTEST-SIGNATURE",
        ),
        (
            "signed by itself",
            |token, key| {
                let mut device = forge::device();
                device.issuer.clone_from(&device.subject);
                vec![own(token, key)[0].clone(), device.sign(&Key::new(DEVICE))]
            },
            "ATTEST-SELF-SIGNED",
        ),
        (
            "without the device's certificate",
            |token, key| own(token, key)[..1].to_vec(),
            "ATTEST-CHAIN",
        ),
        (
            "under a root that nobody named",
            |token, key| {
                let mut device = forge::device();
                device.issuer = "Some Other Root".to_owned();
                vec![own(token, key)[0].clone(), device.sign(&Key::new(8))]
            },
            "ATTEST-CHAIN",
        ),
        (
            "no certificate",
            |_, _| vec![b"hello".to_vec()],
            "ATTEST-FORM",
        ),
    ];
    for (name, lie, rule) in lies {
        let mut stand = stand(lie);
        let halt = stand.run(&mut stand.people()).unwrap_err();
        let (rules, text) = refused(&halt);
        assert_eq!(rules, [rule], "{name}: {text}");
        assert!(
            text.contains("the attestation of the root key of alice is refused, and the key did not enter the ceremony"),
            "{name}: {text}"
        );
        for entered in [is_enrolled, is_attested, is_unattested] {
            assert_eq!(stand.log.count(entered), 0, "{name}");
        }
        stand.check_record();
    }
}

#[test]
fn a_key_that_nobody_vouches_for_enters_by_a_typed_phrase_and_is_marked() {
    let mut stand = Stand::new(genesis());
    let mut people = stand.people();
    people.answers = vec![("unattested:root-key:alice", "yes")];
    stand.run(&mut people).unwrap();
    stand.check_finished();
    assert_eq!(stand.log.count(is_unattested), 9);
    assert_eq!(stand.log.count(is_attested), 0);
    let told = &people.told["unattested:root-key:alice"];
    let keyid = stand.keyid("alice", "root");
    assert!(told.contains(&format!("keyid {keyid}")), "{told}");
    assert!(told.ends_with("That was not it. Nothing happened; look again and type it exactly."));
    let row = Row {
        mark: Mark::Warning,
        text: format!("root key {keyid}: NOT ATTESTED, acknowledged: nobody vouches for this key"),
    };
    assert_eq!(rows(&people, &format!("root key {keyid}")), [row]);
    let typed = |event: &Event| matches!(event, Event::Answered { answer, .. } if answer == PHRASE);
    assert_eq!(stand.log.count(typed), 9);
    assert!(
        !stand
            .world
            .disk
            .keys()
            .any(|path| path.starts_with("evidence/"))
    );
}

#[test]
fn a_test_root_is_not_believed_in_production() {
    let mut stand = stand(own);
    stand.mode = Mode::Production;
    let halt = stand.run(&mut stand.people()).unwrap_err();
    let (rules, text) = refused(&halt);
    assert_eq!(rules, ["ATTEST-CHAIN"], "{text}");
    assert_eq!(stand.log.count(is_enrolled), 0);
    // A record that says otherwise is no record of a ceremony.
    let mut progress = stand.progress();
    let step = progress.current();
    progress.apply(&Event::StepStarted { step }).unwrap();
    let attested = |test_root| Event::Attested {
        holder: "alice".to_owned(),
        keyid: tuf_ceremony::tuf::key::KeyId("ab".repeat(32)),
        certificates: Vec::new(),
        test_root,
        says: Vec::new(),
    };
    assert!(progress.clone().apply(&attested(true)).is_err());
    progress.apply(&attested(false)).unwrap();
}

#[test]
fn an_attestation_that_cannot_be_read_is_read_again_and_settled_once() {
    let mut counted = stand(own);
    counted.run(&mut counted.people()).unwrap();
    let calls = counted.log.breakable();
    let first = calls
        .iter()
        .position(|call| *call == "attestation")
        .unwrap();
    let mut stand = stand(own);
    stand.world.breaks = Some((first, Fault::Before(TokenFault::Removed)));
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
    assert_eq!(stand.log.count(is_attested), 9);
    assert_eq!(stand.log.calls("attestation").len(), 10);
}

#[test]
fn policies_that_leave_a_key_open_are_remarked_in_the_review() {
    let mut stand = stand(|token, key| {
        let leaf = leaf(&token.label, &key.public);
        chain(&forge::with(leaf, &format!("{PIV}.8"), vec![1, 1]))
    });
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    let keyid = stand.keyid("alice", "root");
    for (rule, mark) in [
        ("ATTEST-PIN", Mark::Warning),
        ("ATTEST-TOUCH", Mark::Note),
        ("ATTEST-TEST-ROOT", Mark::Warning),
    ] {
        let found = rows(&people, &format!("{rule}: "));
        assert!(
            !found.is_empty() && found.iter().all(|row| row.mark == mark),
            "{rule}"
        );
        let on_record = |event: &Event| matches!(event, Event::Found { finding } if finding.rule == rule && finding.file == format!("evidence/attestations/{keyid}.pem"));
        assert_eq!(stand.log.count(on_record), 1, "{rule}");
    }
    let row = rows(&people, "PIN never touch never");
    assert!(!row.is_empty());
}
