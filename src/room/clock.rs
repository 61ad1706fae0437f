//! The one place that reads the clock.

/// UTC now, in whole seconds.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one clock of the house"
)]
pub fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// For a screen's corner: `2026-11-22 11:24 UTC`.
pub fn corner() -> String {
    now().strftime("%Y-%m-%d %H:%M UTC").to_string()
}
