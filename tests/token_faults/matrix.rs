//! Every call of every flow times every class of codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Instant;

use crate::case::{Case, Fault, in_parallel};
use crate::classes::{CHANGING, CLASSES, DEATHS, every_code};
use crate::flow::Flow;
use crate::judge::{self, Faults};

/// How a matrix ended.
struct Table {
    cases: usize,
    finished_again: usize,
    codes: BTreeMap<i32, usize>,
    failures: Vec<String>,
}

/// Runs every fault in the flow. A run that stopped where another one had stopped before is not finished again unless `always`.
fn run(flow: Flow, faults: &[Fault], always: bool) -> Table {
    flow.template();
    let seen = Mutex::new(BTreeSet::new());
    let results = in_parallel(faults.len(), |index| {
        let fault = &faults[index];
        let case = Case::new(flow, fault);
        let outcome = case.with_fault();
        let mut broken: Faults = Vec::new();
        let log = case.shim.log();
        let fired = log.broken().iter().any(|call| {
            (call.function.as_str(), call.number) == (fault.function.as_str(), fault.number)
        });
        if !fired {
            broken.push("the fault did not happen".to_owned());
        }
        broken.extend(judge::after_fault(&case, &outcome));
        let stopped_at = judge::record(&case).map(|record| {
            let state = (outcome.code, record.outline(), case.objects());
            seen.lock().unwrap().insert(state)
        });
        let again = outcome.code != 0 && (always || stopped_at.unwrap_or(true));
        if again {
            broken.extend(judge::after_repair(&case, &case.without()));
        }
        let broken: Vec<_> = broken
            .into_iter()
            .map(|text| format!("{flow:?} {fault:?}: {text}\n"))
            .collect();
        (outcome.code, again, broken)
    });
    let mut table = Table {
        cases: results.len(),
        finished_again: 0,
        codes: BTreeMap::new(),
        failures: Vec::new(),
    };
    for (code, again, broken) in results {
        *table.codes.entry(code).or_default() += 1;
        table.finished_again += usize::from(again);
        table.failures.extend(broken);
    }
    table
}

/// Every call of the flow, with each of these.
fn product(flow: Flow, what: &[String]) -> Vec<Fault> {
    let points = flow.template().clean.points();
    let faults = points.iter().flat_map(|(function, number)| {
        what.iter().map(|what| Fault {
            function: (*function).to_owned(),
            number: *number,
            what: what.clone(),
        })
    });
    faults.collect()
}

fn holds(flow: Flow, faults: &[Fault], always: bool) {
    let began = Instant::now();
    let table = run(flow, faults, always);
    let calls = flow.template().clean.0.len();
    let mut text = format!(
        "{}: {calls} calls, {} cases, {} finished again, exit codes {:?}, {:.0} s",
        flow.name(),
        table.cases,
        table.finished_again,
        table.codes,
        began.elapsed().as_secs_f32()
    );
    println!("{text}");
    for failure in table.failures.iter().take(20) {
        let _ = write!(text, "\n{failure}");
    }
    assert!(
        table.failures.is_empty(),
        "{} failures; {text}",
        table.failures.len()
    );
}

fn classes() -> Vec<String> {
    CLASSES.iter().map(|(_, code)| (*code).to_owned()).collect()
}

#[test]
fn every_call_of_keygen_fails_in_every_class() {
    holds(Flow::Keygen, &product(Flow::Keygen, &classes()), false);
}

#[test]
fn every_call_of_sign_fails_in_every_class() {
    holds(Flow::Sign, &product(Flow::Sign, &classes()), false);
}

#[test]
fn every_call_of_check_in_fails_in_every_class() {
    holds(Flow::CheckIn, &product(Flow::CheckIn, &classes()), false);
}

#[test]
fn every_call_of_provision_fails_in_every_class() {
    holds(
        Flow::Provision,
        &product(Flow::Provision, &classes()),
        false,
    );
}

/// The module's process dies in the call.
#[test]
fn module_dies_in_every_call() {
    for flow in Flow::ALL {
        holds(flow, &product(flow, &["kill".to_owned()]), false);
    }
}

/// The device did it, and says that it did not.
#[test]
fn calls_that_change_something_succeed_and_say_otherwise() {
    let after: Vec<_> = CLASSES
        .iter()
        .map(|(_, code)| format!("after {code}"))
        .chain(["after kill".to_owned()])
        .collect();
    for flow in Flow::ALL {
        let mut faults = product(flow, &after);
        faults.retain(|fault| CHANGING.contains(&fault.function.as_str()));
        assert!(faults.len() >= 2 * after.len());
        holds(flow, &faults, true);
    }
}

/// The other ways to die, and a module that never answers, once for each function.
#[test]
fn module_crashes_or_hangs_in_each_function() {
    let deaths = DEATHS.map(str::to_owned);
    let mut faults = product(Flow::Keygen, &deaths);
    faults.retain(|fault| fault.number == 1);
    faults.push(Fault {
        function: "C_GetTokenInfo".to_owned(),
        number: 9,
        what: "hang".to_owned(),
    });
    holds(Flow::Keygen, &faults, false);
}

/// Hours: `tests/campaigns/pkcs11-faults`.
#[test]
#[ignore = "a campaign: run tests/campaigns/pkcs11-faults"]
fn every_call_of_every_flow_fails_with_every_code() {
    let chosen = std::env::var("TUF_CAMPAIGN_FLOW").unwrap_or_default();
    let flows = Flow::ALL.into_iter();
    let flows: Vec<_> = flows
        .filter(|flow| chosen.is_empty() || flow.name() == chosen)
        .collect();
    assert!(!flows.is_empty(), "there is no flow {chosen:?}");
    let deaths = DEATHS.map(str::to_owned).into_iter();
    let what: Vec<_> = every_code().into_iter().chain(deaths).collect();
    for flow in flows {
        holds(flow, &product(flow, &what), false);
    }
}
