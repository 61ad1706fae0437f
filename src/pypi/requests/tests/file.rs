use super::*;

fn three() -> [Request; 3] {
    [
        request(Action::Claim, "a", &[1], 1),
        request(Action::Reset, "b", &[1, 2], 2),
        request(Action::AddKey, "c", &[1, 2], 1),
    ]
}

fn refusal(bytes: &[u8]) -> (String, String) {
    let finding = Requests::parse(FILE, bytes).unwrap_err();
    assert_eq!((finding.level, finding.file.as_str()), (Level::Error, FILE));
    (finding.rule, finding.text)
}

pub(super) fn expect(bytes: &[u8], rule: &str, text: &str) {
    assert_eq!(refusal(bytes), (rule.to_owned(), text.to_owned()));
}

/// The file as text, changed, and an end line that fits what it became.
pub(super) fn edited(from: &str, to: &str) -> Vec<u8> {
    let whole = String::from_utf8(file(&three())).unwrap();
    assert!(whole.contains(from), "{from}");
    let whole = whole.replacen(from, to, 1);
    let body = &whole[..whole.find("{\"end\"").unwrap()];
    let mut bytes = body.as_bytes().to_vec();
    let end = writer::end_line(&bytes, body.lines().count() as u64 - 1);
    bytes.extend(end);
    bytes
}

#[test]
fn a_written_file_is_read_as_it_was_meant() {
    let mut every = Vec::new();
    for (action, project) in Action::ALL.iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        let keys: &[u8] = if *action == Action::Unclaim {
            &[]
        } else {
            &[1, 2]
        };
        every.push(request(
            *action,
            project,
            keys,
            u32::try_from(keys.len()).unwrap(),
        ));
    }
    let mut rotate = request(Action::Rotate, "h", &[], 0);
    rotate.custody = Some(Custody::Tombstone);
    rotate.new_name = true;
    every.push(rotate);
    let first = &mut every[0];
    let id = identity();
    first
        .owners
        .insert(id.keyid(), "r\u{f4}le \"x\"".to_owned());
    first.possession = vec![bundle(id.keyid()), signature(1, b"m")];
    first.keys.insert(id.keyid(), id);
    for (kind, at) in EventKind::ALL.iter().zip([
        "2026-11-01T00:00:00Z",
        "2026-11-22T12:00:00Z",
        "2020-01-01T00:00:00Z",
        "2026-01-01T00:00:01Z",
    ]) {
        first.events.push(Event {
            kind: *kind,
            at: at.parse().unwrap(),
        });
    }
    first.channel = Some(Channel {
        kind: ChannelKind::MailReply,
        says: "two\nlines".to_owned(),
    });
    every[1].keys.insert(keyid(3), key(3));
    every[1].owners.insert(keyid(3), "bob".to_owned());
    every[1].channel = Some(Channel {
        kind: ChannelKind::Attestation,
        says: String::new(),
    });
    let bytes = file(&every);
    assert_eq!(bytes.split(|byte| *byte == b'\n').count() - 1, 10);
    let read = Requests::parse(FILE, &bytes).unwrap();
    assert_eq!(read.refused, []);
    assert_eq!(read.sha256, Sha256::of(&bytes));
    let header = Header {
        anchor: anchor(),
        made: made(),
        requests: 8,
    };
    assert_eq!(read.header, header);
    for (index, request) in every.iter_mut().enumerate() {
        request.line = index + 2;
    }
    assert_eq!(read.requests, every);
    assert_eq!(file(&read.requests), bytes, "written again, it is the same");
}

