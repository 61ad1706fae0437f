//! Attestations on record in a bundle, verified again by its verdict: what a stranger does years later, without any token.

use data_encoding::BASE64;
use tuf_ceremony::attestation::{self, Anchors};
use tuf_ceremony::bundle::files::{self, File};
use tuf_ceremony::bundle::manifest::Manifest;
use tuf_ceremony::ceremony::attested;
use tuf_ceremony::ceremony::event::{
    Custody, Document, Event, Mode, Quorum, TokenIdentity, ceremony_id,
};
use tuf_ceremony::ceremony::plan::Step;
use tuf_ceremony::transcript::{self, writer::Writer};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::{Key, KeyId, PublicKey};
use tuf_ceremony::verdict::{Bundle, judge_record};

use super::forge;
use super::real::{self, Real};

const SCRIPT: &[u8] = b"kind = \"provision\"\n";

/// What a bundle says of one key.
#[derive(Clone)]
struct Said {
    mode: Mode,
    enrolled: PublicKey,
    /// Whether a root was made too; it lists no key of this test.
    builds: bool,
    serial: String,
    keyid: KeyId,
    certificates: Vec<String>,
    test_root: bool,
    says: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl Said {
    /// The truth about a real device, as a ceremony would write it.
    fn of(public: &PublicKey, certificates: &[Vec<u8>], anchors: &Anchors) -> Self {
        let statement = attestation::verify(public, certificates, anchors).unwrap();
        let keyid = Key::from_public(public).unwrap().keyid();
        let pem = attested::pem(certificates).into_bytes();
        Self {
            mode: Mode::Production,
            enrolled: public.clone(),
            builds: false,
            // As PKCS#11 modules of YubiHSMs write it.
            serial: format!("{:010}", statement.serial),
            certificates: certificates.iter().map(|der| BASE64.encode(der)).collect(),
            test_root: statement.test_root,
            says: statement.lines(),
            files: vec![(attested::path(&keyid), pem)],
            keyid,
        }
    }

    fn of_real(real: &Real) -> Self {
        Self::of(&real.public, &real.certificates, &Anchors::yubico())
    }

    fn events(&self) -> Vec<(Step, Vec<Event>)> {
        let key = Key::from_public(&self.enrolled).unwrap();
        let text = |text: &str| text.to_owned();
        let entered = Event::KeyEnrolled {
            holder: text("alice"),
            role: text("root"),
            keyid: key.keyid(),
            key: String::from_utf8(tuf_ceremony::tuf::style::to_vec(key.value())).unwrap(),
            generated: true,
            token: Some(TokenIdentity {
                module: text("yubihsm"),
                manufacturer: text("Yubico (www.yubico.com)"),
                model: text("YubiHSM"),
                serial: self.serial.clone(),
                label: text("YubiHSM"),
            }),
            custody: Custody::default(),
        };
        let attested = Event::Attested {
            holder: text("alice"),
            keyid: self.keyid.clone(),
            certificates: self.certificates.clone(),
            test_root: self.test_root,
            says: self.says.clone(),
        };
        let written = self.files.iter().map(|(path, bytes)| Event::Written {
            file: files::digest(path, bytes),
        });
        let enrol = Step::Enrol {
            holder: text("alice"),
            role: text("root"),
            generate: None,
            keyid: None,
        };
        let built = Event::Built {
            document: Document {
                role: text("root"),
                version: 1,
            },
            payload: Sha256([4; 32]),
            size: 1,
            quorums: vec![Quorum {
                by: text("the keys of root v1"),
                needed: 1,
                signers: Vec::new(),
            }],
        };
        let built = self.builds.then_some(built).into_iter().collect();
        vec![
            (enrol, vec![attested, entered]),
            (Step::Build, built),
            (Step::Export, written.collect()),
        ]
    }

    /// What the verdict says of the attestations in such a bundle.
    fn judged(&self) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(transcript::NAME);
        let mut writer = Writer::create(&path).unwrap();
        let mut record = |event: Event| writer.append(jiff::Timestamp::UNIX_EPOCH, &event).unwrap();
        let ceremony = ceremony_id(SCRIPT, None);
        record(Event::Opened {
            tool: "tuf-ceremony 0.1.0".to_owned(),
            program: Sha256([1; 32]),
            mode: self.mode,
            kind: "provision".to_owned(),
            title: "Provision".to_owned(),
            script: Sha256::of(SCRIPT),
            trusted_root: None,
            ceremony,
            modules: Vec::new(),
            holders: None,
        });
        let events = self.events();
        record(Event::PlanFixed {
            sha256: Sha256([2; 32]),
            steps: events.iter().map(|(step, _)| step.clone()).collect(),
            minutes: 5,
        });
        for (step, (_, events)) in events.into_iter().enumerate() {
            record(Event::StepStarted { step });
            events.into_iter().for_each(&mut record);
            record(Event::StepDone { step });
        }
        let file = |(path, bytes): (String, Vec<u8>)| File { path, bytes };
        let mut bundle = vec![file(("ceremony/script.toml".to_owned(), SCRIPT.to_vec()))];
        bundle.extend(self.files.iter().cloned().map(file));
        let manifest = Manifest::of(ceremony, self.mode, &bundle).unwrap();
        bundle.push(file(("manifest.json".to_owned(), manifest.to_vec())));
        let lines = std::fs::read(&path).unwrap();
        bundle.push(file((transcript::NAME.to_owned(), lines)));
        let bundle = Bundle {
            name: String::new(),
            files: bundle,
            finished: false,
        };
        let findings = judge_record(&bundle, self.mode == Mode::Rehearsal).into_iter();
        let told = findings.map(|finding| format!("{}: {}", finding.rule, finding.text));
        told.collect()
    }
}

