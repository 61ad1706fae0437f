//! The world and the first event of a session: modules loaded, holders of the room matched with the script, nothing asked of any token yet.

use std::collections::BTreeMap;
use std::path::Path;

use super::Paths;
use crate::attestation::split;
use crate::bundle::files;
use crate::bundle::manifest::is_portable;
use crate::ceremony::SPARE;
use crate::ceremony::event::{Event, Mode};
use crate::ceremony::intake::Trusted;
use crate::ceremony::kinds::Kind;
use crate::ceremony::script::Script;
use crate::room::config::Room;
use crate::room::failure::Failure;
use crate::room::modules;
use crate::room::record::Record;
use crate::room::vault::RoomVault;
use crate::room::world::{Present, RoomWorld};
use crate::token::Module;
use crate::token::software::EphemeralKeys;
use crate::token::worker::Keeper;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};

/// The modules of the room, behind `more`.
pub(super) fn open_modules(
    room: &Room,
    paths: &Paths,
    keeper: &Keeper,
    more: Vec<Box<dyn Module>>,
) -> Result<Vec<Box<dyn Module>>, Failure> {
    modules::refuse_network(room, &paths.room.display().to_string())?;
    let mut loaded = more;
    for module in &room.modules {
        loaded.push(modules::start(module, keeper)?);
    }
    Ok(loaded)
}

pub(super) fn open_world(
    room: &Room,
    script: &Script,
    trusted: &Trusted,
    ceremony: Sha256,
    paths: &Paths,
    record: Record,
    loaded: Vec<Box<dyn Module>>,
) -> Result<RoomWorld, Failure> {
    // ICANN's auditors: a software module on the ceremony machine could be used instead of the HSM by accident.
    let software = loaded.iter().find(|module| {
        module
            .identity()
            .description
            .to_lowercase()
            .contains("softhsm")
    });
    if let Some(module) = software.filter(|_| room.mode == Mode::Production) {
        let text = format!(
            "the module {} is SoftHSM, which keeps keys in files; a production ceremony refuses it",
            module.name()
        );
        return Err(Failure::refused(&[Finding::error(
            "ROOM-SOFTWARE",
            &paths.room.display().to_string(),
            text,
        )]));
    }
    let test_roots = test_roots(room, paths)?;
    let mut holders = BTreeMap::new();
    for holder in &room.holders {
        let uri = holder.uri().map_err(Failure::usage)?;
        let is_spare = holder.name == SPARE && script.backup.is_some();
        if script.holder(&holder.name).is_none() && !is_spare {
            return Err(Failure::refused(&[Finding::error(
                "ROOM-HOLDER",
                &paths.room.display().to_string(),
                format!(
                    "the room names a token for {:?}, who is not in the script",
                    holder.name
                ),
            )]));
        }
        holders.insert(
            holder.name.clone(),
            Present {
                uri,
                register: holder.register.clone(),
            },
        );
    }
    let first = trusted.chain.as_ref().and_then(|chain| chain.roots.first());
    let anchor = first
        .filter(|first| first.root.header.version == 1)
        .map(|first| Sha256::of(&first.envelope.bytes()));
    Ok(RoomWorld {
        mode: room.mode,
        ceremony,
        trusted_root: first.map(|first| (first.file.clone(), first.envelope.bytes().to_vec())),
        anchor,
        modules: loaded,
        holders,
        input: paths.input.clone(),
        output: paths.output.clone(),
        record,
        ephemeral: EphemeralKeys::default(),
        vault: RoomVault::new(room.backup.clone()),
        test_roots,
    })
}

/// The roots of attestation that the room adds, which only a rehearsal may.
fn test_roots(room: &Room, paths: &Paths) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    if room.mode == Mode::Production && !room.test_roots.is_empty() {
        return Err(Failure::refused(&[Finding::error(
            "ROOM-TEST-ROOT",
            &paths.room.display().to_string(),
            "the room adds roots of attestation; a production ceremony trusts the makers' own and no other",
        )]));
    }
    let read = room.test_roots.iter().map(|root| {
        let refuse = |rule: &str, text: &str| {
            Failure::refused(&[Finding::error(
                rule,
                &root.path.display().to_string(),
                format!("the test root {}: {text}", shown(&root.name)),
            )])
        };
        if root.name.contains('/') || !is_portable(&format!("{}.der", root.name)) {
            let text = "its name shall be small letters, digits, points, hyphens and underscores: a file of the bundle is called so";
            return Err(refuse("ROOM-TEST-ROOT", text));
        }
        let bytes = files::read(&root.path, files::SMALL_CAP)
            .map_err(|fault| Failure::usage(fault.to_string()))?;
        let certificates = split(&root.path.display().to_string(), &bytes)
            .map_err(|fault| refuse(fault.rule(), &fault.to_string()))?;
        let Ok([der]) = <[Vec<u8>; 1]>::try_from(certificates) else {
            return Err(refuse("ROOM-TEST-ROOT", "one certificate is one root, and there are more in the file"));
        };
        Ok((root.name.clone(), der))
    });
    read.collect()
}

pub(super) fn opened(
    script: &Script,
    bytes: &[u8],
    kind: &Kind,
    trusted: &Trusted,
    ceremony: Sha256,
    world: &RoomWorld,
    signing_only: bool,
) -> Event {
    let program =
        files::read(Path::new("/proc/self/exe"), files::CAP).or_else(|_| running_program());
    Event::Opened {
        tool: format!("tuf-ceremony {}", env!("CARGO_PKG_VERSION")),
        program: Sha256::of(&program.unwrap_or_default()),
        mode: world.mode,
        kind: if signing_only {
            "sign".to_owned()
        } else {
            kind.name.to_owned()
        },
        title: script.title.clone(),
        script: Sha256::of(bytes),
        trusted_root: script.trusted_root_sha256,
        ceremony,
        modules: world
            .modules
            .iter()
            .map(|module| module.identity().clone())
            .collect(),
        holders: trusted.holders_sha256,
    }
}

fn running_program() -> Result<Vec<u8>, files::FileError> {
    files::read(&std::env::current_exe().unwrap_or_default(), files::CAP)
}
