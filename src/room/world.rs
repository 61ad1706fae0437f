//! The real World: modules and tokens, the folder carried in, the folder carried away.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::clock;
use super::record::Record;
use super::register;
use super::throwaway::throwaway;
use super::vault::RoomVault;
use crate::bundle::files::{self, FileError};
use crate::bundle::part::{Acknowledgement, Part, Superseded};
use crate::ceremony::event::{Abandoned, Credential, FileDigest, Mode, Signer};
use crate::ceremony::port::{
    Leaves, PartFile, Payload, Reset, SignRequest, Taken, Throwaway, TokenChoice, TokenError,
    TokenFault, TokenId, TokenInfo, TokenKey, World, WorldError,
};
use crate::ceremony::review::Reviewed;
use crate::secret::Secret;
use crate::token::software::EphemeralKeys;
use crate::token::uri::TokenUri;
use crate::token::{Module, credential};
use crate::transcript::minutes;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::{Algorithm, PublicKey};

mod judged;

/// A holder of the room.
pub(super) struct Present {
    pub(super) uri: TokenUri,
    pub(super) register: Option<PathBuf>,
}

/// The world of one ceremony.
pub(super) struct RoomWorld {
    pub(super) mode: Mode,
    pub(super) ceremony: Sha256,
    /// Name and bytes of the trusted root; none at genesis.
    pub(super) trusted_root: Option<(String, Vec<u8>)>,
    /// SHA-256 of 1.root.json, where it was carried in.
    pub(super) anchor: Option<Sha256>,
    pub(super) modules: Vec<Box<dyn Module>>,
    pub(super) holders: BTreeMap<String, Present>,
    pub(super) input: PathBuf,
    pub(super) output: PathBuf,
    pub(super) record: Record,
    pub(super) ephemeral: EphemeralKeys,
    /// What is backed up, and what was opened.
    pub(super) vault: RoomVault,
    /// Roots of attestation that a rehearsal adds.
    pub(super) test_roots: Vec<(String, Vec<u8>)>,
}

impl RoomWorld {
    fn register_of(&self, signer: &Signer) -> Option<&Path> {
        self.holders.get(&signer.holder)?.register.as_deref()
    }

    pub(super) fn module(&mut self, token: &TokenId) -> Result<&mut Box<dyn Module>, TokenError> {
        reach(&mut self.modules, token)
    }

    /// A file of the bundle. Bytes that lie there already are fine if they are the same; others are replaced only if the record does not vouch for
    /// them (a write that was interrupted).
    fn put(&self, path: &str, bytes: &[u8], replace: bool) -> Result<FileDigest, WorldError> {
        let target = self.output.join(path);
        let vouched = || {
            self.record
                .transcript()
                .progress()
                .written()
                .iter()
                .any(|file| file.path == path)
        };
        match files::read(&target, files::CAP) {
            Ok(found) if found == bytes => return Ok(files::digest(path, bytes)),
            Ok(_) if !replace && vouched() => {
                return Err(world(
                    path,
                    "a file with other bytes is there, and the transcript says that it was finished",
                ));
            }
            Ok(_) => remove(&target).map_err(|fault| world(path, &fault.to_string()))?,
            Err(fault) if fault.is_absent() => {}
            Err(fault) => return Err(disk(path, &fault)),
        }
        files::create_new(&target, bytes).map_err(|fault| disk(path, &fault))?;
        Ok(files::digest(path, bytes))
    }

    fn read_part(&self, file: &files::File) -> Result<PartFile, Finding> {
        let part = Part::parse(&file.path, &file.bytes)?;
        if part.mode != self.mode {
            return Err(Finding::error(
                "PART-FOREIGN",
                &file.path,
                "this part file is of the other mode (rehearsal or production)",
            ));
        }
        let document = part.document.clone();
        let abandoned = |entry: &Superseded| Abandoned {
            document: document.clone(),
            payload: entry.sha256,
            signed_by: entry.signed_by.clone(),
        };
        Ok(PartFile {
            sha256: Some(Sha256::of(&file.bytes)),
            ceremony: part.ceremony,
            trusted_root: part.trusted_root,
            supersedes: part.supersedes.iter().map(abandoned).collect(),
            acknowledgements: part
                .acknowledgements
                .iter()
                .map(|word| (word.holder.clone(), word.register))
                .collect(),
            envelope: part.envelope.bytes().to_vec(),
            document: part.document,
        })
    }
}

/// The module that has a token.
pub(super) fn reach<'m>(
    modules: &'m mut [Box<dyn Module>],
    token: &TokenId,
) -> Result<&'m mut Box<dyn Module>, TokenError> {
    let mut modules = modules.iter_mut();
    let found = modules.find(|module| module.name() == token.module);
    found.ok_or_else(|| TokenError {
        attempted: format!("reach token {}", token.serial),
        said: format!("the room has no module called {}", token.module),
        fault: TokenFault::Module,
        may_have_signed: false,
    })
}

