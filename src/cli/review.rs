//! `review OLD NEW`: what changes, in words; who must sign; which clients will read it; the digest of the bytes that are signed.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::args::ReviewArgs;
use super::{Answer, Exit, print};
use crate::bundle::files;
use crate::bundle::part::{self, Part};
use crate::ceremony::review::Row;
use crate::ceremony::review::change::{Kind, ProjectChangeView};
use crate::ceremony::review::claimed::{besides, clients, counts, difference};
use crate::ceremony::review::compare::{self, Comparison};
use crate::ceremony::review::searched::Entries as _;
use crate::ceremony::review::watch::Reason;
use crate::ceremony::thresholds::Threshold;
use crate::plain::escape;
use crate::tuf::compat::{self, Verdict};
use crate::tuf::diff::{self, Change, ChangeKind, Diff};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Header, RoleType, Root};
use crate::tuf::verification::{ThresholdReport, threshold};
use crate::verdict::house;
use crate::words;

const SCHEMA: &str = "tuf-ceremony/review/1";

/// The review as JSON.
#[derive(Serialize)]
struct Review {
    schema: &'static str,
    /// SHA-256 of the bytes that are signed.
    payload: Sha256,
    words: Vec<&'static str>,
    renewal: bool,
    changes: Vec<Change>,
    /// Of a file that delegates to projects: the projects, which then do not stand among the changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    projects: Option<Projects>,
    quorums: Vec<String>,
    compatibility: Vec<Verdict>,
    findings: Vec<Finding>,
}

/// Projects whose delegation differs.
#[derive(Serialize)]
struct Projects {
    before: usize,
    after: usize,
    same: usize,
    changed: Vec<Changed>,
    /// What the screen counts and in which words.
    #[serde(skip)]
    counts: Vec<Row>,
}

/// One of them.
#[derive(Serialize)]
struct Changed {
    name: String,
    kinds: Vec<Kind>,
    reasons: Vec<Reason>,
    /// Everything about it.
    rows: Vec<Row>,
    /// Its line in the list; none: it must be seen whole.
    #[serde(skip)]
    line: Option<Row>,
}

impl Projects {
    fn of(comparison: &Comparison) -> Self {
        let counts = counts(comparison);
        let changed = (0..comparison.len()).map(|index| Changed::of(comparison.view(index)));
        Self {
            before: comparison.before,
            after: comparison.after,
            same: comparison.same,
            changed: changed.collect(),
            counts,
        }
    }
}

impl Changed {
    fn of(change: ProjectChangeView) -> Self {
        Self {
            rows: change.detail(),
            line: (!change.is_watched()).then(|| change.line()),
            name: change.name,
            kinds: change.kinds,
            reasons: change.reasons,
        }
    }
}

