//! Inputs that are made to be slow or large: each must be refused or handled in linear time and bounded memory. They are made in
//! memory at any size, so that twice the size can be held against the size.

use std::fmt::Write as _;

use tuf_ceremony::ceremony::review::claimed::difference;
use tuf_ceremony::ceremony::review::compare::delegates_projects;
use tuf_ceremony::tuf::diff;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::finding::Finding;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::metadata::Targets;

use crate::{Failure, made};

/// One kind of hostile input.
pub struct Case {
    /// What it is, for people.
    pub name: &'static str,
    /// How many of what it has many of.
    pub full: usize,
    /// Makes it with so many.
    make: fn(usize) -> Result<String, Failure>,
    /// At how many places it is cut off and read; 0: it is read whole.
    cuts: usize,
}

/// What became of one.
pub struct Verdict {
    /// Whether it was refused.
    pub refused: bool,
    /// Our words.
    pub text: String,
}

const MILLION: usize = 1_000_000;
/// The base point of the curve, a key that passes every check.
const PUBLIC: &str = "5866666666666666666666666666666666666666666666666666666666666666";

/// All kinds.
pub const CASES: [Case; 11] = [
    Case::whole("one role with a million paths", MILLION, paths),
    Case::whole(
        "one role with a million paths, all escaped",
        MILLION,
        escaped,
    ),
    Case::whole("one string of 200 MB", 200_000_000, string),
    Case::whole("nesting of 100,000", 100_000, nesting),
    Case::whole("a million members of one name", MILLION, members),
    Case::whole("half a million role names, each twice", MILLION, twice),
    Case::whole("a million role names that share 190 bytes", MILLION, names),
    Case::whole(
        "a million keyids of one key that share 56 digits",
        MILLION,
        keyids,
    ),
    Case::whole("a million keys in no order", MILLION, unsorted),
    Case::whole("a million unknown members", MILLION, unknown),
    Case {
        name: "20,000 projects, cut off at 64 places",
        full: 20_000,
        make: honest,
        cuts: 64,
    },
];

impl Case {
    const fn whole(
        name: &'static str,
        full: usize,
        make: fn(usize) -> Result<String, Failure>,
    ) -> Self {
        Self {
            name,
            full,
            make,
            cuts: 0,
        }
    }

    /// The text with `number` of what it has many of.
    ///
    /// # Errors
    /// It could not be made.
    pub fn make(&self, number: usize) -> Result<String, Failure> {
        (self.make)(number)
    }

    /// Does with `text` what the cycle does with a new list, and says what became of it.
    pub fn judge(&self, before: &Envelope, text: String) -> Verdict {
        if self.cuts == 0 {
            return Verdict::of(read(before, text.into_bytes()));
        }
        let mut refused = 0;
        let mut last = String::new();
        for cut in (0..self.cuts).map(|cut| text.len() / self.cuts * cut) {
            let verdict = Verdict::of(read(before, text.as_bytes()[..cut].to_vec()));
            refused += usize::from(verdict.refused);
            last = verdict.text;
        }
        Verdict {
            refused: refused == self.cuts,
            text: format!("{refused} of {} refused; the last: {last}", self.cuts),
        }
    }
}

impl Verdict {
    fn of(read: Result<String, Finding>) -> Self {
        match read {
            Ok(text) => Self {
                refused: false,
                text,
            },
            Err(finding) => Self {
                refused: true,
                text: format!("{}: {}", finding.rule, finding.text),
            },
        }
    }
}

fn read(before: &Envelope, bytes: Vec<u8>) -> Result<String, Finding> {
    let file = Envelope::parse("the file", bytes, Limits::LARGE)?;
    let targets = Targets::read("the file", &file)?;
    let remarks = targets.remarks("the file").len();
    // As the review does.
    let difference = if delegates_projects(&file) {
        difference(Some(before), &file)?
    } else {
        diff::between(Some(before), &file)?
    };
    let changes = difference.changes.len();
    Ok(format!(
        "read: {changes} lines of difference, {remarks} remarks, {} bytes to sign",
        file.payload().len()
    ))
}

fn honest(projects: usize) -> Result<String, Failure> {
    let list = made::list(projects)?;
    Ok(String::from_utf8(list.bytes().to_vec())?)
}

