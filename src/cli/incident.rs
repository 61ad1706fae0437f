//! `incident plan`: what an incident file means for every project, minutes after it was written. Nothing is signed and nothing written; what it lists
//! for the online side need not wait for any signature.

use std::io::{self, Write};

use serde_json::json;

use super::args::{IncidentArgs, IncidentCommand};
use super::{Answer, Exit};
use crate::ceremony::rotation::Derived;
use crate::plain::escape;
use crate::pypi::rotation::{Hit, Way};
use crate::room::session::vetting;

const SCHEMA: &str = "tuf-ceremony/incident-plan/1";

/// Computes what the arguments say.
///
/// # Errors
/// What the writer says.
pub fn run(args: &IncidentArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let IncidentCommand::Plan {
        script,
        input,
        json,
    } = &args.command;
    let derived = match vetting::rotation(script, input) {
        Ok(derived) => derived,
        Err(failure) => {
            for line in &failure.lines {
                writeln!(err, "{}", escape(line))?;
            }
            return Ok(Exit::of(failure.code));
        }
    };
    if *json {
        writeln!(out, "{:#}", report(&derived))?;
    } else {
        text(&derived, out)?;
    }
    Ok(Exit::Done)
}

fn report(derived: &Derived) -> serde_json::Value {
    let hits = derived.rotation.hits.iter().map(|hit| {
        json!({
            "project": hit.project.as_str(),
            "pre_image": hit.pre_image,
            "lost": hit.lost,
            "becomes": word(&hit.way),
            "role": role(hit),
            "known_good": hit.good.len(),
        })
    });
    json!({
        "schema": SCHEMA,
        "incident": derived.incident.id,
        "good_archive": derived.good_archive,
        "hits": hits.collect::<Vec<_>>(),
        "quarantine_now": quarantine(derived),
        "findings": derived.rotation.findings,
    })
}

fn quarantine(derived: &Derived) -> Vec<&str> {
    let hits = derived.rotation.hits.iter();
    let touched = hits.filter(|hit| !hit.lost.is_empty());
    touched.map(|hit| hit.project.as_str()).collect()
}

fn text(derived: &Derived, out: &mut dyn Write) -> io::Result<()> {
    let hits = &derived.rotation.hits;
    let title = escape(&derived.incident.title);
    writeln!(out, "Incident {}: {title}", derived.incident.id)?;
    match &derived.good_archive {
        Some(name) => writeln!(out, "Known good: the archive of {name}")?,
        None => writeln!(out, "Known good: no archive is old enough")?,
    }
    for way in ["replaced", "removed", "custody", "tombstone", "online only"] {
        let count = hits.iter().filter(|hit| word(&hit.way) == way).count();
        writeln!(out, "{count:>7}  {way}")?;
    }
    writeln!(out)?;
    for hit in hits {
        let becomes = role(hit).map_or_else(String::new, |role| format!(" as {role}"));
        let name = &hit.project;
        let (lost, good) = (hit.lost.len(), hit.good.len());
        writeln!(
            out,
            "{name}: {}{becomes}; {lost} of its keys compromised, {good} files known to be good",
            word(&hit.way)
        )?;
    }
    for finding in &derived.rotation.findings {
        writeln!(out, "{}: {}", finding.rule, escape(&finding.text))?;
    }
    writeln!(out, "\nOnline, now, before anything is signed: quarantine")?;
    for name in quarantine(derived) {
        writeln!(out, "  {name}")?;
    }
    Ok(())
}

fn word(way: &Way) -> &'static str {
    match way {
        Way::Replace { .. } => "replaced",
        Way::Remove { .. } => "removed",
        Way::Files => "custody",
        Way::Tombstone => "tombstone",
        Way::Online => "online only",
    }
}

/// Its role from now on, where it has one of its own.
fn role(hit: &Hit) -> Option<String> {
    match &hit.way {
        Way::Replace { role, .. } | Way::Remove { role, .. } => Some(role.to_string()),
        Way::Files | Way::Tombstone | Way::Online => None,
    }
}
