//! The key objects of a token: read one attribute at a time, paired, and made.

use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki_sys::CK_ULONG;

use super::session::Open;
use super::{attestation, material};
use crate::ceremony::event::Custody;
use crate::ceremony::port::{Leaves, PinPolicy, TokenKey, Usage};
use crate::tuf::key::{Algorithm, PublicKey};

/// One half of a key pair, as far as the token shows it.
struct Half {
    handle: ObjectHandle,
    id: Vec<u8>,
    label: String,
    algorithm: Option<Algorithm>,
    public: Option<PublicKey>,
}

impl Half {
    /// Whether both have the same id; the same label where the token has no ids.
    fn is_named(&self, id: &[u8], label: &str) -> bool {
        if self.id.is_empty() && id.is_empty() {
            self.label == label
        } else {
            self.id == id
        }
    }

    /// Whether a private half belongs to what is known of a key: same name, no other algorithm, no other public half.
    fn belongs_to(&self, id: &[u8], label: &str, public: &PublicKey) -> bool {
        self.is_named(id, label)
            && (self.algorithm.is_none() || self.algorithm == public.algorithm())
            && self.public.as_ref().is_none_or(|own| own == public)
    }

    /// Whether nothing but the name says so, and another public half has the name too. Anybody can put a public key on a token.
    fn is_disputed(&self, publics: &[Self]) -> bool {
        let claims = |half: &&Self| {
            half.is_named(&self.id, &self.label)
                && (self.algorithm.is_none() || half.algorithm == self.algorithm)
        };
        self.public.is_none() && publics.iter().filter(claims).count() > 1
    }
}

/// The signing keys that the session shows: pairs, private halves that show their public one, and, to those who are not logged in, public
/// halves alone.
pub(super) fn keys(open: &Open) -> Result<Vec<TokenKey>, Error> {
    let privates = halves(open, ObjectClass::PRIVATE_KEY)?;
    let publics = halves(open, ObjectClass::PUBLIC_KEY)?;
    let mut keys: Vec<TokenKey> = Vec::new();
    for half in publics.iter().chain(&privates) {
        let Some(public) = &half.public else { continue };
        let vouches = open.quirks.attests && attestation::is_its_key(&half.label);
        if vouches || keys.iter().any(|key| key.public == *public) {
            continue;
        }
        let mut mates = privates
            .iter()
            .filter(|private| private.belongs_to(&half.id, &half.label, public));
        let (custody, usage) = match (mates.next(), mates.next()) {
            (Some(private), None) if !private.is_disputed(&publics) => (
                custody(open, private.handle)?,
                usage(open, private.handle, public)?,
            ),
            (None, _) if open.logged_in => continue,
            // Nobody knows which private half it is, if any: nothing is proven.
            _ => (Custody::default(), Usage::default()),
        };
        keys.push(TokenKey {
            id: half.id.clone(),
            label: half.label.clone(),
            public: public.clone(),
            custody,
            usage,
        });
    }
    Ok(keys)
}

/// The private half to sign with: by id or label *and* by its public half, on itself or on a public object beside it. None where there is
/// none or where there are two that cannot be told apart. (Which of two public halves with one name is the right one shows when the
/// signature is verified.)
pub(super) fn private_half(open: &Open, key: &TokenKey) -> Result<Option<ObjectHandle>, Error> {
    let publics = halves(open, ObjectClass::PUBLIC_KEY)?;
    let beside = publics.iter().any(|half| {
        half.public.as_ref() == Some(&key.public) && half.is_named(&key.id, &key.label)
    });
    let privates = halves(open, ObjectClass::PRIVATE_KEY)?;
    let mut mates = privates.iter().filter(|half| {
        half.belongs_to(&key.id, &key.label, &key.public) && (beside || half.public.is_some())
    });
    Ok(match (mates.next(), mates.next()) {
        (Some(private), None) => Some(private.handle),
        _ => None,
    })
}

