//! Rules that stand guard against a program that disagrees with itself: each with a plan, a kind, a candidate or a token doctored until it speaks.

use std::path::Path;

use tuf_ceremony::ceremony::candidate::Candidate;
use tuf_ceremony::ceremony::event::{Document, Event, Mode};
use tuf_ceremony::ceremony::kinds::{self, KINDS, Kind};
use tuf_ceremony::ceremony::material::Material;
use tuf_ceremony::ceremony::plan::{KeyChoice, Step};
use tuf_ceremony::ceremony::port::{TokenFault, TokenKey};
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::ceremony::{build, prepare, shadow, thresholds};
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::token::worker::Keeper;
use tuf_ceremony::tuf::edit;
use tuf_ceremony::tuf::finding::{Finding, Level};
use tuf_ceremony::tuf::json::{self, Limits};
use tuf_ceremony::tuf::key::{Algorithm, KeyId, PublicKey};
use tuf_ceremony::tuf::metadata::Root;
use tuf_ceremony::tuf::value::Value;

use super::record::{Log, Tape};
use super::stand::{Stand, admin_key, genesis};
use super::stand_in::stand_in;
use super::world::{Fault, clock};

fn document(role: &str, version: u64) -> Document {
    Document {
        role: role.to_owned(),
        version,
    }
}

fn refused(stand: &mut Stand, rule: &str, text: &str) {
    let mut people = stand.people();
    refused_by(stand, &mut people, rule, text);
}

fn refused_by(stand: &mut Stand, people: &mut super::people::People, rule: &str, text: &str) {
    match stand.run(people).unwrap_err() {
        Halt::Refused(findings) => {
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(
                (findings[0].rule.as_str(), findings[0].text.as_str()),
                (rule, text)
            );
        }
        halt => panic!("{halt}"),
    }
    stand.check_record();
}

#[test]
fn a_plan_that_does_not_review_signs_nothing() {
    let mut stand = Stand::new(genesis());
    let planned = &mut stand.planned.steps;
    planned.retain(|step| !matches!(step, Step::Review { .. } | Step::Shadow));
    let text = "targets v1 was not reviewed; nothing was signed";
    refused(&mut stand, "NOT-REVIEWED", text);
    assert!(stand.log.calls("sign").is_empty());
    assert!(stand.log.calls("register").is_empty());
}

#[test]
fn a_plan_that_names_a_document_that_is_not_built_ends() {
    let mut stand = Stand::new(genesis());
    let steps = &mut stand.planned.steps;
    let shadow = steps.iter().position(|step| *step == Step::Shadow).unwrap();
    steps.insert(
        shadow,
        Step::Review {
            document: document("root", 9),
        },
    );
    let text = "the plan names root v9, and the script does not make it";
    refused(&mut stand, "PLAN-DOCUMENT", text);
    assert!(stand.log.calls("sign").is_empty());
}

/// The first planned signature by this key instead.
fn first_signed_by(stand: &mut Stand, choice: KeyChoice) {
    let mut steps = stand.planned.steps.iter_mut();
    let key = steps.find_map(|step| match step {
        Step::Sign { key, .. } => Some(key),
        _ => None,
    });
    *key.unwrap() = choice;
}

#[test]
fn a_plan_that_signs_with_a_key_that_nobody_made_ends() {
    let mut stand = Stand::new(genesis());
    let role = "snapshot".to_owned();
    first_signed_by(&mut stand, KeyChoice::Made { role });
    refused(&mut stand, "PLAN-KEY", "alice made no key for targets v1");
    assert!(stand.log.calls("sign").is_empty());
}

#[test]
fn a_plan_that_asks_for_a_signature_that_counts_for_nothing_ends_before_the_pin() {
    let mut stand = Stand::new(genesis());
    first_signed_by(&mut stand, KeyChoice::Keyid(KeyId("00".repeat(32))));
    let text = "the key of alice counts for nothing in targets v1";
    refused(&mut stand, "SIGNER-COUNTS", text);
    assert!(stand.log.calls("sign").is_empty());
    // The last login was carol's, who made her keys.
    assert_eq!(stand.log.calls("login").last().unwrap(), "carol");
}