/// Compares and tells.
///
/// # Errors
/// What the writer says.
pub fn run(args: &ReviewArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let (old, new) = match (bytes(&args.old), bytes(&args.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => return print::unread(err, &error),
    };
    let review = envelope(&args.old, old, None).and_then(|old| {
        let new = envelope(&args.new, new, Some(&old))?;
        review(&args.new, &old, &new)
    });
    match review {
        Err(finding) if args.json => {
            print::refusal(out, SCHEMA, &[finding])?;
            Ok(Exit::Refused)
        }
        Err(finding) => {
            print::findings(err, &[finding])?;
            Ok(Exit::Refused)
        }
        Ok(review) => {
            if args.json {
                print::json(out, &review)?;
            } else {
                show(out, &review)?;
            }
            let refused = review
                .findings
                .iter()
                .any(|finding| finding.level == Level::Error);
            Ok(if refused { Exit::Refused } else { Exit::Done })
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, files::FileError> {
    files::read(path, files::CAP)
}

// A part file is reviewed by what it carries. What a file shares with `base`, the version before, is held once.
fn envelope(path: &Path, bytes: Vec<u8>, base: Option<&Envelope>) -> Result<Envelope, Finding> {
    let name = path.display().to_string();
    if part::schema_of(&bytes).as_deref() == Some(part::SCHEMA) {
        return Ok(Part::parse(&name, &bytes)?.envelope);
    }
    match base {
        None => Envelope::parse(&name, bytes, Limits::LARGE),
        base => Envelope::read(&name, &mut &*bytes, bytes.len(), Limits::LARGE, base),
    }
}

fn review(new_path: &Path, old: &Envelope, new: &Envelope) -> Result<Review, Finding> {
    let name = new_path.display().to_string();
    let delegates_projects = compare::delegates_projects(new);
    let diff: Diff = if delegates_projects {
        difference(Some(old), new)?
    } else {
        diff::between(Some(old), new)?
    };
    let renewal = diff.is_renewal();
    let projects = delegates_projects
        .then(|| compare::compare(Some(old), new).map(|all| Projects::of(&all)))
        .transpose()?;
    let changes = if projects.is_some() {
        besides(diff)
    } else {
        diff.changes
    };
    let mut quorums = Vec::new();
    let mut findings = house::step(old, (&name, new), crate::room::clock::now())?;
    if Header::read(&name, new)?.role_type == RoleType::Root {
        let (old, root) = (Root::read("OLD", old)?, Root::read(&name, new)?);
        quorums.extend(root_quorum(&old, "old", new));
        quorums.extend(root_quorum(&root, "new", new));
        findings.extend(root.remarks(&name));
        let (old, new) = (old.header.version, root.header.version);
        if new != old + 1 {
            let text =
                format!("root v{new} does not follow root v{old}; clients want the next version");
            findings.push(Finding::error("ROOT-VERSION", &name, text));
        }
    }
    Ok(Review {
        schema: SCHEMA,
        payload: new.payload_digest(),
        words: words::of(&new.payload_digest().0),
        renewal,
        changes,
        compatibility: if projects.is_some() {
            clients(new)
        } else {
            compat::verdicts(new)
        },
        projects,
        quorums,
        findings,
    })
}

fn root_quorum(root: &Root, which: &str, envelope: &Envelope) -> Option<String> {
    let role = root.role("root")?.clone();
    let report: ThresholdReport = threshold(envelope, &root.keys, &role, &[]);
    let by = format!("the keys of root v{} ({which})", root.header.version);
    let authority = Threshold {
        by,
        keys: root.keys.clone(),
        role,
    };
    Some(print::quorum(&authority, &report))
}

fn show(out: &mut dyn Write, review: &Review) -> io::Result<()> {
    writeln!(out, "What changes:")?;
    for change in &review.changes {
        writeln!(out, "  {}", change_line(change))?;
    }
    if review.renewal {
        writeln!(out, "  Nothing but version and expiry: a pure renewal.")?;
    }
    if let Some(projects) = &review.projects {
        print::rows(out, &projects.counts)?;
        for changed in &projects.changed {
            let line = changed.line.as_ref();
            print::rows(out, line.map_or(&changed.rows, std::slice::from_ref))?;
        }
    }
    if !review.quorums.is_empty() {
        writeln!(out, "Who must sign:")?;
    }
    for quorum in &review.quorums {
        writeln!(out, "  {quorum}")?;
    }
    writeln!(out, "Which clients will read it:")?;
    for verdict in &review.compatibility {
        print::compatibility(out, verdict)?;
    }
    print::findings(out, &review.findings)?;
    writeln!(out, "SHA-256 of the bytes that are signed:")?;
    print::digest(out, review.payload)
}

fn change_line(change: &Change) -> String {
    let tag = match change.kind {
        ChangeKind::Same => "same     ",
        ChangeKind::Changed => "changed  ",
        ChangeKind::Added => "added    ",
        ChangeKind::Removed => "removed  ",
        ChangeKind::Reordered => "reordered",
        ChangeKind::SameKeyNewKeyid => "new keyid",
    };
    let values = match (&change.old, &change.new) {
        (Some(old), Some(new)) if old == new => old.clone(),
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => String::new(),
    };
    escape(&format!("{tag} {}: {values}", change.subject))
}
