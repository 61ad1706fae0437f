//! The root chain among the files carried in.

use super::InputFile;
use crate::tuf::chain::{self, Chain};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::json::Limits;
use crate::tuf::metadata::Root;

/// The whole chain: from the oldest root that was carried in, if it leads to the trusted one, so that no older root is lost from the bundle
/// (PEP 458: old roots are never deleted), through the trusted root to the newest.
pub(super) fn read_chain(files: &[InputFile], wanted: Sha256) -> Result<Chain, Vec<Finding>> {
    let roots: Vec<_> = files
        .iter()
        .filter(|file| file.path.starts_with("trusted/") && file.path.ends_with("root.json"))
        .map(|file| (file.path.clone(), file.bytes.clone()))
        .collect();
    let anchor = roots.iter().position(|(_, bytes)| Sha256::of(bytes) == wanted).ok_or_else(|| {
        vec![Finding::error(
            "INTAKE-TRUSTED-ROOT",
            "trusted",
            format!("no root in the input has the SHA-256 {wanted} that the script names as the trusted root"),
        )]
    })?;
    let chain = follow_from(&roots, anchor)?;
    let Some(oldest) = oldest(&roots).filter(|oldest| *oldest != anchor) else {
        return Ok(chain);
    };
    let whole = follow_from(&roots, oldest)?;
    let leads_there = whole
        .roots
        .iter()
        .any(|chained| Sha256::of(&chained.envelope.bytes()) == wanted);
    if leads_there {
        return Ok(whole);
    }
    let text = "the older roots in the input do not lead to the trusted root; take them out or find the right ones";
    Err(vec![Finding::error(
        "INTAKE-TRUSTED-ROOT",
        &roots[oldest].0,
        text,
    )])
}

fn follow_from(roots: &[(String, Vec<u8>)], start: usize) -> Result<Chain, Vec<Finding>> {
    let rest = roots
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != start)
        .map(|(_, root)| root.clone());
    let chain = chain::follow(roots[start].clone(), rest.collect());
    if chain.holds() {
        Ok(chain)
    } else {
        Err(chain
            .findings
            .into_iter()
            .filter(|finding| finding.level == Level::Error)
            .collect())
    }
}

/// The root with the lowest version.
fn oldest(roots: &[(String, Vec<u8>)]) -> Option<usize> {
    let version = |bytes: &Vec<u8>| {
        let envelope = Envelope::parse("", bytes.clone(), Limits::SMALL).ok()?;
        Some(Root::read("", &envelope).ok()?.header.version)
    };
    (0..roots.len())
        .filter_map(|index| Some((version(&roots[index].1)?, index)))
        .min()
        .map(|(_, index)| index)
}
