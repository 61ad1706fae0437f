//! After a backup was sealed, opened and put to the drill, no eight bytes of its secrets are left in ordinary memory: this process reads its own.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "backup_age/sample.rs"]
mod sample;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use tuf_ceremony::backup::{
    Held, Identities, Recipient, Scheme, combine, drill, open_share, open_shared, seal_share,
    seal_shared, sheet,
};
use tuf_ceremony::secret::{Secret, SecretError};
use tuf_ceremony::tuf::digest::Sha256;

use sample::{everything, number};

/// Bytes in a row that count as a piece of a secret.
const PIECE: usize = 8;
const LARGEST: usize = 1 << 20;

/// Ranges of memory that are neither files nor locked.
fn ranges() -> Vec<(u64, u64)> {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut ranges = Vec::new();
    for line in maps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let range = words[0].split_once('-');
        if let Some((start, end)) = range.and_then(|(start, end)| Some((hex(start)?, hex(end)?))) {
            let (rights, inode) = (words[1], words[4]);
            // Data of the program itself can be written too, and belong to a file.
            let is_scanned = rights.starts_with("rw") && (inode == "0" || line.contains("deps/"));
            ranges.push((start, if is_scanned { end } else { start }));
        } else if words[0] == "VmFlags:" && words.contains(&"lo") {
            ranges.pop();
        }
    }
    ranges
}

/// How many pieces of a secret stand in ordinary memory.
fn pieces(secret: &Secret) -> usize {
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut room = vec![0_u8; LARGEST];
    let own = room.as_ptr().addr()..room.as_ptr().addr() + LARGEST;
    let mut found = 0;
    for (start, end) in ranges() {
        // The last bytes of a part are read again with the next.
        for at in (start..end).step_by(LARGEST - PIECE) {
            let count = usize::try_from(end - at).unwrap().min(LARGEST);
            memory.seek(SeekFrom::Start(at)).unwrap();
            memory.read_exact(&mut room[..count]).unwrap();
            let at = usize::try_from(at).unwrap();
            let places = room[..count].windows(PIECE).zip(at..);
            let places = places.filter(|(_, at)| !own.contains(at));
            found += secret.expose(|secret| {
                let mut begins = [false; 256];
                for byte in &secret[..=secret.len() - PIECE] {
                    begins[usize::from(*byte)] = true;
                }
                let is_piece = |window: &[u8]| {
                    begins[usize::from(window[0])]
                        && secret.windows(PIECE).any(|piece| piece == window)
                };
                places.filter(|(window, _)| is_piece(window)).count()
            });
        }
    }
    room.fill(0);
    found
}

/// The letters of a PEM that are not the same for every key.
fn letters(pem: &Secret) -> Secret {
    pem.expose(|pem| {
        Secret::filled(40, |room| {
            // After `-----BEGIN PRIVATE KEY-----`, a newline, and what says that it is Ed25519.
            room.copy_from_slice(&pem[28 + 24..][..40]);
            Ok::<(), SecretError>(())
        })
    })
    .unwrap()
}

/// The identity as age writes it.
fn text(identity: &Secret) -> Secret {
    struct Text(Secret);
    impl std::fmt::Write for Text {
        fn write_char(&mut self, letter: char) -> std::fmt::Result {
            self.0.push(letter as u8).map_err(|_| std::fmt::Error)
        }
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            text.chars().try_for_each(|letter| self.write_char(letter))
        }
    }
    let mut text = Text(Secret::new().unwrap());
    let hrp = bech32::Hrp::parse_unchecked("a");
    let write = |identity: &[u8]| {
        bech32::encode_upper_to_fmt::<bech32::NoChecksum, _>(&mut text, hrp, identity)
    };
    identity.expose(write).unwrap();
    text.0
}

#[test]
fn nothing_of_a_backups_secrets_is_left_when_it_was_dropped() {
    let numbers = [1, 2, 3, 4].map(number);
    let everything = everything(1000);
    let letters = letters(everything.infrastructure.online[0].pem());
    let of_payload = || {
        let secrets = numbers.iter().chain([&letters]);
        secrets.map(pieces).collect::<Vec<_>>()
    };
    let set = seal_shared(&everything, Scheme::new("", 2, 3).unwrap(), false).unwrap();
    drop(everything);
    assert_eq!(of_payload(), [0; 5], "after sealing");

    let words = sheet::written(&set.shares[0]).unwrap();
    let (key, recipient) = Identities::fresh().unwrap();
    let recipient = Recipient::parse("", &recipient).unwrap();
    let sealed = seal_share(&set.shares[0], &recipient).unwrap();
    assert_eq!(pieces(&words), 0, "after a share was sealed");
    let key = Identities::read("", &key, None).unwrap();
    drop(open_share(&sealed, &key).unwrap());
    assert_eq!(pieces(&words), 0, "after a share was opened");

    let held: Vec<Held> = set
        .shares
        .iter()
        .map(|share| Held { from: "Ada", share })
        .collect();
    let identity = combine(Sha256::of(&set.file), Some(&set.record), &held).unwrap();
    let identity = [text(&identity), identity];
    let of_identity = || identity.each_ref().map(pieces);
    assert_eq!(of_identity(), [0; 2], "after sealing");

    let opened = open_shared(&set.file, Some(&set.record), &held).unwrap();
    assert_eq!(opened.check().unwrap(), []);
    drop(opened);
    assert_eq!(of_payload(), [0; 5], "after opening");
    assert_eq!(of_identity(), [0; 2], "after opening");

    drop(drill(&set.file, &set.record, &held).unwrap());
    assert_eq!(of_payload(), [0; 5], "after the drill");
    assert_eq!(of_identity(), [0; 2], "after the drill");

    // What finds nothing must be able to find.
    let copies: Vec<Vec<u8>> = [&numbers[0], &letters, &identity[0], &identity[1]]
        .map(|secret| secret.expose(<[u8]>::to_vec))
        .into();
    for (secret, copy) in [&numbers[0], &letters, &identity[0], &identity[1]]
        .iter()
        .zip(&copies)
    {
        assert!(pieces(secret) > copy.len() - PIECE);
    }
}
