//! Hostile inputs at half and at full size, each in a process of its own: what we say, the CPU time and the peak of memory while it
//! is read, and whether twice the size took more than 2.6 times as long. A line of JSON for each.

use std::fs;
use std::io::stdout;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use bench::hostile::{CASES, Case};
use bench::stages::{Stages, cpu, millis, peak_mib};
use bench::{Failure, made};
use clap::Parser;
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use serde::{Deserialize, Serialize};

/// Twice the size may take this much more: linear, and what another machine's noise adds.
const GROWTH: f64 = 2.6;
/// Below so many seconds a ratio says nothing.
const INSTANT: f64 = 0.02;
/// Seconds of CPU time after which a process is ended: it is not linear, and nobody waits for it.
const PATIENCE: u64 = 300;
/// Characters of our words that the table shows.
const SHOWN: usize = 160;

#[derive(Parser)]
struct Args {
    /// Only the case with this number, with as many of what it has many of; in this process.
    #[arg(num_args = 2, value_names = ["CASE", "NUMBER"])]
    one: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct One {
    bytes: usize,
    cpu: f64,
    peak_mib: f64,
    refused: bool,
    finished: bool,
    verdict: String,
}

#[derive(Serialize)]
struct Row<'a> {
    case: &'a str,
    #[serde(flatten)]
    full: One,
    growth: f64,
    instant: bool,
    linear: bool,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut out = stdout().lock();
    let mut lines = Stages::new(&mut out);
    if let [index, number] = args.one[..] {
        let case = CASES.get(index).ok_or("no such case")?;
        return lines.print(&measure(case, number)?);
    }
    for (index, case) in CASES.iter().enumerate() {
        let (half, full) = (best(index, case.full / 2)?, best(index, case.full)?);
        let growth = full.cpu / half.cpu.max(0.001);
        let instant = full.finished && full.cpu < INSTANT;
        lines.print(&Row {
            case: case.name,
            growth: millis(growth),
            instant,
            linear: full.finished && (instant || growth <= GROWTH),
            full,
        })?;
    }
    Ok(())
}

/// The quickest of three, or the first that takes long.
fn best(index: usize, number: usize) -> Result<One, Failure> {
    let mut best = child(index, number)?;
    for _ in 0..2 {
        if best.cpu > 2.0 {
            break;
        }
        let again = child(index, number)?;
        if again.cpu < best.cpu {
            best = again;
        }
    }
    Ok(best)
}

fn child(index: usize, number: usize) -> Result<One, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command
        .args([index.to_string(), number.to_string()])
        .output()?;
    if output.status.signal() == Some(Signal::XCPU.as_raw()) {
        return Ok(One {
            bytes: number,
            cpu: 0.0,
            peak_mib: 0.0,
            refused: false,
            finished: false,
            verdict: format!("not finished after {PATIENCE} seconds of CPU time"),
        });
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}: {said}", CASES[index].name, output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn measure(case: &Case, number: usize) -> Result<One, Failure> {
    let before = made::list(100)?;
    let text = case.make(number)?;
    let bytes = text.len();
    // The peak counts from here on, with the text in it: proc_pid_clear_refs(5).
    fs::write("/proc/self/clear_refs", "5")?;
    let patience = Rlimit {
        current: Some(PATIENCE),
        maximum: None,
    };
    setrlimit(Resource::Cpu, patience)?;
    let start = cpu();
    let verdict = case.judge(&before, text);
    let mut words: String = verdict.text.chars().take(SHOWN).collect();
    if words.len() < verdict.text.len() {
        words.push('…');
    }
    Ok(One {
        bytes,
        cpu: millis(cpu() - start),
        peak_mib: millis(peak_mib()?),
        refused: verdict.refused,
        finished: true,
        verdict: words,
    })
}
