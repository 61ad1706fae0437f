//! Project names, and the one role that a project's name gives it.
//!
//! A name stands here only as PEP 503 normalizes it. So it holds no `/`, `*`, `?`, `[` or `.`: no pattern and no file name can be smuggled into a
//! path, and `<name>/*` of two projects never overlap. A project's role is called `project-<name>`, because projects called root, snapshot and
//! timestamp do exist and metadata files share one flat namespace; `project-<name>_2` is the second role of a project whose first was
//! fast-forwarded (`_` never occurs in a normalized name, so no project can be called like another's second role).
//!
//! `PROJECT-RESERVED` has two sides. As the *name of a role* `root` is refused where a project's role is wanted. A *project* called root is legal on
//! PyPI and its role `project-root` is safe, but people mistake one for the other: [`Project::reserved`] is a warning, and a person looks.

use std::borrow::Borrow;
use std::borrow::Cow;
use std::fmt;

use super::fault::Fault;
use crate::tuf::finding::{Finding, shown};

/// What every project's role begins with.
pub const PREFIX: &str = "project-";

/// The longest name, in bytes: `4294967295.project-<name>_4294967295.json` still is a file name (255 bytes).
pub const LONGEST: usize = 200;

/// Names that mean something else in TUF, in this tree or in an index, sorted.
pub const RESERVED: [&str; 12] = [
    "bins",
    "claimed",
    "custody",
    "mirrors",
    "packages",
    "recently-claimed",
    "root",
    "simple",
    "snapshot",
    "targets",
    "timestamp",
    "unclaimed",
];

/// The name of a project as PEP 503 normalizes it: `[a-z0-9]+(-[a-z0-9]+)*`, at most [`LONGEST`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Project(String);

/// A role of a project: the first is called `project-<name>`, later ones `project-<name>_2` and so on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectRole {
    /// Whose.
    pub project: Project,
    /// From 1.
    pub generation: u32,
}

impl Project {
    /// Reads a normalized name.
    ///
    /// # Errors
    /// Rule `PROJECT-NAME`, with the normalized form where there is one.
    pub fn parse(name: &str) -> Result<Self, Fault> {
        let refuse = |text: String| Err(Fault::new("PROJECT-NAME", text));
        if name.len() > LONGEST {
            return refuse(format!(
                "a project name of {} bytes is too long; at most {LONGEST} are read",
                name.len()
            ));
        }
        if is_normalized(name) {
            return Ok(Self(name.to_owned()));
        }
        let name_shown = shown(name);
        let normalized = normalized(name);
        if is_normalized(&normalized) {
            return refuse(format!(
                "{name_shown} is not written as PEP 503 normalizes it; write {normalized}"
            ));
        }
        refuse(format!(
            "{name_shown} is no project name: only a to z, 0 to 9 and single hyphens between them are allowed"
        ))
    }
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The one pattern that its files may have.
    pub fn path(&self) -> String {
        format!("{}/*", self.0)
    }
    /// Its first role.
    pub fn role(&self) -> ProjectRole {
        self.generation(1)
    }
    /// One of its roles.
    pub fn generation(&self, generation: u32) -> ProjectRole {
        ProjectRole {
            project: self.clone(),
            generation,
        }
    }
    /// `PROJECT-RESERVED`, a warning: the project is called like something else, so a person looks at it.
    pub fn reserved(&self, file: &str) -> Option<Finding> {
        RESERVED.binary_search(&self.as_str()).ok()?;
        let text = format!(
            "the project {self} is called like a role of TUF or a place of the index. Its role {} is safe; look that nobody means the other.",
            self.role()
        );
        Some(Finding::warning("PROJECT-RESERVED", file, text))
    }
}

