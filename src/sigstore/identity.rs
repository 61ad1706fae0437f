//! A Sigstore identity as a key of metadata (TAP 18), and what is to be known before one is delegated to.

use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::Key;
use crate::tuf::value::Value;

/// The keytype of TAP 18.
const KEYTYPE: &str = "sigstore-oidc";
/// Its one scheme.
const SCHEME: &str = "Fulcio";

/// Who signs: an identity and the issuer that vouches for it, both compared character by character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// An e-mail address, or the address of a workflow.
    pub identity: String,
    /// The address of who let the identity log in (OIDC).
    pub issuer: String,
}

impl Identity {
    /// The identity that `key` stands for; `None` for a key of another type.
    ///
    /// # Errors
    /// `SIGSTORE-KEY`: a key of this type that is not as TAP 18 has it.
    pub fn of_key(file: &str, key: &Key) -> Result<Option<Self>, Finding> {
        if key.keytype() != KEYTYPE {
            return Ok(None);
        }
        let fault = |text: String| Finding::error("SIGSTORE-KEY", file, text);
        let keyid = key.keyid();
        if key.scheme() != SCHEME {
            let scheme = shown(key.scheme());
            return Err(fault(format!(
                "the Sigstore identity {keyid} has the scheme {scheme}; TAP 18 has {SCHEME} only. Have the key object made again"
            )));
        }
        let member = |name: &str| match key.value().get("keyval")?.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let exact = matches!(key.value().get("keyval"), Some(Value::Object(all)) if all.len() == 2);
        match (member("identity"), member("issuer")) {
            (Some(identity), Some(issuer)) if exact => Ok(Some(Self { identity, issuer })),
            _ => Err(fault(format!(
                "the keyval of the Sigstore identity {keyid} is not exactly an identity and an issuer, both texts that say something (TAP 18). Have the key object made again"
            ))),
        }
    }

    /// What is to be known of this identity before it is delegated to.
    pub fn remarks(&self, file: &str) -> Vec<Finding> {
        let identity = shown(&self.identity);
        let mut remarks = Vec::new();
        if let Some((_, reference)) = self.identity.split_once("@refs/") {
            // PyPI compares a publisher without the ref; TAP 18 compares the whole text.
            let text = if reference.starts_with("heads/") {
                format!(
                    "{identity} is a workflow on one branch: no signature from a tag or another branch will count, because identities are compared whole. See that the project releases from this branch, or take an ordinary key"
                )
            } else {
                format!(
                    "{identity} is a workflow at one ref, {}: the next tag is another identity and its signatures will not count. Take an ordinary key, or a workflow that signs on one branch",
                    shown(reference)
                )
            };
            remarks.push(Finding::warning("SIGSTORE-REF", file, text));
        }
        if self.is_address() {
            let text = format!(
                "{identity} is an e-mail address: it becomes public in the metadata, and every signature by it stands in a public log for good. See that its owner knows"
            );
            remarks.push(Finding::note("SIGSTORE-EMAIL-PUBLIC", file, text));
        }
        remarks
    }

    /// An e-mail address, as far as that shows.
    fn is_address(&self) -> bool {
        self.identity.contains('@') && !self.identity.contains("://")
    }
}

/// To be said once of a file that delegates to `count` identities.
pub fn clients(file: &str, count: usize) -> Option<Finding> {
    let text = format!(
        "{count} Sigstore identities stand in it: of the clients that were measured python-tuf (unless its program registers the type), tough and go-tuf refuse the whole file, tuf-js and rust-tuf read it and count no signature by them (docs/compatibility.md). Delegate to identities only if every client that reads this file can"
    );
    (count > 0).then(|| Finding::warning("SIGSTORE-CLIENTS", file, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::tuf::json::{self, Limits};

    fn key(text: &str) -> Key {
        Key::from_json(json::check(text.as_bytes(), Limits::SMALL).unwrap()).unwrap()
    }

    fn identity(identity: &str) -> Identity {
        Identity {
            identity: identity.to_owned(),
            issuer: "https://accounts.google.com".to_owned(),
        }
    }

    #[test]
    fn a_key_of_tap_18_is_an_identity_and_another_key_is_none() {
        let tap_18 = key(
            r#"{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{"identity":"alice@example.com","issuer":"https://accounts.google.com"}}"#,
        );
        let read = Identity::of_key("requests.jsonl", &tap_18).unwrap();
        assert_eq!(read, Some(identity("alice@example.com")));
        let other = key(
            r#"{"keytype":"sigstore-oidc-2","scheme":"Fulcio","keyval":{"identity":"a","issuer":"b"}}"#,
        );
        assert_eq!(Identity::of_key("requests.jsonl", &other), Ok(None));
    }

    #[test]
    fn an_identity_that_is_not_as_tap_18_has_it_is_refused() {
        let scheme = key(
            r#"{"keytype":"sigstore-oidc","scheme":"fulcio","keyval":{"identity":"a","issuer":"b"}}"#,
        );
        let fault = Identity::of_key("r", &scheme).unwrap_err();
        assert_eq!(fault.rule, "SIGSTORE-KEY");
        assert_eq!(
            fault.text,
            format!(
                "the Sigstore identity {} has the scheme fulcio; TAP 18 has Fulcio only. Have the key object made again",
                scheme.keyid()
            )
        );
        for keyval in [
            r#"{"identity":"a"}"#,
            r#"{"issuer":"b"}"#,
            r#"{"identity":"","issuer":"b"}"#,
            r#"{"identity":"a","issuer":7}"#,
            r#"{"identity":"a","issuer":"b","public":"c"}"#,
        ] {
            let key = key(&format!(
                r#"{{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{keyval}}}"#
            ));
            let fault = Identity::of_key("r", &key).unwrap_err();
            assert_eq!(fault.rule, "SIGSTORE-KEY", "{keyval}");
            assert!(
                fault
                    .text
                    .contains("is not exactly an identity and an issuer")
            );
        }
    }

    #[test]
    fn identities_that_break_or_become_public_are_remarked() {
        let workflow = "https://github.com/o/r/.github/workflows/release.yml";
        let cases: [(String, &[&str]); 4] = [
            (format!("{workflow}@refs/tags/v1"), &["SIGSTORE-REF"]),
            (format!("{workflow}@refs/heads/main"), &["SIGSTORE-REF"]),
            ("alice@example.com".to_owned(), &["SIGSTORE-EMAIL-PUBLIC"]),
            ("https://gitlab.com/o/r".to_owned(), &[]),
        ];
        for (text, expected) in cases {
            let remarks = identity(&text).remarks("r");
            let rules: Vec<_> = remarks.iter().map(|remark| remark.rule.as_str()).collect();
            assert_eq!(rules, expected, "{text}");
        }
        assert_eq!(
            identity(&format!("{workflow}@refs/tags/v1")).remarks("r")[0].text,
            format!(
                "{workflow}@refs/tags/v1 is a workflow at one ref, tags/v1: the next tag is another identity and its signatures will not count. Take an ordinary key, or a workflow that signs on one branch"
            )
        );
    }

    #[test]
    fn the_clients_that_cannot_read_identities_are_named_where_there_are_any() {
        assert_eq!(clients("2.claimed.json", 0), None);
        let said = clients("2.claimed.json", 3).unwrap();
        assert_eq!(said.rule, "SIGSTORE-CLIENTS");
        assert!(said.text.starts_with("3 Sigstore identities stand in it: "));
    }
}
