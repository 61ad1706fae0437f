//! Owners of developers' keys, by the word of PyPI: labels such as `alice (laptop)`.

/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 100;

/// Whether `label` can be shown and compared: 1 to [`LONGEST_LABEL`] characters, no control characters, no blanks at its ends.
///
/// # Errors
/// What is wrong with it, to be put behind its place.
pub(super) fn check_label(label: &str) -> Result<(), String> {
    let length = label.chars().count();
    let is_right = (1..=LONGEST_LABEL).contains(&length)
        && !label.chars().any(char::is_control)
        && label.trim() == label
        && !person(label).is_empty();
    if is_right {
        return Ok(());
    }
    Err(format!(
        "must be a name of 1 to {LONGEST_LABEL} characters, as alice or alice (laptop)"
    ))
}

/// The person of a label: what stands before ` (`, so that one person with two machines is one.
pub fn person(label: &str) -> &str {
    label.split_once(" (").map_or(label, |(person, _)| person)
}
