//! Attestations on record, verified again from nothing but the bundle: the certificates lie there, they prove what the record says they do, of a key that
//! the metadata lists, in the token that showed it.

use std::collections::BTreeSet;

use crate::attestation::Anchors;
use crate::ceremony::attested;
use crate::ceremony::event::Mode;
use crate::ceremony::material::parse_object;
use crate::ceremony::progress::Attested;
use crate::transcript::{self, Transcript};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{Json, Limits};
use crate::tuf::key::{Key, KeyId};

use super::Files;

const RULE: &str = "ATTEST-RECORD";

/// What is wrong with the attestations on record.
pub(super) fn check(files: &Files<'_>, transcript: &Transcript, mode: Mode) -> Vec<Finding> {
    let (anchors, mut findings) = anchors(files, mode);
    let known = transcript.progress().evidence().attested();
    let keys = if known.is_empty() {
        Keys(Vec::new())
    } else {
        Keys::of(files, transcript, known)
    };
    for attested in known {
        if let Err(text) = check_one(files, transcript, &keys, attested, &anchors) {
            let text = format!(
                "the {} of {} is said to be attested, and {text}",
                attested.keyid, attested.holder
            );
            findings.push(Finding::error(RULE, transcript::NAME, text));
        }
    }
    for file in files.under(attested::FOLDER) {
        let on_record = |known: &Attested| attested::path(&known.keyid) == file.path;
        if !known.iter().any(on_record) {
            let text = "nothing on record says that this attestation was ever looked at";
            findings.push(Finding::error(RULE, &file.path, text));
        }
    }
    findings
}

/// The makers' roots; of a rehearsal also those that the bundle names as its own.
fn anchors(files: &Files<'_>, mode: Mode) -> (Anchors, Vec<Finding>) {
    let named = files.under(attested::TEST_ROOTS).map(|file| {
        let name = file.path.trim_start_matches(attested::TEST_ROOTS);
        let name = name.strip_suffix(".der").unwrap_or(name);
        (name.to_owned(), file.bytes.clone())
    });
    let named: Vec<_> = named.collect();
    if mode == Mode::Production
        && let Some((name, _)) = named.first()
    {
        let path = format!("{}{name}.der", attested::TEST_ROOTS);
        let text = "a production bundle has no roots of its own; it was not believed";
        return (Anchors::yubico(), vec![Finding::error(RULE, &path, text)]);
    }
    match attested::anchors(&named, mode) {
        Ok(anchors) => (anchors, Vec::new()),
        Err(finding) => {
            let refused = Finding::error(RULE, attested::TEST_ROOTS, finding.text);
            (Anchors::yubico(), vec![refused])
        }
    }
}

fn check_one(
    files: &Files<'_>,
    transcript: &Transcript,
    keys: &Keys,
    attested: &Attested,
    anchors: &Anchors,
) -> Result<(), String> {
    let certificates = attested::certificates(attested)
        .ok_or_else(|| "its certificates on record are not base64".to_owned())?;
    let path = attested::path(&attested.keyid);
    match files.find(&path) {
        None => return Err(format!("{path} is not there")),
        Some(file) if file.bytes == attested::pem(&certificates).into_bytes() => {}
        Some(_) => return Err(format!("{path} holds other certificates than the record")),
    }
    let key = keys.find(&attested.keyid).ok_or_else(|| {
        "neither the bundle's metadata nor its record of keys lists such a key".to_owned()
    })?;
    let mut entered = transcript.progress().enrolled().iter();
    let token = entered
        .find(|known| known.keyid == attested.keyid)
        .and_then(|known| known.token.as_ref());
    let serial = token.map(|token| token.serial.as_str());
    let statement =
        crate::attestation::verify(key.public(), &certificates, anchors).map_err(|faults| {
            match faults.first() {
                Some(fault) => format!("{}: {fault}", fault.rule()),
                None => "it does not verify".to_owned(),
            }
        })?;
    if let Some(serial) = serial.filter(|serial| !attested::is_serial(serial, statement.serial)) {
        return Err(format!(
            "it is of the device {}, but the key entered on the token {}",
            statement.serial,
            crate::plain::escape(serial)
        ));
    }
    if statement.lines() != attested.says || statement.test_root != attested.test_root {
        return Err("the record tells other things than its certificates say".to_owned());
    }
    Ok(())
}

/// The keys that an attestation may be about.
struct Keys(Vec<(KeyId, Key)>);

impl Keys {
    /// Those that the metadata lists; where a ceremony made no metadata, those that entered it.
    fn of(files: &Files<'_>, transcript: &Transcript, known: &[Attested]) -> Self {
        let wanted: BTreeSet<&str> = known.iter().map(|known| &*known.keyid.0).collect();
        let mut keys = Vec::new();
        for file in files.under("metadata/") {
            let Ok(envelope) = Envelope::parse(&file.path, file.bytes.clone(), Limits::LARGE)
            else {
                continue;
            };
            // Root lists its keys itself, a role that delegates in its delegations. All other keys, of which claimed has hundreds of thousands, are passed over.
            let signed = envelope.signed();
            let listed = signed.get("delegations").unwrap_or(signed).get("keys");
            let listed = listed.into_iter().flat_map(Json::members);
            let listed = listed.filter(|(keyid, _)| wanted.contains(&**keyid));
            keys.extend(listed.filter_map(|(keyid, object)| {
                Some((KeyId(keyid.into_owned()), Key::from_json(object).ok()?))
            }));
        }
        let progress = transcript.progress();
        if progress.documents().is_empty() {
            let entered = progress.enrolled().iter();
            keys.extend(entered.filter_map(|known| {
                let key = parse_object(&known.key)?;
                (key.keyid() == known.keyid).then(|| (known.keyid.clone(), key))
            }));
        }
        Self(keys)
    }

    fn find(&self, keyid: &KeyId) -> Option<&Key> {
        let mut keys = self.0.iter();
        keys.find(|(known, _)| known == keyid).map(|(_, key)| key)
    }
}