/// A list with `keys` and `roles`, each written by the call, and an unknown member.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the honest list is made by calls that could fail"
)]
fn file(
    room: usize,
    keys: impl FnOnce(&mut String),
    roles: impl FnOnce(&mut String),
    unknown: impl FnOnce(&mut String),
) -> Result<String, Failure> {
    // Room for all at once, or its growth would be the peak.
    let mut text = String::with_capacity(room + 4096);
    text.push_str(
        "{\"signatures\":[],\"signed\":{\"_type\":\"targets\",\"delegations\":{\"keys\":{",
    );
    keys(&mut text);
    text.push_str("},\"roles\":[");
    roles(&mut text);
    text.push_str("]},\"expires\":\"2036-01-01T00:00:00Z\",\"spec_version\":\"1.0.31\",\"targets\":{},\"version\":2,\"x\":");
    unknown(&mut text);
    text.push_str("}}");
    Ok(text)
}

/// Writes `one` for every number, commas between.
fn many(number: usize, text: &mut String, one: impl Fn(&mut String, usize)) {
    for at in 0..number {
        if at > 0 {
            text.push(',');
        }
        one(text, at);
    }
}

fn key(text: &mut String, keyid: &str) {
    let _ = write!(
        text,
        "\"{keyid}\":{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":\"{PUBLIC}\"}},\"scheme\":\"ed25519\"}}"
    );
}

fn role(text: &mut String, name: &str, paths: impl FnOnce(&mut String)) {
    let _ = write!(text, "{{\"keyids\":[\"k\"],\"name\":\"{name}\",\"paths\":[");
    paths(text);
    text.push_str("],\"terminating\":true,\"threshold\":1}");
}

fn one_key(text: &mut String) {
    key(text, "k");
}

fn null(text: &mut String) {
    text.push_str("null");
}

fn paths(number: usize) -> Result<String, Failure> {
    let path = |text: &mut String, at| {
        let _ = write!(text, "\"some-project-{at:08}/*\"");
    };
    let role = |text: &mut String| role(text, "project-a", |text| many(number, text, path));
    file(number * 27, one_key, role, null)
}

fn escaped(number: usize) -> Result<String, Failure> {
    let path = |text: &mut String, at| {
        let _ = write!(text, "\"\\u0061\\u0062-{at:08}\\/*\"");
    };
    let role = |text: &mut String| role(text, "project-a", |text| many(number, text, path));
    file(number * 29, one_key, role, null)
}

fn string(number: usize) -> Result<String, Failure> {
    let unknown = |text: &mut String| {
        text.push('"');
        text.extend(std::iter::repeat_n('a', number));
        text.push('"');
    };
    file(number, one_key, |_| (), unknown)
}

fn nesting(number: usize) -> Result<String, Failure> {
    let unknown = |text: &mut String| {
        text.extend(std::iter::repeat_n('[', number));
        text.extend(std::iter::repeat_n(']', number));
    };
    file(number * 2, one_key, |_| (), unknown)
}

fn members(number: usize) -> Result<String, Failure> {
    let keys = |text: &mut String| many(number, text, |text, _| key(text, "k"));
    file(number * 120, keys, |_| (), null)
}

fn twice(number: usize) -> Result<String, Failure> {
    let roles = |text: &mut String| {
        many(number, text, |text, at| {
            let name = format!("project-{:07}", at % (number / 2));
            role(text, &name, |text| text.push_str("\"a/*\""));
        });
    };
    file(number * 100, one_key, roles, null)
}

fn names(number: usize) -> Result<String, Failure> {
    let roles = |text: &mut String| {
        many(number, text, |text, at| {
            let name = format!("project-{:a<182}{at:07}", "");
            role(text, &name, |text| text.push_str("\"a/*\""));
        });
    };
    file(number * 282, one_key, roles, null)
}

fn keyids(number: usize) -> Result<String, Failure> {
    let keys = |text: &mut String| {
        many(number, text, |text, at| key(text, &format!("{at:064x}")));
    };
    file(number * 190, keys, |_| (), null)
}

fn unsorted(number: usize) -> Result<String, Failure> {
    let keys = |text: &mut String| {
        many(number, text, |text, at| {
            let scattered = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let _ = write!(
                text,
                "\"{scattered:064x}\":{{\"keytype\":\"unknown\",\"keyval\":{{\"public\":\"{at}\"}},\"scheme\":\"unknown\"}}"
            );
        });
    };
    file(number * 150, keys, |_| (), null)
}

fn unknown(number: usize) -> Result<String, Failure> {
    let members = |text: &mut String| {
        text.push('0');
        for at in 0..number {
            let _ = write!(text, ",\"x.{at}\":{at}");
        }
    };
    file(number * 20, one_key, |_| (), members)
}
