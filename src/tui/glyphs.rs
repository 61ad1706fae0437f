//! Which characters may be drawn. A bare Linux VT lacks rounded and heavy boxes, check marks, one-character ellipses and braille, and console-setup's
//! fonts lack half blocks: only single lines and full blocks are used, and ASCII where even those are in doubt.

/// A set of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyphs {
    /// What every Linux VT font has.
    Vt,
    /// For serial lines and unknown terminals.
    Ascii,
}

impl Glyphs {
    /// ASCII if asked for or if `TERM` is not known to show lines and blocks.
    pub(super) fn choose(ascii: bool, term: Option<&str>) -> Self {
        match term {
            _ if ascii => Self::Ascii,
            None | Some("" | "dumb" | "vt52" | "vt100" | "vt102" | "vt220") => Self::Ascii,
            Some(_) => Self::Vt,
        }
    }
    /// A horizontal line.
    pub(super) fn rule(self) -> char {
        match self {
            Self::Vt => '─',
            Self::Ascii => '-',
        }
    }
    /// A filled cell of large type.
    pub(super) fn block(self) -> char {
        match self {
            Self::Vt => '█',
            Self::Ascii => '#',
        }
    }
    /// Whether a character may be drawn at all.
    pub(super) fn allows(character: char) -> bool {
        matches!(character, ' '..='~' | '─' | '█')
    }
}

#[cfg(test)]
mod tests {
    use super::Glyphs;

    #[test]
    fn serial_terminals_get_ascii() {
        let cases = [
            (false, Some("linux"), Glyphs::Vt),
            (false, Some("xterm-256color"), Glyphs::Vt),
            (false, Some("vt100"), Glyphs::Ascii),
            (false, Some("dumb"), Glyphs::Ascii),
            (false, None, Glyphs::Ascii),
            (true, Some("linux"), Glyphs::Ascii),
        ];
        for (ascii, term, expected) in cases {
            assert_eq!(Glyphs::choose(ascii, term), expected, "{ascii} {term:?}");
        }
    }
}
