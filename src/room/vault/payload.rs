//! What is sealed, put together from memory: online keys, blobs and the key that opens them, files.

use super::{copy, lost};
use crate::backup::{
    About, Everything, Infrastructure, OnlineKey, PublicHalf, Wrapped, WrappedKey,
};
use crate::ceremony::event::{BackedUp, Kept};
use crate::ceremony::port::{SealOrder, VaultError};
use crate::room::clock;
use crate::room::world::RoomWorld;
use crate::tuf::key::PublicKey;

impl RoomWorld {
    pub(super) fn payload(&mut self, order: SealOrder<'_>) -> Result<Everything, VaultError> {
        let half = |said: &BackedUp, public: &PublicKey| PublicHalf {
            keyid: said.keyid.clone(),
            roles: said.roles.clone(),
            public: public.clone(),
        };
        let mut online = Vec::new();
        let mut wrapped = Vec::new();
        for (said, public) in order.keys {
            let half = half(said, public);
            match said.kept {
                Kept::Online => {
                    let private = self.vault.online.private(public);
                    let private = private.ok_or_else(|| lost(&said.keyid))?;
                    online.push(OnlineKey::new(half, private)?);
                }
                Kept::Wrapped => {
                    let mut blobs = self.vault.blobs.iter();
                    let blob = blobs.find(|(keyid, ..)| *keyid == said.keyid);
                    let (.., blob) = blob.ok_or_else(|| lost(&said.keyid))?;
                    wrapped.push(WrappedKey::new(half, blob.clone()));
                }
            }
        }
        let wrapped = match &self.vault.wrap_key {
            Some(wrap_key) if !wrapped.is_empty() => Some(Wrapped {
                keys: wrapped,
                wrap_key: copy(wrap_key)?,
            }),
            _ => None,
        };
        Ok(Everything {
            infrastructure: Infrastructure {
                about: About {
                    ceremony: self.ceremony,
                    mode: self.mode,
                    time: clock::now(),
                },
                files: order.files,
                online,
            },
            wrapped,
        })
    }
}
