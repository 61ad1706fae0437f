//! Who vouches for a key in a ceremony: certificates judged from the makers' roots and, in a rehearsal, the room's, bound to one key and to the token
//! that showed them. What the review says of it, and how it travels. Pure.

use data_encoding::BASE64;

use super::EPHEMERAL;
use super::candidate::Candidate;
use super::event::{Event, Mode};
use super::intake::Trusted;
use super::material::{Material, is_trusted};
use super::progress::{self, Progress};
use super::review::{Mark, Row};
use super::script::{ROLES, delegator_of};
use super::thresholds::{delegated, top_level};
use crate::attestation::{self, Anchors, Fault, Object, Statement};
use crate::plain::escape;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::{Root, Targets};

/// Where attestations lie in a bundle and, from holders who are elsewhere, in `--in`.
pub const FOLDER: &str = "evidence/attestations/";
/// Where the roots lie that only a rehearsal trusts.
pub const TEST_ROOTS: &str = "evidence/test-roots/";

/// The makers' roots; in a rehearsal also these. A production ceremony never believes a root that somebody adds.
///
/// # Errors
/// `ATTEST-FORM`: a root that is no certificate.
pub fn anchors(test_roots: &[(String, Vec<u8>)], mode: Mode) -> Result<Anchors, Finding> {
    let mut anchors = Anchors::yubico();
    if mode == Mode::Production {
        return Ok(anchors);
    }
    for (name, der) in test_roots {
        anchors = anchors
            .with_test_root(name, der)
            .map_err(|fault| fault.finding(""))?;
    }
    Ok(anchors)
}

/// What `certificates` prove of the key of `whose`; `serial` is that of the token that showed them, where one did.
///
/// # Errors
/// The attestation's own rules, and `ATTEST-TOKEN`: it is of another token.
pub fn judge(
    public: &PublicKey,
    certificates: &[Vec<u8>],
    anchors: &Anchors,
    whose: &str,
    serial: Option<&str>,
) -> Result<Statement, Vec<Finding>> {
    let refuse = |rule: &str, text: &str| {
        let text = format!(
            "the attestation of {whose} is refused, and the key did not enter the ceremony: {text}"
        );
        Finding::error(rule, "", text)
    };
    let statement = attestation::verify(public, certificates, anchors).map_err(|faults| {
        let faults = faults.iter();
        faults
            .map(|fault| refuse(fault.rule(), &fault.to_string()))
            .collect::<Vec<_>>()
    })?;
    match serial.filter(|serial| !is_serial(serial, statement.serial)) {
        None => Ok(statement),
        Some(serial) => {
            let text = format!(
                "it is of the device {}, and the token that showed it says that it is {}. Take both tokens out and find out which is which",
                statement.serial,
                escape(serial)
            );
            Err(vec![refuse("ATTEST-TOKEN", &text)])
        }
    }
}

/// Whether a token's own serial is the attested one: digits, which some modules fill up with zeros (`0013200461`).
pub fn is_serial(said: &str, attested: u32) -> bool {
    let said = said.trim();
    said.bytes().all(|byte| byte.is_ascii_digit()) && said.parse() == Ok(u64::from(attested))
}

/// The same certificates with the key's own first, however their files are called.
pub fn own_first(public: &PublicKey, mut certificates: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let is_own = |der: &Vec<u8>| {
        let alone = attestation::verify(public, std::slice::from_ref(der), &Anchors::yubico());
        let other = |fault: &Fault| matches!(fault.rule(), "ATTEST-KEY" | "ATTEST-FORM");
        !alone.is_err_and(|faults| faults.iter().any(other))
    };
    if let Some(own) = certificates.iter().position(is_own) {
        certificates[..=own].rotate_right(1);
    }
    certificates
}