impl ProjectRole {
    /// Reads the name of a role.
    ///
    /// # Errors
    /// `PROJECT-RESERVED` for the name of a role of TUF or of this tree, `PROJECT-NAME` for any other that no project's role has.
    pub fn parse(name: &str) -> Result<Self, Fault> {
        if RESERVED.contains(&name) {
            let text = format!(
                "{name} is never the role of a project; the role of a project called {name} is {PREFIX}{name}"
            );
            return Err(Fault::new("PROJECT-RESERVED", text));
        }
        let refuse = |what: &str| {
            let text = format!("the role {} {what}", shown(name));
            Fault::new("PROJECT-NAME", text)
        };
        let rest = name.strip_prefix(PREFIX).ok_or_else(|| {
            refuse("is not called as a project's; such a role is called project-<name>")
        })?;
        let (project, generation) = match rest.split_once('_') {
            None => (rest, 1),
            Some((project, digits)) => (
                project,
                later(digits).ok_or_else(|| {
                    refuse("has no number from 2 behind its underscore; write project-<name>_2")
                })?,
            ),
        };
        let project = Project::parse(project)
            .map_err(|fault| refuse(&format!("is refused: {}", fault.text)))?;
        Ok(Self {
            project,
            generation,
        })
    }
    /// The project whose first role this is, as nearly all are.
    pub fn first(name: &str) -> Option<&str> {
        let project = name.strip_prefix(PREFIX)?;
        (project.len() <= LONGEST && is_normalized(project)).then_some(project)
    }
    /// The one after it; none behind the largest number.
    pub fn next(&self) -> Option<Self> {
        Some(self.project.generation(self.generation.checked_add(1)?))
    }
    /// `PROJECT-PATHS`: the role's paths must be exactly the project's own.
    pub fn check_paths<T: AsRef<str>>(&self, file: &str, paths: &[T]) -> Option<Finding> {
        const SHOWN: usize = 3;
        let own = self.project.path();
        if matches!(paths, [path] if path.as_ref() == own) {
            return None;
        }
        let written: Vec<Cow<'_, str>> = paths
            .iter()
            .take(SHOWN)
            .map(|path| shown(path.as_ref()))
            .collect();
        let more = if paths.len() > SHOWN { ", ..." } else { "" };
        let text = format!(
            "the role {self} has the paths [{}{more}]; a project's role has exactly one, {own}",
            written.join(", ")
        );
        Some(Finding::error("PROJECT-PATHS", file, text))
    }
}

/// `[a-z0-9]+(-[a-z0-9]+)*`
fn is_normalized(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split('-').all(part)
}

/// PEP 503: runs of `-`, `_` and `.` become one hyphen, letters lower case.
fn normalized(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            _ => normalized.push(character.to_ascii_lowercase()),
        }
    }
    normalized
}

/// A generation as it is written: from 2, no leading zero, no sign.
fn later(digits: &str) -> Option<u32> {
    let generation: u32 = digits.parse().ok()?;
    (generation > 1 && generation.to_string() == digits).then_some(generation)
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ProjectRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.project)?;
        match self.generation {
            1 => Ok(()),
            generation => write!(f, "_{generation}"),
        }
    }
}

/// So that a map by project is asked with a plain name.
impl Borrow<str> for Project {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn normalized_names_are_read_and_others_are_told_their_form() {
        for name in [
            "a",
            "0",
            "django",
            "zope-interface",
            "a-1-b",
            &"a".repeat(200),
        ] {
            assert_eq!(Project::parse(name).unwrap().as_str(), name);
        }
        let table = [
            (
                "Django",
                "Django is not written as PEP 503 normalizes it; write django",
            ),
            (
                "zope.interface",
                "zope.interface is not written as PEP 503 normalizes it; write zope-interface",
            ),
            (
                "a-_.b",
                "a-_.b is not written as PEP 503 normalizes it; write a-b",
            ),
            (
                "a--b",
                "a--b is not written as PEP 503 normalizes it; write a-b",
            ),
            (
                "",
                "\"\" is no project name: only a to z, 0 to 9 and single hyphens between them are allowed",
            ),
            (
                "-a",
                "-a is no project name: only a to z, 0 to 9 and single hyphens between them are allowed",
            ),
            (
                "a*",
                "a* is no project name: only a to z, 0 to 9 and single hyphens between them are allowed",
            ),
            (
                "a/../b",
                "a/../b is no project name: only a to z, 0 to 9 and single hyphens between them are allowed",
            ),
            (
                "d\u{458}ango",
                "\"d\\u{458}ango\" is no project name: only a to z, 0 to 9 and single hyphens between them are allowed",
            ),
        ];
        for (name, text) in table {
            assert_eq!(Project::parse(name), Err(Fault::new("PROJECT-NAME", text)));
        }
        let long = Project::parse(&"a".repeat(201)).unwrap_err();
        assert_eq!(
            long.text,
            "a project name of 201 bytes is too long; at most 200 are read"
        );
    }

