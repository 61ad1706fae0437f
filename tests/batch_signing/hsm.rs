//! A world whose tokens are SoftHSM's, in a worker as in a room; everything else is in memory.

use std::path::Path;

use tuf_ceremony::ceremony::event::{Credential, FileDigest, Signer};
use tuf_ceremony::ceremony::port::{
    Leaves, PartFile, Payload, Reset, SignRequest, Taken, Throwaway, TokenChoice, TokenError,
    TokenId, TokenInfo, TokenKey, Vault, World, WorldError,
};
use tuf_ceremony::ceremony::review::Reviewed;
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::finding::Finding;
use tuf_ceremony::tuf::key::{Algorithm, PublicKey};

use super::people::PIN;
use super::world::FakeWorld;

pub const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

pub struct Hsm {
    pub fake: FakeWorld,
    pub module: WorkerModule,
}

pub fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

/// `SoftHSM` in a worker. Its tokens are where `SOFTHSM2_CONF` says.
pub fn module() -> WorkerModule {
    let keeper = Keeper::start(Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"))).unwrap();
    let setup = Setup::of(Backend::Pkcs11 {
        name: "room".to_owned(),
        path: SOFTHSM.into(),
        init_args: None,
    });
    WorkerModule::start(&keeper, setup, Limits::default()).unwrap()
}

/// The signing key of a holder's token, made if there is none.
pub fn key_of(module: &mut WorkerModule, holder: &str, algorithm: Algorithm) -> PublicKey {
    let listed = module.list().unwrap();
    let token = listed.into_iter().find(|token| token.id.label == holder);
    let token = token.unwrap_or_else(|| {
        let pin = secret(PIN);
        module.initialise(holder, &pin, &pin).unwrap()
    });
    module.login(&token.id, &secret(PIN)).unwrap();
    let keys = module.keys(&token.id).unwrap();
    let key = keys.into_iter().next();
    let key = key.unwrap_or_else(|| {
        module
            .generate(&token.id, "claimed", algorithm, Leaves::Never)
            .unwrap()
    });
    module.logout(&token.id);
    key.public
}

impl Vault for Hsm {}

impl World for Hsm {
    fn now(&mut self) -> jiff::Timestamp {
        self.fake.now()
    }
    fn tokens(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        self.module.list()
    }
    fn assigned(&self, holder: &str) -> Option<TokenChoice> {
        self.fake.assigned(holder)
    }
    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        self.module.login(token, pin)
    }
    fn logout(&mut self, token: &TokenId) {
        self.module.logout(token);
    }
    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        self.module.keys(token)
    }
    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        self.module.generate(token, label, algorithm, leaves)
    }
    fn sign(
        &mut self,
        request: &SignRequest<'_>,
        token: &TokenId,
        key: &TokenKey,
    ) -> Result<Vec<u8>, TokenError> {
        self.module.sign(token, key, &request.bytes())
    }
    fn sign_each(
        &mut self,
        payloads: &[Reviewed<'_>],
        token: &TokenId,
        key: &TokenKey,
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        let algorithm = key.public.algorithm().unwrap();
        let messages = payloads.iter().map(|reviewed| reviewed.message(algorithm));
        let messages: Vec<_> = messages.collect();
        self.module.sign_each(token, key, &messages, give)
    }
    fn authorise(&mut self, token: &TokenId, management: &Secret) -> Result<(), TokenError> {
        self.module.authorise(token, management)
    }
    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError> {
        self.module.attestation(token, key)
    }
    fn test_roots(&self) -> Vec<(String, Vec<u8>)> {
        self.fake.test_roots()
    }
    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        self.module.reset(token, reset)
    }
    fn new_secret(&mut self, kind: Credential) -> Result<Secret, TokenError> {
        self.fake.new_secret(kind)
    }
    fn nonce(&mut self) -> Result<[u8; 32], TokenError> {
        self.fake.nonce()
    }
    fn make_ephemeral(&mut self, algorithms: &[Algorithm]) -> Result<Vec<PublicKey>, TokenError> {
        self.fake.make_ephemeral(algorithms)
    }
    fn sign_ephemeral(
        &mut self,
        request: &SignRequest<'_>,
        key: &PublicKey,
    ) -> Result<Vec<u8>, TokenError> {
        self.fake.sign_ephemeral(request, key)
    }
    fn destroy_ephemeral(&mut self) {
        self.fake.destroy_ephemeral();
    }
    fn throwaway(&mut self, algorithm: Algorithm) -> Result<Box<dyn Throwaway>, TokenError> {
        self.fake.throwaway(algorithm)
    }
    fn registered(&mut self, signer: &Signer) -> Result<Option<Vec<Payload>>, WorldError> {
        self.fake.registered(signer)
    }
    fn register(&mut self, signer: &Signer, payloads: &[Payload]) -> Result<(), WorldError> {
        self.fake.register(signer, payloads)
    }
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FileDigest, WorldError> {
        self.fake.write(path, bytes)
    }
    fn parts(&mut self) -> Result<Vec<PartFile>, Finding> {
        self.fake.parts()
    }
    fn write_part(&mut self, part: &PartFile) -> Result<FileDigest, WorldError> {
        self.fake.write_part(part)
    }
    fn minutes(&mut self) -> Result<(String, Sha256), WorldError> {
        self.fake.minutes()
    }
    fn verdict(&mut self) -> Result<(FileDigest, Vec<Finding>), WorldError> {
        self.fake.verdict()
    }
}
