//! Which clients will read and verify a file, from measurements on 2026-11-22 (docs/compatibility.md), before a key or field enters metadata.
//! It predicts; it does not run the clients, and it does not ask whether a signature that is missing will come.

use std::fmt;

use super::envelope::Envelope;
use super::finding::grouped;

mod facts;
mod form;
mod keys;
#[cfg(test)]
mod tests;
mod text;

/// A client we predict for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "names of programs")]
pub enum Client {
    PythonTuf,
    Tough,
    GoTuf,
    TufJs,
    RustTuf,
}

/// What a client will do with a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The client.
    pub client: Client,
    /// Its name and least version for which this was measured: `tough 0.24`.
    pub version: &'static str,
    /// Why it refuses the file or cannot count a signature that a role needs; empty: accepted.
    pub reasons: Vec<String>,
    /// What it passes over or does otherwise although it accepts the file: keys that it cannot verify where the threshold can be reached without them, fields that it ignores.
    pub notes: Vec<String>,
}

impl Verdict {
    /// Whether the client will take the file.
    pub fn accepts(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl Client {
    /// All of them, in the order of the table in docs/compatibility.md.
    pub const ALL: [Self; 5] = [
        Self::PythonTuf,
        Self::Tough,
        Self::GoTuf,
        Self::TufJs,
        Self::RustTuf,
    ];

    /// The version that was measured.
    pub fn version(self) -> &'static str {
        match self {
            Self::PythonTuf => "python-tuf 7.0.1",
            Self::Tough => "tough 0.24",
            Self::GoTuf => "go-tuf v2.4.2",
            Self::TufJs => "tuf-js 6.0.2",
            Self::RustTuf => "rust-tuf 0.3.0-beta14",
        }
    }
}

/// Predicts for all clients, in the order of [`Client::ALL`].
pub fn verdicts(envelope: &Envelope) -> Vec<Verdict> {
    verdicts_of(envelope, usize::MAX)
}

/// As [`verdicts`], but of each client's reasons and notes the first `most`, and the number of the others: many say the same of every delegated role.
pub fn verdicts_of(envelope: &Envelope, most: usize) -> Vec<Verdict> {
    let facts = facts::Facts::of(envelope);
    let mut report = Report::new(most);
    form::envelope(envelope, &facts, &mut report);
    form::header(&facts, &mut report);
    form::root(&facts, &mut report);
    // One walk over the roles writes three chapters.
    let (mut delegated, mut thresholds) = (Report::new(most), Report::new(most));
    form::delegations(&facts, &mut delegated);
    let mut keys = keys::Keys::of(&facts);
    let mut names = form::Names::of(envelope);
    for role in facts.roles() {
        keys.role(&role, &mut report, &mut thresholds);
        form::role(&role, &mut names, &mut delegated);
    }
    report.append(delegated);
    keys.tell(&mut report);
    report.append(thresholds);
    keys.signatures(envelope, &facts, &mut report);
    text::strings(&facts, &mut report);
    report.verdicts()
}

/// The verdicts while they are being found.
struct Report {
    verdicts: Vec<Verdict>,
    /// So many sentences of a sort are written down.
    most: usize,
    /// The others, by client: reasons and notes.
    more: Vec<[usize; 2]>,
}

impl Report {
    fn new(most: usize) -> Self {
        let verdicts = Client::ALL.map(|client| Verdict {
            client,
            version: client.version(),
            reasons: Vec::new(),
            notes: Vec::new(),
        });
        Self {
            verdicts: verdicts.into(),
            most,
            more: vec![[0; 2]; Client::ALL.len()],
        }
    }
    /// These clients refuse the file.
    fn refuse(&mut self, clients: &[Client], text: fmt::Arguments<'_>) {
        self.say(clients, text, false);
    }
    /// These clients take the file, but.
    fn note(&mut self, clients: &[Client], text: fmt::Arguments<'_>) {
        self.say(clients, text, true);
    }
    fn say(&mut self, clients: &[Client], text: fmt::Arguments<'_>, is_note: bool) {
        for (verdict, more) in self.verdicts.iter_mut().zip(&mut self.more) {
            if !clients.contains(&verdict.client) {
                continue;
            }
            let said = if is_note {
                &mut verdict.notes
            } else {
                &mut verdict.reasons
            };
            if said.len() < self.most {
                said.push(text.to_string());
            } else {
                more[usize::from(is_note)] += 1;
            }
        }
    }
    /// What another chapter says behind this one.
    fn append(&mut self, chapter: Self) {
        let chapters = chapter.verdicts.into_iter().zip(chapter.more);
        for ((verdict, more), (next, hidden)) in
            self.verdicts.iter_mut().zip(&mut self.more).zip(chapters)
        {
            let lists = [
                (&mut verdict.reasons, next.reasons),
                (&mut verdict.notes, next.notes),
            ];
            for (((said, next), more), hidden) in lists.into_iter().zip(more).zip(hidden) {
                said.extend(next);
                *more += hidden + said.len().saturating_sub(self.most);
                said.truncate(self.most);
            }
        }
    }
    fn verdicts(mut self) -> Vec<Verdict> {
        for (verdict, more) in self.verdicts.iter_mut().zip(self.more) {
            for (said, more) in [&mut verdict.reasons, &mut verdict.notes]
                .into_iter()
                .zip(more)
            {
                if more > 0 {
                    said.push(format!("and {} more of this sort.", grouped(more)));
                }
            }
        }
        self.verdicts
    }
}
