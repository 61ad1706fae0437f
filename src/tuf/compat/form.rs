//! The form of a file: sizes, signatures, header, roles, delegations.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use super::Client::{GoTuf, PythonTuf, RustTuf, Tough, TufJs};
use super::Report;
use super::facts::{Facts, Role, string};
use super::keys::{HEXADECIMAL_KEYIDS, ONE_SIGNATURE_A_KEYID};
use crate::tuf::envelope::Envelope;
use crate::tuf::expires::Expires;
use crate::tuf::json::Json;
use crate::tuf::metadata::{TOP_LEVEL_ROLES, Targets};

/// Size limits that clients have when nobody sets others, and the list of signatures.
pub(super) fn envelope(envelope: &Envelope, facts: &Facts<'_>, report: &mut Report) {
    let (python, tough) = match facts.role_type.as_str() {
        "root" => (512_000, 1 << 20),
        "timestamp" => (16_384, 1 << 20),
        "snapshot" => (2_000_000, 1 << 20),
        _ => (5_000_000, 10 << 20),
    };
    for (clients, limit) in [(&[PythonTuf, TufJs][..], python), (&[Tough], tough)] {
        if facts.bytes > limit {
            report.refuse(clients, format_args!("The file has {} bytes; at most {limit} are read here unless the program that uses the client raises the limit.", facts.bytes));
        }
    }
    let mut seen = BTreeSet::new();
    for signature in envelope.signatures() {
        let keyid = &signature.keyid;
        if !seen.insert(&keyid.0) {
            report.refuse(
                &ONE_SIGNATURE_A_KEYID,
                format_args!("Two signatures have the keyid {keyid}."),
            );
        }
        if !is_hexadecimal(&signature.sig) {
            report.refuse(
                &[Tough, GoTuf],
                format_args!("The signature of keyid {keyid} is not hexadecimal."),
            );
        }
        if !is_hexadecimal(&keyid.0) {
            report.refuse(
                &HEXADECIMAL_KEYIDS,
                format_args!(
                    "The keyid {keyid:?} of a signature is not hexadecimal.",
                    keyid = keyid.0
                ),
            );
        }
    }
}

/// `spec_version` and `expires`.
pub(super) fn header(facts: &Facts<'_>, report: &mut Report) {
    let version = string(facts.signed, "spec_version");
    let parts: Vec<&str> = version.split('.').collect();
    let numbers = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !numbers || ![2, 3].contains(&parts.len()) || parts[0] != "1" {
        report.refuse(
            &[PythonTuf, TufJs],
            format_args!("spec_version {version:?} is not 1.x or 1.x.y."),
        );
    }
    if !["1.0", "1.0.0"].contains(&version.as_str()) {
        report.refuse(
            &[RustTuf],
            format_args!("spec_version {version:?} is neither 1.0 nor 1.0.0."),
        );
    }
    let expires = string(facts.signed, "expires");
    let Ok(date) = Expires::parse(&expires) else {
        // tuf-js takes whatever JavaScript calls a date; that is not worth following, since we refuse such a file.
        let all = [PythonTuf, Tough, GoTuf, TufJs, RustTuf];
        report.refuse(&all, format_args!("expires {expires:?} is no date."));
        return;
    };
    if date.is_strict() {
        return;
    }
    report.refuse(
        &[PythonTuf, RustTuf],
        format_args!("expires {expires:?} is not of the form YYYY-MM-DDTHH:MM:SSZ."),
    );
    if tough_writes(date.at()) != expires {
        report.refuse(&[Tough], format_args!("expires {expires:?} is written anew here before the signatures are checked, so none of them is valid."));
    }
    if !go_writes_alike(&expires) {
        report.refuse(&[GoTuf], format_args!("expires {expires:?} is written anew here before the signatures are checked, so none of them is valid."));
    }
}

/// What a root must have, and what it is called.
pub(super) fn root(facts: &Facts<'_>, report: &mut Report) {
    if facts.role_type != "root" {
        return;
    }
    if facts.signed.get("consistent_snapshot").is_none() {
        report.refuse(
            &[Tough, GoTuf, TufJs],
            format_args!("consistent_snapshot is missing."),
        );
    }
    let is_foreign = |role: &Role<'_>| !TOP_LEVEL_ROLES.contains(&&*role.name);
    for role in facts.roles().filter(is_foreign) {
        report.refuse(
            &[PythonTuf, Tough],
            format_args!(
                "The role {:?} is none of the four top-level roles.",
                role.name
            ),
        );
    }
}

