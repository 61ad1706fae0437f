//! What is asked for, and the lists that it is judged by. The script says the digest of each: what decides is what was reviewed, not what lies on
//! the medium today.

use super::InputFile;
use crate::ceremony::script::Script;
use crate::pypi::ledger::Ledger;
use crate::pypi::owners::Owners;
use crate::pypi::requests::Requests;
use crate::pypi::top::Top;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// Requests of the online side.
pub const REQUESTS: &str = "requests/requests.jsonl";
/// What happened, for a rotation.
pub const INCIDENT: &str = "requests/incident.toml";
/// The most downloaded projects, by rank.
pub const TOP: &str = "requests/top-projects.txt";
/// Sigstore's roots, as they were on a day.
pub const SIGSTORE: &str = "sigstore/trusted_root.json";
/// What was decided in the room, for a holder elsewhere.
pub const DECISIONS: &str = "decisions.json";
/// Who holds developers' keys, from the last bundle.
pub const OWNERS: &str = "owners.jsonl";
/// Digests of all offline roles so far, from the last bundle.
pub const LEDGER: &str = "ledger.jsonl";

/// Everything that is asked about projects.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// [`REQUESTS`].
    pub requests: Option<Requests>,
    /// Its bytes, for the bundle.
    pub requests_file: Option<InputFile>,
    /// [`INCIDENT`].
    pub incident: Option<InputFile>,
    /// [`TOP`]; empty if there is none.
    pub top: Top,
    /// [`SIGSTORE`].
    pub sigstore: Option<InputFile>,
    /// [`DECISIONS`].
    pub decisions: Option<InputFile>,
    /// [`OWNERS`].
    pub owners: Option<Owners>,
    /// [`LEDGER`].
    pub ledger: Option<Ledger>,
}

/// Whether a file of the input is one of these.
pub fn is_asked(path: &str) -> bool {
    [REQUESTS, INCIDENT, TOP, SIGSTORE, DECISIONS, OWNERS, LEDGER].contains(&path)
}

/// Takes out of the input what the script pins, and what comes from the last bundle.
///
/// # Errors
/// Rule `INTAKE-DIGEST`, and those of the readers: everything that is wrong.
pub(super) fn asked(script: &Script, files: &[InputFile]) -> Result<Asked, Vec<Finding>> {
    let find = |path: &str| files.iter().find(|file| file.path == path).cloned();
    let mut findings = Vec::new();
    let mut pinned = |path: &str, member: &str, wanted: Option<Sha256>| {
        let found = find(path);
        let wrong = check(path, member, wanted, found.as_ref());
        let right = found.filter(|_| wanted.is_some() && wrong.is_none());
        findings.extend(wrong);
        right
    };
    let (claim, rotate) = (script.claim.as_ref(), script.rotate.as_ref());
    let by_rotate = rotate.and_then(|rotate| rotate.requests_sha256);
    let asked = if claim.is_none() && rotate.is_none() {
        Asked::default()
    } else {
        let table = if claim.is_some() { "claim" } else { "rotate" };
        let requests = claim.map(|claim| claim.requests_sha256).or(by_rotate);
        let top = claim.and_then(|claim| claim.top_sha256);
        let by_rotate = rotate.and_then(|rotate| rotate.sigstore_sha256);
        let sigstore = claim.map_or(by_rotate, |claim| claim.sigstore_sha256);
        let top = pinned(TOP, "claim.top_sha256", top);
        let requests = pinned(REQUESTS, &format!("{table}.requests_sha256"), requests);
        let incident = rotate.map(|rotate| rotate.incident_sha256);
        let asked = Asked {
            incident: pinned(INCIDENT, "rotate.incident_sha256", incident),
            sigstore: pinned(SIGSTORE, &format!("{table}.sigstore_sha256"), sigstore),
            ..Asked::default()
        };
        let mut read = |refused: Finding| findings.push(refused);
        let top = top.map(|file| Top::parse(TOP, &file.bytes));
        let parsed = requests.as_ref();
        let parsed = parsed.map(|file| Requests::parse(REQUESTS, &file.bytes));
        Asked {
            top: top
                .and_then(|top| top.map_err(&mut read).ok())
                .unwrap_or_default(),
            requests: parsed.and_then(|requests| requests.map_err(&mut read).ok()),
            requests_file: requests,
            ..asked
        }
    };
    if !findings.is_empty() {
        return Err(findings);
    }
    let one = |finding| vec![finding];
    let owners = find(OWNERS).map(|file| Owners::parse(OWNERS, &file.bytes));
    let ledger = find(LEDGER).map(|file| Ledger::parse(LEDGER, &file.bytes));
    Ok(Asked {
        decisions: find(DECISIONS),
        owners: owners.transpose().map_err(one)?,
        ledger: ledger.transpose().map_err(one)?,
        ..asked
    })
}

