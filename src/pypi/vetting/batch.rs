//! The batch of green requests: one digest for all of them, which two machines compute, and the spot checks that dice draw from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Bucket, Vetted, Vetting, Weight};
use crate::pypi::project::Project;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// Two people read what speaks against a request, decide, and type a sentence. Our estimate: nobody has measured claims yet. The rehearsals' and the
/// first ceremonies' transcripts have the times of every answer.
pub const LOOK_SECONDS: usize = 60;
/// They look at a request that nothing speaks against. Our estimate, from 5 seconds a row read (the reading alone of 4,500 rows would take 6 hours) and 3 rows.
pub const GLANCE_SECONDS: usize = 15;
/// Everything else: plan and date, batch digest and dice, the review of claimed, two signatures, export and close.
pub const OTHER_MINUTES: usize = 25;

/// Fewest throws: 10 throws have 25 bits, more than anybody can steer while others watch.
const FEWEST_THROWS: usize = 10;
/// Most throws that are read.
const MOST_THROWS: usize = 100;

impl Vetting {
    /// What two administrators compute on separate machines: SHA-256 over repository, requests file and every green request with what it makes of the project.
    pub fn batch_digest(&self) -> Sha256 {
        let mut text = format!(
            "tuf-ceremony batch v1\n{}\n{}\n",
            self.anchor, self.requests_sha256
        );
        for green in self.bucket(Bucket::Green) {
            let request = &green.request;
            let _ = writeln!(
                text,
                "{} {} {}",
                request.project, request.action, green.after
            );
        }
        Sha256::of(text.as_bytes())
    }

    /// `wanted` of the green requests that nobody would look at otherwise, drawn by the witnesses' dice once the batch is fixed. In order of projects; all
    /// of them where there are no more.
    pub fn sample(&self, dice: &str, wanted: usize) -> Vec<&Project> {
        let pool: Vec<&Vetted> = self
            .bucket(Bucket::Green)
            .filter(|green| !green.is_single())
            .collect();
        if pool.len() <= wanted {
            return pool.into_iter().map(|it| &it.request.project).collect();
        }
        let digest = self.batch_digest();
        let size = pool.len() as u64;
        // The largest multiple of the size: a number above it would favour the first of the pool.
        let fair = u64::MAX - u64::MAX % size;
        let mut drawn = BTreeSet::new();
        let mut counter: u64 = 0;
        while drawn.len() < wanted {
            let seed = [dice.as_bytes(), &digest.0, &counter.to_be_bytes()].concat();
            counter += 1;
            let mut first = [0; 8];
            first.copy_from_slice(&Sha256::of(&seed).0[..8]);
            let number = u64::from_be_bytes(first);
            if number < fair {
                drawn.insert(usize::try_from(number % size).unwrap_or_default());
            }
        }
        drawn
            .into_iter()
            .filter_map(|place| pool.get(place))
            .map(|it| &it.request.project)
            .collect()
    }

    /// How long two people need for the whole ceremony, in minutes.
    pub fn minutes(&self, sample: usize) -> usize {
        let looks = self.bucket(Bucket::Look).count();
        let shown = self
            .bucket(Bucket::Green)
            .filter(|green| green.reasons.iter().any(|it| it.weight == Weight::Shows))
            .count();
        let green = self.bucket(Bucket::Green).count();
        let glances = shown + sample.min(green - shown);
        let seconds = looks * LOOK_SECONDS + glances * GLANCE_SECONDS;
        OTHER_MINUTES + seconds.div_ceil(60)
    }

    /// Counts, estimate, and everything that must be seen before anybody signs.
    pub fn overview(&self, sample: usize) -> Vec<String> {
        let count = |bucket| self.bucket(bucket).count();
        let mut text = vec![
            format!(
                "{:>6} green: nothing speaks against them",
                count(Bucket::Green)
            ),
            format!("{:>6} need a look: decided one by one", count(Bucket::Look)),
            format!(
                "{:>6} refused: not done now, the reasons go back to the online side",
                count(Bucket::Refused) + self.unread.len()
            ),
            format!("about {} minutes for two people", self.minutes(sample)),
            String::new(),
        ];
        let gating: Vec<_> = self.gating().collect();
        if gating.is_empty() {
            text.push("Nothing that must be seen by itself before anybody signs.".to_owned());
        } else {
            text.push(format!(
                "To be seen by itself before anybody signs: {}",
                gating.len()
            ));
        }
        for vetted in gating {
            let marks = vetted
                .reasons
                .iter()
                .filter(|reason| matches!(reason.weight, Weight::Gates | Weight::Shows));
            let rules: Vec<_> = marks.map(|reason| reason.finding.rule.as_str()).collect();
            text.push(format!(
                "  {} {}: {}",
                vetted.request.action,
                vetted.request.project,
                rules.join(", ")
            ));
        }
        text
    }
}

/// The witnesses' dice as they count: digits 1 to 6 without anything between them.
///
/// # Errors
/// Rule `CLAIM-DICE`.
pub fn check_dice(text: &str) -> Result<String, Finding> {
    let refuse = |text: &str| Err(Finding::error("CLAIM-DICE", "", text));
    let throws: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ',' | '-'))
        .collect();
    if !throws.bytes().all(|throw| (b'1'..=b'6').contains(&throw)) {
        return refuse("a throw is a digit from 1 to 6, with blanks between them: 4 2 6 1 1 5");
    }
    if !(FEWEST_THROWS..=MOST_THROWS).contains(&throws.len()) {
        return refuse("at least 10 throws are needed, and at most 100 are read");
    }
    Ok(throws)
}
