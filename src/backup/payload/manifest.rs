//! `manifest.json`, the first member: which keys are in a backup, and every other file with its size and SHA-256, in the order in which they stand.

use serde::{Deserialize, Serialize};

use super::{About, Content, Payload, refused};
use crate::backup::keys::{self, PublicHalf};
use crate::ceremony::event::Mode;
use crate::plain::is_portable;
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{self, Limits};
use crate::tuf::key::{KeyId, PublicKey};

/// Its own name.
pub(super) const NAME: &str = "manifest.json";
/// Where the wrap key stands.
pub(super) const WRAP_KEY: &str = "keys/wrap-key.bin";
/// Where keys stand, and no other file.
const KEYS: &str = "keys/";
const SCHEMA: &str = "tuf-ceremony/backup/1";

/// Where a key of software stands.
pub(super) fn online(keyid: &KeyId) -> String {
    format!("{KEYS}{keyid}.pem")
}

/// Where a wrapped key stands.
pub(super) fn wrapped(keyid: &KeyId) -> String {
    format!("{KEYS}{keyid}.kwp")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    schema: String,
    ceremony: Sha256,
    mode: Mode,
    time: String,
    keys: Vec<Key>,
    files: Vec<File>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    keyid: KeyId,
    roles: Vec<String>,
    /// DER `SubjectPublicKeyInfo` in hexadecimal.
    public: String,
    kind: Kind,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Online,
    Wrapped,
}

/// A file by its bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
}

impl Manifest {
    /// Of what is to be written.
    pub(super) fn of(
        payload: &Payload<'_>,
        members: &[(String, Content<'_>)],
    ) -> Result<Self, Finding> {
        let about = &payload.infrastructure.about;
        let online = payload.infrastructure.online.iter();
        let online = online.map(|key| Key::of(&key.half, Kind::Online));
        let wrapped = payload.wrapped.iter().flat_map(|wrapped| &wrapped.keys);
        let wrapped = wrapped.map(|key| Key::of(&key.half, Kind::Wrapped));
        let manifest = Self {
            schema: SCHEMA.to_owned(),
            ceremony: about.ceremony,
            mode: about.mode,
            time: time_text(about.time),
            keys: online.chain(wrapped).collect::<Result<_, _>>()?,
            files: members.iter().map(File::of).collect(),
        };
        manifest.judged()
    }

    /// Reads one strictly.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Finding> {
        let form = |text: String| refused(format!("the manifest in the backup: {text}"));
        json::check(bytes, Limits::SMALL).map_err(|fault| form(fault.to_string()))?;
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|fault| form(fault.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(form(format!(
                "the schema is {}; this program reads {SCHEMA:?}",
                shown(&manifest.schema)
            )));
        }
        manifest.judged()
    }

    /// Its bytes; they end in a newline.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        // Serialising fails only for maps whose keys are no strings; an empty manifest would be refused by the reader.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    pub(super) fn about(&self) -> Result<About, Finding> {
        let time = self.time.parse().ok();
        let time = time.filter(|time| time_text(*time) == self.time);
        let time = time.ok_or_else(|| {
            let text =
                "the manifest in the backup: its time is not written as 2026-11-22T12:00:00Z";
            refused(text)
        })?;
        Ok(About {
            ceremony: self.ceremony,
            mode: self.mode,
            time,
        })
    }

    /// The keys, each with its file and whether it is wrapped.
    pub(super) fn keys(&self) -> Result<Vec<(&File, PublicHalf, bool)>, Finding> {
        let keys = self.keys.iter().zip(&self.files).map(|(key, file)| {
            let half = key.half()?;
            Ok((file, half, key.kind == Kind::Wrapped))
        });
        keys.collect()
    }

    /// The file of the wrap key, if a key is wrapped.
    pub(super) fn wrap_key(&self) -> Option<&File> {
        let file = self.files.get(self.keys.len());
        file.filter(|file| file.path == WRAP_KEY)
    }

