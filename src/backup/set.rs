//! A set of shares: how it is dealt, what is said of each share before they are put together, and how they are.

use std::collections::BTreeMap;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use zeroize::Zeroizing;

use super::Fault;
use super::record::Record;
use super::share::{DATA, Scheme, Share};
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// A share, and where it was entered from.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    /// Whose it is, for people.
    pub from: &'a str,
    /// The share.
    pub share: &'a Share,
}

/// Splits 32 random bytes, the secret of the age identity that opens the file `backup` is the SHA-256 of.
///
/// # Errors
/// `SHARE-LENGTH`; no memory for secrets, no randomness.
pub fn split(
    secret: &Secret,
    scheme: Scheme,
    backup: Sha256,
) -> Result<(Record, Vec<Share>), Fault> {
    if secret.len() != DATA {
        let text = format!(
            "a secret of {} bytes is not split: seal it to a fresh age identity and split that one's {DATA} bytes",
            secret.len()
        );
        return Err(Finding::error("SHARE-LENGTH", "", text).into());
    }
    // The library's generator must not fail, so that the kernel has one is asked first. Linux does not lose it again.
    drop(Secret::random(1)?);
    let dealer = blahaj::Sharks(scheme.needed());
    let shares = secret.expose(|secret| {
        let points = dealer.dealer_rng(secret, &mut UnwrapErr(SysRng));
        let dealt = (1..=scheme.of()).zip(points).map(|(index, point)| {
            let point = Zeroizing::new(Vec::from(&point));
            Share::new(index, scheme, backup, &point[1..])
        });
        dealt.collect::<Result<Vec<_>, _>>()
    })?;
    Ok((Record::new(backup, scheme, &shares), shares))
}

/// What is wrong with shares that were entered for this backup, as far as they have come: at most one error each. Without a record the scheme is what
/// most of them say, and a share that somebody made with a right check is found only by the backup, which does not open.
pub fn judge(backup: Sha256, record: Option<&Record>, held: &[Held<'_>]) -> Vec<Finding> {
    if record.is_some_and(|record| record.backup() != backup) {
        let text = "this record is of shares that open another backup. Take the record that lies beside the backup, or none";
        return vec![Finding::error("SHARE-RECORD", "", text)];
    }
    let scheme = scheme(backup, record, held);
    let mut seen: BTreeMap<u8, &Held<'_>> = BTreeMap::new();
    held.iter()
        .filter_map(|held| {
            let Held { from, share } = held;
            let error = |rule, text: String| Some(Finding::error(rule, from, text));
            let index = share.index();
            if !share.opens(backup) {
                return error("SHARE-FOREIGN", format!("share {index} opens another backup than this. Look for the share of this backup, or for the backup of this share"));
            }
            if let Some(scheme) = scheme.filter(|scheme| *scheme != share.scheme()) {
                return error("SHARE-MIXED", format!("share {index} is one of a set where {} restore, and this set is {scheme}: the backup was split more than once. Put together shares of one set", share.scheme()));
            }
            if record.is_some_and(|record| !record.has(share)) {
                return error("SHARE-FALSE", format!("share {index} is not what was dealt: the record has another commitment. It was dealt another time for the same backup, or somebody changed it and its check. Keep it aside and ask another custodian"));
            }
            if let Some(first) = seen.get(&index) {
                let differ = if first.share.commitment() == share.commitment() { "" } else { ", and the two are not the same, so one of them is false" };
                return error("SHARE-TWICE", format!("share {index} was already entered, from {}{differ}. Enter another custodian's", first.from));
            }
            seen.insert(index, held);
            None
        })
        .collect()
}

/// Puts the first shares that are enough together. Who holds the secret then opens the backup with it: only that proves it where there was no record.
///
/// # Errors
/// What [`judge`] says, and `SHARE-FEW`; no memory for secrets.
pub fn combine(
    backup: Sha256,
    record: Option<&Record>,
    held: &[Held<'_>],
) -> Result<Secret, Fault> {
    let findings = judge(backup, record, held);
    if !findings.is_empty() {
        return Err(Fault::Refused(findings));
    }
    let needed = scheme(backup, record, held).map_or(2, Scheme::needed);
    let Some(enough) = held.get(..usize::from(needed)) else {
        let text = format!(
            "{} of the {needed} shares that restore are there. Enter {} more",
            held.len(),
            usize::from(needed) - held.len()
        );
        return Err(Finding::error("SHARE-FEW", "", text).into());
    };
    joined(enough)
}

/// What all of these give together, whether they are enough or not.
pub(super) fn joined(held: &[Held<'_>]) -> Result<Secret, Fault> {
    let few = |said: &str| Fault::from(Finding::error("SHARE-FEW", "", said));
    let points = held.iter().map(|held| {
        let point = held.share.point()?;
        let point = point.expose(|point| blahaj::Share::try_from(point));
        point.map_err(few)
    });
    let points = points.collect::<Result<Vec<_>, Fault>>()?;
    let needed = u8::try_from(points.len()).unwrap_or(u8::MAX);
    let sharks = blahaj::Sharks(needed);
    let mut secret = sharks.recover(&points).map_err(few)?;
    Ok(Secret::take(&mut secret)?)
}

/// Every choice of `size` places among `count`, at most 16, for the drill that tries them all.
pub fn subsets(count: u8, size: u8) -> impl Iterator<Item = Vec<usize>> {
    let count = count.min(Scheme::MOST);
    let chosen = (0..1_u32 << count).filter(move |set| set.count_ones() == u32::from(size));
    chosen.map(move |set| {
        let places = (0..usize::from(count)).filter(|place| (set >> place) & 1 == 1);
        places.collect()
    })
}

/// What the record says, or else most of the shares.
fn scheme(backup: Sha256, record: Option<&Record>, held: &[Held<'_>]) -> Option<Scheme> {
    let schemes = held.iter().filter(|held| held.share.opens(backup));
    let schemes: Vec<Scheme> = schemes.map(|held| held.share.scheme()).collect();
    let votes = |scheme: &&Scheme| schemes.iter().filter(|other| other == scheme).count();
    // Of as many votes the first entered counts.
    let most = || schemes.iter().rev().max_by_key(votes).copied();
    record.map(Record::scheme).or_else(most)
}
