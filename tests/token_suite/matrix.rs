//! The matrix of docs/tokens.md: each line is measured, printed, and compared with the page. `UPDATE_DOCS=1` writes it there instead.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::{Leaves, TokenFault, TokenId};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::tuf::key::Algorithm::{self, EcdsaP256, EcdsaP384, Ed25519, RsaPss};

use super::bench::{Bench, verifies};
use super::row::{Keys, Row};
use super::{rows, secret, stage};

const PAGE: &str = "docs/tokens.md";
const BEGIN: &str = "<!-- matrix:begin -->\n";
const END: &str = "<!-- matrix:end -->\n";
const HEADER: &str = "\
| token | status | Ed25519 | P-256 | P-384 | RSA-PSS | PIN counter | custody | leaves wrapped | attestation | known gaps |
|---|---|---|---|---|---|---|---|---|---|---|
";
/// Where the process inside puts its line.
const LINE: &str = "TUF_CEREMONY_MATRIX_LINE";
/// Measures a row, prints its line and what does not apply to it, and compares the line with the page.
pub fn hold(row: &'static Row, test: &str, do_not_apply: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("line");
    stage::run_with(
        row,
        test,
        |command| {
            command.env(LINE, &outside);
        },
        |bench| {
            let path = std::env::var_os(LINE).map_or_else(|| outside.clone(), PathBuf::from);
            fs::write(path, line(bench, "tested here")).unwrap();
        },
    );
    if std::env::var_os(LINE).is_some() {
        return;
    }
    let line = fs::read_to_string(&outside).unwrap();
    let mut told = line.clone();
    for (claim, why) in do_not_apply {
        let claim = claim.replace('_', " ");
        told.extend(["  does not apply: ", &claim, " (", why, ")\n"]);
    }
    print(&told);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return update(row, &line);
    }
    let page = fs::read_to_string(page()).unwrap();
    let beginning = beginning(row);
    let shown = block(&page)
        .lines()
        .find(|shown| shown.starts_with(&beginning));
    assert_eq!(
        shown,
        Some(line.trim_end()),
        "{PAGE} does not say what was measured; UPDATE_DOCS=1 cargo test --test token_suite matrix"
    );
}

#[test]
fn matrix_has_a_line_for_each_row_and_no_other() {
    let page = fs::read_to_string(page()).unwrap();
    let lines = block(&page).strip_prefix(HEADER).unwrap().lines();
    let names: Vec<&str> = lines
        .map(|line| line.split(" | ").next().unwrap())
        .collect();
    let expected = rows::ALL.map(|row| format!("| {}", row.name));
    assert_eq!(names, expected);
}

/// A line as the page has it.
pub fn line(bench: &mut Bench, status: &str) -> String {
    let token = bench.token("one").id;
    let [ed25519, p256, p384, rsa] =
        [Ed25519, EcdsaP256, EcdsaP384, RsaPss].map(|algorithm| signs(bench, &token, algorithm));
    let key = bench.key(&token, "last", EcdsaP256);
    let chain = bench.module().attestation(&token, &key).unwrap();
    let attestation = match chain.len() {
        0 => "none".to_owned(),
        length => format!("yes, a chain of {length}"),
    };
    let custody = custody(key.custody);
    let leaves = leaves(bench, &token);
    // Last, because it may lock the token.
    let counter = counter(bench, &token);
    let (name, gaps) = (bench.row.name, bench.row.gaps);
    format!(
        "| {name} | *{status}* | {ed25519} | {p256} | {p384} | {rsa} | {counter} | {custody} | {leaves} | {attestation} | {gaps} |\n"
    )
}

/// What it does with a key of this type.
fn signs(bench: &mut Bench, token: &TokenId, algorithm: Algorithm) -> String {
    let label = format!("{algorithm:?}");
    let key = if bench.row.keys == Keys::Ours {
        bench.login(token).unwrap();
        match bench
            .module()
            .generate(token, &label, algorithm, Leaves::Never)
        {
            Ok(key) => key,
            Err(error) if error.fault == TokenFault::Unsupported => return "no".to_owned(),
            Err(error) => panic!("{error}"),
        }
    } else {
        match bench.try_key(token, &label, algorithm) {
            Ok(Some(key)) => key,
            Ok(None) => return "not shown".to_owned(),
            Err(_) => return "shows no key then".to_owned(),
        }
    };
    let long = vec![b'{'; 200_000];
    match bench.signs(token, &key, b"message") {
        Ok(signature) => assert!(verifies(&key, b"message", &signature)),
        Err(_) => return "makes keys, does not sign".to_owned(),
    }
    match bench.signs(token, &key, &long) {
        Ok(signature) => {
            assert!(verifies(&key, &long, &signature));
            "yes".to_owned()
        }
        Err(error) => {
            assert_eq!(error.fault, TokenFault::PayloadTooLarge, "{error}");
            let most = key.usage.longest.unwrap();
            let longest = bench.signs(token, &key, &long[..most]).unwrap();
            assert!(verifies(&key, &long[..most], &longest));
            format!("yes, payload to {most} bytes")
        }
    }
}

