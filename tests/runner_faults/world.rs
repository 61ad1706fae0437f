//! A world in memory: software tokens, a disk, registers, a clock that stands. Any call can be broken, and tokens can be made to lie.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tuf_ceremony::bundle::files::digest;
use tuf_ceremony::ceremony::event::{Credential, Document, Event, FileDigest, Signer};
use tuf_ceremony::ceremony::port::{
    Leaves, PartFile, Payload, Reset, SignRequest, Taken, Throwaway, TokenChoice, TokenError,
    TokenFault, TokenId, TokenInfo, TokenKey, Vault, World, WorldError,
};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::ceremony::review::Reviewed;
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::software::{EphemeralKeys, SoftwareModule};
use tuf_ceremony::token::{Module, credential};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::finding::{Finding, Level};
use tuf_ceremony::tuf::key::{Algorithm, PublicKey};
use tuf_ceremony::verdict;

use super::people::PIN;
use super::record::{Entry, Log};
use super::stand_in::stand_in;

/// How a call breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails before anything happened.
    Before(TokenFault),
    /// It fails before anything happened, and nobody can know that.
    Unknown,
    /// It happened, and the answer is lost.
    Unanswered,
    /// Half of the bytes are written.
    Torn,
}

/// What a lying token makes of the truth.
pub type Lie<T> = Box<dyn FnMut(T) -> T>;
/// What a token shows of its maker for a key.
pub type Attests = Box<dyn FnMut(&TokenId, &TokenKey) -> Vec<Vec<u8>>>;
/// A token that signs in its own way.
pub type Signs = fn(&mut SoftwareModule, &TokenId, &TokenKey, &[u8]) -> Vec<u8>;

pub struct FakeWorld {
    pub log: Log,
    pub module: SoftwareModule,
    pub ephemeral: EphemeralKeys,
    pub disk: BTreeMap<String, Vec<u8>>,
    pub parts: Vec<PartFile>,
    /// Registers by holder, role and version; a holder that is not here has none.
    pub registers: BTreeMap<String, Vec<(Document, Sha256)>>,
    /// Holders who have no token in this room.
    pub away: BTreeSet<String>,
    /// The call that breaks, once.
    pub breaks: Option<(usize, Fault)>,
    /// How tokens sign, if not as they should.
    pub signs: Option<Signs>,
    /// Changes what a token shows.
    pub shown: Option<Lie<TokenKey>>,
    /// Changes what a token says of itself.
    pub listed: Option<Lie<TokenInfo>>,
    /// What tokens show of their maker, if not nothing.
    pub attests: Option<Attests>,
    /// Roots of attestation of this room.
    pub roots: Vec<(String, Vec<u8>)>,
    /// The management key of every token, where tokens have one.
    pub management: Option<&'static str>,
    /// The SO PIN that every token wants to see before it is erased, if one does.
    pub so_pin: Option<&'static str>,
    /// Holders whose tokens were erased and are called otherwise now.
    pub erased: BTreeSet<String>,
    /// A holder for whom the room names this label, whosever it is.
    pub same: Option<(&'static str, &'static str)>,
    /// Secrets of which an erased token keeps its maker's.
    pub reset_to: Option<Vec<Credential>>,
    /// How long a token takes for each signature of a batch.
    pub takes: Duration,
    /// Whether a token wants its PIN for each signature of a batch, and what it said last.
    pub pin_each: bool,
    pub last_fault: Option<TokenFault>,
    calls: usize,
}

pub fn clock() -> jiff::Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

