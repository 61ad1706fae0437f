//! `expires`: the text as found, and the instant it means.

/// An expiry date. The original text is what was signed and is never re-formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expires {
    text: String,
    at: jiff::Timestamp,
    strict: bool,
}

/// A text that is no date at all, or one no client reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date of the form YYYY-MM-DDTHH:MM:SSZ")]
pub struct NotADate(pub String);

impl Expires {
    /// Reads the strict form `YYYY-MM-DDTHH:MM:SSZ` and the foreign forms that real roots have (offsets,
    /// fractions: Sigstore v1 to v3), which are kept and marked as not strict.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        let refused = || NotADate(text.to_owned());
        let rest = after_date_and_time(text).ok_or_else(refused)?;
        if !is_fraction_and_zone(rest) {
            return Err(refused());
        }
        let at = text.parse().map_err(|_| refused())?;
        Ok(Self {
            text: text.to_owned(),
            at,
            strict: rest == "Z",
        })
    }
    /// The text as found.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The instant.
    pub fn at(&self) -> jiff::Timestamp {
        self.at
    }
    /// Whether the text has the one form that every client reads.
    pub fn is_strict(&self) -> bool {
        self.strict
    }
}

/// What follows `YYYY-MM-DDTHH:MM:SS`. Only the shape is judged, and the leap second refused, which the date
/// library would silently turn into the second before.
fn after_date_and_time(text: &str) -> Option<&str> {
    let (date_and_time, rest) = text.split_at_checked("YYYY-MM-DDTHH:MM:SS".len())?;
    let has_shape =
        has_shape(date_and_time, "0000-00-00T00:00:00") && !date_and_time.ends_with("60");
    has_shape.then_some(rest)
}

/// Whether `rest` is an optional fraction and then `Z` or an offset such as `-06:00`.
fn is_fraction_and_zone(rest: &str) -> bool {
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    zone == "Z" || has_shape(zone, "+00:00") || has_shape(zone, "-00:00")
}

/// Whether `text` equals `shape`, any digit standing for `0`.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(b, wanted)| b == wanted || (wanted == b'0' && b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_strict_form_and_the_forms_of_real_roots_are_read() {
        let table = [
            ("2027-11-22T13:02:00Z", "2027-11-22T13:02:00Z", true),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", true),
            ("9999-12-30T21:59:59Z", "9999-12-30T21:59:59Z", true),
            (
                "2021-12-18T13:28:12.99008-06:00",
                "2021-12-18T19:28:12.99008Z",
                false,
            ),
            (
                "2022-05-11T19:09:02.663975009Z",
                "2022-05-11T19:09:02.663975009Z",
                false,
            ),
            ("2027-11-22T13:02:00+00:00", "2027-11-22T13:02:00Z", false),
            ("2027-11-22T13:02:00+05:30", "2027-11-22T07:32:00Z", false),
        ];
        for (text, at, strict) in table {
            let expires = Expires::parse(text).expect(text);
            assert_eq!(expires.text(), text);
            assert_eq!(expires.at().to_string(), at, "{text}");
            assert_eq!(expires.is_strict(), strict, "{text}");
        }
    }

    #[test]
    fn everything_else_is_no_date() {
        let table = [
            "",
            "Z",
            "soon",
            "2027-11-22",
            "2027-11-22T13:02Z",
            "2027-11-22T13:02:00",
            "2027-11-22 13:02:00Z",
            "2027-11-22t13:02:00Z",
            "2027-11-22T13:02:00z",
            "2027-13-22T13:02:00Z",
            "2027-02-29T13:02:00Z",
            "2027-11-22T24:00:00Z",
            "2027-11-22T13:60:00Z",
            "2016-12-31T23:59:60Z",
            "2027-11-22T13:02:00.Z",
            "2027-11-22T13:02:00.1234567890Z",
            "2027-11-22T13:02:00+0000",
            "2027-11-22T13:02:00+00",
            "2027-11-22T13:02:00Z ",
            " 2027-11-22T13:02:00Z",
            "2027-11-22T13:02:00Z[UTC]",
            "+002027-11-22T13:02:00Z",
            "10000-01-01T00:00:00Z",
            "-001-11-22T13:02:00Z",
            "２027-11-22T13:02:00Z",
            "2027-11-22T13:02:00é",
            "20271122T130200Z",
        ];
        for text in table {
            assert_eq!(
                Expires::parse(text),
                Err(NotADate(text.to_owned())),
                "{text}"
            );
        }
        assert_eq!(
            Expires::parse("next\u{202e} year").unwrap_err().to_string(),
            "\"next\\u{202e} year\" is not a date of the form YYYY-MM-DDTHH:MM:SSZ"
        );
    }
}
