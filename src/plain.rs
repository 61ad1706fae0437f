//! Untrusted text made safe to print: printable ASCII stays, everything else becomes `\u{…}`. Filtering control characters would not be enough:
//! bidirectional overrides, zero-width characters and look-alike letters are not control characters.

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

/// Where a TOML text is wrong and why, without quoting it: the reader's own message shows the whole line, and in a script or room that wrongly holds a
/// PIN that line is the PIN (the PSF ceremony of 2020 showed one on a live stream).
pub fn toml_fault(text: &str, fault: &toml::de::Error) -> String {
    let offset = fault.span().map_or(0, |span| span.start);
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    // A message of several lines, or one that quotes a value, is cut before it does.
    let message = fault.message().lines().next().unwrap_or_default();
    let message = match message.split_once(", expected") {
        Some((found, expected)) if found.starts_with("invalid ") => {
            let what = found.split_once(": ").map_or(found, |(what, _)| what);
            format!("{what}, expected{expected}")
        }
        _ => message.to_owned(),
    };
    format!("line {line}, column {column}: {message}")
}

/// Whether every component matches `^[0-9a-z][0-9a-z._-]{0,100}$`: what FAT, case-insensitive file systems and every shell carry unharmed, and
/// what can name nothing outside the folder.
pub fn is_portable(path: &str) -> bool {
    path.split('/').all(|component| {
        let plain = |c: u8| c.is_ascii_digit() || c.is_ascii_lowercase();
        let bytes = component.as_bytes();
        bytes.len() <= 101
            && bytes.first().is_some_and(|first| plain(*first))
            && bytes.iter().all(|c| plain(*c) || b"._-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{escape, toml_fault};

    #[test]
    fn a_toml_fault_says_where_and_never_quotes_a_value() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wanted {
            #[allow(dead_code, reason = "only read in")]
            version: u64,
        }
        let cases = [
            (
                "version = 1\nso_pin = \"3537363231383830\"\n",
                "line 2, column 1: unknown field `so_pin`, expected `version`",
            ),
            (
                "version = \"3537363231383830\"\n",
                "line 1, column 11: invalid type, expected u64",
            ),
            (
                "version = 3537363231383830 0\n",
                "line 1, column 11: string values must be quoted, expected literal string",
            ),
        ];
        for (text, expected) in cases {
            let fault = toml::from_str::<Wanted>(text).unwrap_err();
            assert_eq!(toml_fault(text, &fault), expected);
        }
    }

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
