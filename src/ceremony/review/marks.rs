//! What is known of an entry without reading the files: in what it differs and why it must be looked at, a bit each.

use super::change::Kind;
use super::watch::{Reason, Watch};

/// Kinds of change and reasons to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u32);

impl Marks {
    const KINDS: u32 = (1 << Kind::ALL.len()) - 1;

    /// Those of an entry.
    pub fn of(kinds: &[Kind], reasons: &[Reason]) -> Self {
        let kinds = kinds.iter().copied().map(Self::from);
        let reasons = reasons.iter().map(|reason| Self::from(reason.watch));
        kinds.chain(reasons).fold(Self::default(), Self::and)
    }
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether `mark` is among them.
    pub fn has(self, mark: impl Into<Self>) -> bool {
        self.0 & mark.into().0 != 0
    }
    /// Whether the entry differs, in whatever.
    pub fn differs(self) -> bool {
        self.0 & Self::KINDS != 0
    }
    /// Whether it must be seen for a reason of its own.
    pub fn is_watched(self) -> bool {
        self.0 & !Self::KINDS & !Self::from(Watch::Crowded).0 != 0
    }
}

impl From<Kind> for Marks {
    fn from(kind: Kind) -> Self {
        Self(1 << kind as u32)
    }
}

impl From<Watch> for Marks {
    fn from(watch: Watch) -> Self {
        Self(1 << (Self::KINDS.count_ones() + watch as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_reason_has_a_bit_of_its_own() {
        let kinds = Kind::ALL.map(Marks::from);
        let all: Vec<Marks> = kinds
            .into_iter()
            .chain(Watch::ALL.map(Marks::from))
            .collect();
        for (place, mark) in all.iter().enumerate() {
            let has = all.iter().map(|other| mark.has(*other));
            assert_eq!(has.filter(|has| *has).count(), 1, "{mark:?}");
            assert_eq!(mark.differs(), place < Kind::ALL.len(), "{mark:?}");
        }
        for watch in Watch::ALL {
            assert_eq!(
                Marks::from(watch).is_watched(),
                watch.is_gating(),
                "{watch:?}"
            );
        }
        assert!(kinds.iter().all(|mark| !mark.is_watched()));
    }
}
