//! The most downloaded projects by rank: whose change a person always looks at, and whose name others are made to look like.

use std::collections::HashMap;

use super::project::Project;
use crate::tuf::finding::{Finding, shown};

/// Most projects of a list: all that PyPI has, and more.
const MOST: usize = 2_000_000;

/// Projects by rank, the first is the most downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    by_rank: Vec<Project>,
    ranks: HashMap<Project, usize>,
}

impl Top {
    /// Reads one normalized name a line.
    ///
    /// # Errors
    /// Rule `TOP-FORM`: a line that is no name, or a name that stands twice.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let refuse = |line: usize, text: String| {
            Finding::error("TOP-FORM", file, format!("line {line}: {text}"))
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Finding::error("TOP-FORM", file, "is not UTF-8"))?;
        let mut top = Self::default();
        for (index, line) in text.lines().enumerate() {
            if index >= MOST {
                return Err(refuse(index + 1, format!("at most {MOST} names are read")));
            }
            let project =
                Project::parse(line).map_err(|fault| refuse(index + 1, fault.text.clone()))?;
            if let Some(rank) = top.ranks.insert(project.clone(), index + 1) {
                return Err(refuse(
                    index + 1,
                    format!("{} stands in line {rank} already", shown(line)),
                ));
            }
            top.by_rank.push(project);
        }
        Ok(top)
    }
    /// A project's rank, from 1.
    pub fn rank(&self, project: &Project) -> Option<usize> {
        self.ranks.get(project).copied()
    }
    /// The projects in order of rank.
    pub fn projects(&self) -> &[Project] {
        &self.by_rank
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_rank.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_rank.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_list_of_names_is_read_by_rank() {
        let top = Top::parse("top.txt", b"boto3\nrequests\nnumpy\n").unwrap();
        let rank = |name: &str| top.rank(&Project::parse(name).unwrap());
        assert_eq!(
            (rank("boto3"), rank("numpy"), rank("flask")),
            (Some(1), Some(3), None)
        );
        assert_eq!(top.len(), 3);
        for (bytes, text) in [
            (
                &b"boto3\nNumPy\n"[..],
                "line 2: NumPy is not written as PEP 503 normalizes it; write numpy",
            ),
            (b"a\nb\na\n", "line 3: a stands in line 1 already"),
            (
                b"a\n\n",
                "line 2: \"\" is no project name: only a to z, 0 to 9 and single hyphens between them are allowed",
            ),
            (b"\xff", "is not UTF-8"),
        ] {
            let refused = Top::parse("top.txt", bytes).unwrap_err();
            assert_eq!(refused, Finding::error("TOP-FORM", "top.txt", text));
        }
    }
}