/// As it goes on record.
pub fn event(
    holder: &str,
    keyid: &KeyId,
    certificates: &[Vec<u8>],
    statement: &Statement,
) -> Event {
    Event::Attested {
        holder: holder.to_owned(),
        keyid: keyid.clone(),
        certificates: certificates.iter().map(|der| BASE64.encode(der)).collect(),
        test_root: statement.test_root,
        says: statement.lines(),
    }
}

/// The certificates of a record, as DER.
pub fn certificates(attested: &progress::Attested) -> Option<Vec<Vec<u8>>> {
    let decoded = attested.certificates.iter();
    decoded
        .map(|text| BASE64.decode(text.as_bytes()).ok())
        .collect()
}

/// What a record proves of a key, found again.
pub fn statement(
    attested: &progress::Attested,
    public: &PublicKey,
    anchors: &Anchors,
) -> Option<Statement> {
    attestation::verify(public, &certificates(attested)?, anchors).ok()
}

/// The path in a bundle of a key's attestation.
pub fn path(keyid: &KeyId) -> String {
    format!("{FOLDER}{keyid}.pem")
}

/// Certificates as PEM, in this order.
pub fn pem(certificates: &[Vec<u8>]) -> String {
    let mut pem = String::new();
    for der in certificates {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = BASE64.encode(der);
        let mut rest = text.as_str();
        // RFC 7468: lines of 64.
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

/// The rows of a review about who vouches for each offline key that the candidate lists: one by one, by keyid.
pub fn rows(
    candidate: &Candidate,
    progress: &Progress,
    trusted: &Trusted,
    anchors: &Anchors,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (role, keys) in offline(candidate) {
        for (keyid, key) in keys {
            let mut entered = progress.enrolled().iter();
            let entered = entered.find(|known| known.keyid == keyid);
            if entered.is_some_and(|known| known.holder == EPHEMERAL) {
                continue;
            }
            let of = |text: &str| format!("{role} key {keyid}: {text}");
            let known = voucher(progress, anchors, &keyid, &key);
            let (mark, text) = known.unwrap_or_else(|| otherwise(trusted, role, &keyid));
            rows.push(row(mark, of(&text)));
            let accepted = progress.evidence().signed_off().iter();
            let accepted = accepted.filter(|known| known.keyid == keyid).map(|known| {
                let text = format!("{} accepted: {}", known.advisory, known.reason);
                row(Mark::Warning, of(&text))
            });
            rows.extend(accepted);
        }
    }
    rows
}

/// The rows of a review about each server's key that the script brings and the candidate lists: what the script says of where it lives.
pub fn online_rows(candidate: &Candidate, material: &Material<'_>) -> Vec<Row> {
    let envelope = &candidate.envelope;
    let keys = match candidate.document.role.as_str() {
        "root" => Root::read("root", envelope).map(|root| root.keys).ok(),
        _ => Targets::read("targets", envelope)
            .ok()
            .and_then(|targets| Some(targets.delegations?.keys().collect())),
    };
    let keys = keys.unwrap_or_default();
    let listed = material.script.online.iter().filter_map(|online| {
        let keyid = material.online_key(online).ok()?.keyid();
        let whence = if online.generate.is_some() {
            "made in this ceremony in locked memory, and sealed before it ends".to_owned()
        } else {
            let provenance = escape(&online.provenance);
            format!("{provenance}; this is the script's word, and nothing here proves it")
        };
        let text = format!(
            "online key {keyid} ({}, for {}): {whence}",
            escape(&online.name),
            escape(&online.roles.join(", ")),
        );
        keys.contains_key(&keyid).then(|| row(Mark::Note, text))
    });
    listed.collect()
}

/// What the record says of a key, if it says anything.
fn voucher(
    progress: &Progress,
    anchors: &Anchors,
    keyid: &KeyId,
    key: &Key,
) -> Option<(Mark, String)> {
    let evidence = progress.evidence();
    if let Some(attested) = evidence.attestation(keyid) {
        return Some(match statement(attested, key.public(), anchors) {
            Some(found) if found.test_root => {
                let text = format!(
                    "TEST ROOT, nothing is proven of a real device: {}",
                    line(&found)
                );
                (Mark::Warning, text)
            }
            Some(found) => (Mark::Ok, format!("attested: {}", line(&found))),
            // It did when it was put on record: the roots of the room or the program changed since.
            None => {
                let text = "the attestation on record does not verify any more";
                (Mark::Error, text.to_owned())
            }
        });
    }
    evidence.is_unattested(keyid).then(|| {
        let text = "NOT ATTESTED, acknowledged: nobody vouches for this key";
        (Mark::Warning, text.to_owned())
    })
}

/// Of a key that did not enter this ceremony.
fn otherwise(trusted: &Trusted, role: &str, keyid: &KeyId) -> (Mark, String) {
    let (mark, text) = if is_trusted(trusted, role, keyid) {
        (
            Mark::Same,
            "trusted before; nothing new was shown of who vouches for it",
        )
    } else {
        (
            Mark::Note,
            "it entered elsewhere; the record of the main ceremony says who vouches for it",
        )
    };
    (mark, text.to_owned())
}

/// One line: device, place, policies, root.
pub fn line(statement: &Statement) -> String {
    let place = match &statement.object {
        Object::Piv {
            slot,
            pin_policy,
            touch_policy,
        } => format!(
            "slot {} PIN {} touch {}",
            escape(slot),
            word(pin_policy),
            word(touch_policy)
        ),
        Object::YubiHsm {
            id, capabilities, ..
        } => format!("object 0x{id:04x} may {}", escape(&capabilities.join(", "))),
    };
    format!(
        "{} {} serial {} {place}, {} {}",
        statement.product,
        statement.firmware,
        statement.serial,
        escape(&statement.anchor.name),
        statement.anchor.sha256
    )
}

/// The policy's name: `always`.
fn word(policy: impl serde::Serialize) -> String {
    let value = serde_json::to_value(policy).ok();
    value
        .and_then(|value| Some(value.as_str()?.to_owned()))
        .unwrap_or_default()
}

/// The keys of people that a document lists, by role.
fn offline(candidate: &Candidate) -> Vec<(&'static str, Vec<(KeyId, Key)>)> {
    let envelope = &candidate.envelope;
    let of_root = |root: Root| {
        ["root", "targets"].map(|role| (role, top_level(&root, role).map(|(keys, _)| keys)))
    };
    let of_targets = |targets: Targets| {
        let offline = ROLES.into_iter();
        let offline = offline.filter(|role| delegator_of(role) == Some("targets"));
        let keys = offline.map(|role| (role, delegated(&targets, role).map(|(keys, _)| keys)));
        keys.collect::<Vec<_>>()
    };
    let listed: Vec<_> = match candidate.document.role.as_str() {
        "root" => Root::read("root", envelope)
            .map(|root| of_root(root).to_vec())
            .unwrap_or_default(),
        "targets" => Targets::read("targets", envelope)
            .map(of_targets)
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    let listed = listed.into_iter();
    listed
        .filter_map(|(role, keys)| Some((role, keys?)))
        .collect()
}

/// The test roots that attestations on record end at: name and DER.
pub fn used_roots(
    progress: &Progress,
    test_roots: Vec<(String, Vec<u8>)>,
) -> Vec<(String, Vec<u8>)> {
    let digests: Vec<String> = progress
        .evidence()
        .attested()
        .iter()
        .filter(|known| known.test_root)
        .filter_map(|known| known.says.last().cloned())
        .collect();
    let mut used = test_roots;
    used.retain(|(_, der)| {
        let digest = Sha256::of(der).to_string();
        digests.iter().any(|line| line.ends_with(&digest))
    });
    used
}

fn row(mark: Mark, text: String) -> Row {
    Row { mark, text }
}