#[test]
fn a_plan_whose_signers_do_not_reach_a_threshold_ends_in_the_shadow() {
    let mut stand = Stand::new(genesis());
    stand.planned.steps.retain(|step| {
        !matches!(step, Step::Sign { document, holder, .. } if document.role == "bins" && holder != "alice")
    });
    let text =
        "the planned signers reach 1 of the 2 signatures needed by the bins keys of targets v1";
    refused(&mut stand, "SHADOW-THRESHOLD", text);
    assert!(stand.log.calls("sign").is_empty());
}

#[test]
fn nothing_below_its_threshold_is_written() {
    let mut stand = Stand::new(genesis());
    stand.planned.steps.retain(|step| *step != Step::Collect);
    let mut people = stand.people();
    people.answers = vec![
        ("token:sign:targets-1:bob", "skip"),
        ("token:sign:targets-1:carol", "skip"),
    ];
    let text =
        "targets v1 does not reach its thresholds with the recorded signatures; it was not written";
    refused_by(&mut stand, &mut people, "EXPORT-THRESHOLD", text);
    assert!(stand.world.metadata().is_empty());
}

#[test]
fn a_plan_that_does_all_of_this_finishes() {
    Stand::finished(genesis());
}

/// Builds what a genesis does, and changes root.
static OTHER_GENESIS: Kind = Kind {
    name: "genesis",
    about: "",
    check: |_, _| Vec::new(),
    documents: |_, _| Vec::new(),
    steps: |_, _, _| Vec::new(),
    build: |material| {
        let mut candidates = build::candidates(material)?;
        let root = candidates.last_mut().unwrap();
        root.envelope = edit::with_member("root", &root.envelope, "x-more", Value::Bool(true))?;
        Ok(candidates)
    },
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: |_, _| Ok(kinds::Outputs::default()),
};

#[test]
fn a_program_that_builds_otherwise_than_the_one_that_began_does_not_go_on() {
    let mut stand = Stand::new(genesis());
    let mut people = stand.people();
    people.answers = vec![("token:sign:root-1:alice", "pause")];
    stand.run(&mut people).unwrap_err();
    let (signed, own) = (stand.log.calls("sign").len(), stand.kind);
    assert_eq!(signed, 2, "targets and bins by alice");
    stand.kind = &OTHER_GENESIS;
    let text =
        "the candidates built now are not the recorded ones: script, input or program changed";
    refused(&mut stand, "RESUME-PAYLOAD", text);
    assert_eq!(stand.log.calls("sign").len(), signed);
    stand.kind = own;
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
}

#[test]
fn custody_that_a_token_does_not_prove_is_told_for_every_key() {
    let mut stand = Stand::new(genesis());
    stand.world.shown = Some(Box::new(|mut key: TokenKey| {
        key.custody.never_extractable = None;
        key
    }));
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
    let told: Vec<Finding> = custody(&stand);
    assert_eq!(told.len(), 9);
    assert_eq!(told[0].level, Level::Warning);
    assert_eq!(
        told[0].text,
        "the token of alice does not prove that the root key never was and never can be extracted"
    );
    assert_eq!(custody(&Stand::finished(genesis())), []);
}

#[test]
fn key_that_shall_be_backed_up_enters_only_if_its_token_says_how_it_may_leave() {
    let script = genesis().replace(
        "root.generate = \"ed25519\"",
        "root.generate = \"ed25519\"\nroot.backup = \"wrapped\"",
    );
    let backup = "[backup]\nneeded = 2\ncustodians = [\"ada\", \"ben\"]\n";
    let mut stand = Stand::new(format!("{script}{backup}"));
    stand.world.shown = Some(Box::new(|mut key: TokenKey| {
        key.custody.wrapped_only = None;
        key
    }));
    let refused = stand.run(&mut stand.people()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "refused: CUSTODY-WRAPPED: the script wants the root key of alice backed up, and its token does not say that the key leaves it under a trusted wrapping key and in no other way; nothing was listed"
    );
    assert!(stand.progress().enrolled().is_empty());
}