#[test]
fn a_file_without_requests_is_one() {
    let read = Requests::parse(FILE, &file(&[])).unwrap();
    assert_eq!((read.requests.len(), read.refused.len()), (0, 0));
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused() {
    let whole = file(&three());
    for end in 0..whole.len() {
        let (rule, text) = refusal(&whole[..end]);
        assert_eq!(rule, "REQUEST-TRUNCATED", "{text}");
        assert!(text.ends_with("fetch it again"), "{text}");
    }
    let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    expect(
        &whole[..second],
        "REQUEST-TRUNCATED",
        "the file ends behind line 1 without its end line: it was cut off; fetch it again",
    );
    expect(
        &whole[..second + 7],
        "REQUEST-TRUNCATED",
        "line 2: the line has no newline: the file was cut off; fetch it again",
    );
}

#[test]
fn what_stands_behind_the_end_line_is_refused() {
    let mut bytes = file(&three());
    bytes.push(b'\n');
    expect(
        &bytes,
        "REQUEST-FORM",
        "line 5: something stands behind the end line",
    );
}

#[test]
fn a_wrong_count_is_refused() {
    expect(
        &edited("\"requests\":3", "\"requests\":4"),
        "REQUEST-COUNT",
        "line 5: the file has 3 requests, its header says 4 and its end line 3: lines were lost or added; fetch it again",
    );
    let text = String::from_utf8(file(&three())).unwrap();
    let lost: Vec<&str> = text
        .split_inclusive('\n')
        .enumerate()
        .filter(|(index, _)| *index != 2)
        .map(|(_, line)| line)
        .collect();
    expect(
        lost.concat().as_bytes(),
        "REQUEST-COUNT",
        "line 4: the file has 2 requests, its header says 3 and its end line 3: lines were lost or added; fetch it again",
    );
}

#[test]
fn a_wrong_digest_is_refused() {
    let whole = String::from_utf8(file(&three())).unwrap();
    let changed = whole.replacen("machine 1", "machine 9", 1);
    let (rule, text) = refusal(changed.as_bytes());
    assert_eq!(rule, "REQUEST-DIGEST");
    assert!(
        text.starts_with("line 5: the end line says that what stands before it has the digest "),
        "{text}"
    );
    assert!(
        text.ends_with(": the file was changed; fetch it again"),
        "{text}"
    );
}

#[test]
fn lines_out_of_order_refuse_the_file() {
    let [a, b, c] = three().map(|request| line(&request));
    expect(
        &around(&[&a, &c, &b]),
        "REQUEST-ORDER",
        "line 4: b stands behind c; the lines are sorted by project",
    );
    assert_eq!(
        Requests::parse(FILE, &around(&[&a, &b, &c]))
            .unwrap()
            .requests
            .len(),
        3
    );
}

#[test]
fn one_project_twice_is_refused_both_times_and_the_others_are_read() {
    let [a, b, c] = three().map(|request| line(&request));
    let unclaim = line(&request(Action::Unclaim, "b", &[], 0));
    let read = Requests::parse(FILE, &around(&[&a, &b, &b, &unclaim, &c])).unwrap();
    let projects: Vec<&str> = read
        .requests
        .iter()
        .map(|request| request.project.as_str())
        .collect();
    assert_eq!(projects, ["a", "c"]);
    let refused: Vec<(usize, &str, &str, &str)> = read
        .refused
        .iter()
        .map(|refused| {
            (
                refused.line,
                refused.project.as_str(),
                refused.finding.rule.as_str(),
                refused.finding.text.as_str(),
            )
        })
        .collect();
    let differs =
        "lines 4 and 5 ask for different things; send one that says how the project shall be";
    assert_eq!(
        refused,
        [
            (
                3,
                "b",
                "REQUEST-TWICE",
                "line 3, b: lines 3 and 4 are the same; send one"
            ),
            (
                4,
                "b",
                "REQUEST-CONTRADICTS",
                &*format!("line 4, b: {differs}")
            ),
            (
                5,
                "b",
                "REQUEST-CONTRADICTS",
                &*format!("line 5, b: {differs}")
            ),
        ]
    );
}

#[test]
fn the_anchor_says_which_repository_is_meant() {
    let header = Requests::parse(FILE, &file(&[])).unwrap().header;
    assert_eq!(header.check_anchor(FILE, &anchor()), None);
    let other = Sha256::of(b"other");
    let finding = header.check_anchor(FILE, &other).unwrap();
    assert_eq!(finding.rule, "REQUEST-ANCHOR");
    assert_eq!(
        finding.text,
        format!(
            "the requests are for the repository whose 1.root.json has the digest {}; this one's has {other}. Fetch the requests of this repository.",
            anchor()
        )
    );
}
