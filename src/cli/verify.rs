//! `verify`: the verdict, for people or as the JSON object that other programs rely on.

use std::io::{self, Write};

use super::args::VerifyArgs;
use super::{Answer, Exit, print};
use crate::tuf::finding::Level;
use crate::verdict::{self, Count, Report, RootReport, load};

/// Judges what the paths name. There is always a verdict, for unreadable input too.
///
/// # Errors
/// What the writer says.
pub fn run(args: &VerifyArgs, out: &mut dyn Write) -> Answer {
    let at = args.at.unwrap_or_else(crate::room::clock::now);
    let report = load::paths(&args.trusted_root, &args.paths, at, args.rehearsal)
        .map_or_else(|report| report, verdict::judge);
    if args.json {
        print::json(out, &report)?;
    } else {
        show(out, &report)?;
    }
    Ok(if report.ok { Exit::Done } else { Exit::Refused })
}

fn show(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for root in &report.roots {
        writeln!(out, "{}", quorums(root))?;
    }
    print::findings(out, &report.findings)?;
    let (held, given) = (report.roots.len(), report.given);
    let count = |level| print::count(&report.findings, level);
    writeln!(
        out,
        "{}: {held} of {given} roots signature-valid; {}, {}, {}",
        if report.ok {
            "VERIFIED"
        } else {
            "NOT VERIFIED"
        },
        count(Level::Error),
        count(Level::Warning),
        count(Level::Note)
    )
}

fn quorums(root: &RootReport) -> String {
    let of = |count: &Count| format!("{} needed, {} signed", count.needed, count.signed);
    match &root.old {
        None => format!(
            "root v{}: trusted; by its own keys: {}",
            root.version,
            of(&root.new)
        ),
        Some(old) => format!(
            "root v{}: by the keys of root v{} (old): {}; by the keys of root v{} (new): {}",
            root.version,
            root.version.saturating_sub(1),
            of(old),
            root.version,
            of(&root.new)
        ),
    }
}