impl FakeWorld {
    pub fn new(log: &Log, holders: &[&str]) -> Self {
        let mut module = SoftwareModule::new("fake");
        for holder in holders {
            module
                .initialise(holder, &secret("so"), &secret(PIN))
                .unwrap();
        }
        let registers = holders
            .iter()
            .map(|holder| ((*holder).to_owned(), Vec::new()));
        Self {
            log: log.clone(),
            module,
            ephemeral: EphemeralKeys::default(),
            disk: BTreeMap::new(),
            parts: Vec::new(),
            registers: registers.collect(),
            away: BTreeSet::new(),
            breaks: None,
            signs: None,
            shown: None,
            listed: None,
            attests: None,
            roots: Vec::new(),
            management: None,
            so_pin: None,
            same: None,
            reset_to: None,
            erased: BTreeSet::new(),
            takes: Duration::ZERO,
            pin_each: false,
            last_fault: None,
            calls: 0,
        }
    }

    /// What the medium holds of metadata.
    pub fn metadata(&self) -> Vec<(String, Vec<u8>)> {
        let files = self
            .disk
            .iter()
            .filter(|(path, _)| path.starts_with("metadata/"));
        files
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect()
    }

    /// A stranger's verdict over the metadata, from the first root.
    pub fn judged(&self) -> Vec<Finding> {
        if self.metadata().is_empty() {
            return Vec::new();
        }
        let input = verdict::Input {
            trusted_root: (
                "1.root.json".to_owned(),
                self.disk["metadata/1.root.json"].clone(),
            ),
            metadata: self.metadata(),
            named: BTreeSet::new(),
            bundles: Vec::new(),
            at: clock(),
            rehearsal: true,
            findings: Vec::new(),
        };
        let errors = verdict::judge(input).findings.into_iter();
        errors
            .filter(|finding| finding.level == Level::Error)
            .collect()
    }

    /// Puts the call on the log; the fault, if it shall break.
    fn call(&mut self, method: &'static str, about: impl Into<String>) -> Option<Fault> {
        let index = self.calls;
        self.calls += 1;
        self.log.add(Entry::Call {
            method,
            about: about.into(),
            index: Some(index),
        });
        self.breaks
            .filter(|(at, _)| *at == index)
            .map(|(_, fault)| fault)
    }

    fn quiet(&self, method: &'static str, about: &str) {
        self.log.add(Entry::Call {
            method,
            about: about.to_owned(),
            index: None,
        });
    }

    fn is_vouched(&self, path: &str) -> bool {
        let written = |event: &Event| matches!(event, Event::Written { file } if file.path == path);
        self.log.count(written) > 0
    }
}

fn token_error(fault: Fault) -> TokenError {
    TokenError {
        attempted: "the test".to_owned(),
        said: "broken on purpose".to_owned(),
        fault: match fault {
            Fault::Before(fault) => fault,
            _ => TokenFault::Other,
        },
        may_have_signed: matches!(fault, Fault::Unknown | Fault::Unanswered),
    }
}

fn world_error(path: &str) -> WorldError {
    WorldError {
        path: path.to_owned(),
        said: "broken on purpose".to_owned(),
    }
}

/// A call of a token: the thing done unless it breaks before, and its answer unless it is lost.
fn answered<T>(
    fault: Option<Fault>,
    done: impl FnOnce() -> Result<T, TokenError>,
) -> Result<T, TokenError> {
    match fault {
        None => done(),
        Some(Fault::Unanswered) => done().and(Err(token_error(Fault::Unanswered))),
        Some(fault) => Err(token_error(fault)),
    }
}

impl Vault for FakeWorld {}

impl World for FakeWorld {
    fn now(&mut self) -> jiff::Timestamp {
        clock()
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        let fault = self.call("tokens", "");
        let mut listed = answered(fault, || self.module.list())?;
        if let Some(lie) = &mut self.listed {
            listed = listed.into_iter().map(lie).collect();
        }
        Ok(listed)
    }

    fn assigned(&self, holder: &str) -> Option<TokenChoice> {
        let other = self.same.filter(|(name, _)| *name == holder);
        let label = if let Some((_, label)) = other {
            label.to_owned()
        } else if self.erased.contains(holder) {
            format!("tuf-{holder}")
        } else {
            holder.to_owned()
        };
        (!self.away.contains(holder)).then(|| TokenChoice {
            description: format!("label {holder}"),
            serial: None,
            label: Some(label),
        })
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let fault = self.call("login", &token.label);
        let right = secret(PIN);
        // On a pin pad the PIN is typed where no program sees it.
        let pin = if pin.is_empty() { &right } else { pin };
        answered(fault, || self.module.login(token, pin))
    }

