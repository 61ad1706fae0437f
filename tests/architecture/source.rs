//! Source files as tokens: comments and strings say nothing here, however a path is written it is found.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A file below src/.
pub(crate) struct SourceFile {
    /// Its path below src/, as `tuf/key.rs`.
    pub(crate) name: String,
    pub(crate) text: String,
    paths: Vec<Vec<String>>,
}

impl SourceFile {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let tokens: TokenStream = text
            .parse()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut paths = Vec::new();
        collect_paths(tokens, &[], &mut paths);
        let (name, text) = (name.to_owned(), text.to_owned());
        Self { name, text, paths }
    }

    /// The room it belongs to: `tuf` for tuf.rs and for tuf/key.rs.
    pub(crate) fn room(&self) -> &str {
        self.modules()[0]
    }

    fn modules(&self) -> Vec<&str> {
        self.name.trim_end_matches(".rs").split('/').collect()
    }

    /// Paths from the crate's root, without `crate` or the `super`s that lead there.
    pub(crate) fn uses_of_ours(&self) -> Vec<Vec<String>> {
        let depth = self.modules().len();
        let from_root = |path: &Vec<String>| {
            let climbs = path.iter().take_while(|part| *part == "super").count();
            let start = match path[0].as_str() {
                "crate" | "tuf_ceremony" => 1,
                _ if climbs >= depth => climbs,
                _ => return None,
            };
            Some(path[start..].to_vec()).filter(|rest| !rest.is_empty())
        };
        self.paths.iter().filter_map(from_root).collect()
    }

    pub(crate) fn has_unsafe(&self) -> bool {
        self.paths.iter().any(|path| path[0] == "unsafe")
    }

    pub(crate) fn names_std_net(&self) -> bool {
        let names_net = |path: &Vec<String>| {
            matches!(path[0].as_str(), "std" | "core")
                && path.get(1).is_some_and(|part| part == "net")
        };
        self.paths.iter().any(names_net)
    }
}

/// Every file below src/, by name.
pub(crate) fn source_files() -> Vec<SourceFile> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect_files(&src, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no source files below {}", src.display());
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap();
        SourceFile::new(name, &fs::read_to_string(file).unwrap())
    };
    files.iter().map(read).collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Collects every path, `use` groups spelt out: `a::{b, c::d}` gives `a::b` and `a::c::d`. A lone word is a path too.
fn collect_paths(tokens: TokenStream, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                colons += 1;
                continue;
            }
            // After `::` a word goes on with the path, else it begins one.
            TokenTree::Ident(word) => {
                if colons != 2 {
                    finish(&mut path, paths);
                    path = prefix.to_vec();
                }
                path.push(word.to_string());
            }
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Brace && colons == 2 {
                    collect_paths(group.stream(), &path, paths);
                    path.clear();
                } else {
                    collect_paths(group.stream(), &[], paths);
                }
                finish(&mut path, paths);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => finish(&mut path, paths),
        }
        colons = 0;
    }
    finish(&mut path, paths);
}

fn finish(path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    if !path.is_empty() {
        paths.push(std::mem::take(path));
    }
}
