//! The house rules of docs/architecture.md, read off the source and the dependency graph.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::process::Command;

use source::{SourceFile, source_files};

/// The rooms from the shells to the model: a room may use any room of a later row, never one of its own or an earlier.
const ROWS: &[&[&str]] = &[
    &["tui", "cli"],
    &["room"],
    &["verdict"],
    &["token", "backup", "bundle", "transcript"],
    &["ceremony"],
    &["pypi", "attestation", "sigstore"],
    &["tuf"],
];

/// Used by every room; they use none.
const TOOLS: &[&str] = &["secret", "words", "plain"];

/// All that main may name of ours: the shells, and the one short cut.
const MAIN_USES: &[&[&str]] = &[&["tui"], &["cli"], &["token", "worker"]];

/// The explained places of unsafe code.
const UNSAFE_FILES: &[&str] = &[
    "secret/pages.rs",
    "token/init_args.rs",
    "token/pkcs11/single.rs",
    "token/worker/descriptors.rs",
];

/// Where, outside room/, a call that clippy.toml bans is allowed, each with its reason in the file.
const EXEMPT_FILES: &[&str] = &[
    "bundle/files.rs",
    "token/worker/environment.rs",
    "transcript/writer.rs",
    "tui/app.rs",
];

/// The longest a file may be.
const LINES: usize = 400;

fn row(room: &str) -> Option<usize> {
    ROWS.iter().position(|rooms| rooms.contains(&room))
}

fn may_use(from: &str, path: &[String]) -> bool {
    let to = path[0].as_str();
    match from {
        "lib" => true,
        "main" => MAIN_USES.iter().any(|allowed| {
            path.iter()
                .map(String::as_str)
                .take(allowed.len())
                .eq(allowed.iter().copied())
        }),
        _ if from == to => true,
        _ if TOOLS.contains(&from) => false,
        _ if TOOLS.contains(&to) => true,
        _ => row(from) < row(to),
    }
}

/// Every forbidden edge of a file, as `file: from -> to`.
fn forbidden_edges(file: &SourceFile) -> BTreeSet<String> {
    let from = file.room();
    file.uses_of_ours()
        .into_iter()
        .filter(|path| row(&path[0]).is_some() || TOOLS.contains(&path[0].as_str()))
        .filter(|path| !may_use(from, path))
        .map(|path| format!("{}: {from} -> {}", file.name, path[0]))
        .collect()
}

