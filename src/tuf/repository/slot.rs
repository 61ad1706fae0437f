//! One role of a repository: its file, read once, and the judgement by each of its delegators, made once.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Files;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::lookup::Listing;
use crate::tuf::metadata::{Content, RoleKeys};
use crate::tuf::verification;

/// Every signature hashes the whole file; so many keep the work of a hostile one bounded, as for roots.
const MOST_SIGNATURES: usize = 256;

pub(super) struct Slot {
    file: String,
    version: Option<u64>,
    content: Content,
    is_there: bool,
    listing: OnceLock<Result<Listing, Finding>>,
    /// By delegator.
    judged: Mutex<BTreeMap<String, Result<(), Finding>>>,
}

/// Whose signatures count.
pub(super) struct Judge<'a> {
    pub role: &'a str,
    /// Who names the keys.
    pub whose: &'a str,
    pub keys: &'a BTreeMap<KeyId, Key>,
    pub signers: &'a RoleKeys,
}

impl Slot {
    pub(super) fn new(
        file: String,
        version: Option<u64>,
        content: Content,
        is_there: bool,
    ) -> Self {
        Self {
            file,
            version,
            content,
            is_there,
            listing: OnceLock::new(),
            judged: Mutex::default(),
        }
    }
    pub(super) fn is_there(&self) -> bool {
        self.is_there
    }
    /// What was read already.
    pub(super) fn known(&self) -> Option<&Listing> {
        self.listing.get()?.as_ref().ok()
    }
    /// Its content, believed by nobody yet.
    pub(super) fn listing(&self, files: &dyn Files) -> Result<&Listing, Finding> {
        let read = self.listing.get_or_init(|| self.read(files));
        read.as_ref().map_err(Clone::clone)
    }
    /// Whether `delegator` vouches for what was read.
    pub(super) fn verify<'a>(
        &self,
        listing: &Listing,
        delegator: &str,
        judge: impl FnOnce() -> Judge<'a>,
    ) -> Result<(), Finding> {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = judged.get(delegator) {
            return known.clone();
        }
        let result = judge().judge("REPOSITORY-ROLE", &self.file, listing.envelope());
        judged.insert(delegator.to_owned(), result.clone());
        result
    }

    fn read(&self, files: &dyn Files) -> Result<Listing, Finding> {
        let file = &self.file;
        if !self.is_there {
            let text = "the snapshot lists it, but it is not there";
            return Err(Finding::error("REPOSITORY-MISSING", file, text));
        }
        let bytes = files.take(file)?;
        let refuse = |text: String| Err(Finding::error("REPOSITORY-ROLE", file, text));
        if let Some(reason) = self.content.differs(&bytes) {
            return refuse(format!(
                "it is not the file that the snapshot means: {reason}"
            ));
        }
        let listing = Listing::read(file, Envelope::parse(file, bytes, Limits::LARGE)?)?;
        let found = listing.targets().header.version;
        match self.version {
            Some(version) if version != found => refuse(format!(
                "it says that it is v{found}, but v{version} is meant"
            )),
            _ => Ok(listing),
        }
    }
}

impl Judge<'_> {
    /// Whether enough of the keys have signed.
    pub(super) fn judge(
        &self,
        rule: &'static str,
        file: &str,
        envelope: &Envelope,
    ) -> Result<(), Finding> {
        let signatures = envelope.signatures().len();
        if signatures > MOST_SIGNATURES {
            let text =
                format!("signatures has {signatures} entries; at most {MOST_SIGNATURES} are read");
            return Err(Finding::error(rule, file, text));
        }
        let report = verification::threshold(envelope, self.keys, self.signers, &[]);
        if report.reached() {
            return Ok(());
        }
        let name = shown(self.role);
        let whose = format!("the keys that {} names for {name}", self.whose);
        Err(Finding::error(rule, file, report.shortfall(&name, &whose)))
    }
}
