//! Untrusted text made safe to print: printable ASCII stays, everything else becomes `\u{…}`. Filtering control characters would not be enough:
//! bidirectional overrides, zero-width characters and look-alike letters are not control characters (reliability facts 2.1).

/// `text` with everything but printable ASCII escaped.
pub fn escape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => plain.push(character),
            _ => plain.extend(character.escape_unicode()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn only_printable_ascii_passes_unescaped() {
        let cases = [
            ("root v2: 3 of 3", "root v2: 3 of 3"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("p\u{430}ypal", "p\\u{430}ypal"),
            ("line\nfeed", "line\\u{a}feed"),
            ("back\\slash", "back\\slash"),
        ];
        for (text, plain) in cases {
            assert_eq!(escape(text), plain);
        }
    }
}
