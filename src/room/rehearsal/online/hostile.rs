//! What an intruder does who has the keys of the servers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Failure, Online, Signed, VALID, content, days, foreign, paper, release};
use crate::pypi::project::Project;
use crate::tuf::key::{Algorithm, KeyId};

impl Online {
    /// An intruder with the online keys puts two files of this project into their bins: one that its developer released, with other bytes, and one that nobody
    /// did. Gives their paths.
    pub fn forge(&mut self, project: &Project) -> [String; 2] {
        let paths = [0, 9].map(|number| release(project.as_str(), number));
        for path in &paths {
            self.bins.forge(path.clone());
        }
        paths
    }

    /// The attack by a role's name: an intruder with the online keys delegates the files of `lure`, which stands in recently-claimed, to a role that is *named*
    /// like that of `victim` and signed by him; its file lists a forged file of the victim as well. A client that keeps roles by their names alone takes the
    /// one for the other. Gives the paths of the lure's file and of the forged one.
    pub fn impostor(&mut self, lure: &Project, victim: &Project) -> (String, String) {
        self.impostor = Some((lure.clone(), victim.clone()));
        (release(lure.as_str(), 0), release(victim.as_str(), 0))
    }

    /// What an intruder's file of this path holds.
    pub fn forged(path: &str) -> Vec<u8> {
        [b"forged: ", &*content(path)].concat()
    }

    /// The key of somebody who has no business here.
    pub(super) fn intruder(&mut self) -> KeyId {
        self.ring.key("intruder", Algorithm::Ed25519)
    }

    /// Signs the impostor's file, over whatever the victim's developer signed.
    pub(super) fn sign_as_impostor(&mut self, at: Timestamp) -> Result<(), Failure> {
        let Some((lure, victim)) = self.impostor.clone() else {
            return Ok(());
        };
        let role = victim.role().to_string();
        let signers = vec![self.intruder()];
        let version = self.signed.get(&role).map_or(1, |it| it.version + 1);
        let expires = paper::date(days(at, VALID));
        let own = release(lure.as_str(), 0);
        let forged = release(victim.as_str(), 0);
        let targets = [
            (own.clone(), content(&own)),
            (forged.clone(), Self::forged(&forged)),
        ];
        let text = paper::targets(version, &expires, None, &BTreeMap::from(targets));
        let bytes = paper::sealed(&self.ring, &text, &signers).ok_or_else(|| foreign(&role))?;
        let signed = Signed {
            version,
            signers,
            releases: 0,
            expires,
            bytes,
        };
        self.signed.insert(role, signed);
        Ok(())
    }
}
