#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const FILE: &str = "targets.ledger";

fn target(path: &str, role: &str) -> Target {
    Target {
        path: path.to_owned(),
        sha256: Sha256::of(path.as_bytes()),
        length: path.len() as u64,
        role: role.to_owned(),
    }
}

/// Paths that plain concatenation would confuse, in the order of their lines.
fn hard() -> Vec<Target> {
    let mut targets = vec![
        target("a b", "project-a"),
        target("a", "bin-0"),
        target("a", "project-a"),
        target("a%20b", "project-a"),
        target("#", "bin-1"),
        target("caf\u{e9}/x.whl", "bin-2"),
        target("line\nbreak", "r\u{f4}le one"),
        target("~", "bin-3"),
    ];
    targets.sort_by_key(|target| {
        (
            sort_key(&target.path),
            target.sha256.to_string(),
            target.role.clone(),
        )
    });
    targets
}

fn write(targets: &[Target]) -> (Vec<u8>, Sha256) {
    let mut writer = Writer::default();
    let mut bytes = Vec::new();
    for target in targets {
        writer
            .push(&target.path, &target.sha256, target.length, &target.role)
            .unwrap();
        bytes.extend(writer.take());
    }
    let (end, root) = writer.finish();
    bytes.extend(end);
    (bytes, root)
}

fn all(bytes: &[u8]) -> Result<(Vec<Target>, Sha256), Finding> {
    let mut targets = Vec::new();
    let root = read(FILE, bytes, &mut |target| targets.push(target))?;
    Ok((targets, root))
}

#[test]
fn every_target_is_read_as_it_was_written_whatever_its_path() {
    let targets = hard();
    let (bytes, root) = write(&targets);
    assert_eq!(all(&bytes).unwrap(), (targets, root));
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1..lines.len() - 1].is_sorted());
    assert!(lines[1].starts_with("%23 "), "{}", lines[1]);
    assert!(text.contains("\ncaf%C3%A9/x.whl "));
    let mut tree = Tree::default();
    for line in &lines[1..lines.len() - 1] {
        tree.push(line.as_bytes());
    }
    assert_eq!(tree.root(), root);
    let (bytes, root) = write(&[]);
    assert_eq!(root, Sha256::of(b""));
    assert_eq!(all(&bytes).unwrap(), (Vec::new(), root));
}

#[test]
fn targets_out_of_order_are_not_written() {
    let mut writer = Writer::default();
    let digest = Sha256::of(b"");
    writer.push("b", &digest, 0, "r").unwrap();
    for path in ["a", "b"] {
        let fault = writer.push(path, &digest, 0, "r").unwrap_err();
        assert_eq!(fault.rule, "LEDGER-ORDER");
        let text = format!(
            "\"{path} {digest} 0 r\" stands behind \"b {digest} 0 r\"; lines are sorted, each once"
        );
        assert_eq!(fault.text, text);
    }
}

#[test]
fn ledgers_that_were_changed_or_cut_off_are_refused() {
    let (bytes, root) = write(&hard());
    let text = String::from_utf8(bytes.clone()).unwrap();
    let refuse = |text: &str| {
        let finding = all(text.as_bytes()).unwrap_err();
        (finding.rule, finding.text)
    };
    let expect = |text: &str, rule: &str, expected: &str| {
        assert_eq!(refuse(text), (rule.to_owned(), expected.to_owned()));
    };
    let form = "LEDGER-FORM";
    let not_a_target = "line 2: is not <path> <sha256> <length> <role>";
    expect(
        &text.replace("ledger/1", "ledger/2"),
        form,
        "line 1: is \"# tuf-ceremony/targets-ledger/2\"; this program reads # tuf-ceremony/targets-ledger/1",
    );
    expect(
        "",
        form,
        "line 1: is missing or has no newline: the file was cut off",
    );
    expect(&text.replace("%23 ", "%2a "), form, not_a_target);
    expect(&text.replace("%23 ", "%41 "), form, not_a_target);
    expect(&text.replace("%23 ", "%FF "), form, not_a_target);
    expect(&text.replace("%23 ", "%2 "), form, not_a_target);
    expect(&text.replace("%23 ", " "), form, not_a_target);
    expect(&text.replace(" 1 bin-1", " 01 bin-1"), form, not_a_target);
    expect(&text.replace(" 1 bin-1", " 1 bin-1 "), form, not_a_target);
    expect(
        &format!("{text}\n"),
        form,
        "line 10: something stands behind the last line",
    );
    for end in 0..bytes.len() {
        assert_eq!(
            all(&bytes[..end]).unwrap_err().rule,
            form,
            "cut off at {end}"
        );
    }
    let changed = text.replace(" 1 bin-1", " 2 bin-1");
    let (rule, told) = refuse(&changed);
    assert_eq!(rule, "LEDGER-ROOT");
    assert!(
        told.starts_with(&format!(
            "line 10: says \"8 {root}\" for number and root of the lines; they are 8 "
        )),
        "{told}"
    );
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let twice = [lines[0], lines[1], lines[1]].concat();
    assert_eq!(refuse(&twice).0, "LEDGER-ORDER");
}
