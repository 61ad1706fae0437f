//! Files that share the entries of their long lists with an earlier version.

use std::io::Read;
use std::sync::Arc;

use super::Envelope;
use crate::tuf::json::text::{Entry, List, Splice, Text};
use crate::tuf::json::{Limits, prove_text};

mod beside;

/// The text of a document with both its lists empty, and their entries, all of them shared; `None` where it has no two lists.
/// `canonical` says whether they are canonical as written.
pub(super) fn skeleton(text: &Arc<Text>, canonical: bool) -> Option<(String, Splice)> {
    if let Some(splice) = text.splice() {
        return Some((text.own().to_owned(), splice.clone()));
    }
    let all = |keys| (0..text.count(keys)).map(Entry::shared).collect();
    let splice = Splice {
        base: Arc::clone(text),
        canonical,
        fresh: String::new(),
        keys: all(true),
        roles: all(false),
    };
    Some((text.without_entries()?, splice))
}

/// The document whose own text is `own`, its two lists empty, with the entries of `splice` in them. `None` if that is no
/// compact metadata file.
pub(super) fn put_together(own: String, splice: Splice) -> Option<Envelope> {
    let found = prove_text(own.as_bytes(), Limits::LARGE).ok()?;
    let lists = &found.entries;
    let empty = |list: &Option<List>| list.as_ref().is_some_and(|list| list.len() == 0);
    if !found.compact || !empty(&lists.keys) || !empty(&lists.roles) {
        return None;
    }
    let canonical = found.canonical && splice.canonical;
    let text = Text::spliced(own, found.entries, splice);
    Envelope::of(text, found.document, (true, true), canonical).ok()
}

/// Reads a file next to `base`. `None` where it is not like `base`: what was read of it is then in `begun`, and it has to be
/// read as a file by itself, which also says what is wrong with it.
pub(super) fn read(
    source: &mut dyn Read,
    limits: Limits,
    base: &Envelope,
    begun: &mut Vec<u8>,
) -> Option<Envelope> {
    let (_, splice) = skeleton(&base.text, base.canonical)
        .filter(|(_, splice)| base.compact && splice.fresh.is_empty())?;
    beside::read(source, limits, &splice, begun)
}

#[cfg(test)]
mod tests;
