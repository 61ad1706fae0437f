//! Whether hash prefixes cover every hash.

/// The smallest beginning of a hash that none of `prefixes` covers; `None` where they cover all. Linear but for the sorting.
pub(super) fn gap(prefixes: &[String]) -> Option<String> {
    let mut sorted: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    // Where the next prefix must begin: everything before is covered. Trailing zeros mean nothing.
    let mut next = Some(String::new());
    for prefix in sorted {
        let from = next.as_deref()?;
        if !prefix.bytes().all(is_digit) {
            continue;
        }
        let start = prefix.trim_end_matches('0');
        match start.cmp(from) {
            // It lies within what an earlier, shorter one covers, or begins where that one began and is longer or shorter.
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => next = after(prefix),
            std::cmp::Ordering::Greater => break,
        }
    }
    next.map(|next| {
        if next.is_empty() {
            "0".to_owned()
        } else {
            next
        }
    })
}

/// The beginning that follows everything under `prefix`, without trailing zeros; `None` after the last.
fn after(prefix: &str) -> Option<String> {
    let rest = prefix.trim_end_matches('f');
    let (head, last) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let digit = u32::from_str_radix(last, 16).ok()? + 1;
    let digit = char::from_digit(digit, 16)?;
    Some(format!("{head}{digit}"))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}
