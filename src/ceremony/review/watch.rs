//! What must be looked at in a change of delegations, by category. Each has a reason that follows from the two files, or comes from a check that knows
//! more than they say (archives, owners, the list of top projects).

use super::change::{Delegated, Standing};
use crate::pypi::project::ProjectRole;
use crate::pypi::top::Top;
use crate::pypi::vetting::{Vetting, Weight};
use crate::tuf::finding::{Finding, Level};

/// Up to so many projects one key is nothing to report.
pub const CROWDED: usize = 20;

/// Why somebody must look, or is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// Fewer signatures are enough than before.
    ThresholdLowered,
    /// More signatures are wanted than there are keys.
    ThresholdTooHigh,
    /// A pattern of another project's files.
    ForeignPath,
    /// A pattern that covers more than `project/*`.
    WidePath,
    /// One of the projects that are downloaded most.
    TopProject,
    /// A name that can be mistaken for one of those.
    LookAlike,
    /// Names that stand twice, or out of order.
    Unsorted,
    /// One key of two owners.
    SharedKey,
    /// A key that an earlier archive has not, or has otherwise.
    OtherInArchive,
    /// A recovery or a transfer in the window.
    Recovery,
    /// Anything else that a rule wants seen.
    Other,
    /// One key on more than [`CROWDED`] projects: told, never in the way.
    Crowded,
}

impl Watch {
    /// In the order of the summary.
    pub const ALL: [Self; 12] = [
        Self::ThresholdLowered,
        Self::ThresholdTooHigh,
        Self::ForeignPath,
        Self::WidePath,
        Self::TopProject,
        Self::LookAlike,
        Self::Unsorted,
        Self::SharedKey,
        Self::OtherInArchive,
        Self::Recovery,
        Self::Other,
        Self::Crowded,
    ];

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::ThresholdLowered => "threshold lowered",
            Self::ThresholdTooHigh => "threshold above its keys",
            Self::ForeignPath => "path pattern not own project",
            Self::WidePath => "wildcard wider than project/*",
            Self::TopProject => "top project changed",
            Self::LookAlike => "look-alike name",
            Self::Unsorted => "duplicate or unsorted name",
            Self::SharedKey => "key shared by two owners",
            Self::OtherInArchive => "key differs from an archive",
            Self::Recovery => "recovery or transfer of late",
            Self::Other => "other, see the entry",
            Self::Crowded => "one key on > 20 projects",
        }
    }

    /// Whether nothing is signed before it was seen.
    pub fn is_gating(self) -> bool {
        self != Self::Crowded
    }
}

/// A reason to look at one project.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// Which.
    pub watch: Watch,
    /// In a sentence; may hold untrusted text.
    pub text: String,
}

impl Reason {
    /// `text` for `watch`.
    pub fn new(watch: Watch, text: impl Into<String>) -> Self {
        Self {
            watch,
            text: text.into(),
        }
    }

    /// What a rule says of a project.
    fn said(finding: &Finding) -> Self {
        let watch = match finding.rule.as_str() {
            "CLAIM-TOP" => Watch::TopProject,
            "CLAIM-LOOK-ALIKE" => Watch::LookAlike,
            "CLAIM-THRESHOLD" => Watch::ThresholdLowered,
            "CLAIM-UNCHANGED" => Watch::OtherInArchive,
            "CLAIM-EVENTS" | "CLAIM-RESET" | "CLAIM-TRANSFER" => Watch::Recovery,
            "OWNER-SHARED" => Watch::SharedKey,
            _ => Watch::Other,
        };
        Self::new(watch, format!("{}: {}", finding.rule, finding.text))
    }
}

/// The project that a finding of an earlier check is about, and why it must be seen: its file is the name of a project's role, and it is a warning. A note
/// about a project is told and not in the way, an error has ended the ceremony before.
pub fn of_finding(finding: &Finding) -> Option<(String, Reason)> {
    let project = ProjectRole::parse(&finding.file).ok()?.project;
    if finding.level != Level::Warning {
        return None;
    }
    Some((project.as_str().to_owned(), Reason::said(finding)))
}

