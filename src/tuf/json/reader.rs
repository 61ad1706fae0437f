//! The one pass over a text that nobody has proven yet. It keeps its own stack, so hostile nesting
//! costs nothing but its bytes; it asks for more text as it goes, so that reading a slow medium and proving
//! what has come overlap; and on the way it notes what is worth knowing of metadata (see [`Found`]).

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;

use super::supply::{Found, Refused, Supply, Whole, not_utf8};
use super::text::{Entries, List};
use super::view::Walk;
use super::{Json, JsonError, JsonFault, Limits, string};

mod siblings;
mod tokens;

use siblings::Siblings;
use tokens::quoted;

/// Reads `text` strictly and to its end. Linear in its length; no recursion; no copy (a seeded hash set
/// of keys is built only for objects whose keys are not in strictly ascending order).
///
/// # Errors
/// The first thing refused, with its position. Length, byte order mark and UTF-8 are judged before all else.
pub fn check(text: &[u8], limits: Limits) -> Result<Json<'_>, JsonError> {
    let found = prove(&mut Whole(text), limits).map_err(|refused| refused.at(text))?;
    let proven = std::str::from_utf8(text).map_err(|error| not_utf8(error).at(text))?;
    Ok(Json::proven(proven, found.document))
}

/// As [`check`], for what it learns; `text` is UTF-8.
pub(crate) fn prove_text(text: &[u8], limits: Limits) -> Result<Found, Refused> {
    prove(&mut Whole(text), limits)
}

/// Proves that what `supply` gives is one strict JSON value and nothing else. That it is UTF-8 is left to the caller.
pub(crate) fn prove(supply: &mut impl Supply, limits: Limits) -> Result<Found, Refused> {
    let mut reader = Reader {
        supply,
        at: 0,
        limits,
        open: Vec::new(),
        trail: 0,
        key: 0..0,
        signed: 0..0,
        siblings: Siblings::default(),
        found: Found {
            ordered: true,
            compact: true,
            canonical: true,
            ..Found::default()
        },
    };
    reader.document()?;
    Ok(reader.found)
}

/// The names that lead to the two lists, by depth.
const TRAIL: [&[u8]; 2] = [b"signed", b"delegations"];

struct Reader<'s, S> {
    supply: &'s mut S,
    at: usize,
    limits: Limits,
    open: Vec<Open>,
    /// How many of the outermost open containers are the document, `signed`, `delegations` and one of its lists.
    trail: usize,
    /// The key read last, without its quotes.
    key: Range<usize>,
    /// `signed` as far as it goes; empty before.
    signed: Range<usize>,
    siblings: Siblings,
    found: Found,
}

/// Up to so many keys out of order are compared with each other, more are looked up.
const FEW: usize = 16;

/// An array or object whose end has not come yet.
enum Open {
    Array,
    /// Its keys so far are ascending: where it starts, and its last key.
    Ascending(usize, Range<usize>),
    /// They are not, and few: where they lie.
    Few(Vec<Range<usize>>),
    /// Their meanings, escapes undone.
    Many(HashSet<Vec<u8>>),
}

