//! Identities in requests: the room of Sigstore, asked about the bundles of one ceremony with the trusted root that its script names.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::pypi::requests::Request;
use crate::sigstore::{Identity, TrustedRoot, clients, verify_by_key};
use crate::tuf::expires::Expires;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::Key;
use crate::tuf::value::Value;

use super::intake::InputFile;

/// What bundles of one ceremony are judged by.
#[derive(Debug)]
pub struct Identities {
    root: Option<TrustedRoot>,
    at: Timestamp,
}

impl Identities {
    /// Reads the trusted root that was carried in, `dated` by the script (`sigstore_dated`) and used on `at` (its `on`), and says what is to be
    /// known of its age. Where there is none no bundle proves anything.
    ///
    /// # Errors
    /// `SIGSTORE-ROOT`, and `SIGSTORE-ROOT-AGE` where it is so old, or dated so, that it cannot be used.
    pub fn read(
        file: Option<&InputFile>,
        dated: Option<&str>,
        at: Timestamp,
    ) -> Result<(Self, Option<Finding>), Finding> {
        let Some(file) = file else {
            return Ok((Self { root: None, at }, None));
        };
        let dated = dated.map(Expires::parse).transpose().map_err(|fault| {
            let text = format!("sigstore_dated of the script: {fault}");
            Finding::error("SIGSTORE-ROOT-AGE", &file.path, text)
        })?;
        let root = TrustedRoot::parse(&file.path, &file.bytes)?;
        let age = root.age(&file.path, dated.map(|dated| dated.at()), at);
        match age {
            Some(age) if age.level == Level::Error => Err(age),
            age => {
                let root = Some(root);
                Ok((Self { root, at }, age))
            }
        }
    }

    /// Whether `bundle` is a signature over `message` by the identity that `key` stands for. In the form that requests ask for
    /// ([`crate::pypi::requests::statement::Sigstore`]).
    ///
    /// # Errors
    /// The rule and in words why not.
    pub fn judge(&self, key: &Key, bundle: &Value, message: &[u8]) -> Result<(), String> {
        let Some(root) = &self.root else {
            return Err(
                "there is no trusted root of Sigstore in the input to check its bundle with"
                    .to_owned(),
            );
        };
        verify_by_key(root, "", key, bundle, message, self.at)
            .map(|_| ())
            .map_err(|fault| format!("{}: {}", fault.rule, fault.text))
    }

    /// What is to be known of the identities that `requests` bring, each told once, and of the clients that cannot read them.
    /// A key that is no identity as TAP 18 has it is an error among them.
    pub fn remarks(file: &str, requests: &[Request]) -> Vec<Finding> {
        let (mut seen, mut remarks, mut count) = (BTreeSet::new(), Vec::new(), 0);
        let keys = requests.iter().flat_map(|request| &request.keys);
        for (keyid, key) in keys {
            if !seen.insert(keyid) {
                continue;
            }
            match Identity::of_key(file, key) {
                Ok(None) => {}
                Ok(Some(identity)) => {
                    count += 1;
                    remarks.extend(identity.remarks(file));
                }
                Err(fault) => remarks.push(fault),
            }
        }
        remarks.extend(clients(file, count));
        remarks
    }
}
