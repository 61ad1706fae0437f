#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;

use super::{FileError, PIECE, create_new, create_new_of, digest, digest_of, read, read_folder};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn files_of_a_folder_are_read_sorted_with_slashes() {
    let folder = folder();
    for (name, bytes) in [("b", "2"), ("a/z", "1"), ("a/b/c", "0")] {
        create_new(&folder.path().join(name), bytes.as_bytes()).unwrap();
    }
    let files = read_folder(folder.path()).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a/b/c", "a/z", "b"]);
    assert_eq!(files[0].bytes, b"0");
}

#[test]
fn links_pipes_and_folders_are_not_read_as_files() {
    let folder = folder();
    let target = folder.path().join("target");
    create_new(&target, b"secret").unwrap();
    let link = folder.path().join("link");
    symlink(&target, &link).unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    for (path, found) in [
        (&link, "a symbolic link"),
        (&pipe, "a pipe"),
        (&folder.path().to_owned(), "a folder"),
    ] {
        let error = read(path, 10).unwrap_err().to_string();
        let expected = format!(
            "{}: is not a regular file ({found}); links, devices and pipes are not followed",
            path.display()
        );
        assert_eq!(error, expected);
    }
    assert!(matches!(
        read_folder(folder.path()),
        Err(FileError::NotRegular { .. })
    ));
}

#[test]
fn a_link_to_a_folder_inside_a_bundle_refuses_the_bundle() {
    let folder = folder();
    symlink("/", folder.path().join("metadata")).unwrap();
    assert!(matches!(
        read_folder(folder.path()),
        Err(FileError::NotRegular { .. })
    ));
}

#[test]
fn a_file_larger_than_the_cap_is_refused_before_it_is_read() {
    let folder = folder();
    let path = folder.path().join("large");
    std::fs::File::create(&path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let error = read(&path, 1000).unwrap_err().to_string();
    assert!(
        error.ends_with("is 1099511627776 bytes long; at most 1000 are read"),
        "{error}"
    );
}

#[test]
fn an_existing_file_is_never_replaced() {
    let folder = folder();
    let path = folder.path().join("file");
    create_new(&path, b"first").unwrap();
    let error = create_new(&path, b"second").unwrap_err();
    assert!(error.exists());
    assert_eq!(read(&path, 10).unwrap(), b"first");
}

#[test]
fn an_absent_file_is_told_apart() {
    assert!(
        read(&folder().path().join("none"), 10)
            .unwrap_err()
            .is_absent()
    );
}

#[test]
fn a_file_in_pieces_is_written_compared_and_named_as_one() {
    let whole: Vec<u8> = (0..=250).cycle().take(3 * PIECE + 17).collect();
    let mut pieces: Vec<&[u8]> = whole.chunks(1000).collect();
    pieces.insert(3, b"");
    let folder = folder();
    let path = folder.path().join("file");
    create_new_of(&path, &pieces).unwrap();
    assert_eq!(read(&path, 1 << 30).unwrap(), whole);
    assert_eq!(digest_of("file", &pieces), digest("file", &whole));
    let is = |pieces: &[&[u8]]| {
        super::written::holds(std::fs::File::open(&path).unwrap(), pieces).unwrap()
    };
    assert!(is(&[&whole]));
    assert!(!is(&[&whole, b"!"]) && !is(&[&whole[1..]]) && !is(&[&whole[..PIECE]]));
}