    fn logout(&mut self, token: &TokenId) {
        self.quiet("logout", &token.label);
        self.module.logout(token);
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        let fault = self.call("keys", &token.label);
        let mut keys = answered(fault, || self.module.keys(token))?;
        if let Some(lie) = &mut self.shown {
            keys = keys.into_iter().map(lie).collect();
        }
        Ok(keys)
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        let fault = self.call("generate", &token.label);
        let key = answered(fault, || {
            self.module.generate(token, label, algorithm, leaves)
        })?;
        Ok(match &mut self.shown {
            Some(lie) => lie(key),
            None => key,
        })
    }

    fn sign(
        &mut self,
        request: &SignRequest<'_>,
        token: &TokenId,
        key: &TokenKey,
    ) -> Result<Vec<u8>, TokenError> {
        let method = match request {
            SignRequest::Metadata(_) => "sign",
            SignRequest::Challenge(_) => "challenge",
        };
        let fault = self.call(method, &token.label);
        let signs = self.signs;
        answered(fault, || match signs {
            Some(signs) => Ok(signs(&mut self.module, token, key, &request.bytes())),
            None => self.module.sign(token, key, &request.bytes()),
        })
    }

    fn sign_each(
        &mut self,
        payloads: &[Reviewed<'_>],
        token: &TokenId,
        key: &TokenKey,
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        for (number, reviewed) in payloads.iter().enumerate() {
            if self.pin_each && number > 0 {
                let failed = token_error(Fault::Before(TokenFault::NotLoggedIn));
                self.last_fault = Some(failed.fault);
                return Err(failed);
            }
            let fault = self.call("sign_each", &token.label);
            let signs = self.signs;
            let bytes = reviewed.bytes();
            let signature = answered(fault, || match signs {
                Some(signs) => Ok(signs(&mut self.module, token, key, &bytes)),
                None => self.module.sign(token, key, &bytes),
            })?;
            if !give(signature, self.takes) {
                break;
            }
        }
        Ok(())
    }

    fn authorise(&mut self, token: &TokenId, management: &Secret) -> Result<(), TokenError> {
        let fault = self.call("authorise", &token.label);
        let right = |right: &str| management.expose(|given| given == right.as_bytes());
        answered(fault, || match self.management.map(right) {
            Some(true) => Ok(()),
            Some(false) => Err(token_error(Fault::Before(TokenFault::PinIncorrect))),
            None => self.module.authorise(token, management),
        })
    }

    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError> {
        let fault = self.call("attestation", &token.label);
        answered(fault, || match &mut self.attests {
            Some(attests) => Ok(attests(token, key)),
            None => self.module.attestation(token, key),
        })
    }

    fn test_roots(&self) -> Vec<(String, Vec<u8>)> {
        self.roots.clone()
    }

    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        let fault = self.call("reset", &token.label);
        answered(fault, || {
            let shown = |right: &&str| {
                let old = reset.old_so.as_ref();
                old.is_some_and(|old| old.expose(|old| old == right.as_bytes()))
            };
            if !self.so_pin.as_ref().is_none_or(shown) {
                return Err(token_error(Fault::Before(TokenFault::PinIncorrect)));
            }
            self.erased.insert(reset.label.replacen("tuf-", "", 1));
            let mut now = self.module.reset(token, reset)?;
            now.factory = self.reset_to.clone().unwrap_or_default();
            Ok(now)
        })
    }

    fn new_secret(&mut self, kind: Credential) -> Result<Secret, TokenError> {
        let fault = self.call("new_secret", kind.name());
        answered(fault, || credential::fresh(kind))
    }