fn custody(stand: &Stand) -> Vec<Finding> {
    let mut findings = stand.progress().findings().to_vec();
    findings.retain(|finding| finding.rule == "CUSTODY-NOT-PROVEN");
    findings
}

fn material(stand: &Stand) -> Material<'_> {
    Material {
        script: &stand.script,
        trusted: &stand.trusted,
        enrolled: &[],
        decisions: None,
        mode: Mode::Rehearsal,
    }
}

fn prove(kind: &str, stand: &Stand, candidate: Candidate) -> Vec<(String, String)> {
    let kind = KINDS.iter().find(|known| known.name == kind).unwrap();
    let findings = (kind.prove)(&material(stand), &[candidate]);
    let pair = |finding: Finding| (finding.rule, finding.text);
    findings.into_iter().map(pair).collect()
}

#[test]
fn a_renewal_that_changes_more_than_version_and_expiry_is_refused() {
    let stand = Stand::finished(genesis());
    let old = stand.envelope("metadata/1.targets.json");
    let renewed = edit::renew("targets", &old, "2028-01-01T00:00:00Z").unwrap();
    let candidate = |envelope| Candidate {
        document: document("targets", 2),
        envelope,
        old: Some(old.clone()),
        thresholds: Vec::new(),
    };
    assert_eq!(prove("renew", &stand, candidate(renewed.clone())), []);
    let changed = edit::with_member("targets", &renewed, "x-more", Value::Bool(true)).unwrap();
    let text = "a renewal changes version and expires only; here x-more differs";
    assert_eq!(
        prove("renew", &stand, candidate(changed)),
        [("RENEW-PURE".to_owned(), text.to_owned())]
    );
}

#[test]
fn an_old_key_that_is_still_listed_is_refused() {
    let stand = Stand::finished(genesis()).then(admin_key);
    let old = stand.trusted.root().unwrap();
    let mut new = old.root.clone();
    let candidate = |new: &Root| Candidate {
        document: document("root", 2),
        envelope: old.envelope.clone(),
        old: Some(old.envelope.clone()),
        thresholds: thresholds::root(Some(&old.root), Some(new)),
    };
    let text = "the old root key of alice is still listed";
    assert_eq!(
        prove("admin-key", &stand, candidate(&new)),
        [("ADMIN-KEY-GONE".to_owned(), text.to_owned())]
    );
    let replaced = stand.script.holder("alice").unwrap().key("root").unwrap();
    let replaced = replaced.old_keyid.clone().unwrap();
    let listed = &mut new.roles.get_mut("root").unwrap().keyids;
    listed.retain(|keyid| *keyid != replaced);
    assert_eq!(prove("admin-key", &stand, candidate(&new)), []);
}

#[test]
fn a_script_that_lists_a_replaced_key_for_another_holder_is_refused_beforehand() {
    let check = |stand: &Stand| {
        prepare::check(
            stand.kind,
            &stand.script,
            &stand.trusted,
            &stand.planned,
            Mode::Rehearsal,
            clock(),
            &mut |algorithm| Ok(stand_in(algorithm, None)),
        )
    };
    let good = Stand::finished(genesis()).then(admin_key);
    assert_eq!(check(&good), Ok(()));
    let bad = Stand::finished(genesis()).then(|before| {
        let (alice, bob) = (before.keyid("alice", "root"), before.keyid("bob", "root"));
        let bobs = format!("root.keyid = \"{bob}\"");
        admin_key(before).replace(&bobs, &format!("root.keyid = \"{alice}\""))
    });
    let findings = check(&bad).unwrap_err();
    let gone = |finding: &&Finding| finding.rule == "ADMIN-KEY-GONE";
    let gone: Vec<_> = findings.iter().filter(gone).collect();
    assert_eq!(gone.len(), 1, "{findings:?}");
    assert_eq!(gone[0].text, "the old root key of alice is still listed");
}

