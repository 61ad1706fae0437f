//! Holds docs/assurance.md to the tree: every rule of the source has its row, every row its rule, and every test it names exists.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "architecture/source.rs"]
#[allow(dead_code, reason = "not every test program uses every helper")]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Looks like a rule and is the name of an algorithm.
const NO_RULES: [&str; 1] = ["ML-DSA"];

struct Row {
    code: String,
    accept: Vec<String>,
    /// None where the reason is given why no input reaches the rule.
    reject: Option<Vec<String>>,
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `| rule | code | claim | accept | reject |`
fn table() -> BTreeMap<String, Row> {
    let text = fs::read_to_string(top().join("docs/assurance.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{line}");
        let names = |cell: &str| quoted(cell).collect();
        let row = Row {
            code: cells[1].to_owned(),
            accept: names(cells[3]),
            reject: (!cells[4].starts_with("none: ")).then(|| names(cells[4])),
        };
        (cells[0].trim_matches('`').to_owned(), row)
    };
    let mut table = BTreeMap::new();
    for (rule, row) in rows.map(row) {
        assert!(table.insert(rule.clone(), row).is_none(), "{rule} twice");
    }
    table
}

fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned)
}

/// Every string of the shipped source that is written like a rule (`ROOT-VERSION`), and those of one word that stand where findings are made.
fn rules() -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for file in source::source_files() {
        if !file.name.contains("tests") {
            collect(file.text.parse().unwrap(), &mut rules);
        }
    }
    for name in NO_RULES {
        assert!(rules.remove(name), "{name} is not in the source any more");
    }
    rules
}

fn collect(tokens: TokenStream, rules: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut makes_finding = false;
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            // #[cfg(test)] and what it stands on, up to its braces.
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Bracket
                    && group.stream().to_string().replace(' ', "") == "cfg(test)" =>
            {
                // A field has neither, and ends with its comma or its struct.
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(body) => body.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(end) => [';', ','].contains(&end.as_char()),
                    _ => false,
                };
                while tokens.get(index).is_some_and(|token| !ends(token)) {
                    index += 1;
                }
            }
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                if let (true, Some(TokenTree::Literal(first))) = (makes_finding, inner.first()) {
                    rules.extend(word(&first.to_string(), false));
                }
                collect(group.stream(), rules);
            }
            TokenTree::Literal(literal) => rules.extend(word(&literal.to_string(), true)),
            _ => {}
        }
        makes_finding = matches!(tokens.get(index), Some(TokenTree::Ident(name))
            if ["error", "warning", "note"].contains(&name.to_string().as_str()));
        index += 1;
    }
}

/// The string, if it is capitals and digits, with hyphens between.
fn word(literal: &str, with_hyphen: bool) -> Option<String> {
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    let first = text.split('-').next()?;
    let is_rule = text.split('-').all(part)
        && first.len() > 1
        && first.starts_with(|c: char| c.is_ascii_uppercase())
        && (!with_hyphen || text.contains('-'));
    is_rule.then(|| text.to_owned())
}

#[test]
fn every_rule_has_a_row_and_every_row_a_rule() {
    let rows: BTreeSet<String> = table().into_keys().collect();
    let rules = rules();
    let missing: Vec<_> = rules.difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "no row in docs/assurance.md: {missing:?}"
    );
    let stale: Vec<_> = rows.difference(&rules).collect();
    assert!(stale.is_empty(), "no such rule in src/: {stale:?}");
}

#[test]
fn the_code_of_every_row_is_there() {
    for (rule, row) in table() {
        let files: Vec<String> = quoted(&row.code).collect();
        assert!(!files.is_empty(), "{rule}");
        for place in files {
            let (file, functions) = place.split_once(' ').unwrap_or((&place, ""));
            let text = fs::read_to_string(top().join("src").join(file))
                .unwrap_or_else(|fault| panic!("{rule}: src/{file}: {fault}"));
            for function in functions.split(", ").filter(|name| !name.is_empty()) {
                let found = text.contains(&format!("fn {function}("))
                    || text.contains(&format!("fn {function}<"));
                assert!(found, "{rule}: no fn {function} in src/{file}");
            }
        }
    }
}

#[test]
fn every_test_that_a_row_names_exists() {
    let tests = tests();
    for (rule, row) in table() {
        assert!(!row.accept.is_empty(), "{rule} names no test that accepts");
        for name in row.accept.iter().chain(row.reject.iter().flatten()) {
            assert!(tests.contains(name), "{rule}: there is no test {name}");
        }
        assert!(row.reject.is_none_or(|names| !names.is_empty()), "{rule}");
    }
}

/// Names of test functions, of cases under tests/data, and of their good twins.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut waiting = vec![top().join("src"), top().join("tests")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if path.join("case.toml").exists() {
                    names.insert(name);
                } else if path.join("accept.toml").exists() {
                    names.insert(format!("good_twin_{name}_is_accepted"));
                } else {
                    waiting.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                names.extend(text.split("#[test]").skip(1).filter_map(|after| {
                    let name = after.split_once("fn ")?.1;
                    Some(name.split_once('(')?.0.to_owned())
                }));
            }
        }
    }
    names
}
