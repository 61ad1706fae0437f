//! Cases and their good twins as they lie under tests/data.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;

/// `case.toml`: how a flaw is met.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is wrong, and where it is known from; no two cases say the same.
    pub(crate) cause: String,
    /// The good twin: a folder of tests/data/good.
    pub(crate) good: String,
    pub(crate) command: String,
    args: Vec<String>,
    pub(crate) exit: i32,
    pub(crate) rule: String,
    /// The file that the finding names; none for rules about everything together.
    #[serde(default)]
    file: String,
    /// Exactly, as printed.
    pub(crate) text: String,
    /// Rules that the same flaw breaks too, in the order told.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    /// What must not be shown.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// Changes of text in the twin's files.
    #[serde(default)]
    edit: Vec<Edit>,
    /// What no repository can hold.
    #[serde(default)]
    make: Vec<Make>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    /// Occurs exactly once.
    find: String,
    replace: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Make {
    Fifo(String),
    Remove(String),
    Symlink {
        path: String,
        to: String,
    },
    /// A sparse file.
    Size {
        path: String,
        bytes: u64,
    },
}

/// `accept.toml` of a good twin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    command: String,
    args: Vec<String>,
    /// 0, or 3 where people would have to go on.
    exit: i32,
}

pub(crate) struct Twin {
    folder: std::path::PathBuf,
    accept: Accept,
    pub(crate) exit: i32,
}

impl Case {
    /// Every folder but those that cases draw on.
    pub(crate) fn all(data: &Path) -> BTreeMap<String, Self> {
        folders(data)
            .into_iter()
            .filter(|name| !["good", "keys", "make"].contains(&name.as_str()))
            .map(|name| {
                let text = fs::read_to_string(data.join(&name).join("case.toml"))
                    .unwrap_or_else(|fault| panic!("{name}/case.toml: {fault}"));
                let mut case: Self =
                    toml::from_str(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
                case.text = filled(&case.text);
                (name, case)
            })
            .collect()
    }
    pub(crate) fn arguments(&self) -> Vec<String> {
        arguments(&self.command, &self.args)
    }
    /// The line in which the program refuses.
    pub(crate) fn line(&self) -> String {
        let level = if self.command == "run" {
            "refused"
        } else {
            "error"
        };
        let file = if self.file.is_empty() {
            String::new()
        } else {
            format!(" {}", self.file)
        };
        format!("{level} {}{file}: {}", self.rule, self.text)
    }
    /// Puts the flaw over the twin that was staged.
    pub(crate) fn lay_over(&self, own: &Path, staged: &Path) {
        copy(own, staged, "case.toml");
        for edit in &self.edit {
            let path = staged.join(&edit.file);
            let text = fs::read_to_string(&path).unwrap();
            let found = text.matches(&edit.find).count();
            assert_eq!(found, 1, "{:?} in {}", edit.find, edit.file);
            fs::write(&path, text.replace(&edit.find, &filled(&edit.replace))).unwrap();
        }
        for make in &self.make {
            make.make(staged);
        }
    }
}

impl Make {
    fn make(&self, staged: &Path) {
        match self {
            Self::Fifo(path) => {
                let path = staged.join(path);
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let kind = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
            }
            Self::Remove(path) => fs::remove_file(staged.join(path)).unwrap(),
            Self::Symlink { path, to } => symlink(to, staged.join(path)).unwrap(),
            Self::Size { path, bytes } => fs::File::create(staged.join(path))
                .unwrap()
                .set_len(*bytes)
                .unwrap(),
        }
    }
}

impl Twin {
    pub(crate) fn names(data: &Path) -> Vec<String> {
        folders(&data.join("good"))
    }
    pub(crate) fn read(data: &Path, name: &str) -> Self {
        let folder = data.join("good").join(name);
        let text = fs::read_to_string(folder.join("accept.toml")).unwrap();
        let accept: Accept = toml::from_str(&text).unwrap();
        Self {
            exit: accept.exit,
            folder,
            accept,
        }
    }
    pub(crate) fn arguments(&self) -> Vec<String> {
        arguments(&self.accept.command, &self.accept.args)
    }
    pub(crate) fn stage(&self) -> TempDir {
        let staged = tempfile::tempdir().unwrap();
        copy(&self.folder, staged.path(), "accept.toml");
        staged
    }
}

fn arguments(command: &str, args: &[String]) -> Vec<String> {
    [&[command.to_owned()], args].concat()
}

fn folders(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path, but: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let target = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target, but);
        } else if name != but
            && target
                .extension()
                .is_some_and(|extension| extension == "toml")
        {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(target, filled(&text)).unwrap();
        } else if name != but {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// `@IN_300_DAYS@` made a date: some rules judge against now, and a date in a committed file would go stale.
fn filled(text: &str) -> String {
    let mut rest = text;
    let mut filled = String::new();
    while let Some((before, after)) = rest.split_once("@IN_") {
        let (days, after) = after.split_once("_DAYS@").unwrap();
        let hours = days.parse::<i64>().unwrap() * 24;
        let date = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        filled += before;
        filled += &date.strftime("%Y-%m-%dT00:00:00Z").to_string();
        rest = after;
    }
    filled + rest
}