/// The path of a forged device and the key it attests; a root that only tests believe.
fn forged() -> (PublicKey, Vec<Vec<u8>>, Anchors) {
    let public = PublicKey::from_spki_der(&forge::Key::new(forge::ATTESTED).spki()).unwrap();
    let certificates = vec![
        forge::piv().sign(&forge::Key::new(forge::DEVICE)),
        forge::device().sign(&forge::Key::new(forge::ROOT)),
    ];
    let anchors = Anchors::yubico().with_test_root("vyk-ca", &forge::root());
    (public, certificates, anchors.unwrap())
}

#[test]
fn what_the_record_says_of_genuine_devices_is_found_again() {
    for real in real::here() {
        assert_eq!(Said::of_real(&real).judged(), [""; 0], "{}", real.name);
    }
}

pub(crate) fn what_the_record_says_of_pypis_yubihsm_is_found_again() {
    for real in real::published() {
        assert_eq!(Said::of_real(&real).judged(), [""; 0], "{}", real.name);
    }
}

#[test]
fn a_test_root_is_believed_where_a_rehearsals_bundle_carries_it() {
    let (public, certificates, anchors) = forged();
    let mut said = Said::of(&public, &certificates, &anchors);
    assert!(said.test_root);
    said.mode = Mode::Rehearsal;
    let without = said.judged();
    assert!(
        without.len() == 1 && without[0].contains("is said to be attested, and ATTEST-CHAIN: "),
        "{without:?}"
    );
    let root = format!("{}vyk-ca.der", attested::TEST_ROOTS);
    said.files.push((root, forge::root()));
    assert_eq!(said.judged(), [""; 0]);
    // Under another name the record would say something else.
    let last = said.files.len() - 1;
    said.files[last].0 = format!("{}yubico.der", attested::TEST_ROOTS);
    let renamed = said.judged();
    assert!(
        renamed[0].ends_with("the record tells other things than its certificates say"),
        "{renamed:?}"
    );
    // What is no certificate is no root.
    said.files[last].1 = b"root".to_vec();
    assert!(said.judged()[0].starts_with("ATTEST-RECORD: "));
    // No production record can say that it believed a test root: it is no record at all.
    let (_, bundle_root) = (public, said.files[last].clone());
    let mut real = Said::of_real(&real::here()[0]);
    real.files.push(bundle_root);
    let told = real.judged();
    assert_eq!(
        told,
        ["ATTEST-RECORD: a production bundle has no roots of its own; it was not believed"]
    );
}

/// What is changed, how, and what the verdict says then.
type Lie = (&'static str, fn(&mut Said), &'static str);

#[test]
fn every_lie_of_a_record_about_an_attestation_is_named() {
    let lies: [Lie; 10] = [
        ("no file", |said| said.files.clear(), "is not there"),
        (
            "another file",
            |said| {
                let certificates: Vec<_> = real::here()[0].certificates.clone();
                said.files[0].1 = attested::pem(&certificates).into_bytes();
            },
            "holds other certificates than the record",
        ),
        (
            "no base64",
            |said| said.certificates[0].insert(0, '!'),
            "its certificates on record are not base64",
        ),
        (
            "a capability fewer",
            |said| "may nothing".clone_into(&mut said.says[2]),
            "the record tells other things than its certificates say",
        ),
        (
            "said to be a test",
            |said| {
                said.mode = Mode::Rehearsal;
                said.test_root = true;
            },
            "the record tells other things than its certificates say",
        ),
        (
            "another token",
            |said| "34331134".clone_into(&mut said.serial),
            "it is of the device 34331133, but the key entered on the token 34331134",
        ),
        (
            "another key",
            |said| {
                said.enrolled = real::here()[0].public.clone();
                said.keyid = Key::from_public(&said.enrolled).unwrap().keyid();
                said.files[0].0 = attested::path(&said.keyid);
            },
            "ATTEST-KEY: the attestation is for the key with the fingerprint",
        ),
        (
            "a key that never entered",
            |said| said.enrolled = real::here()[0].public.clone(),
            "neither the bundle's metadata nor its record of keys lists such a key",
        ),
        (
            "a key that the metadata does not list",
            |said| said.builds = true,
            "neither the bundle's metadata nor its record of keys lists such a key",
        ),
        (
            "one certificate only",
            |said| {
                said.certificates.truncate(1);
                let der = BASE64.decode(said.certificates[0].as_bytes()).unwrap();
                said.files[0].1 = attested::pem(&[der]).into_bytes();
            },
            "ATTEST-CHAIN: ",
        ),
    ];
    let [_, hsm] = real::here();
    for (name, lie, text) in lies {
        let mut said = Said::of_real(&hsm);
        lie(&mut said);
        let told = said.judged();
        let of_rule = told.iter().filter(|one| one.starts_with("ATTEST-RECORD: "));
        let found: Vec<_> = of_rule.filter(|one| one.contains(text)).collect();
        assert_eq!(found.len(), 1, "{name}: {told:?}");
    }
    let mut said = Said::of_real(&hsm);
    let more = format!("{}{}.pem", attested::FOLDER, "ab".repeat(32));
    said.files.push((more, said.files[0].1.clone()));
    assert_eq!(
        said.judged(),
        ["ATTEST-RECORD: nothing on record says that this attestation was ever looked at"]
    );
}
