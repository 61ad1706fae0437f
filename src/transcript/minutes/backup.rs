//! Backups, in sentences.

use std::fmt::Write as _;

use super::text;
use crate::ceremony::event::{Event, Kept};

pub(super) fn of(event: &Event) -> Option<String> {
    Some(match event {
        Event::BackupBegun(begun) => {
            let keys = begun.keys.iter().map(|key| {
                let how = match key.kept {
                    Kept::Online => "its private half",
                    Kept::Wrapped => "a blob under the wrapping key",
                };
                format!(
                    "the {} key {} of {} ({how})",
                    text(&key.roles.join(", ")),
                    key.keyid,
                    text(&key.of)
                )
            });
            let keys: Vec<_> = keys.collect();
            let custodians: Vec<_> = begun.custodians.iter().map(|name| text(name)).collect();
            let mut said = format!(
                "A backup was begun: all metadata and {}; any {} of {} open it.",
                listed(&keys),
                begun.needed,
                custodians.join(", ")
            );
            if !begun.infrastructure.is_empty() {
                let recipients = begun.infrastructure.iter().map(|one| text(one));
                // Writing to a String cannot fail.
                let _ = write!(
                    said,
                    " Metadata and online keys alone are sealed for {}.",
                    recipients.collect::<Vec<_>>().join(", ")
                );
            }
            said
        }
        Event::KeyWrapped(wrapped) => format!(
            "The token of {} (serial {}) gave the key {} away as a blob, SHA-256 {}.",
            text(&wrapped.holder),
            text(&wrapped.token.serial),
            wrapped.keyid,
            wrapped.wrapped
        ),
        Event::Sealed(sealed) => {
            let mut said = format!(
                "{} was sealed (SHA-256 {}) and read back, and with it {} (SHA-256 {}).",
                text(&sealed.everything.path),
                sealed.everything.sha256,
                text(&sealed.shares.path),
                sealed.shares.sha256
            );
            if let Some(file) = &sealed.infrastructure {
                let _ = write!(
                    said,
                    " The export for the infrastructure is {} (SHA-256 {}).",
                    text(&file.path),
                    file.sha256
                );
            }
            said
        }
        Event::BackupOpened(opened) => format!(
            "The backup {} was read: SHA-256 {}.",
            text(&opened.everything.path),
            opened.everything.sha256
        ),
        Event::ShareRead(share) => format!(
            "Share {} was typed from the paper of {}.",
            share.index,
            text(&share.custodian)
        ),
        Event::BlobProven(proven) => format!(
            "The token with the serial {} unwrapped the key {}, signed a challenge with it and kept nothing; the signature verifies.",
            text(&proven.token.serial),
            proven.keyid
        ),
        Event::Drilled(drilled) => {
            let keys: Vec<_> = drilled.keys.iter().map(ToString::to_string).collect();
            format!(
                "**Every group of shares was tried** on the file as it lies on its medium: {} opened it, {} that were one short did not. Whole, and of the public halves that metadata list: {}.",
                drilled.opened,
                drilled.refused,
                listed(&keys)
            )
        }
        Event::Restored(restored) => match (&restored.token, &restored.file) {
            (Some(token), _) => format!(
                "The key {} was **restored** to the token with the serial {}.",
                restored.keyid,
                text(&token.serial)
            ),
            (None, Some(file)) => format!(
                "The key {} was **written into a file**: {}.",
                restored.keyid,
                text(&file.path)
            ),
            (None, None) => format!("The key {} was restored.", restored.keyid),
        },
        _ => return None,
    })
}

fn listed(things: &[String]) -> String {
    if things.is_empty() {
        "no key".to_owned()
    } else {
        things.join("; ")
    }
}
