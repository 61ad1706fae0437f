//! Files that were damaged or cut off, and sheets of other backups: nothing of a plaintext comes out.

use tuf_ceremony::backup::{Recipient, Record};
use tuf_ceremony::backup::{
    Scheme, SealedSet, drill, open_shared, plaintext, seal_shared, seal_to, sheet,
};
use tuf_ceremony::tuf::digest::Sha256;

use super::sample::{everything, infrastructure};
use super::{IDENTITY, RECIPIENT, held, identities, refused};

/// What age encrypts at a time, with its tag.
const CHUNK: usize = 65_536 + 16;

/// A file of several chunks, binary or armored.
fn file(armored: bool) -> Vec<u8> {
    let recipient = Recipient::parse("", RECIPIENT).unwrap();
    seal_to(&infrastructure(3 * CHUNK), &[recipient], armored).unwrap()
}

/// What is said of a damaged file; it panics if anything of the plaintext was lent.
fn complaint(file: &[u8]) -> String {
    let fault = plaintext(file, &identities(IDENTITY)).err().unwrap();
    let said = refused(fault).concat();
    assert!(said.starts_with("BACKUP-SEAL : it "), "{said}");
    said
}

#[test]
fn a_file_cut_off_anywhere_gives_nothing() {
    let whole = file(false);
    let header = whole
        .windows(5)
        .position(|bytes| bytes == b"\n--- ")
        .unwrap();
    let stream = header + 5 + 43 + 1 + 16;
    let chunks = (stream..whole.len()).step_by(CHUNK);
    assert_eq!(chunks.len(), 4);
    let ends = chunks.flat_map(|end| [end - 1, end, end + 1]);
    let ends: Vec<usize> = (0..=stream).chain(ends).chain([whole.len() - 1]).collect();
    for end in ends {
        complaint(&whole[..end]);
    }
    let armored = file(true);
    for end in (0..armored.len() - 1).step_by(1009) {
        complaint(&armored[..end]);
    }
    // The newline after the last line of the armor says nothing.
    assert!(plaintext(&armored[..armored.len() - 1], &identities(IDENTITY)).is_ok());
    complaint(&armored[..armored.len() - 2]);
}

#[test]
fn a_file_with_any_damaged_byte_gives_nothing() {
    for armored in [false, true] {
        let whole = file(armored);
        let mut state = 6_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap()
        };
        for _ in 0..300 {
            let mut damaged = whole.clone();
            let place = next() % whole.len();
            let change = u8::try_from(next() % 255).unwrap() + 1;
            damaged[place] ^= change;
            complaint(&damaged);
        }
        let mut longer = whole.clone();
        longer.push(b'x');
        complaint(&longer);
    }
}

#[test]
fn chunks_that_changed_places_or_are_there_twice_give_nothing() {
    let whole = file(false);
    let stream = whole.len() - (whole.len() - 200) / CHUNK * CHUNK;
    let mut exchanged = whole.clone();
    exchanged.copy_within(stream..stream + CHUNK, stream + CHUNK);
    complaint(&exchanged);
    let mut without = whole.clone();
    without.drain(stream..stream + CHUNK);
    complaint(&without);
}

fn sealed(needed: u8, of: u8) -> SealedSet {
    let scheme = Scheme::new("script.toml", needed, of).unwrap();
    seal_shared(&everything(1000), scheme, false).unwrap()
}

/// Foreign, mixed, twice, false: each is named before shares are put together; what no check can find, the file does.
#[test]
fn sheets_that_do_not_open_this_backup_are_named() {
    let set = sealed(2, 3);
    let other = sealed(2, 3);
    let said = |record: Option<&Record>, sheets: [&tuf_ceremony::backup::Share; 2]| {
        let typed = sheets.map(|share| sheet::read("", &sheet::written(share).unwrap()).unwrap());
        refused(open_shared(&set.file, record, &held(&typed)).err().unwrap()).concat()
    };
    let [mine, foreign] = [&set.shares[0], &other.shares[1]];
    assert!(
        said(None, [mine, foreign])
            .starts_with("SHARE-FOREIGN Grace: share 2 opens another backup")
    );
    assert!(
        said(None, [mine, mine])
            .starts_with("SHARE-TWICE Grace: share 1 was already entered, from Ada.")
    );

    // The same file, split another time: its first bytes are the same, and only the record or the file tells.
    let sha256 = Sha256::of(&set.file);
    let scheme = Scheme::new("", 2, 3).unwrap();
    let random = tuf_ceremony::secret::Secret::random(32).unwrap();
    let (record, again) = tuf_ceremony::backup::split(&random, scheme, sha256).unwrap();
    assert!(
        said(Some(&set.record), [mine, &again[1]])
            .starts_with("SHARE-FALSE Grace: share 2 is not what was dealt")
    );
    let blind = said(None, [mine, &again[1]]);
    assert!(
        blind.starts_with("BACKUP-SEAL : none of the identities opens it"),
        "{blind}"
    );
    let wrong = refused(drill(&set.file, &record, &held(&again)).err().unwrap());
    assert!(
        wrong[0].starts_with("BACKUP-SEAL : none of the identities opens it"),
        "{wrong:?}"
    );
    let threes = tuf_ceremony::backup::split(&random, Scheme::new("", 3, 3).unwrap(), sha256);
    let mixed = said(None, [mine, &threes.unwrap().1[1]]);
    assert!(
        mixed.starts_with("SHARE-MIXED Grace: share 2 is one of a set where any 3 of 3 restore"),
        "{mixed}"
    );
}

/// The drill is more than one opening: a dealer who wrote a record to match false shares is found, and named with them.
#[test]
fn a_drill_finds_one_false_share_among_right_ones() {
    let set = sealed(2, 3);
    let drilled = drill(&set.file, &set.record, &held(&set.shares)).unwrap();
    assert_eq!((drilled.restored, drilled.refused), (3, 3));
    let sha256 = Sha256::of(&set.file);
    let random = tuf_ceremony::secret::Secret::random(32).unwrap();
    let (false_record, false_shares) =
        tuf_ceremony::backup::split(&random, Scheme::new("", 2, 3).unwrap(), sha256).unwrap();
    let mut shares = set.shares;
    shares[2] = false_shares.into_iter().nth(2).unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&set.record.to_vec()).unwrap();
    let dealt: serde_json::Value = serde_json::from_slice(&false_record.to_vec()).unwrap();
    record["commitments"][2] = dealt["commitments"][2].clone();
    let record = Record::parse("", record.to_string().as_bytes()).unwrap();
    let said = refused(drill(&set.file, &record, &held(&shares)).err().unwrap());
    assert_eq!(
        said,
        [
            "BACKUP-DRILL : the shares of Ada, Edith give a secret that does not open the backup. Destroy these shares, and seal and split again"
        ]
    );
}
