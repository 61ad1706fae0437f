//! How fast a batch goes, and how long it may still take: for screens and printers.

use std::fmt;
use std::time::Duration;

/// So many of so many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    done: usize,
    all: usize,
    since: Duration,
}

impl Pace {
    /// `done` of `all` since `since`.
    pub fn of(done: usize, all: usize, since: Duration) -> Self {
        Self { done, all, since }
    }
    /// How many are done.
    pub fn done(self) -> usize {
        self.done
    }
    /// Of how many.
    pub fn all(self) -> usize {
        self.all
    }
    /// What the others take if they take as long; none before the first is done.
    fn left(self) -> Option<Duration> {
        let done = u32::try_from(self.done).ok().filter(|done| *done > 0)?;
        let left = u32::try_from(self.all.saturating_sub(self.done)).ok()?;
        Some(self.since / done * left)
    }
}

impl fmt::Display for Pace {
    /// `120 of 732 signed, 4.1 a second, about 3 minutes left`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} signed", self.done, self.all)?;
        let Some(left) = self.left() else {
            return Ok(());
        };
        let millis = self.since.as_millis().max(1);
        // Tenths, in whole numbers.
        let tenths = self.done as u128 * 10_000 / millis;
        if tenths >= 10 {
            write!(f, ", {}.{} a second", tenths / 10, tenths % 10)?;
        } else {
            let minute = self.done as u128 * 60_000 / millis;
            write!(f, ", {minute} a minute")?;
        }
        if self.done < self.all {
            write!(f, ", about {} left", words(left))?;
        }
        Ok(())
    }
}

/// A span of time for people: `12 seconds`, `3 minutes`.
pub fn words(span: Duration) -> String {
    let counted = |count: u64, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    match span.as_secs() {
        0 => counted(u64::from(span.subsec_millis()), "millisecond"),
        seconds @ 1..100 => counted(seconds, "second"),
        seconds => counted(seconds.div_ceil(60), "minute"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Pace};

    #[test]
    fn rate_and_time_left_follow_from_what_is_done() {
        let told = |done, millis| Pace::of(done, 732, Duration::from_millis(millis)).to_string();
        for (done, millis, text) in [
            (0, 5_000, "0 of 732 signed"),
            (
                1,
                0,
                "1 of 732 signed, 1000.0 a second, about 0 milliseconds left",
            ),
            (
                100,
                10_000,
                "100 of 732 signed, 10.0 a second, about 63 seconds left",
            ),
            (
                10,
                60_000,
                "10 of 732 signed, 10 a minute, about 73 minutes left",
            ),
            (
                731,
                73_100,
                "731 of 732 signed, 10.0 a second, about 100 milliseconds left",
            ),
            (732, 73_200, "732 of 732 signed, 10.0 a second"),
        ] {
            assert_eq!(told(done, millis), text);
        }
    }
}