impl<S: Supply> Reader<'_, S> {
    fn document(&mut self) -> Result<(), Refused> {
        self.supply_first()?;
        self.space()?;
        let start = self.at;
        loop {
            if !self.value()? {
                continue;
            }
            if !self.after_value()? {
                self.found.document = start..self.at;
                self.space()?;
                if self.at < self.supply.text().len() {
                    return Err(Refused::Fault(self.at, JsonFault::TrailingData));
                }
                if self.found.canonical {
                    self.supply.proven(self.signed.clone());
                }
                return Ok(());
            }
        }
    }

    /// What is judged before all else: the mark that some editors put before a text.
    fn supply_first(&mut self) -> Result<(), Refused> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        while self.supply.text().len() < MARK.len() && self.more()? {}
        self.within_limit()?;
        if self.supply.text().starts_with(MARK) {
            return Err(Refused::Fault(0, JsonFault::ByteOrderMark));
        }
        Ok(())
    }

    fn within_limit(&self) -> Result<(), Refused> {
        let length = self.supply.text().len();
        if length > self.limits.bytes {
            return Err(Refused::Fault(
                0,
                JsonFault::TooLong(length, self.limits.bytes),
            ));
        }
        Ok(())
    }

    #[cold]
    fn more(&mut self) -> Result<bool, Refused> {
        if self.found.canonical {
            let end = if self.trail > 1 {
                self.at
            } else {
                self.signed.end
            };
            self.supply
                .proven(self.signed.start..end.max(self.signed.start));
        }
        let came = self.supply.more().map_err(Refused::Medium)?;
        self.within_limit()?;
        Ok(came)
    }

    /// Reads a scalar or an empty container (true), or opens a container whose first value is due (false).
    fn value(&mut self) -> Result<bool, Refused> {
        match self.peek()? {
            b'{' if self.like_a_sibling() => Ok(true),
            b'{' => {
                self.enter(true)?;
                if self.peek()? == b'}' {
                    return Ok(true);
                }
                self.key()?;
                Ok(false)
            }
            b'[' => {
                self.enter(false)?;
                if self.peek()? == b']' {
                    return Ok(true);
                }
                self.element();
                Ok(false)
            }
            b'"' => self.string().map(|_| true),
            b'-' | b'0'..=b'9' => self.number().map(|()| true),
            _ => self.literal().map(|()| true),
        }
    }

    /// Reads what follows a value: closing brackets, then a separator. False at the end of the document's value.
    fn after_value(&mut self) -> Result<bool, Refused> {
        loop {
            let Some(innermost) = self.open.last() else {
                return Ok(false);
            };
            let is_array = matches!(innermost, Open::Array);
            self.space()?;
            match (self.peek()?, is_array) {
                (b',', _) => {
                    self.at += 1;
                    self.space()?;
                    if is_array {
                        self.element();
                    } else {
                        self.key()?;
                    }
                    return Ok(true);
                }
                (b']', true) | (b'}', false) => self.leave(),
                (_, true) => return Err(self.unexpected("a comma or ]")),
                (_, false) => return Err(self.unexpected("a comma or }")),
            }
        }
    }

    fn enter(&mut self, is_object: bool) -> Result<(), Refused> {
        let deepest = self.limits.depth.min(Limits::DEEPEST);
        if self.open.len() >= deepest {
            return Err(Refused::Fault(self.at, JsonFault::TooDeep(deepest)));
        }
        if self.trail == self.open.len() {
            self.follow(is_object);
        }
        self.open.push(if is_object {
            Open::Ascending(self.at, 0..0)
        } else {
            Open::Array
        });
        self.at += 1;
        self.space()
    }

    /// The container that begins here may be one on the way to the two lists.
    fn follow(&mut self, is_object: bool) {
        let key = &self.supply.text()[self.key.clone()];
        let is = |name: &[u8]| string::compare(key, name) == Ordering::Equal;
        match self.trail {
            0 => self.trail = usize::from(is_object),
            depth @ (1 | 2) if is_object && is(TRAIL[depth - 1]) => self.trail += 1,
            3 if is_object && is(b"keys") => self.list(|found| &mut found.keys),
            3 if !is_object && is(b"roles") => self.list(|found| &mut found.roles),
            _ => {}
        }
        if self.trail == 2 && self.open.len() == 1 {
            self.signed = self.at..self.at;
        }
    }

    /// Passes an entry of the open list that is written as one before it.
    fn like_a_sibling(&mut self) -> bool {
        if self.trail != 4 || self.open.len() != 4 {
            return false;
        }
        let (text, longest) = (self.supply.text(), self.limits.string);
        let Some(like) = self.siblings.like(text, self.at, longest) else {
            return false;
        };
        self.at = like.end;
        if let Some(name) = like.name {
            self.roles(|list, text| list.named_plainly(&name, text));
        }
        true
    }

    fn list(&mut self, which: impl Fn(&mut Entries) -> &mut Option<List>) {
        self.siblings = Siblings::default();
        *which(&mut self.found.entries) = Some(List::opened(self.at));
        self.trail = 4;
    }

    fn leave(&mut self) {
        if self.trail == self.open.len() {
            match self.trail {
                4 => {
                    let at = self.at;
                    if let Some(list) = self.open_list() {
                        list.close(at);
                    }
                }
                2 => self.signed.end = self.at + 1,
                _ => {}
            }
            self.trail -= 1;
        }
        self.at += 1;
        if let Some(Open::Ascending(start, _)) = self.open.pop()
            && self.trail == 4
            && self.open.len() == 4
        {
            self.siblings.learn(self.supply.text(), start..self.at);
        }
        if self.trail == 4 && self.open.len() == 4 {
            self.roles(List::ended);
        }
    }

    /// If the open list is of roles: what is learnt of one.
    fn roles(&mut self, learn: impl FnOnce(&mut List, &[u8])) {
        let roles = &mut self.found.entries.roles;
        if let (Some(Open::Array), Some(list)) = (self.open.get(3), roles) {
            learn(list, self.supply.text());
        }
    }

    /// The list that is open: of roles if it is an array.
    fn open_list(&mut self) -> Option<&mut List> {
        let entries = &mut self.found.entries;
        match self.open.get(3) {
            Some(Open::Array) => entries.roles.as_mut(),
            _ => entries.keys.as_mut(),
        }
    }

    /// An element or a member begins here.
    fn element(&mut self) {
        let at = self.at;
        if self.trail == 4
            && self.open.len() == 4
            && let Some(list) = self.open_list()
        {
            list.start(at);
        }
    }

    /// Reads a key and its colon, up to the value.
    fn key(&mut self) -> Result<(), Refused> {
        if self.peek()? != b'"' {
            return Err(self.unexpected("a key"));
        }
        self.element();
        let key = self.string()?;
        self.distinct(&key)?;
        self.key = key;
        self.space()?;
        if self.peek()? != b':' {
            return Err(self.unexpected("a colon"));
        }
        self.at += 1;
        self.space()?;
        self.role_name();
        Ok(())
    }

    /// Where what was just read is the key `name` of a role, its value begins here.
    fn role_name(&mut self) {
        let in_role = self.trail == 4 && self.open.len() == 5;
        if in_role && self.supply.text()[self.key.clone()] == *b"name" {
            let at = self.at;
            self.roles(|list, _| list.named(at));
        }
    }

    /// Refuses a key that its object has already. Keys compare unescaped: `"k"` is `"\u006b"`.
    fn distinct(&mut self, key: &Range<usize>) -> Result<(), Refused> {
        let text = self.supply.text();
        let Some(innermost) = self.open.last_mut() else {
            return Ok(());
        };
        if let Open::Ascending(start, last) = innermost {
            let ascends = last.end == 0
                || string::compare(&text[last.clone()], &text[key.clone()]) == Ordering::Less;
            if ascends {
                *last = key.clone();
                return Ok(());
            }
            if self.trail > 1 {
                let found = &mut self.found;
                (found.ordered, found.compact, found.canonical) = (false, false, false);
            }
            // What lies before is proven, so the keys so far are found again.
            *innermost = Open::Few(Walk::keys_before(text, *start, key.start - 1).collect());
        }
        let is_known = match innermost {
            Open::Few(seen) => seen.iter().any(|seen| {
                string::compare(&text[seen.clone()], &text[key.clone()]) == Ordering::Equal
            }),
            Open::Many(seen) => seen.contains(&string::meant(&text[key.clone()])),
            Open::Array | Open::Ascending(..) => false,
        };
        if is_known {
            let meant = string::meant(&text[key.clone()]);
            let fault = JsonFault::DuplicateKey(quoted(&String::from_utf8_lossy(&meant)));
            return Err(Refused::Fault(key.start - 1, fault));
        }
        match innermost {
            Open::Few(seen) => {
                seen.push(key.clone());
                if seen.len() > FEW {
                    let seen = seen.iter().map(|key| string::meant(&text[key.clone()]));
                    *innermost = Open::Many(seen.collect());
                }
            }
            Open::Many(seen) => {
                seen.insert(string::meant(&text[key.clone()]));
            }
            Open::Array | Open::Ascending(..) => {}
        }
        Ok(())
    }
}
