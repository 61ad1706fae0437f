//! What no program can avoid that does the cycle, done with nothing around it and with the same crates for hash and signature.
//!
//! | pass | why |
//! |---|---|
//! | read the old file, SHA-256 over its signed part, once | all its signatures are over one digest |
//! | read the new file, SHA-256 over its signed part, once | what is signed; the check of our own signature takes the same digest |
//! | one P-256 signature | an administrator's |
//! | write the new file with that signature, sync file and folder, read it back, compare | as every file of ours is written |
//! | SHA-256 and SHA-512 over the new file | the manifest of what leaves the ceremony names it by both |
//!
//! Nothing is parsed, so the signed part must be canonical as written and stand behind `signatures`: only compact data has a
//! limit. Keyids of projects' keys are not hashed: the cycle takes them as they stand. One buffer holds the old file, then the new
//! one, hashed piece by piece as they are read; the new text has to stay in memory, or what was signed could not be what is written.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::path::Path;

use data_encoding::HEXLOWER;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use sha2::{Digest as _, Sha256, Sha512};
use tuf_ceremony::tuf::key::{Key, PublicKey};

use crate::stages::Stages;
use crate::{Expected, Failure, SIGNER};

/// Bytes that are read, and hashed while the processor still has them at hand.
const PIECE: usize = 256 << 10;
/// What comes before the signed part.
const SIGNED: &[u8] = b"\"signed\":";

/// Does the passes above over a data set and writes the signed new list to `out`, which must not be there.
///
/// # Errors
/// The disk's, or data that is not compact or not what `expected.json` says.
pub fn run(folder: &Path, out: &Path, stages: &mut Stages<'_>) -> Result<(), Failure> {
    let expected = Expected::read(folder)?;
    let before = folder.join("1.claimed.json");
    let after = folder.join("2.claimed.unsigned.json");
    let longer = before.metadata()?.len().max(after.metadata()?.len());
    let mut text = vec![0; usize::try_from(longer)?];
    let (old, _) = stages.run("read and hash old", || hashed(&before, &mut text))?;
    let (new, signed) = stages.run("read and hash new", || hashed(&after, &mut text))?;
    expected.digests(&HEXLOWER.encode(&old), &HEXLOWER.encode(&new))?;
    let entry = stages.run("sign", || entry(folder, &new))?;
    let head = format!("{{\"signatures\":[{entry}],\"signed\":");
    let parts = [head.as_bytes(), &text[signed], b"}"];
    stages.run("write and read back", || write(out, &parts))?;
    stages.run("manifest", || {
        let (mut short, mut long) = (Sha256::new(), Sha512::new());
        for piece in parts.iter().flat_map(|part| part.chunks(PIECE)) {
            short.update(piece);
            long.update(piece);
        }
        black_box((short.finalize(), long.finalize()));
        Ok(())
    })
}

/// Reads a file into `text` and gives the digest of its signed part and where that lies.
fn hashed(path: &Path, text: &mut [u8]) -> Result<([u8; 32], Range<usize>), Failure> {
    let mut file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len())?;
    let text = &mut text[..length];
    let mut digest = Sha256::new();
    let mut read = PIECE.min(length);
    file.read_exact(&mut text[..read])?;
    let found = text[..read]
        .windows(SIGNED.len())
        .position(|bytes| bytes == SIGNED);
    let start = found.ok_or("the file is not compact: its signed part cannot be found unread")?
        + SIGNED.len();
    // The last byte of the file closes the envelope.
    let end = length - 1;
    let mut hashed = start;
    loop {
        digest.update(&text[hashed..read.min(end)]);
        hashed = read.min(end);
        if read == length {
            return Ok((digest.finalize().into(), start..end));
        }
        let next = length.min(read + PIECE);
        file.read_exact(&mut text[read..next])?;
        read = next;
    }
}

/// The entry of `signatures`.
fn entry(folder: &Path, digest: &[u8; 32]) -> Result<String, Failure> {
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(folder.join(SIGNER))?)?;
    let sig: Signature = key.sign_prehash(digest)?;
    let point = key.verifying_key().to_sec1_point(false);
    let public = Key::from_public(&PublicKey::P256(point.as_bytes().to_vec()));
    let keyid = public.ok_or("a P-256 key without an object")?.keyid();
    let sig = HEXLOWER.encode(sig.to_der().as_bytes());
    Ok(format!("{{\"keyid\":\"{keyid}\",\"sig\":\"{sig}\"}}"))
}

fn write(path: &Path, parts: &[&[u8]]) -> Result<(), Failure> {
    let mut file = File::create_new(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    let folder = path.parent().ok_or("a file without a folder")?;
    File::open(folder)?.sync_all()?;
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    for expected in parts.iter().flat_map(|part| part.chunks(PIECE)) {
        let piece = &mut piece[..expected.len()];
        file.read_exact(piece)?;
        if piece != expected {
            return Err("the file does not hold what was written".into());
        }
    }
    Ok(())
}
