//! What must hold after every run, whatever the module did in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tuf_ceremony::bundle::files;
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::transcript;

use crate::case::Case;
use crate::flow::Flow;
use crate::support::stage::{Outcome, PIN};

/// What a run broke, in sentences; empty: nothing.
pub(crate) type Faults = Vec<String>;

/// The claims of one run with a fault.
pub(crate) fn after_fault(case: &Case, outcome: &Outcome) -> Faults {
    let mut faults = said(outcome);
    faults.extend(no_pin(case, outcome));
    let written = match record(case) {
        Ok(record) => record,
        Err(said) => return [faults, vec![said]].concat(),
    };
    faults.extend(nothing_partial(case, &written));
    let product = case.flow.product(&case.stage).exists();
    if outcome.code == 0 {
        faults.extend(finished(case, &written));
    } else if product || written.complete {
        faults.push(format!(
            "exit code {}, and the bundle is there",
            outcome.code
        ));
    }
    // Tokens and PINs are 4; 3 is for what people have to answer or bring.
    if ![0, 3, 4].contains(&outcome.code) {
        faults.push(format!("exit code {}: {}", outcome.code, outcome.err));
    }
    if outcome.code == 3 && !outcome.err.starts_with("Not finished: ") {
        faults.push(format!("exit code 3, and no reason: {}", outcome.err));
    }
    if outcome.code == 4 && outcome.err.lines().count() < 2 {
        faults.push(format!("no word on the state of things: {}", outcome.err));
    }
    faults
}

/// The claims of the run after it, with a module that works.
pub(crate) fn after_repair(case: &Case, outcome: &Outcome) -> Faults {
    if outcome.code != 0 {
        return vec![format!("it does not go on without the fault: {outcome:?}")];
    }
    let mut faults = said(outcome);
    faults.extend(no_pin(case, outcome));
    match record(case) {
        Ok(written) => {
            faults.extend(nothing_partial(case, &written));
            faults.extend(finished(case, &written));
        }
        Err(said) => faults.push(said),
    }
    faults
}

/// What a transcript tells.
pub(crate) struct Record {
    pub(crate) complete: bool,
    pub(crate) events: Vec<Event>,
}

impl Record {
    /// The names of its events: two runs with the same ones stopped at the same place.
    pub(crate) fn outline(&self) -> Vec<String> {
        let name = |event: &Event| {
            let value = serde_json::to_value(event).unwrap();
            value["event"].as_str().unwrap().to_owned()
        };
        self.events.iter().map(name).collect()
    }
}

/// The verified transcript; an empty one where nothing was begun.
pub(crate) fn record(case: &Case) -> Result<Record, String> {
    let bytes = fs::read(case.ceremony().output().join(transcript::NAME)).unwrap_or_default();
    let read = transcript::read(&bytes).map_err(|error| format!("the record: {error:?}"))?;
    Ok(Record {
        complete: read.is_complete(),
        events: read.lines.into_iter().map(|line| line.event).collect(),
    })
}

/// No panic, no signal, no escape sequence, no text of the standard for programmers.
fn said(outcome: &Outcome) -> Faults {
    let mut faults = Faults::new();
    for text in [&outcome.out, &outcome.err] {
        for forbidden in ["panicked", "RUST_BACKTRACE", "\x1b", "horrible"] {
            if text.contains(forbidden) {
                faults.push(format!("{forbidden:?} in {text}"));
            }
        }
    }
    if !(0..=5).contains(&outcome.code) {
        faults.push(format!("it ended with {}: {}", outcome.code, outcome.err));
    }
    faults
}

/// The PIN is in nothing that is said, written or logged.
fn no_pin(case: &Case, outcome: &Outcome) -> Faults {
    let pin = PIN.as_bytes();
    let holds = |bytes: &[u8]| bytes.windows(pin.len()).any(|window| window == pin);
    let mut faults = Faults::new();
    if holds(outcome.out.as_bytes()) || holds(outcome.err.as_bytes()) {
        faults.push("the PIN is on the screen".to_owned());
    }
    let mut looked_at = 0;
    let ours = case.stage.path(&case.ceremony().name);
    for (path, bytes) in tree(&ours) {
        looked_at += 1;
        if path != "pins" && holds(&bytes) {
            faults.push(format!("the PIN is in {path}"));
        }
    }
    assert!(looked_at > 3, "script, room, answers and PINs at least");
    if holds(&fs::read(case.stage.path("alice.so.log")).unwrap()) {
        faults.push("the PIN is in the log of calls".to_owned());
    }
    faults
}

/// Every file in the output is on record as it is, and what is on record is there.
fn nothing_partial(case: &Case, record: &Record) -> Faults {
    let mut written = BTreeMap::new();
    for event in &record.events {
        if let Event::Written { file } = event {
            written.insert(file.path.as_str(), file);
        }
    }
    let found: BTreeMap<_, _> = tree(&case.ceremony().output()).into_iter().collect();
    let mut faults = Faults::new();
    for (path, bytes) in &found {
        if path == transcript::NAME {
            continue;
        }
        match written.get(path.as_str()) {
            None => faults.push(format!("{path} is there and not on record")),
            Some(file) if **file != files::digest(path, bytes) => {
                faults.push(format!("{path} is not what is on record"));
            }
            Some(_) => {}
        }
    }
    let missing = written.keys().filter(|path| !found.contains_key(**path));
    faults.extend(missing.map(|path| format!("{path} is on record and not there")));
    faults
}

/// The bundle verifies, each signature was counted once, and whatever was intended twice was decided by a person.
fn finished(case: &Case, record: &Record) -> Faults {
    let mut faults = Faults::new();
    if !record.complete {
        faults.push("exit code 0, and the record has no end".to_owned());
    }
    let root = Flow::trusted_root(&case.stage);
    let (code, report) = case.stage.verify(&root, &case.ceremony().output());
    if code != 0 {
        faults.push(format!("exit code 0, and verify says {code}: {report:#}"));
    }
    let count = |what: fn(&Event) -> bool| record.events.iter().filter(|event| what(event)).count();
    let signed: Vec<_> = record.events.iter().filter_map(signature).collect();
    let distinct: BTreeSet<_> = signed.iter().collect();
    let settled = count(|event| {
        matches!(
            event,
            Event::IntentDecided { .. } | Event::SigningFailed { .. }
        )
    });
    let intended = count(|event| matches!(event, Event::SigningIntended { .. }));
    if distinct.len() != signed.len() || intended != signed.len() + settled {
        faults.push(format!(
            "{intended} intents, {} signatures ({} of them distinct), {settled} settled",
            signed.len(),
            distinct.len()
        ));
    }
    faults
}

fn signature(event: &Event) -> Option<String> {
    match event {
        Event::Signed {
            document, signer, ..
        } => Some(format!("{document} {}", signer.keyid)),
        _ => None,
    }
}

/// Every file below a folder, by its path in it.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    files
}
