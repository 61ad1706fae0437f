//! Device attestations: what a genuine YubiKey or YubiHSM 2 says about a key that it made, checked to the roots that Yubico
//! published, and bound to one public key. Pure: no clock, no disk, no token; it knows keys from `tuf` and nothing of ceremonies.
//!
//! [`verify`] takes the public key as metadata has it, so that an attestation can never be about a key other than the one that
//! root lists. The path profile in `path` is our own, because every strict X.509 validator refuses genuine chains; its reasons
//! stand there. [`advisory`] holds published weaknesses of devices as data.
//!
//! ```
//! use tuf_ceremony::attestation::{self, Anchors};
//! use tuf_ceremony::tuf::key::PublicKey;
//!
//! let faults = attestation::verify(&PublicKey::Ed25519([7; 32]), &[b"no certificate".to_vec()], &Anchors::yubico());
//! assert_eq!(faults.unwrap_err()[0].rule(), "ATTEST-FORM");
//! ```

pub mod advisory;
mod anchors;
mod certificate;
mod extension;
mod fault;
mod hsm;
mod path;
mod piv;
mod remarks;
mod signature;
mod statement;
#[cfg(test)]
mod tests;

pub use anchors::Anchors;
pub use certificate::{MOST_BYTES, split};
pub use fault::Fault;
pub use statement::{
    AnchorUsed, Firmware, FormFactor, Object, Origin, PinPolicy, Product, Statement, TouchPolicy,
};

use certificate::Certificate;
use path::Path;

use crate::tuf::digest::Sha256;
use crate::tuf::key::PublicKey;

/// Most certificates in one attestation: the longest genuine path has four below its root.
pub const MOST_CERTIFICATES: usize = 16;

/// Checks that `certificates` (DER, the attestation first, the others in any order; see [`split`] for PEM) are a genuine
/// attestation of exactly the key `public`, and gives what it says.
///
/// # Errors
/// All that is wrong as far as it can be told. What the attestation says is judged only if it is genuine.
pub fn verify(
    public: &PublicKey,
    certificates: &[Vec<u8>],
    anchors: &Anchors,
) -> Result<Statement, Vec<Fault>> {
    if certificates.is_empty() || certificates.len() > MOST_CERTIFICATES {
        let found = certificates.len();
        return Err(vec![Fault::Count { found }]);
    }
    let (mut given, mut faults) = (Vec::new(), Vec::new());
    for (index, der) in certificates.iter().enumerate() {
        match Certificate::parse(&format!("certificate {}", index + 1), der) {
            Ok(certificate) => given.push(certificate),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let (leaf, rest) = (&given[0], &given[1..]);
    if let Some(fault) = other_key(leaf, public) {
        faults.push(fault);
    }
    match Path::build(leaf, rest, anchors) {
        Err(fault) => faults.push(fault),
        Ok(path) => match statement(public, &path) {
            Ok(statement) if faults.is_empty() => return Ok(statement),
            Ok(_) => {}
            Err(more) => faults.extend(more),
        },
    }
    Err(faults)
}

/// The attestation must hold the very key of the metadata, compared in the one form that keys have here.
fn other_key(leaf: &Certificate, public: &PublicKey) -> Option<Fault> {
    match leaf.public() {
        Err(error) => Some(Fault::form(
            leaf.name(),
            format!("holds a key that is refused: {error}"),
        )),
        Ok(attested) if attested == public => None,
        Ok(attested) => Some(Fault::Key {
            attested: attested.fingerprint(),
            expected: public.fingerprint(),
        }),
    }
}

fn statement(public: &PublicKey, path: &Path<'_>) -> Result<Statement, Vec<Fault>> {
    let (leaf, device) = (path.leaf(), path.device());
    let is_piv = extension::has_arc(leaf, piv::ARC);
    let facts = match (is_piv, extension::has_arc(leaf, hsm::ARC)) {
        (true, false) => piv::read(leaf, device).map_err(|fault| vec![fault])?,
        (false, true) => hsm::read(leaf, device)?,
        _ => {
            let reason = "says nothing of a PIV key of a YubiKey or an object of a YubiHSM 2";
            return Err(vec![Fault::form(leaf.name(), reason.to_owned())]);
        }
    };
    path.vouches_for(facts.product)
        .map_err(|fault| vec![fault])?;
    let Some(algorithm) = public.algorithm() else {
        let reason = "is for a key of a type that is not verified with";
        return Err(vec![Fault::form(leaf.name(), reason.to_owned())]);
    };
    Ok(Statement {
        product: facts.product,
        serial: facts.serial,
        firmware: facts.firmware,
        object: facts.object,
        origin: Origin::Generated,
        form_factor: facts.form_factor,
        fips: facts.fips,
        cspn: facts.cspn,
        algorithm,
        fingerprint: public.fingerprint(),
        attestation: Sha256::of(leaf.der()),
        device_certificate: Sha256::of(device.der()),
        anchor: path.anchor_used(),
        test_root: path.is_test(),
    })
}
