//! The review of a list: how long until there is something to read, how long until all of it is counted, and how long after any key press.
//!
//! The first screen is that of the data set's own change, once both files are read and validated, and so is what is counted beside it. The keys are pressed in the largest review there is, in which every
//! project of the new list is an entry, as at the first claim.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use tuf_ceremony::ceremony::candidate::Candidate;
use tuf_ceremony::ceremony::event::Document;
use tuf_ceremony::ceremony::review::Review;
use tuf_ceremony::ceremony::review::claimed::Checks;
use tuf_ceremony::ceremony::review::compare::compare;
use tuf_ceremony::ceremony::review::opening::Opening;
use tuf_ceremony::ceremony::review::searched::{Filter, Searched};
use tuf_ceremony::tuf::metadata::Targets;

use crate::stages::{Stages, millis};
use crate::{Failure, cycle, refused};

/// Typed letter by letter into the search, and deleted again.
const TYPED: &str = "data-tool";
/// Rows of a screen.
const PAGE: usize = 50;

/// What a person waits for, in milliseconds.
#[derive(Serialize)]
struct Waits {
    entries: usize,
    first_entries: usize,
    first_screen_ms: f64,
    counted_ms: f64,
    slowest_key: String,
    slowest_key_ms: f64,
}

/// Opens both reviews of a data set and presses the keys.
///
/// # Errors
/// What the readers refuse.
pub fn run(folder: &Path, stages: &mut Stages<'_>) -> Result<(), Failure> {
    let (old, new) = stages.run("read and validate", || {
        let old = cycle::parse(folder, "1.claimed.json", None)?;
        let new = cycle::parse(folder, "2.claimed.unsigned.json", Some(&old))?;
        for file in [&old, &new] {
            Targets::read("claimed", file).map_err(|finding| refused(&finding))?;
        }
        Ok((old, new))
    })?;
    new.payload_digest();
    let candidate = Candidate {
        document: Document {
            role: "claimed".to_owned(),
            version: 2,
        },
        envelope: new,
        old: Some(old),
        thresholds: Vec::new(),
    };
    let clock = Instant::now();
    let waited = || millis(clock.elapsed().as_secs_f64() * 1e3);
    let opening = stages.run("first screen", || Ok(Opening::of(&candidate, &[], &[])))?;
    let opened_ms = opening.map(|_| waited());
    let review = stages.run("counting", || {
        let checks = Checks::default();
        Review::of_claimed(&candidate, &[], &[], Vec::new(), &|_| None, &checks)
            .map_err(|finding| refused(&finding))
    })?;
    let counted_ms = waited();
    // A short list needs no page before.
    let first_screen_ms = opened_ms.unwrap_or(counted_ms);
    let review = review.entries().ok_or("the review is not searched")?;
    stages.run("what is searched", || {
        review.prepare();
        Ok(())
    })?;
    let all = stages.run("all entries", || {
        let comparison = compare(None, &candidate.envelope).map_err(|finding| refused(&finding))?;
        Ok(Searched::new(Vec::new(), comparison, Vec::new()))
    })?;
    stages.run("what is searched of all", || {
        all.prepare();
        Ok(())
    })?;
    let (slowest_key, slowest_key_ms) = stages.run("keys", || {
        let slowest = keys(&all).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        slowest.ok_or_else(|| "no key was pressed".into())
    })?;
    stages.print(&Waits {
        entries: all.len(),
        first_entries: review.len(),
        first_screen_ms,
        counted_ms,
        slowest_key,
        slowest_key_ms,
    })
}

/// Every key, and how long it took until the page was there, in milliseconds.
fn keys(review: &Searched) -> Vec<(String, f64)> {
    let mut times = Vec::new();
    let mut press = |key: String, hits: &dyn Fn() -> Vec<usize>| {
        let clock = Instant::now();
        let hits = hits();
        let page = hits.iter().rev().take(PAGE);
        let drawn = page.filter_map(|entry| review.line(*entry)).count();
        assert!(drawn == hits.len().min(PAGE), "a page lacks rows");
        times.push((key, millis(clock.elapsed().as_secs_f64() * 1e3)));
        hits
    };
    let mut hits = press("show all".to_owned(), &|| {
        review.hits("", Filter::All, None)
    });
    for end in 1..=TYPED.len() {
        let typed = &TYPED[..end];
        hits = press(format!("{typed:?} typed"), &|| {
            review.hits(typed, Filter::All, Some(&hits))
        });
    }
    for end in (0..TYPED.len()).rev() {
        let typed = &TYPED[..end];
        press(format!("back to {typed:?}"), &|| {
            review.hits(typed, Filter::All, None)
        });
    }
    let mut filter = Filter::All;
    loop {
        let next = review.next_filter(filter, true);
        press(format!("filter {}", next.label()), &|| {
            review.hits("", review.next_filter(filter, true), None)
        });
        filter = next;
        if filter == Filter::All {
            return times;
        }
    }
}