/// What a key of a token is made as.
fn algorithm(public: &PublicKey) -> Result<Algorithm, TokenError> {
    public.algorithm().ok_or_else(|| TokenError {
        attempted: "sign with a token".to_owned(),
        said: "keys of this type cannot sign".to_owned(),
        fault: TokenFault::Unsupported,
        may_have_signed: false,
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "only a file of ours that the transcript does not vouch for"
)]
pub(super) fn remove(path: &std::path::Path) -> std::io::Result<()> {
    std::fs::remove_file(path)
}

impl World for RoomWorld {
    fn now(&mut self) -> jiff::Timestamp {
        clock::now()
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        let mut tokens = Vec::new();
        for module in &mut self.modules {
            // A slot that waits for a token to be made in it is no token that people could bring.
            let named = |token: &TokenInfo| !token.identity.serial.trim().is_empty();
            tokens.extend(module.list()?.into_iter().filter(named));
        }
        Ok(tokens)
    }

    fn assigned(&self, holder: &str) -> Option<TokenChoice> {
        self.holders.get(holder).map(|present| present.uri.choice())
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        self.module(token)?.login(token, pin)
    }

    fn logout(&mut self, token: &TokenId) {
        if let Ok(module) = self.module(token) {
            module.logout(token);
        }
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        self.module(token)?.keys(token)
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        self.module(token)?
            .generate(token, label, algorithm, leaves)
    }

    fn sign(
        &mut self,
        request: &SignRequest<'_>,
        token: &TokenId,
        key: &TokenKey,
    ) -> Result<Vec<u8>, TokenError> {
        let message = request.message(algorithm(&key.public)?);
        self.module(token)?.sign_message(token, key, &message)
    }

    fn sign_each(
        &mut self,
        payloads: &[Reviewed<'_>],
        token: &TokenId,
        key: &TokenKey,
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        let algorithm = algorithm(&key.public)?;
        let messages = payloads.iter().map(|reviewed| reviewed.message(algorithm));
        let messages: Vec<_> = messages.collect();
        self.module(token)?.sign_each(token, key, &messages, give)
    }

    fn authorise(&mut self, token: &TokenId, management: &Secret) -> Result<(), TokenError> {
        self.module(token)?.authorise(token, management)
    }

    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError> {
        self.module(token)?.attestation(token, key)
    }

    fn test_roots(&self) -> Vec<(String, Vec<u8>)> {
        self.test_roots.clone()
    }

    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        self.module(token)?.reset(token, reset)
    }

    fn new_secret(&mut self, kind: Credential) -> Result<Secret, TokenError> {
        credential::fresh(kind)
    }

    fn nonce(&mut self) -> Result<[u8; 32], TokenError> {
        credential::nonce()
    }

    fn make_ephemeral(&mut self, algorithms: &[Algorithm]) -> Result<Vec<PublicKey>, TokenError> {
        self.ephemeral.make(algorithms)
    }

    fn sign_ephemeral(
        &mut self,
        request: &SignRequest<'_>,
        key: &PublicKey,
    ) -> Result<Vec<u8>, TokenError> {
        self.ephemeral.sign(key, &request.bytes())
    }

    fn destroy_ephemeral(&mut self) {
        self.ephemeral.destroy();
    }

    fn throwaway(&mut self, algorithm: Algorithm) -> Result<Box<dyn Throwaway>, TokenError> {
        throwaway(algorithm)
    }

    fn registered(&mut self, signer: &Signer) -> Result<Option<Vec<Payload>>, WorldError> {
        match self.register_of(signer) {
            Some(path) => register::read(path, &signer.keyid, self.anchor),
            None => Ok(None),
        }
    }

    fn register(&mut self, signer: &Signer, payloads: &[Payload]) -> Result<(), WorldError> {
        let Some(path) = self.register_of(signer) else {
            return Ok(());
        };
        let known = register::read(path, &signer.keyid, self.anchor)?;
        let known: BTreeSet<Payload> = known.into_iter().flatten().collect();
        let new = payloads.iter().filter(|payload| !known.contains(payload));
        register::append(path, new, &signer.keyid, self.anchor)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FileDigest, WorldError> {
        self.put(path, bytes, false)
    }

    fn parts(&mut self) -> Result<Vec<PartFile>, Finding> {
        let folder = self.input.join("parts");
        let read = match files::read_folder(&folder) {
            Ok(read) => read,
            Err(fault) if fault.is_absent() => return Ok(Vec::new()),
            Err(fault) => return Err(Finding::error("FILE-READ", "parts", fault.to_string())),
        };
        read.iter()
            .filter(|file| file.path.ends_with(".part.json"))
            .map(|file| self.read_part(file))
            .collect()
    }

    fn write_part(&mut self, part: &PartFile) -> Result<FileDigest, WorldError> {
        let path = format!(
            "parts/{}-{}.part.json",
            part.document.role, part.document.version
        );
        let envelope = Envelope::parse(&path, part.envelope.clone(), Limits::LARGE)
            .map_err(|finding| world(&path, &finding.text))?;
        let supersedes = part.supersedes.iter().map(|entry| Superseded {
            sha256: entry.payload,
            signed_by: entry.signed_by.clone(),
        });
        let words = part
            .acknowledgements
            .iter()
            .map(|(holder, register)| Acknowledgement {
                holder: holder.clone(),
                register: *register,
            });
        let part = Part {
            mode: self.mode,
            ceremony: part.ceremony,
            trusted_root: part.trusted_root,
            document: part.document.clone(),
            supersedes: supersedes.collect(),
            acknowledgements: words.collect(),
            envelope,
        };
        self.put(&path, &part.to_vec(), true)
    }

    fn minutes(&mut self) -> Result<(String, Sha256), WorldError> {
        let transcript = self.record.transcript();
        Ok((minutes::write(&transcript), transcript.head()))
    }

    fn verdict(&mut self) -> Result<(FileDigest, Vec<Finding>), WorldError> {
        self.judged()
    }
}

fn disk(path: &str, fault: &FileError) -> WorldError {
    world(path, &fault.to_string())
}

fn world(path: &str, said: &str) -> WorldError {
    WorldError {
        path: path.to_owned(),
        said: said.to_owned(),
    }
}