#[test]
fn an_online_role_without_a_key_is_refused() {
    let mut stand = Stand::new(genesis());
    assert!(material(&stand).online("timestamp").is_ok());
    stand.script.online.clear();
    let finding = material(&stand).online("timestamp").err().unwrap();
    assert_eq!(finding.rule, "SCRIPT-ONLINE");
    assert_eq!(
        finding.text,
        "the script lists no online key for timestamp, and nothing trusted has one"
    );
}

#[test]
fn a_swap_that_cannot_be_undone_is_not_what_was_reviewed() {
    let stand = Stand::finished(genesis());
    let text = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let public = PublicKey::from_text(text).unwrap();
    let shown = tuf_ceremony::tuf::key::Key::from_public(&public).unwrap();
    let note = format!("{{\"keyids\":[\"{}\"]}}", shown.keyid());
    let note = Value::from_json(json::check(note.as_bytes(), Limits::SMALL).unwrap());
    let envelope = stand.envelope("metadata/1.root.json").without_signatures();
    let envelope = edit::with_member("root", &envelope, "x-note", note).unwrap();
    let root = Root::read("root", &envelope).unwrap();
    let candidate = Candidate {
        document: document("root", 1),
        thresholds: thresholds::root(None, Some(&root)),
        envelope,
        old: None,
    };
    let all: Vec<_> = root.keys.keys().cloned().collect();
    let mut liars = 1;
    let mut lying = |algorithm: Algorithm| {
        let liar = liars > 0;
        liars -= i32::from(liar);
        Ok(stand_in(algorithm, liar.then(|| public.clone())))
    };
    let finding = shadow::rehearse(
        &candidate,
        &all,
        &mut shadow::Secrets::default(),
        &mut lying,
    )
    .unwrap_err();
    assert_eq!(finding.rule, "SHADOW-BYTES");
    assert_eq!(
        finding.text,
        "swapping the throwaway keys back does not give the reviewed bytes"
    );
    let mut honest = |algorithm| Ok(stand_in(algorithm, None));
    assert_eq!(
        shadow::rehearse(
            &candidate,
            &all,
            &mut shadow::Secrets::default(),
            &mut honest
        ),
        Ok(())
    );
}

#[test]
fn without_throwaway_keys_there_is_no_shadow_and_no_signature() {
    let mut stand = Stand::new(genesis());
    let calls = Stand::finished(genesis()).log.breakable();
    let first = calls.iter().position(|method| *method == "throwaway");
    stand.world.breaks = Some((first.unwrap(), Fault::Before(TokenFault::Other)));
    refused(&mut stand, "SHADOW-KEY", "the test: broken on purpose");
    assert!(stand.log.calls("sign").is_empty());
}

#[test]
fn a_genesis_that_is_given_up_says_that_there_is_no_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let script = "schema = \"tuf-ceremony/script/1\"\nkind = \"abort\"\ntitle = \"Given up\"\nprofile = \"room\"\n\n[[abandons]]\nrole = \"root\"\nversion = 1\nsha256 = \"abababababababababababababababababababababababababababababababab\"\nsigned_by = [\"alice\"]\n\n[[holder]]\nname = \"alice\"\nperson = \"Alice Example\"\n";
    std::fs::write(path("script.toml"), script).unwrap();
    let room = "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\ntask = \"ceremony\"\n";
    std::fs::write(path("room.toml"), room).unwrap();
    std::fs::create_dir(path("in")).unwrap();
    let paths = Paths {
        script: path("script.toml"),
        room: path("room.toml"),
        input: path("in"),
        output: path("out"),
    };
    let log = Log::default();
    let keeper = Keeper::start(Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"))).unwrap();
    let session = Session::open(&paths, &keeper).unwrap();
    session
        .run(&mut super::people::People::new(&log), &mut Tape::on(&log))
        .unwrap();
    let verdicts: Vec<_> = log
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Verdict { ok, findings } => Some((ok, findings)),
            _ => None,
        })
        .collect();
    let text = "there is no metadata here (tokens were provisioned, or a genesis was given up): only the record was judged";
    let note = Finding::note("BUNDLE-NO-METADATA", "metadata", text);
    assert_eq!(verdicts, [(true, vec![note])]);
    assert!(path("out/manifest.json").exists());
}
