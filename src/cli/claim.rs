//! `claim`: what the requests of a claim come to, on a machine of one's own. Nothing is signed and nothing written.

use std::io::{self, Write};

use serde_json::json;

use super::args::{ClaimArgs, ClaimCommand, ClaimDigestArgs};
use super::{Answer, Exit};
use crate::plain::escape;
use crate::pypi::vetting::{Bucket, Vetted, Vetting};
use crate::room::failure::Failure;
use crate::room::session::vetting;
use crate::words;

const SCHEMA: &str = "tuf-ceremony/claim-digest/1";

/// Computes what the arguments say.
///
/// # Errors
/// What the writer says.
pub fn run(args: &ClaimArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    match &args.command {
        ClaimCommand::Digest(args) => digest(args, out, err),
        ClaimCommand::Archive { folder } => match vetting::archive_digest(folder) {
            Ok(digest) => writeln!(out, "{digest}").map(|()| Exit::Done),
            Err(failure) => failed(&failure, err),
        },
    }
}

fn digest(args: &ClaimDigestArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let (script, vetting) = match vetting::vetting(&args.script, &args.input) {
        Ok(judged) => judged,
        Err(failure) => return failed(&failure, err),
    };
    let sample = script.claim.map_or(0, |claim| claim.sample as usize);
    if args.json {
        writeln!(out, "{:#}", report(&vetting, sample))?;
    } else {
        text(&vetting, sample, out)?;
    }
    Ok(Exit::Done)
}

fn failed(failure: &Failure, err: &mut dyn Write) -> Answer {
    for line in &failure.lines {
        writeln!(err, "{}", escape(line))?;
    }
    Ok(Exit::of(failure.code))
}

fn report(vetting: &Vetting, sample: usize) -> serde_json::Value {
    let digest = vetting.batch_digest();
    let requests: Vec<_> = vetting.vetted.iter().map(one).collect();
    let unread: Vec<_> = vetting
        .unread
        .iter()
        .map(|unread| json!({"project": unread.project, "finding": unread.finding}))
        .collect();
    json!({
        "schema": SCHEMA,
        "batch": digest,
        "words": words::of(&digest.0),
        "green": vetting.bucket(Bucket::Green).count(),
        "look": vetting.bucket(Bucket::Look).count(),
        "refused": vetting.bucket(Bucket::Refused).count() + unread.len(),
        "minutes": vetting.minutes(sample),
        "gating": vetting.gating().map(|it| it.request.project.as_str()).collect::<Vec<_>>(),
        "requests": requests,
        "unread": unread,
        "findings": vetting.findings,
    })
}

fn one(vetted: &Vetted) -> serde_json::Value {
    let reasons: Vec<_> = vetted
        .reasons
        .iter()
        .map(|reason| &reason.finding)
        .collect();
    json!({
        "project": vetted.request.project.as_str(),
        "request": vetted.request.action.word(),
        "bucket": bucket(vetted.bucket()),
        "after": vetted.after,
        "reasons": reasons,
    })
}

fn bucket(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Green => "green",
        Bucket::Look => "look",
        Bucket::Refused => "refused",
    }
}

fn text(vetting: &Vetting, sample: usize, out: &mut dyn Write) -> io::Result<()> {
    for line in vetting.overview(sample) {
        writeln!(out, "{}", escape(&line))?;
    }
    for finding in &vetting.findings {
        writeln!(out, "{}: {}", finding.rule, escape(&finding.text))?;
    }
    writeln!(out)?;
    for bucket in [Bucket::Look, Bucket::Refused] {
        for vetted in vetting.bucket(bucket) {
            for reason in &vetted.reasons {
                writeln!(
                    out,
                    "{}: {}",
                    reason.finding.rule,
                    escape(&reason.finding.text)
                )?;
            }
        }
    }
    for unread in &vetting.unread {
        let finding = &unread.finding;
        writeln!(out, "{}: {}", finding.rule, escape(&finding.text))?;
    }
    let digest = vetting.batch_digest();
    writeln!(out, "\nBatch digest\n  {digest}")?;
    for row in words::of(&digest.0).chunks(8) {
        writeln!(out, "  {}", row.join(" "))?;
    }
    Ok(())
}
