//! What is told of a large change before its entries were compared: what is signed and by whom, and what the rules say. People read it while the review is
//! made; nothing can be answered to it, so nothing is signed by it.

use super::batch;
use super::claimed::said;
use super::rows::{change_row, head, quorum_row, row};
use super::watch::CROWDED;
use super::{Mark, Row};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Quorum, batch_digest};
use crate::tuf::diff::{Change, ChangeKind};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, grouped};
use crate::tuf::json::Json;
use crate::tuf::metadata::{Delegations, Targets};

/// Up to so many delegated roles the review itself is there at once.
const FEW: usize = 10_000;

/// The first page of a review that is still being made.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What is reviewed: `claimed v8`, `the batch of 732`.
    pub name: String,
    /// SHA-256 of the bytes that will be signed.
    pub digest: Sha256,
    /// The page.
    pub rows: Vec<Row>,
}

impl Opening {
    /// That of one document; none where nobody has to wait for the review.
    pub fn of(candidate: &Candidate, quorums: &[Quorum], findings: &[Finding]) -> Option<Self> {
        let (old, new) = (candidate.old.as_ref(), &candidate.envelope);
        let counts = [counts(old), counts(Some(new))];
        is_long(counts).then(|| {
            let mut rows = head(candidate);
            rows.push(row(Mark::Heading, "What is known at once"));
            rows.extend(["version", "expires"].map(|name| {
                let value = |file: &Envelope| plain(file.signed().get(name));
                changed(name, old.map(value), value(new))
            }));
            rows.extend(sizes(counts, old.is_some()));
            rows.push(row(Mark::Heading, "Who must sign"));
            rows.extend(quorums.iter().map(quorum_row));
            Self {
                name: candidate.document.to_string(),
                digest: candidate.payload(),
                rows: rules_and_rest(rows, findings),
            }
        })
    }

    /// That of a batch; `gone` are files of before that none of the candidates replaces.
    pub fn of_batch(
        batch: &[&Candidate],
        gone: &[&Envelope],
        quorums: &[Quorum],
        findings: &[Finding],
    ) -> Option<Self> {
        let sum = |files: &mut dyn Iterator<Item = &Envelope>| {
            let counts = files.map(|file| self::counts(Some(file)));
            counts.fold([0; 2], |sum, [roles, keys]| [sum[0] + roles, sum[1] + keys])
        };
        let old = batch.iter().filter_map(|one| one.old.as_ref());
        let counts = [
            sum(&mut old.chain(gone.iter().copied())),
            sum(&mut batch.iter().map(|one| &one.envelope)),
        ];
        is_long(counts).then(|| {
            let digest = batch_digest(batch.iter().map(|one| (&one.document, one.payload())));
            let mut rows = batch::head(batch, gone.len(), &digest);
            rows.extend(batch::dates(batch));
            rows.push(row(Mark::Heading, "What is known at once"));
            rows.extend(sizes(counts, true));
            rows.push(row(Mark::Heading, "Who must sign"));
            rows.extend(batch::signers(quorums));
            Self {
                name: batch::name(batch),
                digest,
                rows: rules_and_rest(rows, findings),
            }
        })
    }
}

/// How many roles and keys a file delegates to.
fn counts(file: Option<&Envelope>) -> [usize; 2] {
    let read = file.and_then(|file| Targets::read("", file).ok()?.delegations);
    read.map_or([0; 2], |read: Delegations| [read.len(), read.keys_len()])
}

fn is_long(counts: [[usize; 2]; 2]) -> bool {
    counts.as_flattened().iter().any(|count| *count > FEW)
}

fn sizes([old, new]: [[usize; 2]; 2], has_old: bool) -> impl Iterator<Item = Row> {
    let names = ["delegated roles", "their keys"].into_iter();
    let counts = old.map(grouped).into_iter().zip(new.map(grouped));
    names
        .zip(counts)
        .map(move |(name, (old, new))| changed(name, has_old.then_some(old), new))
}

fn plain(value: Option<Json<'_>>) -> String {
    let value = value.map(Json::bytes).unwrap_or_default();
    String::from_utf8_lossy(&value).trim_matches('"').to_owned()
}

fn changed(subject: &str, old: Option<String>, new: String) -> Row {
    let kind = match &old {
        None => ChangeKind::Added,
        Some(old) if *old == new => ChangeKind::Same,
        Some(_) => ChangeKind::Changed,
    };
    let change = Change {
        kind,
        subject: subject.to_owned(),
        old,
        new: Some(new),
        keyid: None,
    };
    change_row(&change, &|_| None)
}

/// What the rules say, and what is not known yet.
fn rules_and_rest(mut rows: Vec<Row>, findings: &[Finding]) -> Vec<Row> {
    rows.push(row(Mark::Heading, "What the rules say"));
    rows.extend(said(findings));
    rows.push(row(Mark::Heading, "Still being counted"));
    rows.extend([
        row(
            Mark::Note,
            "what differs, project by project, and what must be looked at",
        ),
        row(Mark::Note, format!("keys on more than {CROWDED} projects")),
        row(Mark::Note, "which clients accept it"),
    ]);
    rows
}
