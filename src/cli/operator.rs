//! The ceremony without a screen: answers from a file or not at all, PINs by descriptor, events as lines.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::print;
use crate::ceremony::event::{Document, Event, Mode};
use crate::ceremony::port::{Operator, Sink, Stop, WorldError};
use crate::ceremony::progress::Progress;
use crate::ceremony::progress::pace;
use crate::ceremony::prompt::{Ask, EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use crate::room::answers::Answers;
use crate::room::pins::PinLines;
use crate::secret::Secret;

/// One output for those who ask and those who tell.
pub struct Shared<'a>(RefCell<&'a mut dyn Write>);

impl<'a> Shared<'a> {
    /// Shares `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self(RefCell::new(out))
    }
}

impl Write for &Shared<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Answers from files.
pub struct Headless<'a> {
    /// Answers to questions; without them the first open question stops the run.
    pub answers: Answers,
    /// PINs.
    pub pins: Option<PinLines>,
    /// Where it prints what the screen would show one by one.
    pub out: &'a Shared<'a>,
    /// Set once somebody pressed Ctrl-C.
    pub stop: Arc<AtomicBool>,
}

impl Operator for Headless<'_> {
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        if self.wants_stop() {
            return Err(Stop::Paused);
        }
        if let Ask::Review { review, .. } = &prompt.ask
            && review.entries().is_some()
        {
            let mut out = self.out;
            // What cannot be printed was not seen by anybody.
            print::rows(&mut out, &review.in_full())
                .map_err(|fault| Stop::Terminal(fault.to_string()))?;
        }
        self.answers.next(prompt)
    }

    fn wants_stop(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        match &mut self.pins {
            Some(pins) => pins.next(&prompt.holder, prompt.kind),
            None => Err(Stop::NoAnswer(format!("pin:{}", prompt.holder))),
        }
    }

    // Without a screen nothing can be shown: the envelope was written before, and its line has what is in it.
    fn envelope(&mut self, prompt: &EnvelopePrompt, _fresh: Secret) -> Result<Secret, Stop> {
        match &mut self.pins {
            Some(pins) => pins.next(&prompt.holder, prompt.kind),
            None => Err(Stop::NoAnswer(format!("envelope:{}", prompt.holder))),
        }
    }

    // A share that is dealt now is on no paper that could have been read before: it takes the screen. One that was refused is not asked for again.
    fn share(&mut self, prompt: &SharePrompt, _shown: Option<Secret>) -> Result<Secret, Stop> {
        let refused = prompt.index.is_some() || prompt.after.is_some();
        match &mut self.pins {
            Some(pins) if !refused => pins.share(&prompt.custodian),
            _ => Err(Stop::NoAnswer(format!("share:{}", prompt.custodian))),
        }
    }
}

/// Prints events as they happen.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    progress: Progress,
    /// Since when a token signs a batch, and when that was last told.
    batch: Option<(Instant, Instant)>,
}

/// How often it is told how far a batch is.
const TOLD: Duration = Duration::from_secs(5);

impl<'a> Printer<'a> {
    /// Prints to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            progress: Progress::default(),
            batch: None,
        }
    }
}

impl Sink for Printer<'_> {
    fn record(&mut self, event: &Event) -> Result<(), WorldError> {
        // What is printed is for people; the record is the transcript, which is on disk already.
        let _ = self.progress.apply(event);
        let said = match self.of_batch(event) {
            Said::Line(line) => Some(line),
            Said::Nothing => None,
            Said::NoBatch => line(event, &self.progress),
        };
        if let Some(line) = said {
            let _ = writeln!(self.out, "{}", print::plain(&line));
        }
        Ok(())
    }
}

/// What is said of an event of a batch.
enum Said {
    Line(String),
    Nothing,
    /// It is none.
    NoBatch,
}

impl Printer<'_> {
    fn of_batch(&mut self, event: &Event) -> Said {
        Said::Line(match event {
            Event::BatchReviewed(reviewed) => format!(
                "  {} documents reviewed together, SHA-256 {}",
                reviewed.documents, reviewed.batch
            ),
            Event::BatchIntended(intended) => {
                let now = Instant::now();
                self.batch = Some((now, now));
                format!(
                    "  the token of {} is asked for {} signatures",
                    intended.signer.holder, intended.signatures
                )
            }
            Event::BatchEnded(ended) => {
                self.batch = None;
                let why = ended.stopped.as_ref();
                let why = why.map_or_else(String::new, |why| format!("; stopped: {why}"));
                format!(
                    "  {} signatures of {}, verified; the token took {}{why}",
                    ended.signed,
                    ended.signer.holder,
                    pace::words(Duration::from_micros(ended.micros))
                )
            }
            Event::Signed { .. } => return self.of_signature(),
            Event::Skipped { document, .. } if self.is_batched(document) => return Said::Nothing,
            _ => return Said::NoBatch,
        })
    }

    /// How far the token is, once in a while.
    fn of_signature(&mut self) -> Said {
        let (Some((done, all)), Some((began, told))) =
            (self.progress.asked_count(), self.batch.as_mut())
        else {
            return Said::NoBatch;
        };
        if told.elapsed() < TOLD {
            return Said::Nothing;
        }
        *told = Instant::now();
        let pace = pace::Pace::of(done, all, began.elapsed());
        Said::Line(format!("  {pace}"))
    }

    fn is_batched(&self, document: &Document) -> bool {
        let known = self.progress.document(document);
        known.is_some_and(|known| known.batched)
    }
}

