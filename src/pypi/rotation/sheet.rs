//! The instruction sheet of one project: what happened, what its maintainers do, and the last files known to be good, with their digests. It goes to
//! people whose account may be in other hands, so it says nothing that is not public.

use std::fmt::Write as _;

use super::{GoodFiles, Hit, Way};
use crate::pypi::incident::Incident;
use crate::pypi::project::{Project, ProjectRole};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::shown;
use crate::tuf::key::KeyId;

/// The longest project name that is a file's name as it stands: what lies in a bundle has names of 101 characters at most.
const LONGEST: usize = 90;

/// The sheet's file name. A name that is too long for one is cut, and told apart by the beginning of its digest.
pub fn name(project: &Project) -> String {
    let whole = project.as_str();
    if whole.len() <= LONGEST {
        return format!("{whole}.md");
    }
    let digest = Sha256::of(whole.as_bytes()).to_string();
    format!("{}.{}.md", &whole[..60], &digest[..16])
}

/// The sheet's text, in Markdown.
pub fn sheet(incident: &Incident, hit: &Hit) -> String {
    let mut text = String::new();
    let mut line = |content: String| {
        let _ = writeln!(text, "{content}");
    };
    line(format!("# {}: rotation of keys", hit.project));
    line(String::new());
    line(format!(
        "Incident {}: {}. Files published after {} are not known to be good.",
        incident.id,
        shown(&incident.title),
        incident.last_trusted.text()
    ));
    line(String::new());
    if !hit.lost.is_empty() {
        line("Keys that count no longer:".to_owned());
        line(String::new());
        for keyid in &hit.lost {
            let evidence = incident.compromised.get(keyid);
            let evidence = evidence.map_or_else(
                || "held by the same owner".to_owned(),
                |evidence| shown(evidence).into_owned(),
            );
            line(format!("- `{keyid}`: {evidence}"));
        }
        line(String::new());
    }
    for step in steps(hit) {
        line(step);
    }
    line(String::new());
    line(good_files(&hit.good));
    text
}

/// What the maintainers do now (PEP 480, compromise of project keys).
fn steps(hit: &Hit) -> Vec<String> {
    match &hit.way {
        Way::Replace {
            role,
            keys,
            threshold,
        } => signed_again(hit, role, keys, *threshold, "new keys"),
        Way::Remove {
            role,
            keys,
            threshold,
        } => signed_again(hit, role, keys, *threshold, "remaining keys"),
        Way::Files => vec![
            "Until the project has keys again, PyPI's administrators answer for it: the files below install, and nothing else does.".to_owned(),
            next_keys(hit),
        ],
        Way::Tombstone => vec![
            "Until the project has keys again, nothing of it installs.".to_owned(),
            next_keys(hit),
        ],
        Way::Online => vec![
            "The project was not claimed yet. PyPI drops its keys from recently-claimed at once; register new ones as at the first time.".to_owned(),
        ],
    }
}

fn signed_again(
    hit: &Hit,
    role: &ProjectRole,
    keys: &[KeyId],
    threshold: u32,
    which: &str,
) -> Vec<String> {
    let mut steps = vec![format!(
        "{threshold} of these {which} must sign the project's metadata from now on:"
    )];
    steps.push(String::new());
    steps.extend(keys.iter().map(|keyid| format!("- `{keyid}`")));
    steps.push(String::new());
    let name = if hit.before.as_ref() == Some(role) {
        format!(
            "1. Take the newest {role} that you trust, set its version one higher than the newest that PyPI ever published, and its expiry a year ahead."
        )
    } else {
        format!(
            "1. Write {role}, version 1: the versions of the project's former role were driven up, and clients would refuse lower ones under its name."
        )
    };
    steps.push(name);
    steps.push("2. List exactly the files below, and those that you have checked since by other means. Leave out every other one.".to_owned());
    steps.push("3. Sign it with the keys above, and hand it to PyPI. Until then clients find no file of the project.".to_owned());
    steps
}

fn next_keys(hit: &Hit) -> String {
    format!(
        "To have keys again, hand in a rotate request that replaces `{}`, with a proof of possession by every new key (docs/requests.md).",
        crate::pypi::delegation::custody_digest(&hit.project)
    )
}

fn good_files(files: &GoodFiles) -> String {
    if files.is_empty() {
        return "No file is known to be good.".to_owned();
    }
    let mut text = format!("Last files known to be good ({}):\n\n", files.len());
    for (path, file) in files {
        let _ = writeln!(text, "- `{path}`, {} bytes", file.length);
        for (name, digest) in &file.hashes {
            let _ = writeln!(text, "  - {name} `{digest}`");
        }
    }
    text
}
