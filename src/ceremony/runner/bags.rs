//! Tamper-evident bags: the number is typed from the bag, never shown before, and the one on record decides.

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::event::Event;
use crate::pypi::holders::HeldKey;
use crate::tuf::finding::Finding;

/// What is typed for a token that comes without a bag.
const NONE: &str = "none";

impl Runner<'_> {
    pub(super) fn open_bag(&mut self, holder: &str) -> Result<(), Halt> {
        if self.progress.evidence().opened_bag(holder).is_some() {
            return Ok(());
        }
        let known = self.known_bags(holder);
        let number = loop {
            let mut text = vec![
                format!(
                    "Look at the bag of {holder} on all sides, in front of the camera. Then type its number."
                ),
                format!(
                    "A token in its maker's own package: the number on the seal. No bag and no seal: {NONE}."
                ),
            ];
            text.push(if known.is_empty() {
                "No number is on record for it; this one will be.".to_owned()
            } else {
                "The register has its number; they must be the same.".to_owned()
            });
            let question = Question::new(format!("bag-opened:{holder}"), "Open the bag", text);
            let number = self.ask_text(question, "the bag's number")?;
            if known.is_empty() || known.contains(&number) {
                break number;
            }
            self.other_bag(holder, &number)?;
        };
        self.emit(Event::BagOpened {
            holder: holder.to_owned(),
            number,
        })
    }

    pub(super) fn close_bag(&mut self, holder: &str) -> Result<(), Halt> {
        if self.progress.evidence().closed_bag(holder).is_some() {
            return Ok(());
        }
        let mut after = None;
        loop {
            let mut text = vec![
                format!(
                    "Log out is done: take the token of {holder} out and put it into a new bag, in front of the camera. Type the number of the bag."
                ),
                "A bag is used once, so it is none that was opened or is on record.".to_owned(),
            ];
            text.extend(after.take());
            let id = format!("bag-closed:{holder}");
            let question = Question::new(&id, "Close the bag", text);
            let number = self.ask_text(question, "the new bag's number")?;
            if number == NONE || self.is_used_bag(&number) {
                after =
                    Some("That bag was used before, or it is no bag. Take a new one.".to_owned());
                continue;
            }
            let text = vec![
                "Read the number from the closed bag once more: another person types it."
                    .to_owned(),
            ];
            let question =
                Question::new(format!("{id}:again"), "Read the bag's number again", text);
            if self.ask_text(question, "the new bag's number again")? == number {
                return self.emit(Event::BagClosed {
                    holder: holder.to_owned(),
                    number,
                });
            }
            after = Some("The two numbers differ. Nothing was recorded; read again.".to_owned());
        }
    }

    /// Another number than the one on record: misread, or another bag.
    fn other_bag(&mut self, holder: &str, number: &str) -> Result<(), Halt> {
        let text = vec![
            format!("You typed {number}. The register has another number for the bag of {holder}."),
            "Nothing was opened or erased.".to_owned(),
        ];
        let question = Question::new(format!("bag-mismatch:{holder}"), "Another bag?", text);
        let options = vec![
            choice("again", "it was misread: type it again"),
            choice("other", "it is another bag: stop here"),
        ];
        if self.ask_choice(question, options)? == "again" {
            return Ok(());
        }
        let text = format!(
            "the bag of {holder} has the number {number}, and the register has another: somebody may have had the token in his hands; nothing was opened or erased; keep the bag closed and find out"
        );
        Err(Finding::error("BAG-NUMBER", "holders.toml", text).into())
    }

    /// The numbers on record for the token that the room names for this holder.
    fn known_bags(&self, holder: &str) -> Vec<String> {
        let serial = self.world.assigned(holder).and_then(|wanted| wanted.serial);
        let is_it = |key: &&HeldKey| serial.is_none() || key.serial == serial;
        let holders = self.subject.trusted.holders.iter();
        let mut own = holders
            .flat_map(|known| &known.holders)
            .filter(|known| known.name == holder);
        let keys = own.by_ref().flat_map(|known| &known.keys).filter(is_it);
        keys.filter_map(|key| key.bag.clone()).collect()
    }

    fn is_used_bag(&self, number: &str) -> bool {
        let holders = self.subject.trusted.holders.iter();
        let mut keys = holders
            .flat_map(|known| &known.holders)
            .flat_map(|known| &known.keys);
        self.progress.evidence().is_used_bag(number)
            || keys.any(|key| key.bag.as_deref() == Some(number))
    }
}