    /// All other files.
    pub(super) fn public(&self) -> &[File] {
        let secrets = self.keys.len() + usize::from(self.wrap_key().is_some());
        self.files.get(secrets..).unwrap_or_default()
    }

    /// The same rules for what is written and what is read: files of keys in the order of the keys, then the wrap key, then all others by path.
    fn judged(self) -> Result<Self, Finding> {
        let paths: Vec<&str> = self.files.iter().map(|file| &*file.path).collect();
        if let Some(path) = paths.iter().find(|path| !is_portable(path)) {
            return Err(refused(format!(
                "{} is no path for every medium: lower-case letters, digits, dot, dash and underscore, at most 101 a component, beginning with a letter or digit",
                shown(path)
            )));
        }
        let has_wrapped = self.keys.iter().any(|key| key.kind == Kind::Wrapped);
        let of_keys = self.keys.iter().map(Key::expected);
        let wrap_key = has_wrapped.then(|| WRAP_KEY.to_owned());
        let secrets: Vec<String> = of_keys.chain(wrap_key).collect();
        for (place, expected) in secrets.iter().enumerate() {
            if paths.get(place) != Some(&&**expected) || secrets[..place].contains(expected) {
                return Err(refused(format!(
                    "of its keys {expected} must be file {} and must be there once",
                    place + 1
                )));
            }
            let file = &self.files[place];
            let most = if expected == WRAP_KEY {
                keys::WRAP_KEY
            } else {
                Secret::CAPACITY
            };
            if file.size > most as u64 {
                return Err(refused(format!(
                    "{expected} has {} bytes, and at most {most} are a key",
                    file.size
                )));
            }
        }
        if self.keys.iter().any(|key| key.path != key.expected()) {
            return Err(refused(
                "a key is said to be in another file than the one of its keyid",
            ));
        }
        let others = &paths[secrets.len()..];
        let is_taken = |path: &&&str| path.starts_with(KEYS) || **path == NAME;
        if let Some(path) = others.iter().find(is_taken) {
            return Err(refused(format!(
                "{path} is a public file, and this place is for the keys or the manifest"
            )));
        }
        if !others.is_sorted_by(|first, second| first < second) {
            return Err(refused("its public files are not each once and by path"));
        }
        Ok(self)
    }
}

impl Key {
    fn of(half: &PublicHalf, kind: Kind) -> Result<Self, Finding> {
        let public = half.public.to_spki_der().ok_or_else(|| {
            let text = format!(
                "key {} is of a type that is not known here",
                shown(&half.keyid.0)
            );
            refused(text)
        })?;
        let key = Self {
            keyid: half.keyid.clone(),
            roles: half.roles.clone(),
            public: data_encoding::HEXLOWER.encode(&public),
            kind,
            path: String::new(),
        };
        Ok(Self {
            path: key.expected(),
            ..key
        })
    }

    fn expected(&self) -> String {
        match self.kind {
            Kind::Online => online(&self.keyid),
            Kind::Wrapped => wrapped(&self.keyid),
        }
    }

    fn half(&self) -> Result<PublicHalf, Finding> {
        let public = data_encoding::HEXLOWER.decode(self.public.as_bytes());
        let public = public.map_err(|_| "no hexadecimal".to_owned());
        let public = public
            .and_then(|der| PublicKey::from_spki_der(&der).map_err(|fault| fault.text))
            .map_err(|text| refused(format!("the public half of {}: {text}", self.path)))?;
        Ok(PublicHalf {
            keyid: self.keyid.clone(),
            roles: self.roles.clone(),
            public,
        })
    }
}

impl File {
    fn of((path, content): &(String, Content<'_>)) -> Self {
        let (size, sha256) = content.expose(|bytes| (bytes.len() as u64, Sha256::of(bytes)));
        Self {
            path: path.clone(),
            size,
            sha256,
        }
    }
}

fn time_text(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
