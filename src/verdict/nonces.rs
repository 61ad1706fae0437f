//! Across all files of a repository: no key signed two payloads with one random number.

use data_encoding::HEXLOWER;

use crate::tuf::chain::ChainedRoot;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::Key;
use crate::tuf::nonce::{Signed, repeated_nonce};

/// Every ECDSA signature that some key may have made, with its file.
#[derive(Default)]
pub(super) struct Nonces {
    signed: Vec<(Signed, String)>,
}

impl Nonces {
    /// Every root, by its own keys and those of the root before.
    pub(super) fn of_chain(roots: &[ChainedRoot]) -> Self {
        let mut nonces = Self::default();
        for (index, root) in roots.iter().enumerate() {
            let before = roots[..index].last();
            let keys = before
                .into_iter()
                .chain([root])
                .flat_map(|root| root.root.keys.values());
            nonces.add(&root.file, &root.envelope, keys);
        }
        nonces
    }

    /// A file that `keys` may have signed, under whatever keyid.
    pub(super) fn add<'a>(
        &mut self,
        file: &str,
        envelope: &Envelope,
        keys: impl IntoIterator<Item = &'a Key>,
    ) {
        let payload = envelope.payload();
        let decode = |sig: &str| HEXLOWER.decode(sig.as_bytes()).ok();
        let signatures: Vec<Vec<u8>> = envelope
            .signatures()
            .iter()
            .filter_map(|signature| decode(&signature.sig))
            .collect();
        for key in keys {
            let made = signatures
                .iter()
                .filter_map(|signature| Signed::new(key.public(), &payload, signature));
            self.signed
                .extend(made.map(|signed| (signed, file.to_owned())));
        }
    }

    /// `SIG-NONCE`, at the file that made the pair.
    pub(super) fn finding(&self) -> Option<Finding> {
        // Verifying is dear, and hardly ever anything is suspect. But of signatures that do not verify anybody can plant a pair.
        repeated_nonce(self.signed.iter().map(|(signed, _)| signed.triple()))?;
        let made = self.signed.iter().filter(|(signed, _)| signed.verifies());
        let repeated = repeated_nonce(made.map(|(signed, _)| signed.triple()))?;
        let file = self
            .signed
            .iter()
            .find(|(signed, _)| signed.payload == repeated.second);
        Some(repeated.finding(file.map_or("", |(_, file)| file)))
    }
}