/// Whether any key has this label.
pub(super) fn has_label(open: &Open, label: &str) -> Result<bool, Error> {
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        let template = [
            Attribute::Class(class),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        if !open.objects(&template)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a key pair and reads back what the token says of it; none where it does not show the public half.
pub(super) fn generate(
    open: &Open,
    id: &[u8],
    label: &str,
    algorithm: Algorithm,
    leaves: Leaves,
) -> Result<Option<TokenKey>, Error> {
    let mechanism = match algorithm {
        Algorithm::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
        Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => Mechanism::EccKeyPairGen,
        Algorithm::RsaPss => Mechanism::RsaPkcsKeyPairGen,
    };
    let names = [
        Attribute::Id(id.to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let mut public = vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
    ];
    public.extend_from_slice(&names);
    public.append(&mut material::parameters(algorithm));
    let mut private = vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(leaves == Leaves::Wrapped),
        Attribute::Sign(true),
    ];
    if leaves == Leaves::Wrapped {
        private.push(Attribute::WrapWithTrusted(true));
    }
    private.extend_from_slice(&names);
    let (public, private) = open
        .session
        .generate_key_pair(&mechanism, &public, &private)?;
    pair(open, public, private)
}

/// What the token says of a key pair that was just made or brought in; none where it does not show the public half.
pub(super) fn pair(
    open: &Open,
    public: ObjectHandle,
    private: ObjectHandle,
) -> Result<Option<TokenKey>, Error> {
    let half = half(open, public)?;
    let custody = custody(open, private)?;
    let Some(public) = half.public else {
        return Ok(None);
    };
    Ok(Some(TokenKey {
        id: half.id,
        label: half.label,
        usage: usage(open, private, &public)?,
        public,
        custody,
    }))
}

/// Whether a private half wants its PIN for each signature; none where the token does not say.
pub(super) fn wants_pin_each_time(open: &Open, private: ObjectHandle) -> Result<bool, Error> {
    Ok(flag(open, private, AttributeType::AlwaysAuthenticate)? == Some(true))
}

/// Whether any key of the token wants its PIN for each signature.
pub(super) fn any_wants_pin_each_time(open: &Open) -> Result<bool, Error> {
    for private in open.objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])? {
        if wants_pin_each_time(open, private)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a private half is kept from ever leaving; where the token does not say, it will when it is asked to wrap it.
pub(super) fn stays(open: &Open, private: ObjectHandle) -> Result<bool, Error> {
    Ok(flag(open, private, AttributeType::Extractable)? == Some(false))
}

/// What using a key takes, as far as the token says. A plain "not for each" is not repeated: cards say it of keys that want no PIN at all too.
fn usage(open: &Open, private: ObjectHandle, public: &PublicKey) -> Result<Usage, Error> {
    let pin = if wants_pin_each_time(open, private)? {
        PinPolicy::Always
    } else {
        PinPolicy::Unknown
    };
    let longest = match public {
        PublicKey::Ed25519(_) => open.quirks.longest_eddsa,
        _ => None,
    };
    Ok(Usage {
        pin,
        longest,
        ..Usage::default()
    })
}

fn halves(open: &Open, class: ObjectClass) -> Result<Vec<Half>, Error> {
    let found = open.objects(&[Attribute::Class(class)])?;
    found.into_iter().map(|handle| half(open, handle)).collect()
}

fn half(open: &Open, handle: ObjectHandle) -> Result<Half, Error> {
    let algorithm = algorithm(open, handle)?;
    Ok(Half {
        handle,
        id: open
            .attribute(handle, AttributeType::Id)?
            .unwrap_or_default(),
        label: open
            .attribute(handle, AttributeType::Label)?
            .map(|label| String::from_utf8_lossy(&label).into_owned())
            .unwrap_or_default(),
        algorithm,
        public: match algorithm {
            Some(algorithm) => public(open, handle, algorithm)?,
            None => None,
        },
    })
}

fn algorithm(open: &Open, handle: ObjectHandle) -> Result<Option<Algorithm>, Error> {
    let kind = open.attribute(handle, AttributeType::KeyType)?;
    let kind = kind.and_then(|bytes| Some(CK_ULONG::from_ne_bytes(bytes.try_into().ok()?)));
    if kind == Some(KeyType::RSA.into()) {
        return Ok(Some(Algorithm::RsaPss));
    }
    if kind != Some(KeyType::EC.into()) && kind != Some(KeyType::EC_EDWARDS.into()) {
        return Ok(None);
    }
    let params = open.attribute(handle, AttributeType::EcParams)?;
    Ok(params.and_then(|params| material::algorithm_of(&params)))
}

fn public(
    open: &Open,
    handle: ObjectHandle,
    algorithm: Algorithm,
) -> Result<Option<PublicKey>, Error> {
    if algorithm == Algorithm::RsaPss {
        let modulus = open.attribute(handle, AttributeType::Modulus)?;
        let exponent = open.attribute(handle, AttributeType::PublicExponent)?;
        return Ok(modulus
            .zip(exponent)
            .and_then(|(modulus, exponent)| material::rsa_key(&modulus, &exponent)));
    }
    let point = open.attribute(handle, AttributeType::EcPoint)?;
    Ok(point.and_then(|point| material::ec_key(algorithm, &point)))
}

/// What the token says of how it keeps a private half. What it does not say is not proven.
fn custody(open: &Open, handle: ObjectHandle) -> Result<Custody, Error> {
    if open.quirks.custody_says_nothing {
        return Ok(Custody::default());
    }
    let flag = |attribute| flag(open, handle, attribute);
    let extractable = flag(AttributeType::Extractable)?;
    let not_extractable = extractable.map(|flag| !flag);
    let wrapped_only = match extractable {
        Some(true) => flag(AttributeType::WrapWithTrusted)?,
        _ => None,
    };
    let local = flag(AttributeType::Local)?;
    Ok(Custody {
        always_sensitive: both(
            flag(AttributeType::Sensitive)?,
            flag(AttributeType::AlwaysSensitive)?,
        ),
        never_extractable: both(not_extractable, flag(AttributeType::NeverExtractable)?),
        local: local.filter(|local| *local || !open.quirks.local_says_nothing),
        wrapped_only,
    })
}

/// Proven if both are, disproven if one is, else unknown.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), Some(true)) => Some(true),
        (Some(false), _) | (_, Some(false)) => Some(false),
        _ => None,
    }
}

/// A flag; none where the token does not have it. Attributes are read one by one, because one that a token refuses would take the others with it.
fn flag(open: &Open, handle: ObjectHandle, kind: AttributeType) -> Result<Option<bool>, Error> {
    let bytes = open.attribute(handle, kind)?;
    Ok(match bytes.as_deref() {
        Some([flag]) => Some(*flag != 0),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::both;

    #[test]
    fn custody_is_proven_by_both_flags_and_disproven_by_one() {
        for (one, other, proven) in [
            (Some(true), Some(true), Some(true)),
            (Some(true), Some(false), Some(false)),
            (None, Some(false), Some(false)),
            (Some(true), None, None),
            (None, None, None),
        ] {
            assert_eq!(both(one, other), proven);
            assert_eq!(both(other, one), proven);
        }
    }
}
