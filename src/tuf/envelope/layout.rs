//! How the `signatures` list of a file is laid out, so that a new entry looks like its neighbours.

use std::ops::Range;

use super::Signature;
use crate::tuf::json::Json;
use crate::tuf::style;

/// The text around the parts of an entry. Derived from an entry that it wrote itself it comes out the same, so
/// the order in which entries are added leaves no trace.
pub(super) struct Layout {
    /// Before the first entry: white space.
    before: String,
    /// Behind the only entry: white space. A list that has entries keeps what it has there.
    after: String,
    /// Between the brace and the first member of an entry: white space.
    opening: String,
    /// Between a key and its value: a colon and white space.
    colon: String,
    /// Between two members of an entry: a comma and white space.
    comma: String,
    /// Between the last member of an entry and its brace: white space.
    closing: String,
}

impl Layout {
    /// The layout of the first entry of `list`; of an empty list, the one that `text` suggests.
    pub(super) fn of(text: &str, list: Json<'_>) -> Self {
        Self::of_first_entry(text, list).unwrap_or_else(|| Self::suggested(text, list))
    }

    fn of_first_entry(text: &str, list: Json<'_>) -> Option<Self> {
        let entry = list.elements().next()?;
        let members: Vec<_> = entry.entries().collect();
        let [(key, value), (next_key, _), ..] = members[..] else {
            return None;
        };
        let end = members.last()?.1.span().end;
        let between = |from: usize, to: usize| text[from..to].to_owned();
        Some(Self {
            before: between(list.span().start + 1, entry.span().start),
            after: String::new(),
            opening: between(entry.span().start + 1, key.span().start),
            colon: between(key.span().end, value.span().start),
            comma: between(value.span().end, next_key.span().start),
            closing: between(end, entry.span().end - 1),
        })
    }

    /// Goes by the member `"signatures": []` itself: on a line of its own, its indentation is the unit.
    fn suggested(text: &str, list: Json<'_>) -> Self {
        let before_list = &text[..list.span().start];
        // The list is a member of an object, so its key and a brace or comma stand before it.
        let key = before_list.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == ':');
        let colon = before_list[key.len()..].to_owned();
        let before_key = &key[..key.len() - "\"signatures\"".len().min(key.len())];
        let gap = &before_key[before_key.trim_ascii_end().len()..];
        match gap.rsplit_once('\n') {
            Some((above, indent)) => {
                let end_of_line = if above.ends_with('\r') { "\r\n" } else { "\n" };
                let line = |depth| format!("{end_of_line}{}", indent.repeat(depth));
                Self {
                    before: line(2),
                    after: line(1),
                    opening: line(3),
                    comma: format!(",{}", line(3)),
                    closing: line(2),
                    colon,
                }
            }
            None => Self {
                before: String::new(),
                after: String::new(),
                opening: String::new(),
                comma: colon.trim_start().replacen(':', ",", 1),
                closing: String::new(),
                colon,
            },
        }
    }

    /// What to put where, so that `entry` becomes number `index` of `list`.
    pub(super) fn insertion(
        &self,
        list: Json<'_>,
        index: usize,
        entry: &Signature,
    ) -> (Range<usize>, String) {
        let new = self.entry(entry);
        let separator = if self.before.contains('\n') {
            format!(",{}", self.before)
        } else {
            self.comma.clone()
        };
        let entries: Vec<_> = list.elements().map(Json::span).collect();
        match (entries.get(index), entries.last()) {
            (Some(next), _) => (next.start..next.start, format!("{new}{separator}")),
            (None, Some(previous)) => (previous.end..previous.end, format!("{separator}{new}")),
            (None, None) => {
                let inside = list.span().start + 1..list.span().end - 1;
                (inside, format!("{}{new}{}", self.before, self.after))
            }
        }
    }

    fn entry(&self, entry: &Signature) -> String {
        let Self {
            opening,
            colon,
            comma,
            closing,
            ..
        } = self;
        let mut keyid = String::new();
        style::write_string(&entry.keyid.0, &mut keyid);
        let sig = &entry.sig;
        format!("{{{opening}\"keyid\"{colon}{keyid}{comma}\"sig\"{colon}\"{sig}\"{closing}}}")
    }
}