/// Which keys it makes that leave wrapped, of those that a role may have.
fn leaves(bench: &mut Bench, token: &TokenId) -> String {
    let mut types = Vec::new();
    for (algorithm, name) in [
        (Ed25519, "Ed25519"),
        (EcdsaP256, "P-256"),
        (EcdsaP384, "P-384"),
    ] {
        bench.login(token).unwrap();
        let label = format!("wrapped {name}");
        match bench
            .module()
            .generate(token, &label, algorithm, Leaves::Wrapped)
        {
            Ok(key) => {
                assert_eq!(key.custody.wrapped_only, Some(true));
                types.push(name);
            }
            Err(error) => assert_eq!(error.fault, TokenFault::Unsupported, "{error}"),
        }
    }
    if types.is_empty() {
        "never".to_owned()
    } else {
        types.join(", ")
    }
}

fn custody(custody: Custody) -> String {
    let facts = [
        ("sensitive", custody.always_sensitive),
        ("not extractable", custody.never_extractable),
        ("made there", custody.local),
    ];
    let open: Vec<String> = facts
        .iter()
        .filter_map(|(fact, proven)| match proven {
            Some(true) => None,
            Some(false) => Some(format!("{fact}: no")),
            None => Some(format!("{fact}: not proven")),
        })
        .collect();
    if custody == Custody::default() {
        "not proven".to_owned()
    } else if open.is_empty() {
        "proven".to_owned()
    } else {
        open.join(", ")
    }
}

/// What is told of the tries that are left, and when they are used up.
fn counter(bench: &mut Bench, token: &TokenId) -> String {
    let row = bench.row;
    let mut tries = vec![bench.listed(token).tries];
    let most = row.locks_after.unwrap_or(row.refusals.len());
    for _ in 0..most {
        bench.module().login(token, &secret(row.wrong)).unwrap_err();
        tries.push(bench.listed(token).tries);
    }
    // That one less does not lock it is a claim.
    let right = bench.login(token).map_err(|error| error.fault);
    let locks = right == Err(TokenFault::PinLocked);
    let told = |flag: Tries| tries.iter().position(|tries| *tries == flag);
    let mut words = Vec::new();
    if matches!(tries[0], Tries::Left(_)) {
        words.push("exact".to_owned());
    } else {
        let flags = [
            (Tries::Low, "low"),
            (Tries::Final, "last try"),
            (Tries::Locked, "locked"),
        ];
        let shown = flags
            .iter()
            .filter_map(|(flag, name)| Some((told(*flag)?, name)));
        words.extend(shown.map(|(after, name)| format!("\"{name}\" after {after}")));
    }
    if words.is_empty() {
        words.push("not told".to_owned());
    }
    let ends = if locks {
        format!("locks after {most}")
    } else {
        assert_eq!(right, Ok(()));
        format!("{most} wrong PINs do not lock it")
    };
    format!("{}; {ends}", words.join(", "))
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)
}

fn beginning(row: &Row) -> String {
    format!("| {} |", row.name)
}

/// What stands between the markers.
fn block(page: &str) -> &str {
    let (_, block) = page.split_once(BEGIN).expect("the page has the markers");
    block.split_once(END).expect("the page has the markers").0
}

/// Writes a line into the page; rows are measured at the same time, so one after the other.
fn update(row: &Row, line: &str) {
    let lock = File::open(page()).unwrap();
    lock.lock().unwrap();
    let page = fs::read_to_string(self::page()).unwrap();
    let old = block(&page);
    let mut new = HEADER.to_owned();
    for known in rows::ALL {
        let beginning = beginning(known);
        if known.name == row.name {
            new += line;
        } else if let Some(shown) = old.lines().find(|shown| shown.starts_with(&beginning)) {
            new.extend([shown, "\n"]);
        }
    }
    fs::write(self::page(), page.replace(old, &new)).unwrap();
}

#[allow(clippy::print_stdout, reason = "the matrix is printed for people")]
fn print(line: &str) {
    print!("{line}");
}