    #[test]
    fn roles_and_projects_are_read_from_each_other() {
        let project = Project::parse("a-1").unwrap();
        for (generation, name) in [
            (1, "project-a-1"),
            (2, "project-a-1_2"),
            (u32::MAX, "project-a-1_4294967295"),
        ] {
            let role = project.generation(generation);
            assert_eq!(role.to_string(), name);
            assert_eq!(ProjectRole::parse(name), Ok(role));
        }
        assert_eq!(project.role().next(), Some(project.generation(2)));
        assert_eq!(project.generation(u32::MAX).next(), None);
        assert_eq!(
            ProjectRole::parse("project-root").unwrap().project.as_str(),
            "root"
        );
    }

    #[test]
    fn names_of_no_projects_role_are_refused() {
        let number = "has no number from 2 behind its underscore; write project-<name>_2";
        let table = [
            ("django", "the role django is not called as a project's; such a role is called project-<name>".to_owned()),
            ("bin-00", "the role bin-00 is not called as a project's; such a role is called project-<name>".to_owned()),
            ("project-a_", format!("the role project-a_ {number}")),
            ("project-a_1", format!("the role project-a_1 {number}")),
            ("project-a_02", format!("the role project-a_02 {number}")),
            ("project-a_+2", format!("the role project-a_+2 {number}")),
            ("project-a_4294967296", format!("the role project-a_4294967296 {number}")),
            ("project-A", "the role project-A is refused: A is not written as PEP 503 normalizes it; write a".to_owned()),
        ];
        for (name, text) in table {
            assert_eq!(
                ProjectRole::parse(name),
                Err(Fault::new("PROJECT-NAME", text))
            );
        }
    }

    #[test]
    fn a_reserved_name_is_no_projects_role_and_a_project_of_that_name_is_looked_at() {
        assert!(RESERVED.is_sorted());
        for name in RESERVED {
            let text = format!(
                "{name} is never the role of a project; the role of a project called {name} is project-{name}"
            );
            assert_eq!(
                ProjectRole::parse(name),
                Err(Fault::new("PROJECT-RESERVED", text))
            );
            let project = Project::parse(name).unwrap();
            let text = format!(
                "the project {name} is called like a role of TUF or a place of the index. Its role project-{name} is safe; look that nobody means the other."
            );
            assert_eq!(
                project.reserved("requests.jsonl"),
                Some(Finding::warning("PROJECT-RESERVED", "requests.jsonl", text))
            );
        }
        assert_eq!(Project::parse("roots").unwrap().reserved(""), None);
    }

    #[test]
    fn paths_are_exactly_the_projects_own() {
        let role = ProjectRole::parse("project-x").unwrap();
        assert_eq!(role.check_paths("claimed.json", &["x/*"]), None);
        assert_eq!(
            role.project
                .generation(2)
                .check_paths("claimed.json", &["x/*"]),
            None
        );
        let table: [(&[&str], &str); 8] = [
            (&[], ""),
            (&["*"], "*"),
            (&["x/**"], "x/**"),
            (&["x*/*"], "x*/*"),
            (&["x/*", "x/*"], "x/*, x/*"),
            (&["x/*", "y/*"], "x/*, y/*"),
            (&["[x]/*"], "[x]/*"),
            (&["a", "b", "c", "d"], "a, b, c, ..."),
        ];
        for (paths, written) in table {
            let text = format!(
                "the role project-x has the paths [{written}]; a project's role has exactly one, x/*"
            );
            let finding = Finding::error("PROJECT-PATHS", "claimed.json", text);
            assert_eq!(role.check_paths("claimed.json", paths), Some(finding));
        }
    }
}
