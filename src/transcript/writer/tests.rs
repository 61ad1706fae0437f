#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::super::tests::events;
use super::{Torn, TranscriptError, Writer};
use crate::ceremony::event::Event;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("transcript.jsonl");
    (folder, path)
}

fn record(path: &Path, events: &[Event]) {
    let mut writer = Writer::create(path).unwrap();
    for event in events {
        writer.append(jiff::Timestamp::UNIX_EPOCH, event).unwrap();
    }
}

#[test]
fn an_interrupted_transcript_goes_on_where_it_stopped() {
    let (_folder, path) = place();
    let (first, second) = (&events()[..5], &events()[5..]);
    record(&path, first);
    let (mut writer, transcript) = Writer::resume(&path, Torn::Refuse).unwrap();
    assert_eq!(transcript.lines.len(), 5);
    for event in second {
        writer.append(jiff::Timestamp::UNIX_EPOCH, event).unwrap();
    }
    let whole = super::super::read(&fs::read(&path).unwrap()).unwrap();
    assert!(whole.is_complete());
    assert_eq!(whole.head(), writer.head());
}

#[test]
fn a_half_written_last_line_is_told_first_and_cut_only_then() {
    let (_folder, path) = place();
    record(&path, &events()[..5]);
    let sound = fs::read(&path).unwrap();
    fs::write(&path, [sound.as_slice(), b"{\"seq\":5,\"pr"].concat()).unwrap();
    let error = Writer::resume(&path, Torn::Refuse).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the last line of the transcript was cut short by a crash (12 bytes); everything before it is sound"
    );
    Writer::resume(&path, Torn::Cut).unwrap();
    assert_eq!(fs::read(&path).unwrap(), sound);
}

#[test]
fn a_whole_but_wrong_last_line_is_never_cut() {
    let (_folder, path) = place();
    record(&path, &events()[..5]);
    let wrong = [fs::read(&path).unwrap().as_slice(), b"{}\n"].concat();
    fs::write(&path, &wrong).unwrap();
    assert!(matches!(
        Writer::resume(&path, Torn::Cut),
        Err(TranscriptError::Fault(_))
    ));
    assert_eq!(fs::read(&path).unwrap(), wrong);
}

#[test]
fn an_illegal_event_is_refused_and_not_written() {
    let (_folder, path) = place();
    let mut writer = Writer::create(&path).unwrap();
    let error = writer
        .append(jiff::Timestamp::UNIX_EPOCH, &Event::Closed)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "this cannot happen now: the ceremony is not opened yet"
    );
    writer
        .append(jiff::Timestamp::UNIX_EPOCH, &events()[0])
        .unwrap();
    assert_eq!(
        super::super::read(&fs::read(&path).unwrap())
            .unwrap()
            .lines
            .len(),
        1
    );
}

#[test]
fn a_second_writer_an_existing_file_and_a_link_are_refused() {
    let (folder, path) = place();
    let _first = Writer::create(&path).unwrap();
    assert!(matches!(
        Writer::resume(&path, Torn::Refuse),
        Err(TranscriptError::Busy)
    ));
    assert!(matches!(
        Writer::create(&path),
        Err(TranscriptError::System { .. })
    ));
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(
        Writer::resume(&link, Torn::Refuse),
        Err(TranscriptError::System { .. })
    ));
}
