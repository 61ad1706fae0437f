//! Shares are handed out and taken: one custodian after the other, each share read back from what its custodian holds.

use super::ask::{Question, choice};
use super::{Halt, Runner};
use crate::ceremony::event::{Credential, Event, ShareRead, TokenIdentity};
use crate::ceremony::port::VaultError;
use crate::ceremony::prompt::{PinPrompt, SharePrompt, Tries};
use crate::secret::Secret;
use crate::tuf::finding::Finding;

/// Who is asked for the PINs of the infrastructure's identities.
const INFRASTRUCTURE: &str = "infrastructure";

impl Runner<'_> {
    /// A custodian gets a share: on a medium if it is `sealed` to a recipient, else on paper.
    pub(super) fn hand_out(
        &mut self,
        (index, of): (u8, u8),
        custodian: &str,
        sealed: Option<&String>,
    ) -> Result<(), Halt> {
        if let Some(recipient) = sealed {
            let text = vec![
                format!(
                    "Share {index} of {of} is sealed for {recipient} and written to {custodian}'s own medium."
                ),
                "Plug in that medium and what has the identity; both belong to the custodian. The share is read from there at once.".to_owned(),
            ];
            return self.sealed_share(custodian, &text, Some((index, recipient)));
        }
        if self.world.prints() {
            return self.printed((index, of), custodian);
        }
        let text = vec![
            format!(
                "Share {index} of {of}. Everybody but {custodian} turns away; the camera does, too."
            ),
            "Write the six lines of eight words on one sheet, with the number of each line. On the same sheet: which backup, your name, the date.".to_owned(),
            "The sheet never lies beside the backup, nor beside another share.".to_owned(),
        ];
        self.typed(custodian, Some(index), &text)
    }

    /// Asks for the PINs of age identities on devices, of a custodian or of the infrastructure.
    pub(super) fn unlock(&mut self, custodian: Option<&str>) -> Result<(), Halt> {
        for identity in self.world.locked(custodian) {
            let pin = self.operator.pin(&PinPrompt {
                holder: custodian.unwrap_or(INFRASTRUCTURE).to_owned(),
                kind: Credential::User,
                token: TokenIdentity {
                    module: "age".to_owned(),
                    manufacturer: String::new(),
                    model: "age identity".to_owned(),
                    serial: identity.clone(),
                    label: "if its device asks for no PIN, type anything".to_owned(),
                },
                tries: Tries::Unknown,
                after: None,
            })?;
            self.world.unlock(&identity, pin);
        }
        Ok(())
    }

    /// Takes a share of a backup that was carried in.
    pub(super) fn read_share(&mut self, custodian: &str) -> Result<(), Halt> {
        if self.world.has_medium(custodian) {
            let text = vec![format!(
                "The share of {custodian} lies sealed on a medium. Plug it in, and what has the identity."
            )];
            return self.sealed_share(custodian, &text, None);
        }
        let text = vec![
            format!(
                "{custodian} types the six lines of the sheet. Everybody else turns away; the camera does, too."
            ),
            "A word that cannot be read any more is typed as ?, at most one in a line.".to_owned(),
        ];
        self.typed(custodian, None, &text)
    }

    /// Asks for a share until it is right; one that is dealt now, with its number, is shown before, each time.
    fn typed(&mut self, custodian: &str, index: Option<u8>, text: &[String]) -> Result<(), Halt> {
        let mut after = None;
        loop {
            let prompt = SharePrompt {
                custodian: custodian.to_owned(),
                index,
                text: text.to_vec(),
                after,
            };
            let shown = index.map(|index| self.world.share(index)).transpose()?;
            match self.type_once(&prompt, shown)? {
                None => return Ok(()),
                refused => after = refused,
            }
        }
    }

    /// One attempt to type a share; what was wrong with it, if anything.
    fn type_once(
        &mut self,
        prompt: &SharePrompt,
        shown: Option<Secret>,
    ) -> Result<Option<String>, Halt> {
        let typed = self.operator.share(prompt, shown)?;
        match self.world.take_share(&prompt.custodian, &typed) {
            Ok(index) => {
                self.emit(Event::ShareRead(ShareRead {
                    custodian: prompt.custodian.clone(),
                    index,
                    sealed: None,
                }))?;
                Ok(None)
            }
            Err(findings) => Ok(Some(told(&findings))),
        }
    }

    /// A share goes to the printer and is typed from the paper; both can be done again.
    fn printed(&mut self, (index, of): (u8, u8), custodian: &str) -> Result<(), Halt> {
        let mut is_printed = false;
        let mut after = None;
        loop {
            let mut text = vec![
                format!(
                    "Share {index} of {of} is printed. Only {custodian} stands at the printer; the camera is turned away."
                ),
                "Write the date on the sheet. It never lies beside the backup, nor beside another share.".to_owned(),
            ];
            text.extend(after.take());
            let options = if is_printed {
                vec![
                    choice("type", "all six lines can be read: type them"),
                    choice(
                        "print",
                        "print it again; the sheet that is spoilt is destroyed",
                    ),
                ]
            } else {
                vec![choice("print", "print it now")]
            };
            let id = format!("share:print:{custodian}");
            let question = Question::new(id, "A share for the printer", text);
            if self.ask_choice(question, options)? == "print" {
                match self.world.print_share(index, custodian) {
                    Ok(()) => is_printed = true,
                    Err(failed) => after = Some(format!("It was not printed: {}", why(failed)?)),
                }
                continue;
            }
            let prompt = SharePrompt {
                custodian: custodian.to_owned(),
                index: None,
                text: vec![format!(
                    "{custodian} takes the sheet from the printer and types its six lines."
                )],
                after: None,
            };
            match self.type_once(&prompt, None)? {
                None => return Ok(()),
                refused => after = refused,
            }
        }
    }

    /// A sealed share is read from its custodian's medium; where it is dealt now, it is sealed to its recipient and written there before.
    fn sealed_share(
        &mut self,
        custodian: &str,
        text: &[String],
        dealt: Option<(u8, &String)>,
    ) -> Result<(), Halt> {
        let mut after = None;
        loop {
            let text = text.iter().cloned().chain(after.take()).collect();
            let id = format!("share:medium:{custodian}");
            let question = Question::new(id, "A share on its custodian's medium", text);
            let here = "the medium and the identity are here";
            self.ask_choice(question, vec![choice("ready", here)])?;
            self.unlock(Some(custodian))?;
            let written = match dealt {
                Some((index, recipient)) => self.world.seal_share(index, custodian, recipient),
                None => Ok(()),
            };
            match written.and_then(|()| self.world.take_sealed(custodian)) {
                Ok((index, file)) => {
                    return self.emit(Event::ShareRead(ShareRead {
                        custodian: custodian.to_owned(),
                        index,
                        sealed: Some(file),
                    }));
                }
                Err(failed) => after = Some(format!("Nothing was counted: {}", why(failed)?)),
            }
        }
    }
}

/// What people can do something about; a machine that fails stops the ceremony.
fn why(failed: VaultError) -> Result<String, Halt> {
    match failed {
        VaultError::Refused(findings) => Ok(told(&findings)),
        VaultError::World(failed) => Ok(failed.to_string()),
        failed @ VaultError::Token(_) => Err(failed.into()),
    }
}

fn told(findings: &[Finding]) -> String {
    let texts = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.rule, finding.text));
    texts.collect::<Vec<_>>().join("; ")
}
