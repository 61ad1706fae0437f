//! Names that look like well-known ones: equal once characters that look alike are one, or one edit away. The index holds every well-known name with one
//! character left out, so that a name is compared with a handful of others and not with all.

use std::collections::HashMap;

use crate::pypi::project::Project;

/// Names shorter than this are one edit away from half of all short names; they are compared by looks only.
const SHORTEST: usize = 5;

/// The well-known names, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct LookAlikes {
    names: Vec<Project>,
    skeletons: HashMap<String, usize>,
    /// Names, and names without one of their characters.
    shortened: HashMap<String, Vec<usize>>,
    known: HashMap<Project, usize>,
}

impl LookAlikes {
    /// An index of these names, the best known first.
    pub fn of(names: &[Project]) -> Self {
        let mut index = Self {
            names: names.to_vec(),
            ..Self::default()
        };
        for (place, project) in names.iter().enumerate() {
            index.known.insert(project.clone(), place);
            let skeleton = skeleton(project.as_str());
            index.skeletons.entry(skeleton).or_insert(place);
            if project.as_str().len() >= SHORTEST {
                for short in shortened(project.as_str()) {
                    index.shortened.entry(short).or_default().push(place);
                }
            }
        }
        index
    }

    /// The best-known name that this one looks like; none for a well-known name itself.
    pub fn find(&self, project: &Project) -> Option<&Project> {
        if self.known.contains_key(project) {
            return None;
        }
        let name = project.as_str();
        let alike = self.skeletons.get(&skeleton(name)).copied();
        let near = (name.len() >= SHORTEST - 1)
            .then(|| shortened(name))
            .into_iter()
            .flatten()
            .filter_map(|short| self.shortened.get(&short))
            .flatten()
            .copied()
            .filter(|place| {
                let known = self.names.get(*place);
                known.is_some_and(|known| is_one_edit(known.as_str(), name))
            });
        self.names.get(near.chain(alike).min()?)
    }
}

/// A name as the eye takes it: without hyphens, characters that look alike as one. Names are ASCII, so this is all there is.
fn skeleton(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter(|c| *c != '-')
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' => 'l',
            '5' => 's',
            c => c,
        })
        .collect();
    plain
        .replace("rn", "m")
        .replace("vv", "w")
        .replace("cl", "d")
}

/// The name, and the name without each of its characters in turn.
fn shortened(name: &str) -> impl Iterator<Item = String> + '_ {
    let without = (0..name.len()).map(|at| {
        let mut short = name.to_owned();
        short.remove(at);
        short
    });
    without.chain([name.to_owned()])
}

/// Whether two different names are one insertion, deletion, replacement or exchange of neighbours apart.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[common..], &other[common..]);
    match (one, other) {
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        ([_, one @ ..], other) if one == other => true,
        (one, [_, other @ ..]) if one == other => true,
        ([a, b, one @ ..], [c, d, other @ ..]) => a == d && b == c && one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn project(name: &str) -> Project {
        Project::parse(name).unwrap()
    }

    #[test]
    fn names_that_look_like_well_known_ones_are_found() {
        let known = ["requests", "numpy", "six", "python-dateutil", "modern"].map(project);
        let index = LookAlikes::of(&known);
        for (name, like) in [
            ("request", Some("requests")),
            ("requestss", Some("requests")),
            ("reqeusts", Some("requests")),
            ("raquests", Some("requests")),
            ("re-quests", Some("requests")),
            ("numpi", Some("numpy")),
            ("slx", Some("six")),
            ("s1x", Some("six")),
            ("pythondateutil", Some("python-dateutil")),
            ("modem", Some("modern")),
            ("requests", None),
            ("requests-oauthlib", None),
            ("sax", None),
            ("nump", Some("numpy")),
            ("flask", None),
        ] {
            let found = index.find(&project(name)).map(Project::as_str);
            assert_eq!(found, like, "{name}");
        }
    }
}
