//! The section `projects` of online-actions.json: what the server does to each project when the new `claimed` is published.
//!
//! Between the snapshot that the ceremony worked from and its publication the server went on. So every action names what it was decided over: if the
//! project does not stand so any more, nothing is done to it, all or nothing, and it waits for next month. `claimed` comes first in every search, so to
//! promote keys that were changed meanwhile would lock the developer out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::delegation::Delegations;
use super::project::Project;
use crate::tuf::digest::Sha256;

/// What the server does to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The project's delegation goes from `recently-claimed`: `claimed` has it from now on. Its role file stays as it is.
    RemoveFromRecentlyClaimed,
    /// Nothing: `recently-claimed` goes on answering, and the request is told to be refused or late.
    Leave,
    /// The project's delegation goes from `recently-claimed` and its index is quarantined until its owners have spoken.
    Quarantine,
}

impl Action {
    /// What the server does where the pre-image does not match. A quarantine never waits: it takes nothing from a developer that he cannot have back.
    pub fn otherwise(self) -> &'static str {
        match self {
            Self::RemoveFromRecentlyClaimed | Self::Leave => "leave the project for next month",
            Self::Quarantine => "quarantine the project and report what differs",
        }
    }
}

/// One project's action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectAction {
    /// The project.
    pub project: String,
    /// What is done.
    pub action: Action,
    /// The pre-image of its delegation in `recently-claimed`; `null` where it had none that keeps the rules.
    pub if_digest: Option<Sha256>,
    /// What is done where that differs: [`Action::otherwise`].
    #[serde(rename = "else")]
    pub otherwise: String,
}

/// The section: in the order of names, one action a project, each over the delegation that `recently` has.
pub fn projects(
    actions: &BTreeMap<Project, Action>,
    recently: Option<&Delegations>,
) -> Vec<ProjectAction> {
    let pre_image = |project: &Project| recently?.projects.digest(project);
    (actions.iter())
        .map(|(project, action)| ProjectAction {
            project: project.to_string(),
            action: *action,
            if_digest: pre_image(project),
            otherwise: action.otherwise().to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::pypi::delegation::delegations;
    use crate::pypi::delegation::tests::{FILE, envelope, project, role, signed};

    #[test]
    fn each_action_names_the_delegation_that_it_was_decided_over() {
        let signed = signed(&[role("project-b", "b/*", &[1], 1)], &[1]);
        let recently = delegations(FILE, &envelope(&signed)).unwrap();
        let actions = BTreeMap::from([
            (project("b"), Action::RemoveFromRecentlyClaimed),
            (project("a"), Action::Quarantine),
        ]);
        let section = projects(&actions, Some(&recently));
        let digest = recently.projects.digest(&project("b")).unwrap();
        let text = format!(
            r#"[{{"project":"a","action":"quarantine","if_digest":null,"else":"quarantine the project and report what differs"}},{{"project":"b","action":"remove-from-recently-claimed","if_digest":"{digest}","else":"leave the project for next month"}}]"#
        );
        assert_eq!(serde_json::to_string(&section).unwrap(), text);
        let read: Vec<ProjectAction> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, section);
        assert!(
            projects(&actions, None)
                .iter()
                .all(|action| action.if_digest.is_none())
        );
        let unknown = text.replace("\"else\"", "\"otherwise\"");
        assert!(serde_json::from_str::<Vec<ProjectAction>>(&unknown).is_err());
    }
}