/// Delegations, in which clients differ most.
pub(super) fn delegations(facts: &Facts<'_>, report: &mut Report) {
    let Some(delegations) = facts.delegations else {
        return;
    };
    if let Some(bins) = delegations.get("succinct_roles") {
        let prefix = string(bins, "name_prefix");
        report.refuse(
            &[Tough, RustTuf],
            format_args!("The succinct roles {prefix:?} (TAP 15) cannot be read here."),
        );
    }
    for (name, _) in delegations
        .members()
        .filter(|(name, _)| !["keys", "roles", "succinct_roles"].contains(&&**name))
    {
        report.refuse(&[Tough], format_args!("The field {name:?} of the delegations is lost here before the signatures are checked, so none of them is valid."));
    }
}

/// The names of delegated roles so far.
pub(super) struct Names<'a>(Option<HashSet<Cow<'a, str>>>);

impl<'a> Names<'a> {
    /// Where our own reader takes the file no name stands twice, and none is kept.
    pub(super) fn of(envelope: &Envelope) -> Self {
        Self(Targets::read("", envelope).is_err().then(HashSet::new))
    }
    /// Whether a role before has this name.
    fn is_second(&mut self, name: Cow<'a, str>) -> bool {
        let names = self.0.as_mut();
        names.is_some_and(|names| !names.insert(name))
    }
}

/// One delegated role.
pub(super) fn role<'a>(role: &Role<'a>, names: &mut Names<'a>, report: &mut Report) {
    let Some(delegated) = &role.delegated else {
        return;
    };
    let name = role.shown();
    for field in &delegated.other {
        report.refuse(&[Tough], format_args!("The field {field:?} of the delegated role {name} is lost here before the signatures are checked, so none of them is valid."));
    }
    if delegated.has_prefixes {
        report.refuse(
            &[RustTuf],
            format_args!(
                "The delegated role {name} has path_hash_prefixes, which cannot be read here."
            ),
        );
        report.note(&[GoTuf], format_args!("The delegated role {name} has path_hash_prefixes, which go-tuf resolves rightly only from its change 783 (2026-09-22) on."));
    }
    if delegated.is_terminating {
        report.note(&[Tough], format_args!("terminating of the delegated role {name} is ignored here: roles after it are asked too."));
    }
    let (mut unbalanced, mut special) = (None, None);
    let paths = delegated.paths.into_iter().flat_map(Json::elements);
    for pattern in paths.filter_map(Json::as_str) {
        if unbalanced.is_none() && is_unbalanced(&pattern) {
            unbalanced = Some(pattern.clone());
        }
        if special.is_none() && pattern.bytes().any(|byte| b"*?[]{}".contains(&byte)) {
            special = Some(pattern);
        }
    }
    if let Some(pattern) = unbalanced {
        report.refuse(&[Tough], format_args!("The delegated role {name} has the pattern {pattern:?}, whose brackets are not closed."));
    }
    if let Some(pattern) = special {
        report.note(&[Tough], format_args!("The delegated role {name} has the pattern {pattern:?}, whose wildcards match \"/\" too here."));
    }
    let name = &role.name;
    if TOP_LEVEL_ROLES.contains(&&**name) {
        report.refuse(
            &[PythonTuf, TufJs],
            format_args!("A delegated role has the name {name:?} of a top-level role."),
        );
    }
    if names.is_second(name.clone()) {
        report.refuse(
            &[PythonTuf, TufJs],
            format_args!("Two delegated roles have the name {name:?}."),
        );
    }
}

/// Whether tough's globs (with classes and alternatives) cannot be read.
fn is_unbalanced(pattern: &str) -> bool {
    let count = |bracket| pattern.bytes().filter(|byte| *byte == bracket).count();
    pattern.rfind('[') > pattern.rfind(']') || count(b'{') != count(b'}')
}

/// How tough writes a time: UTC, with as few of 0, 3, 6 or 9 digits of a second as it needs.
fn tough_writes(at: jiff::Timestamp) -> String {
    let nanoseconds = at.subsec_nanosecond();
    let digits = match nanoseconds {
        0 => 0,
        n if n % 1_000_000 == 0 => 3,
        n if n % 1_000 == 0 => 6,
        _ => 9,
    };
    format!("{at:.digits$}")
}

/// Whether Go's RFC 3339 form gives the text back: capitals, no offset of zero, no zeros at the end of a fraction.
fn go_writes_alike(expires: &str) -> bool {
    let zone = expires.rfind(['Z', '+', '-']).unwrap_or(expires.len());
    let (time, zone) = expires.split_at(zone);
    let fraction_kept = !time.contains('.') || !time.ends_with('0');
    fraction_kept && !["+00:00", "-00:00"].contains(&zone) && !expires.contains(['t', 'z', ' '])
}

fn is_hexadecimal(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