/// A file and its digest in the script come together or not at all.
fn check(
    path: &str,
    member: &str,
    wanted: Option<Sha256>,
    found: Option<&InputFile>,
) -> Option<Finding> {
    let text = match (wanted, found) {
        (None, None) => return None,
        (Some(_), None) => format!("the script gives {member} and the file is not in the input"),
        (None, Some(_)) => format!(
            "lies in the input and the script does not say its digest: give {member}, or take the file away"
        ),
        (Some(wanted), Some(file)) => {
            let digest = Sha256::of(&file.bytes);
            if digest == wanted {
                return None;
            }
            format!(
                "has the SHA-256 {digest}; the script says {member} = {wanted}. Carry in the file that the script was written for"
            )
        }
    };
    Some(Finding::error("INTAKE-DIGEST", path, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const TABLES: &str = r#"
        schema = "tuf-ceremony/script/1"
        kind = "claim"
        title = "t"
        profile = "room"
    "#;

    fn claim(more: &str) -> Script {
        let text = format!(
            "{TABLES}[claim]\non = \"2026-11-22T00:00:00Z\"\nnext_ceremony = \"2026-12-22T00:00:00Z\"\nnext_but_one = \"2027-01-22T00:00:00Z\"\n{more}"
        );
        Script::parse("script.toml", text.as_bytes()).unwrap()
    }

    /// A file of no requests.
    fn none() -> String {
        let zero = Sha256([0; 32]);
        let header = format!(
            "{{\"schema\":\"tuf-ceremony/requests/1\",\"anchor\":\"{zero}\",\"made\":\"2026-11-21T00:00:00Z\",\"requests\":0}}\n"
        );
        let digest = Sha256::of(header.as_bytes());
        format!("{header}{{\"end\":{{\"requests\":0,\"sha256\":\"{digest}\"}}}}\n")
    }

    fn file(path: &str, text: &str) -> InputFile {
        InputFile {
            path: path.to_owned(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn what_is_asked_is_what_the_script_pins() {
        let (requests, top) = (file(REQUESTS, &none()), file(TOP, "django\nnumpy\n"));
        let digest = |file: &InputFile| Sha256::of(&file.bytes);
        let lines = |requests: Sha256, top: Sha256| {
            format!("requests_sha256 = \"{requests}\"\ntop_sha256 = \"{top}\"\n")
        };
        let script = claim(&lines(digest(&requests), digest(&top)));
        let asked = asked(&script, &[requests.clone(), top.clone()]).unwrap();
        assert_eq!(asked.requests.unwrap().requests.len(), 0);
        assert_eq!(asked.top.len(), 2);

        let changed = file(REQUESTS, &none().replace("21T", "20T"));
        let said = format!(
            "has the SHA-256 {}; the script says claim.requests_sha256 = {}. Carry in the file that the script was written for",
            digest(&changed),
            digest(&requests)
        );
        let cases = [
            (vec![changed, top.clone()], REQUESTS, said.as_str()),
            (
                vec![requests.clone()],
                TOP,
                "the script gives claim.top_sha256 and the file is not in the input",
            ),
            (
                vec![requests.clone(), top.clone(), file(SIGSTORE, "{}")],
                SIGSTORE,
                "lies in the input and the script does not say its digest: give claim.sigstore_sha256, or take the file away",
            ),
            (
                vec![requests.clone(), top.clone(), file(INCIDENT, "")],
                INCIDENT,
                "lies in the input and the script does not say its digest: give rotate.incident_sha256, or take the file away",
            ),
        ];
        for (files, path, text) in cases {
            let refused = super::asked(&script, &files).unwrap_err();
            assert_eq!(refused, [Finding::error("INTAKE-DIGEST", path, text)]);
        }
    }

    #[test]
    fn other_kinds_pass_over_requests() {
        let script = Script::parse("script.toml", TABLES.as_bytes()).unwrap();
        let owners = "{\"schema\":\"tuf-ceremony/owners/1\"}\n";
        let files = [file(REQUESTS, "requests"), file(OWNERS, owners)];
        let asked = asked(&script, &files).unwrap();
        assert!(asked.requests.is_none());
        assert!(asked.owners.unwrap().keys.is_empty());
    }
}
