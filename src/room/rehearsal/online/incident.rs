//! An incident: one developers' key is compromised, and what its owners ask for.

use std::fmt::Write as _;

use super::{Developer, Failure, Online, asked::midnight};
use crate::pypi::requests::{Action, Request};
use crate::tuf::key::{Algorithm, KeyId};

/// What the owners of a project with a compromised key do; every third project each.
enum Answer {
    /// They have a new key already.
    NewKey,
    /// They were not reached: the last good files stay.
    Silence,
    /// They were not reached, and nothing of theirs is known to be good.
    Doubt,
}

impl Online {
    /// The key of the company that signs all its projects with one.
    pub fn shared_key(&self) -> Option<KeyId> {
        let first = self.developers.first()?;
        let name = self.ring.name(first.keys.first()?)?;
        name.starts_with(super::people::COMPANY)
            .then(|| first.keys[0].clone())
    }

    /// `incident.toml`: this key is compromised since last midnight.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn incident(&self, keyid: &KeyId) -> Result<Vec<u8>, Failure> {
        let mut text = format!(
            "schema = \"{}\"\nid = \"rehearsal\"\ntitle = \"A rehearsal: one key of many projects was stolen\"\nlast_trusted = \"{}\"\nchannel = \"called back under the number in the contract\"\nwithout_replacement = \"files\"\n\n[[compromised]]\nkeyid = \"{keyid}\"\nevidence = \"it signed a file that nobody of the company built\"\n",
            crate::pypi::incident::SCHEMA,
            super::paper::date(midnight(self.today)),
        );
        for developer in self.touched(keyid)? {
            if matches!(answer(&developer), Answer::Doubt) {
                // Writing to a String cannot fail.
                let _ = write!(
                    text,
                    "\n[[project]]\nname = \"{}\"\nwithout_replacement = \"tombstone\"\n",
                    developer.project
                );
            }
        }
        Ok(text.into_bytes())
    }

    /// The new keys of those who have some.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn replacements(&mut self, keyid: &KeyId) -> Result<Vec<Request>, Failure> {
        let anchor = self.anchor()?;
        let claimed = self.claimed()?;
        let fresh = self.ring.key(
            &format!("{} (new)", super::people::COMPANY),
            Algorithm::EcdsaP256,
        );
        let touched = self.touched(keyid)?.into_iter();
        let asking = touched.filter(|developer| matches!(answer(developer), Answer::NewKey));
        let asked = asking.map(|developer| {
            let keys = std::slice::from_ref(&fresh);
            let mut request = self.asks(Action::Rotate, &developer, keys, 1);
            request.replaces = claimed.pre_image(&developer.project);
            self.possess(&anchor, &mut request);
            request
        });
        Ok(asked.collect())
    }

    /// Whose claimed projects list the key.
    fn touched(&self, keyid: &KeyId) -> Result<Vec<Developer>, Failure> {
        let claimed = self.claimed()?;
        let listed = |developer: &&Developer| {
            let delegation = claimed.projects.get(&developer.project);
            delegation.is_some_and(|it| it.keys.iter().any(|(listed, _)| listed == keyid))
        };
        Ok(self.developers.iter().filter(listed).cloned().collect())
    }
}

fn answer(developer: &Developer) -> Answer {
    match developer.number % 3 {
        0 => Answer::NewKey,
        1 => Answer::Silence,
        _ => Answer::Doubt,
    }
}
