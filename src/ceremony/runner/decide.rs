//! Requests are decided: the green ones all at once, when two machines came to one digest; what needs a look, what is well known and what the dice drew one
//! by one. Every answer is on record before the next is asked, so that an interruption loses none.

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::decisions::{self, judged};
use crate::ceremony::event::{BatchAccepted, Decided, Decision, Drawn, Event};
use crate::ceremony::prompt::Ask;
use crate::ceremony::script::Profile;
use crate::pypi::project::Project;
use crate::pypi::vetting::{Bucket, Vetted, Vetting, Weight, check_dice};
use crate::tuf::finding::shown;

/// So many hexadecimal digits of the batch digest are typed: 64 bits, which nobody can make two batches agree in.
const TYPED_DIGITS: usize = 16;

/// The longest sentence that says why.
const LONGEST_REASON: usize = 200;

impl Runner<'_> {
    pub(super) fn decide(&mut self) -> Result<(), Halt> {
        let subject = self.subject;
        let vetting = subject
            .trusted
            .vetting(subject.script)
            .map_err(Halt::Refused)?;
        let claim = subject.script.claim.as_ref();
        let sample = claim.map_or(0, |claim| claim.sample as usize);
        if self.progress.decisions().vetted.is_none() {
            for finding in &vetting.findings {
                self.emit(Event::Found {
                    finding: finding.clone(),
                })?;
            }
            self.emit(Event::Vetted(judged(&vetting)))?;
        }
        if self.progress.decisions().accepted.is_none() {
            self.accept_batch(&vetting, sample)?;
        }
        if self.progress.decisions().drawn.is_none() {
            self.draw(&vetting, sample)?;
        }
        while let Some(project) = self.progress.decisions().next().map(ToOwned::to_owned) {
            let vetted = Project::parse(&project).ok();
            if let Some(vetted) = vetted.and_then(|project| vetting.of(&project).cloned()) {
                self.decide_one(&vetted)?;
            }
        }
        // A holder elsewhere needs it to make the same from the same input.
        match self.progress.decisions().to_bytes(subject.ceremony) {
            Some(bytes) => self.write(decisions::NAME, &bytes),
            None => Ok(()),
        }
    }

    fn accept_batch(&mut self, vetting: &Vetting, sample: usize) -> Result<(), Halt> {
        let batch = vetting.batch_digest();
        let count = vetting.bucket(Bucket::Green).count();
        let question = Question::new(
            "claim:overview",
            "What is asked for",
            vetting.overview(sample),
        );
        self.ask_choice(question, vec![choice("go-on", "decide now")])?;
        let machines: &[&str] = match self.subject.script.profile {
            Profile::Room => &["first", "second"],
            Profile::Alone => &["first"],
        };
        let wanted: String = batch.to_string().chars().take(TYPED_DIGITS).collect();
        for machine in machines.iter().filter(|_| count > 0) {
            self.type_batch(machine, &wanted, count)?;
        }
        self.emit(Event::BatchAccepted(BatchAccepted { batch, count }))
    }

    /// The digest is not shown: what is typed must come from another machine.
    fn type_batch(&mut self, machine: &str, wanted: &str, count: usize) -> Result<(), Halt> {
        let mut text = vec![
            format!("{count} requests are green: nothing speaks against them. They are accepted all at once."),
            "An administrator has run this on a machine of his own, with his own copy of script and input:".to_owned(),
            "    tuf-ceremony claim digest SCRIPT --in DIR".to_owned(),
            format!("Type the first {TYPED_DIGITS} digits of the batch digest that his machine printed."),
        ];
        loop {
            let title = format!("The batch digest of the {machine} machine");
            let question = Question::new(format!("claim:batch:{machine}"), &title, text.clone());
            let typed = self.ask_text(question, "the digits that the other machine printed")?;
            let typed: String = typed.to_lowercase().split_whitespace().collect();
            if typed == wanted {
                return Ok(());
            }
            text.truncate(4);
            text.push(format!(
                "{} is not what this machine has, {wanted}: the two did not read the same files. Nothing is accepted; find out which file differs before you go on.",
                shown(&typed)
            ));
        }
    }

    fn draw(&mut self, vetting: &Vetting, sample: usize) -> Result<(), Halt> {
        let has_any = !vetting.sample("", sample).is_empty();
        let dice = if has_any {
            self.throw()?
        } else {
            String::new()
        };
        let projects = vetting.sample(&dice, sample);
        let projects = projects.iter().map(ToString::to_string).collect();
        self.emit(Event::Drawn(Drawn { dice, projects }))
    }

    fn throw(&mut self) -> Result<String, Halt> {
        let text = vec![
            "The witnesses throw dice, at least ten times; what falls draws the spot checks from the batch, which is fixed now.".to_owned(),
            "Type the throws in order: 4 2 6 1 1 5 and so on.".to_owned(),
        ];
        let question = Question::new("claim:dice", "What did the dice say?", text);
        let ask = Ask::Text {
            wanted: "the throws, at least ten".to_owned(),
        };
        let answer = self.ask(question, ask, &|answer| check_dice(answer).is_ok())?;
        Ok(check_dice(&answer)?)
    }

    fn decide_one(&mut self, vetted: &Vetted) -> Result<(), Halt> {
        let project = vetted.request.project.to_string();
        let decisions = self.progress.decisions();
        let (at, of) = (decisions.decided.len() + 1, decisions.singles());
        let title = format!("{at} of {of}: {} {project}", vetted.request.action);
        let question = Question::new(format!("claim:{project}"), &title, details(vetted));
        let options = vec![
            choice("leave", "not now: it is judged again at the next claim"),
            choice("accept", "it is done in this ceremony"),
            choice("refuse", "it is not done; whoever asked must ask anew"),
        ];
        let answer = self.ask_choice(question.clone(), options)?;
        let decision = Decision::from_word(&answer).unwrap_or(Decision::Leave);
        let needs_reason = decision == Decision::Accept && vetted.bucket() == Bucket::Look;
        let reason = if needs_reason {
            let title = format!("Why is {project} accepted?");
            let question = Question {
                id: format!("claim:{project}:reason"),
                title: &title,
                ..question
            };
            self.sentence(question)?
        } else {
            String::new()
        };
        self.emit(Event::Decided(Decided {
            project,
            decision,
            reason,
        }))
    }

    /// Words that will stand in the minutes for good.
    fn sentence(&mut self, question: Question<'_>) -> Result<String, Halt> {
        let ask = Ask::Text {
            wanted: format!("a sentence, at most {LONGEST_REASON} characters"),
        };
        let answer = self.ask(question, ask, &|answer| {
            let answer = answer.trim();
            let length = answer.chars().count();
            (3..=LONGEST_REASON).contains(&length) && !answer.chars().any(char::is_control)
        })?;
        Ok(answer.trim().to_owned())
    }
}