#[test]
fn no_room_uses_one_to_its_left_or_beside_it() {
    let forbidden: Vec<String> = source_files().iter().flat_map(forbidden_edges).collect();
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn every_folder_of_the_source_is_a_known_room() {
    for file in source_files() {
        let room = file.room();
        let known = row(room).is_some() || TOOLS.contains(&room) || ["lib", "main"].contains(&room);
        assert!(known, "{} is in no room of docs/architecture.md", file.name);
    }
}

#[test]
fn a_planted_edge_is_caught_however_it_is_written() {
    let cases = [
        ("tuf/key.rs", "use crate::pypi::Policy;", "tuf -> pypi"),
        ("tuf.rs", "use super::room::Disk;", "tuf -> room"),
        ("tuf/key.rs", "use super::super::room::Disk;", "tuf -> room"),
        (
            "token/software.rs",
            "use crate::{tuf::Key, bundle::{Manifest, files}};",
            "token -> bundle",
        ),
        (
            "bundle.rs",
            "use crate::transcript;",
            "bundle -> transcript",
        ),
        ("tui/view.rs", "fn f() { crate::cli::run() }", "tui -> cli"),
        (
            "pypi/policy.rs",
            "macro_rules! m { () => { $crate::room::now() } }",
            "pypi -> room",
        ),
        ("words.rs", "use crate::tuf::Digest;", "words -> tuf"),
        ("main.rs", "use tuf_ceremony::{cli, room};", "main -> room"),
        (
            "main.rs",
            "use tuf_ceremony::token::software;",
            "main -> token",
        ),
    ];
    for (name, text, edge) in cases {
        let forbidden = forbidden_edges(&SourceFile::new(name, text));
        assert_eq!(
            forbidden,
            BTreeSet::from([format!("{name}: {edge}")]),
            "{text}"
        );
    }
}

#[test]
fn an_edge_to_the_right_is_not_caught_nor_one_that_is_only_talked_about() {
    let cases = [
        (
            "room/disk.rs",
            "use crate::{verdict, token::Token, tuf, secret::Pin, words};",
        ),
        (
            "tuf/key.rs",
            "/// See [`crate::room::Disk`]. // crate::room\nfn f() -> &'static str { \"crate::room\" }",
        ),
        (
            "tuf/key.rs",
            "use super::envelope; pub(crate) use self::room; mod tests { use super::super::digest; }",
        ),
        ("main.rs", "use tuf_ceremony::{cli, tui, token::worker};"),
        ("lib.rs", "pub use crate::room::Disk;"),
    ];
    for (name, text) in cases {
        let forbidden = forbidden_edges(&SourceFile::new(name, text));
        assert!(forbidden.is_empty(), "{text}: {forbidden:?}");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let lines = |file: &SourceFile| file.text.lines().count();
    let long: Vec<String> = source_files()
        .iter()
        .filter(|file| lines(file) > LINES)
        .map(|file| format!("{} has {} lines; split it by noun", file.name, lines(file)))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn unsafe_code_stays_in_its_explained_files() {
    let found: Vec<String> = source_files()
        .into_iter()
        .filter(SourceFile::has_unsafe)
        .map(|file| file.name)
        .collect();
    assert_eq!(found, UNSAFE_FILES);
    assert!(SourceFile::new("a.rs", "fn f() { unsafe { g() } }").has_unsafe());
    assert!(!SourceFile::new("a.rs", "// unsafe\n#![deny(unsafe_code)]").has_unsafe());
}

#[test]
fn calls_that_belong_to_the_room_are_allowed_in_named_files_only() {
    let found: Vec<String> = source_files()
        .into_iter()
        .filter(|file| !["lib", "room"].contains(&file.room()))
        .filter(|file| file.text.contains("clippy::disallowed_methods"))
        .map(|file| file.name)
        .collect();
    assert_eq!(found, EXEMPT_FILES);
}

#[test]
fn nothing_opens_a_network_socket() {
    for file in source_files() {
        assert!(!file.names_std_net(), "{} names std::net", file.name);
    }
    assert!(SourceFile::new("a.rs", "use std::{fs, net::TcpStream};").names_std_net());
    assert!(!SourceFile::new("a.rs", "use std::fs; // std::net").names_std_net());
}

#[test]
fn the_shipped_graph_has_no_crate_that_deny_toml_bans() {
    let banned = denied(&["bans", "deny"], |ban| ban["crate"].as_str());
    assert!(
        banned.contains("tokio"),
        "deny.toml was not understood: {banned:?}"
    );
    let shipped = graph("tuf-ceremony", "{p}");
    assert!(
        shipped.len() > 50,
        "the graph was not understood: {shipped:?}"
    );
    let names: BTreeSet<String> = shipped
        .iter()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(
        names.intersection(&banned).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );

    // The same look at a crate that does bring them finds them.
    let peer = graph("tough-peer", "{p}")
        .into_iter()
        .filter(|line| line.starts_with("tokio "))
        .count();
    assert_eq!(peer, 1);
}

#[test]
fn every_shipped_crate_has_a_licence_that_deny_toml_allows() {
    let allowed = denied(&["licenses", "allow"], toml::Value::as_str);
    for line in graph("tuf-ceremony", "{p}: {l}") {
        let (_, licence) = line.rsplit_once(": ").unwrap();
        assert!(satisfied(licence, &allowed), "{line}");
    }
    assert!(satisfied("(MIT OR GPL-3.0) AND Zlib", &allowed));
    assert!(!satisfied("MIT AND GPL-3.0", &allowed));
    assert!(!satisfied("", &allowed));
}

/// Whether a licence expression can be met with the allowed names alone.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let plain = expression.replace('/', " OR ");
    // Every bracket in the graph groups alternatives, so AND binds loosest once they are dropped; without brackets OR does.
    let or_first = plain.contains('(');
    let plain = plain.replace(['(', ')'], "");
    let part = |name: &str| allowed.contains(name.split(" WITH ").next().unwrap_or(name).trim());
    if or_first {
        plain
            .split(" AND ")
            .all(|group| group.split(" OR ").any(part))
    } else {
        plain
            .split(" OR ")
            .any(|group| group.split(" AND ").all(part))
    }
}

/// A list of deny.toml, each entry read by `name`.
fn denied(place: &[&str; 2], name: fn(&toml::Value) -> Option<&str>) -> BTreeSet<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let file: toml::Table = text.parse().unwrap();
    let list = file[place[0]][place[1]].as_array().unwrap();
    list.iter()
        .map(|entry| name(entry).unwrap().to_owned())
        .collect()
}

/// What `package` is linked from, itself included, one line a crate.
fn graph(package: &str, format: &str) -> BTreeSet<String> {
    let arguments = [
        "tree",
        "--locked",
        "--edges=normal",
        "--prefix=none",
        "--no-dedupe",
    ];
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .args(["--package", package, "--format", format])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}