#[allow(clippy::too_many_lines, reason = "one arm an event")]
fn line(event: &Event, progress: &Progress) -> Option<String> {
    let line = match event {
        Event::Opened {
            mode,
            title,
            ceremony,
            modules,
            ..
        } => {
            let mode = if *mode == Mode::Rehearsal {
                "REHEARSAL"
            } else {
                "PRODUCTION"
            };
            let modules: Vec<_> = modules
                .iter()
                .map(|module| match module.reach_in_words() {
                    Some(reach) => format!("{} ({}; {reach})", module.name, module.description),
                    None => format!("{} ({})", module.name, module.description),
                })
                .collect();
            format!(
                "{mode}: {title}; ceremony id {ceremony}; modules: {}",
                if modules.is_empty() {
                    "none".to_owned()
                } else {
                    modules.join(", ")
                }
            )
        }
        Event::PlanFixed {
            sha256,
            steps,
            minutes,
        } => format!(
            "plan of {} steps, about {minutes} minutes, SHA-256 {sha256}",
            steps.len()
        ),
        Event::StepStarted { step } => {
            let label = progress
                .steps()
                .get(*step)
                .map(crate::ceremony::plan::Step::label)
                .unwrap_or_default();
            format!("step {} of {}: {label}", step + 1, progress.steps().len())
        }
        Event::Found { finding } => print::finding(finding),
        Event::KeyEnrolled {
            holder,
            role,
            keyid,
            generated,
            ..
        } => {
            format!(
                "  {} {role} key of {holder}: {keyid}",
                if *generated { "made the" } else { "found the" }
            )
        }
        Event::Built {
            document,
            payload,
            size,
            ..
        } => format!("  {document}: {size} bytes to be signed, SHA-256 {payload}"),
        Event::PinRefused { holder, tries_left } => {
            let left = tries_left.map_or_else(|| "unknown".to_owned(), |left| left.to_string());
            format!("  the token of {holder} refused the PIN; tries left: {left}")
        }
        Event::Signed {
            document, signer, ..
        } => format!(
            "  {document} signed by {} ({}), verified",
            signer.holder, signer.keyid
        ),
        Event::Imported {
            document, signer, ..
        } => format!(
            "  {document} signed elsewhere by {} ({}), verified",
            signer.holder, signer.keyid
        ),
        Event::SigningFailed {
            document,
            signer,
            reason,
        } => format!("  {document}: {} did not sign: {reason}", signer.holder),
        Event::Skipped { document, signer } => {
            format!("  {document}: {} is passed over", signer.holder)
        }
        Event::EphemeralDestroyed { keyids } => {
            format!("  {} ephemeral keys destroyed", keyids.len())
        }
        Event::Vetted(vetted) => format!(
            "  {} green, {} need a look, {} refused",
            vetted.green, vetted.look, vetted.refused
        ),
        Event::BatchAccepted(accepted) => format!("  {} accepted at once", accepted.count),
        Event::Drawn(drawn) => format!("  {} drawn by dice", drawn.projects.len()),
        Event::Decided(decided) => {
            format!("  {}: {}", decided.project, decided.decision.word())
        }
        Event::BagOpened { holder, number } => format!("  bag {number} of {holder} opened"),
        Event::BagClosed { holder, number } => {
            format!("  the token of {holder} is in bag {number}")
        }
        Event::Provisioned { holder, token, .. } => {
            format!(
                "  token {} of {holder} erased, new secrets set",
                token.serial
            )
        }
        Event::Proven {
            holder,
            role,
            keyid,
            ..
        } => format!("  {role} key of {holder} is alive: {keyid}"),
        Event::KeyWrapped(wrapped) => format!(
            "  the token {} gave the key {} away as a blob, SHA-256 {}",
            wrapped.token.serial, wrapped.keyid, wrapped.wrapped
        ),
        Event::Sealed(sealed) => format!(
            "  sealed {} ({} bytes, SHA-256 {})",
            sealed.everything.path, sealed.everything.size, sealed.everything.sha256
        ),
        Event::BackupOpened(opened) => format!(
            "  {} is the backup, SHA-256 {}",
            opened.everything.path, opened.everything.sha256
        ),
        Event::ShareRead(share) => {
            format!("  share {} of {} was read", share.index, share.custodian)
        }
        Event::BlobProven(proven) => format!(
            "  token {} signed with the key {} out of its blob",
            proven.token.serial, proven.keyid
        ),
        Event::Drilled(drilled) => format!(
            "  groups of shares that opened the backup: {}; smaller ones that did not: {}; whole keys: {}",
            drilled.opened,
            drilled.refused,
            drilled.keys.len()
        ),
        Event::Restored(restored) => match &restored.token {
            Some(token) => format!("  {} restored to token {}", restored.keyid, token.serial),
            None => format!("  {} restored into a file", restored.keyid),
        },
        Event::Written { file } => format!(
            "  wrote {} ({} bytes, SHA-256 {})",
            file.path, file.size, file.sha256
        ),
        Event::Verdict { ok, .. } => format!(
            "  the bundle {}",
            if *ok { "verified" } else { "did NOT verify" }
        ),
        Event::Paused { reason } => format!("paused: {reason}"),
        Event::Closed => "closed".to_owned(),
        _ => return None,
    };
    Some(line)
}