    fn nonce(&mut self) -> Result<[u8; 32], TokenError> {
        let fault = self.call("nonce", "");
        answered(fault, credential::nonce)
    }

    fn make_ephemeral(&mut self, algorithms: &[Algorithm]) -> Result<Vec<PublicKey>, TokenError> {
        let fault = self.call("make_ephemeral", "");
        answered(fault, || self.ephemeral.make(algorithms))
    }

    fn sign_ephemeral(
        &mut self,
        request: &SignRequest<'_>,
        key: &PublicKey,
    ) -> Result<Vec<u8>, TokenError> {
        let fault = self.call("sign_ephemeral", "");
        answered(fault, || self.ephemeral.sign(key, &request.bytes()))
    }

    fn destroy_ephemeral(&mut self) {
        self.quiet("destroy_ephemeral", "");
        self.ephemeral.destroy();
    }

    fn throwaway(&mut self, algorithm: Algorithm) -> Result<Box<dyn Throwaway>, TokenError> {
        let fault = self.call("throwaway", "");
        answered(fault, || Ok(stand_in(algorithm, None)))
    }

    fn registered(&mut self, signer: &Signer) -> Result<Option<Vec<Payload>>, WorldError> {
        if self.call("registered", &signer.holder).is_some() {
            return Err(world_error("register"));
        }
        Ok(self.registers.get(&signer.holder).cloned())
    }

    fn register(&mut self, signer: &Signer, payloads: &[Payload]) -> Result<(), WorldError> {
        let fault = self.call("register", &signer.holder);
        if fault != Some(Fault::Before(TokenFault::Other))
            && let Some(lines) = self.registers.get_mut(&signer.holder)
        {
            lines.extend_from_slice(payloads);
        }
        fault.map_or(Ok(()), |_| Err(world_error("register")))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FileDigest, WorldError> {
        let fault = self.call("write", path);
        if let Some(found) = self.disk.get(path)
            && found != bytes
            && self.is_vouched(path)
        {
            return Err(world_error(path));
        }
        match fault {
            Some(Fault::Before(_)) => return Err(world_error(path)),
            Some(Fault::Torn) => {
                let half = bytes[..bytes.len() / 2].to_vec();
                self.disk.insert(path.to_owned(), half);
                return Err(world_error(path));
            }
            _ => self.disk.insert(path.to_owned(), bytes.to_vec()),
        };
        fault.map_or_else(|| Ok(digest(path, bytes)), |_| Err(world_error(path)))
    }

    fn parts(&mut self) -> Result<Vec<PartFile>, Finding> {
        match self.call("parts", "") {
            Some(_) => Err(Finding::error("FILE-READ", "parts", "broken on purpose")),
            None => Ok(self.parts.clone()),
        }
    }

    fn write_part(&mut self, part: &PartFile) -> Result<FileDigest, WorldError> {
        let path = format!("parts/{}", part.document);
        match self.call("write_part", &path) {
            Some(_) => Err(world_error(&path)),
            None => Ok(digest(&path, &part.envelope)),
        }
    }

    fn minutes(&mut self) -> Result<(String, Sha256), WorldError> {
        match self.call("minutes", "") {
            Some(_) => Err(world_error("ceremony/minutes.md")),
            None => Ok(("# Minutes\n".to_owned(), Sha256::of(b"head"))),
        }
    }

    fn verdict(&mut self) -> Result<(FileDigest, Vec<Finding>), WorldError> {
        match self.call("verdict", "") {
            Some(_) => Err(world_error("manifest.json")),
            None => Ok((digest("manifest.json", b"{}"), self.judged())),
        }
    }
}

/// The token of `holder` says this of its PIN counter.
pub fn with_tries(holder: &'static str, tries: Tries) -> Lie<TokenInfo> {
    Box::new(move |mut token| {
        if token.id.label == holder {
            token.tries = tries;
        }
        token
    })
}