/// What the vetting of requests wants seen before anybody signs, by project.
pub fn of_vetting(vetting: &Vetting) -> Vec<(String, Reason)> {
    let gating = vetting.gating().flat_map(|vetted| {
        let wanted = |weight| matches!(weight, Weight::Shows | Weight::Gates);
        let reasons = vetted.reasons.iter();
        let reasons = reasons.filter(move |reason| wanted(reason.weight));
        reasons.map(|reason| {
            let project = vetted.request.project.to_string();
            (project, Reason::said(&reason.finding))
        })
    });
    gating.collect()
}

/// The most downloaded projects, `count` of them: any change to one is seen, whatever asked for it.
pub fn of_top(top: &Top, count: usize) -> Vec<(String, Reason)> {
    let projects = top.projects().iter().take(count).zip(1..);
    let reasons = projects.map(|(project, rank)| {
        let text = format!("number {rank} of the most downloaded projects");
        (project.to_string(), Reason::new(Watch::TopProject, text))
    });
    reasons.collect()
}

/// What the two files themselves say against a change.
pub(super) fn reasons(before: &Standing, after: &Standing) -> Vec<Reason> {
    let Standing::Delegated(after) = after else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Standing::Delegated(before) = before
        && after.threshold < before.threshold
    {
        let text = format!("{} -> {}", before.threshold, after.threshold);
        found.push(Reason::new(Watch::ThresholdLowered, text));
    }
    let keys = after.distinct_keys();
    if after.threshold as usize > keys {
        let text = format!("{} of {keys} different keys", after.threshold);
        found.push(Reason::new(Watch::ThresholdTooHigh, text));
    }
    match ProjectRole::parse(&after.role) {
        Ok(role) => found.extend(paths(role.project.as_str(), after)),
        Err(fault) => found.push(Reason::new(Watch::Other, fault.text)),
    }
    if !after.terminating {
        let text = "the delegation is not terminating: others may answer for the project too";
        found.push(Reason::new(Watch::Other, text));
    }
    found
}

fn paths(project: &str, after: &Delegated) -> Vec<Reason> {
    let paths = after.paths.iter();
    let mut found: Vec<_> = paths
        .filter_map(|path| Some(Reason::new(pattern(project, path)?, path.clone())))
        .collect();
    if !after.prefixes.is_empty() {
        let text = format!("hash prefixes {}", after.prefixes.join(", "));
        found.push(Reason::new(Watch::WidePath, text));
    }
    found
}

/// What is wrong with a pattern: it is another's, or reaches further than the project's own files.
fn pattern(project: &str, path: &str) -> Option<Watch> {
    let special = |text: &str| text.contains(['*', '?', '[', '\\']);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if special(first) {
        return Some(Watch::WidePath);
    }
    if first != project {
        return Some(Watch::ForeignPath);
    }
    (rest != "*" && (special(rest) || rest.is_empty())).then_some(Watch::WidePath)
}

#[cfg(test)]
mod tests {
    use super::{Watch, pattern};

    #[test]
    fn only_the_projects_own_files_are_no_reason_to_look() {
        for (path, expected) in [
            ("six/*", None),
            ("six/six-1.0.tar.gz", None),
            ("seven/*", Some(Watch::ForeignPath)),
            ("six-/*", Some(Watch::ForeignPath)),
            ("/six/*", Some(Watch::ForeignPath)),
            ("SIX/*", Some(Watch::ForeignPath)),
            ("*", Some(Watch::WidePath)),
            ("six*/*", Some(Watch::WidePath)),
            ("s?x/*", Some(Watch::WidePath)),
            ("[s]ix/*", Some(Watch::WidePath)),
            ("six/*/*", Some(Watch::WidePath)),
            ("six/**", Some(Watch::WidePath)),
            ("six/", Some(Watch::WidePath)),
            ("six", Some(Watch::WidePath)),
            ("", Some(Watch::ForeignPath)),
        ] {
            assert_eq!(pattern("six", path), expected, "{path}");
        }
    }
}
