//! Everything about a session that needs neither a token nor a byte written: read, verified, planned, and put before the rules.

use super::{Paths, inputs};
use crate::ceremony::event::ceremony_id;
use crate::ceremony::intake::{self, Trusted};
use crate::ceremony::kinds::{self, Kind};
use crate::ceremony::planning::{self, Planned};
use crate::ceremony::prepare;
use crate::ceremony::script::Script;
use crate::room::clock;
use crate::room::config::{Room, Task};
use crate::room::failure::Failure;
use crate::room::throwaway::throwaway;
use crate::room::vault::named;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// A session that could begin.
pub(super) struct Preparation {
    pub(super) script_bytes: Vec<u8>,
    pub(super) script: Script,
    pub(super) kind: &'static Kind,
    pub(super) room: Room,
    pub(super) trusted: Trusted,
    pub(super) planned: Planned,
    pub(super) ceremony: Sha256,
}

impl Preparation {
    /// Reads and checks. Nothing is written, no module is loaded.
    pub(super) fn read(paths: &Paths) -> Result<Self, Failure> {
        let one = |finding: Finding| Failure::refused(&[finding]);
        let script_bytes = inputs::read(&paths.script)?;
        let script =
            Script::parse(&paths.script.display().to_string(), &script_bytes).map_err(one)?;
        let kind = kinds::of(&paths.script.display().to_string(), &script).map_err(one)?;
        let room = Room::parse(
            &paths.room.display().to_string(),
            &inputs::read(&paths.room)?,
        )
        .map_err(one)?;
        let archives = inputs::archives(&paths.input, &script)?;
        let inputs = inputs::read_input(&paths.input)?;
        let now = clock::now();
        let abandoned = inputs::abandoned(&inputs).map_err(one)?;
        let ceremony = ceremony_id(&script_bytes, script.trusted_root_sha256);
        let parts = inputs::parts(&inputs).map_err(one)?;
        let attestations = inputs::attestations(&inputs).map_err(one)?;
        let mut trusted = intake::intake(
            &script,
            inputs::trusted_files(inputs),
            abandoned,
            room.mode,
            now,
        )
        .map_err(|findings| Failure::refused(&findings))?;
        trusted.attestations = attestations;
        trusted.take_decisions(ceremony).map_err(one)?;
        trusted
            .take_archives(&script, archives)
            .map_err(|findings| Failure::refused(&findings))?;
        let planned = if room.task == Task::Sign {
            let documents: Vec<_> = parts
                .into_iter()
                .filter(|part| part.ceremony == ceremony)
                .map(|part| part.document)
                .collect();
            let present: Vec<_> = room
                .holders
                .iter()
                .map(|holder| holder.name.clone())
                .collect();
            planning::sign_plan(&script, &trusted, ceremony, &documents, &present)
        } else {
            let planned = planning::plan(kind, &script, &trusted, ceremony);
            prepare::check(
                kind,
                &script,
                &trusted,
                &planned,
                room.mode,
                now,
                &mut |algorithm| throwaway(algorithm),
            )
            .map_err(|findings| Failure::refused(&findings))?;
            let missing = named::missing(&paths.room.display().to_string(), &room, &script);
            if !missing.is_empty() {
                return Err(Failure::refused(&missing));
            }
            planned
        };
        Ok(Self {
            script_bytes,
            script,
            kind,
            room,
            trusted,
            planned,
            ceremony,
        })
    }
}