/// Everything that is known of one request.
fn details(vetted: &Vetted) -> Vec<String> {
    let request = &vetted.request;
    let mut text = vec![format!("{} {}", request.action, request.project)];
    if !request.keys.is_empty() {
        text.push(format!(
            "{} of these keys must sign afterwards:",
            request.threshold
        ));
    }
    for (keyid, key) in &request.keys {
        let owner = request.owners.get(keyid).map_or("?", String::as_str);
        let said = request
            .first_seen
            .get(keyid)
            .map(|seen| format!(", first seen by PyPI {seen}"))
            .unwrap_or_default();
        text.push(format!(
            "  {keyid} {}, {}{said}",
            key.description(),
            shown(owner)
        ));
    }
    if let Some(since) = vetted.since {
        text.push(format!(
            "unchanged in the archives since {}",
            since.strftime("%Y-%m-%d")
        ));
    }
    if let Some(before) = vetted.before {
        text.push(format!("replaces {before}"));
    }
    if let Some(channel) = &request.channel {
        text.push(format!("{}: {}", channel.kind, shown(&channel.says)));
    }
    text.push(String::new());
    if vetted.reasons.is_empty() {
        text.push("Nothing speaks against it; the dice drew it.".to_owned());
    }
    for reason in &vetted.reasons {
        let tag = match reason.weight {
            Weight::Gates => "SEE",
            Weight::Looks => "LOOK",
            Weight::Refuses => "REFUSED",
            Weight::Shows | Weight::Reports => "note",
        };
        text.push(format!(
            "{tag}  {}: {}",
            reason.finding.rule, reason.finding.text
        ));
    }
    text
}
