//! Signatures made elsewhere: candidates travel as part files, come back with a signature more, and are judged like any other.

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Document, Event, Quorum, Signer};
use crate::ceremony::intake::refuse_abandoned;
use crate::ceremony::material::is_trusted;
use crate::ceremony::planning;
use crate::ceremony::port::PartFile;
use crate::ceremony::progress::DocumentProgress;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::KeyId;

impl Runner<'_> {
    /// Takes in what came back until every threshold is reached and every new key has proven itself.
    pub(super) fn collect(&mut self) -> Result<(), Halt> {
        loop {
            self.import_parts()?;
            let missing = self.missing();
            if missing.is_empty() {
                return Ok(());
            }
            self.write_parts()?;
            let here = self.signers_here();
            if here.is_empty() {
                return Err(Halt::Waiting {
                    what: format!("signatures are still missing: {}", missing.join("; ")),
                    then: "Part files lie in the output's parts/; bring them back in the input's parts/ and run the same command.",
                });
            }
            let mut options: Vec<_> = here
                .iter()
                .map(|(document, signer)| {
                    let what = document
                        .as_ref()
                        .map_or("the batch".to_owned(), Document::to_string);
                    choice(
                        &sign_id(document.as_ref(), signer),
                        &format!("{} signs {what} now", signer.holder),
                    )
                })
                .collect();
            options.push(choice("look", "look for part files again"));
            let answer = self.ask_choice(
                Question::new("collect", "Signatures are still missing", missing),
                options,
            )?;
            let chosen = here
                .iter()
                .find(|(document, signer)| sign_id(document.as_ref(), signer) == answer);
            match chosen {
                Some((Some(document), signer)) => self.sign(document, signer)?,
                Some((None, signer)) => self.sign_left(signer)?,
                None => false,
            };
        }
    }

    /// Imports every new valid signature from part files of this ceremony.
    pub(super) fn import_parts(&mut self) -> Result<(), Halt> {
        for part in self.world.parts()? {
            self.import(&part)?;
        }
        Ok(())
    }

    /// The candidates that travelled here, judged as if they had been built here.
    pub(super) fn travelled(&mut self) -> Result<Vec<Candidate>, Halt> {
        let parts = self.world.parts()?;
        let mut envelopes: Vec<(Document, Envelope)> = Vec::new();
        for part in parts
            .iter()
            .filter(|part| part.ceremony == self.subject.ceremony)
        {
            let envelope = parse(part)?.without_signatures();
            refuse_abandoned(
                &part_name(&part.document),
                &part.document,
                envelope.payload_digest(),
                &self.subject.trusted.abandoned,
            )?;
            match envelopes.iter().find(|(known, _)| *known == part.document) {
                Some((_, known)) if known.payload_digest() != envelope.payload_digest() => {
                    return Err(two_payloads(&part.document, known, &envelope).into());
                }
                Some(_) => {}
                None => envelopes.push((part.document.clone(), envelope)),
            }
        }
        if envelopes.is_empty() {
            return Err(Finding::error(
                "PART-MISSING",
                "parts",
                "no part file of this ceremony lies in the input's parts/ folder",
            )
            .into());
        }
        let candidates = crate::ceremony::build::travelled(&self.material(), &envelopes)?;
        self.check_script(&candidates)?;
        Ok(candidates)
    }

    /// Where the script alone says what is signed, because no key is made in the ceremony, what travelled here must be exactly that.
    fn check_script(&self, candidates: &[Candidate]) -> Result<(), Halt> {
        if planning::makes_keys(self.subject.script, self.subject.trusted) {
            return Ok(());
        }
        let built = (self.subject.kind.build)(&self.material())?;
        let is_built = |candidate: &&Candidate| {
            built.iter().any(|own| {
                own.document == candidate.document && own.payload() == candidate.payload()
            })
        };
        match candidates.iter().find(|candidate| !is_built(candidate)) {
            None => Ok(()),
            Some(other) => {
                let text = format!(
                    "the script makes another {} from the trusted files than the one that travelled here, with payload {}",
                    other.document,
                    other.payload()
                );
                Err(Finding::error("PART-SCRIPT", &part_name(&other.document), text).into())
            }
        }
    }

    fn import(&mut self, part: &PartFile) -> Result<(), Halt> {
        let file = part_name(&part.document);
        if part.ceremony != self.subject.ceremony {
            return Err(Finding::error(
                "PART-FOREIGN",
                &file,
                format!("this part file belongs to the ceremony {}", part.ceremony),
            )
            .into());
        }
        let candidates = Arc::clone(&self.candidates);
        let mut of = candidates.iter();
        let Some(candidate) = of.find(|candidate| candidate.document == part.document) else {
            return Err(Finding::error(
                "PART-FOREIGN",
                &file,
                format!("this ceremony makes no {}", part.document),
            )
            .into());
        };
        let envelope = parse(part)?;
        if envelope.payload_digest() != candidate.payload() {
            return Err(two_payloads(&part.document, &candidate.envelope, &envelope).into());
        }
        let quorums = self.quorums(candidate);
        for signature in envelope.signatures() {
            let signer = quorums
                .iter()
                .flat_map(|quorum| &quorum.signers)
                .find(|signer| signer.keyid == signature.keyid);
            let sig = HEXLOWER_PERMISSIVE
                .decode(signature.sig.as_bytes())
                .unwrap_or_default();
            let Some(signer) = signer.filter(|_| candidate.verifies(&signature.keyid, &sig)) else {
                continue;
            };
            if !self.is_signed(&part.document, signer) {
                if let Some(repeated) = self.repeats(candidate, signer, &sig) {
                    return Err(self.refuse_repeated(repeated));
                }
                self.emit(Event::Imported {
                    document: part.document.clone(),
                    payload: candidate.payload(),
                    signer: signer.clone(),
                    sig: signature.sig.to_lowercase(),
                    part: part.sha256.unwrap_or(candidate.payload()),
                })?;
            }
        }
        Ok(())
    }

    /// What is still missing, in sentences that name both root versions; of the batch in one.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let (mut lacking, mut holders) = (0, BTreeSet::new());
        for known in self.progress.documents() {
            let mut said = Vec::new();
            for quorum in &known.quorums {
                let (text, of) = self.missing_of(known, quorum);
                said.extend(text);
                if known.batched {
                    holders.extend(of);
                }
            }
            if known.batched {
                lacking += usize::from(!said.is_empty());
            } else {
                missing.append(&mut said);
            }
        }
        if lacking > 0 {
            let all = self.progress.batch().count();
            let holders: Vec<_> = holders.into_iter().collect();
            missing.push(format!(
                "{lacking} of the {all} documents of the batch; missing: {}",
                holders.join(", ")
            ));
        }
        missing
    }

    /// What one threshold lacks, in a sentence, and whose signatures.
    fn missing_of(
        &self,
        known: &DocumentProgress,
        quorum: &Quorum,
    ) -> (Option<String>, Vec<String>) {
        let signed: Vec<_> = known.signed(quorum).map(|signer| &signer.keyid).collect();
        let of = |must: &dyn Fn(&KeyId) -> bool| -> Vec<String> {
            let unsigned = quorum
                .signers
                .iter()
                .filter(|signer| !signed.contains(&&signer.keyid) && must(&signer.keyid));
            unsigned.map(|signer| signer.holder.clone()).collect()
        };
        let needed = quorum.needed as usize;
        if signed.len() < needed {
            let of = of(&|_| true);
            let text = format!(
                "{} by {}: {needed} needed, {} signed; missing: {}",
                known.document,
                quorum.by,
                signed.len(),
                of.join(", ")
            );
            return (Some(text), of);
        }
        let role = &known.document.role;
        let unproven = of(&|keyid| !is_trusted(self.subject.trusted, role, keyid));
        let text = format!(
            "{} by {}: every new key proves itself by signing; missing: {}",
            known.document,
            quorum.by,
            unproven.join(", ")
        );
        ((!unproven.is_empty()).then_some(text), unproven)
    }

    /// Holders in this room whose key counts and has not signed: what, or all that is missing of the batch.
    fn signers_here(&self) -> Vec<(Option<Document>, Signer)> {
        let mut here: Vec<(Option<Document>, Signer)> = Vec::new();
        for known in self.progress.documents() {
            let what = (!known.batched).then_some(&known.document);
            for signer in known.quorums.iter().flat_map(|quorum| &quorum.signers) {
                let fresh = !known.is_signed_by(&signer.keyid)
                    && !here
                        .iter()
                        .any(|(document, other)| document.as_ref() == what && other == signer);
                if fresh && self.world.assigned(&signer.holder).is_some() {
                    here.push((what.cloned(), signer.clone()));
                }
            }
        }
        here
    }

    /// Writes every candidate with the signatures it has, to travel.
    pub(super) fn write_parts(&mut self) -> Result<(), Halt> {
        let candidates = Arc::clone(&self.candidates);
        for candidate in &*candidates {
            let Some(known) = self.progress.document(&candidate.document) else {
                continue;
            };
            let part = PartFile {
                sha256: None,
                ceremony: self.subject.ceremony,
                trusted_root: self.subject.script.trusted_root_sha256,
                document: candidate.document.clone(),
                supersedes: self
                    .progress
                    .superseded()
                    .iter()
                    .filter(|entry| entry.document == candidate.document)
                    .cloned()
                    .collect(),
                acknowledgements: self.progress.acknowledgements(&candidate.document),
                envelope: candidate.signed(known).bytes().to_vec(),
            };
            let file = self.world.write_part(&part)?;
            self.emit(Event::Written { file })?;
        }
        Ok(())
    }
}

fn sign_id(document: Option<&Document>, signer: &Signer) -> String {
    match document {
        Some(Document { role, version }) => format!("sign:{role}-{version}:{}", signer.holder),
        None => format!("sign:batch:{}", signer.holder),
    }
}

fn part_name(document: &Document) -> String {
    format!("parts/{}-{}.part.json", document.role, document.version)
}

fn parse(part: &PartFile) -> Result<Envelope, Finding> {
    Envelope::parse(
        &part_name(&part.document),
        part.envelope.clone(),
        Limits::LARGE,
    )
}

fn two_payloads(document: &Document, known: &Envelope, other: &Envelope) -> Finding {
    let text = format!(
        "two payloads of {document}: {} and {}; one of them must be given up by name before anybody signs",
        known.payload_digest(),
        other.payload_digest()
    );
    Finding::error("ONE-PAYLOAD", &part_name(document), text)
}
