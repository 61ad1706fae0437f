//! Hostile and broken inputs, one folder a flaw under tests/data: each is refused with its exact rule and text and leaves nothing behind, and its good twin
//! (the same files without the flaw) is accepted. See tests/data/README.md.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "hostile/case.rs"]
mod case;
#[path = "hostile/program.rs"]
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use case::{Case, Twin};
use libtest_mimic::{Arguments, Failed, Trial};
use program::Answer;

/// At most so many cases a rule, or the corpus would say one thing many times.
const MOST_OF_A_RULE: usize = 5;
/// At least so many cases in all.
const LEAST: usize = 60;

fn main() -> ExitCode {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let cases = Case::all(&data);
    let mut trials = vec![census(&cases)];
    for name in Twin::names(&data) {
        let data = data.clone();
        trials.push(Trial::test(
            format!("good_twin_{name}_is_accepted"),
            move || accepted(&data, &name),
        ));
    }
    for (name, case) in cases {
        let data = data.clone();
        trials.push(Trial::test(name.clone(), move || {
            refused(&data, &name, &case)
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn accepted(data: &Path, name: &str) -> Result<(), Failed> {
    let twin = Twin::read(data, name);
    let staged = twin.stage();
    let answer = program::run(staged.path(), &twin.arguments());
    let told = answer.told();
    check(answer.exit == twin.exit, || {
        format!("exit {}, not {}\n{told}", answer.exit, twin.exit)
    })?;
    check(answer.errors().is_empty(), || told.clone())?;
    plain(&answer)
}

fn refused(data: &Path, name: &str, case: &Case) -> Result<(), Failed> {
    let twin = Twin::read(data, &case.good);
    let staged = twin.stage();
    case.lay_over(&data.join(name), staged.path());
    let before = listing(staged.path());
    let answer = program::run(staged.path(), &case.arguments());
    let told = answer.told();
    check(answer.exit == case.exit, || {
        format!("exit {}, not {}\n{told}", answer.exit, case.exit)
    })?;
    let wanted = case.line();
    let (found, also): (Vec<_>, Vec<_>) = answer
        .errors()
        .into_iter()
        .partition(|line| *line == wanted);
    let also: Vec<_> = also
        .iter()
        .filter_map(|line| line.split([' ', ':']).nth(1))
        .collect();
    check(found.len() == 1 && also == case.also, || {
        format!("wanted\n{wanted}\nand {:?}, got\n{told}", case.also)
    })?;
    for secret in &case.absent {
        check(!told.contains(secret), || {
            format!("it shows {secret}\n{told}")
        })?;
    }
    plain(&answer)?;
    check(listing(staged.path()) == before, || {
        format!("something was written\n{told}")
    })?;
    if ["verify", "review"].contains(&case.command.as_str()) {
        as_json(case, staged.path())?;
    }
    Ok(())
}

/// The same verdict as exactly one JSON object.
fn as_json(case: &Case, folder: &Path) -> Result<(), Failed> {
    let mut arguments = case.arguments();
    arguments.push("--json".to_owned());
    let answer = program::run(folder, &arguments);
    let object: serde_json::Value =
        serde_json::from_str(&answer.out).map_err(|fault| format!("{fault}\n{}", answer.told()))?;
    let found = object["findings"].as_array().unwrap();
    let errors: Vec<_> = found
        .iter()
        .filter(|finding| finding["level"] == "error")
        .collect();
    let found = errors.iter().any(|finding| {
        finding["rule"] == case.rule.as_str()
            && tuf_ceremony::plain::escape(finding["text"].as_str().unwrap()) == case.text
    });
    let number = 1 + case.also.len();
    check(
        found && errors.len() == number && answer.exit == case.exit,
        || answer.told(),
    )
}

/// Nothing on screen can move, hide or reorder anything, and nothing panicked.
fn plain(answer: &Answer) -> Result<(), Failed> {
    let told = answer.told();
    let clean = told.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
    check(clean, || format!("not plain ASCII: {told:?}"))?;
    check(!told.contains("panicked"), || told.clone())
}

fn check(holds: bool, text: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(text().into()) }
}

/// Every path there; an output folder, if one was staged, with what lies in it.
fn listing(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            }
            found.insert(entry.path());
        }
    }
    found
}

fn census(cases: &BTreeMap<String, Case>) -> Trial {
    let mut of_rule: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases.values() {
        *of_rule.entry(case.rule.clone()).or_default() += 1;
    }
    let told: BTreeSet<_> = cases.values().map(|case| case.cause.clone()).collect();
    let number = cases.len();
    let codes = cases.values().all(|case| [1, 2].contains(&case.exit));
    Trial::test(
        "the_corpus_is_large_and_its_causes_are_distinct",
        move || {
            check(number >= LEAST, || format!("{number} cases"))?;
            check(told.len() == number, || "two cases of one cause".into())?;
            check(codes, || "a case is not refused by exit 1 or 2".into())?;
            let crowded = of_rule.iter().find(|(_, count)| **count > MOST_OF_A_RULE);
            check(crowded.is_none(), || format!("{crowded:?}"))
        },
    )
}
