//! Hostile inputs at a small size: what is refused, and in which words, is the same at any size.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests"
)]

use std::process::Command;

use bench::hostile::CASES;
use bench::made;

#[test]
fn each_is_refused_in_words_or_read() {
    let before = made::list(10).unwrap();
    let table = [
        (1000, "read: "),
        (1000, "read: "),
        (
            70_000,
            "JSON-STRICT: This is not strict JSON: line 1, column 300: a string longer than 65536 bytes.",
        ),
        (
            40,
            "JSON-STRICT: This is not strict JSON: line 1, column 330: nested deeper than 32 levels.",
        ),
        (
            1000,
            "JSON-STRICT: This is not strict JSON: line 1, column 201: the key \"k\" occurs twice in one object.",
        ),
        (
            1000,
            "DELEGATION-FORM: signed.delegations.roles[500] delegates to project-0000000 a second time",
        ),
        (1000, "read: "),
        (1000, "read: "),
        (1000, "read: "),
        (1000, "read: "),
        (
            100,
            "64 of 64 refused; the last: JSON-STRICT: This is not strict JSON: line 1, column",
        ),
    ];
    for (case, (number, words)) in CASES.iter().zip(table) {
        let verdict = case.judge(&before, case.make(number).unwrap());
        assert!(
            verdict.text.starts_with(words),
            "{}: {}",
            case.name,
            verdict.text
        );
        assert_eq!(verdict.refused, !words.starts_with("read"), "{}", case.name);
    }
    assert_eq!(CASES.len(), table.len());
}

/// So many times its bytes is the most memory that one may take while it is read, by its place in the list. Keys and members that came are told with what is in them, so
/// they are all held at once.
const MEMORY: [f64; 11] = [6.0, 6.0, 2.0, 2.0, 2.0, 2.0, 4.0, 11.0, 16.0, 28.0, 5.0];
/// What the process has beside it, in MiB.
const PROCESS: f64 = 10.0;
/// Four times the size may take so many times as long: linear, and the noise of a busy machine. The square would be 16.
const GROWTH: f64 = 8.0;
/// Below so many seconds a ratio says nothing.
const INSTANT: f64 = 0.1;

/// What is too much is the same at any size, so a part of it is enough.
#[test]
fn none_takes_more_memory_than_some_times_its_bytes_or_time_that_grows_with_its_square() {
    for (index, (case, most)) in CASES.iter().zip(MEMORY).enumerate() {
        let one = |number: usize| {
            let output = Command::new(env!("CARGO_BIN_EXE_adversarial"))
                .args([index.to_string(), number.to_string()])
                .output()
                .unwrap();
            assert!(output.status.success(), "{}: {output:?}", case.name);
            let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let figure = |name: &str| said[name].as_f64().unwrap();
            (
                figure("bytes") / 1_048_576.0,
                figure("peak_mib"),
                figure("cpu"),
            )
        };
        let (_, _, before) = one(case.full / 80);
        let (bytes, peak, cpu) = one(case.full / 20);
        println!(
            "{}: {bytes:.1} MiB, peak {peak:.1} MiB, {before:.3} s and {cpu:.3} s",
            case.name
        );
        assert!(
            peak <= most * bytes + PROCESS,
            "{}: {peak} MiB for {bytes} MiB",
            case.name
        );
        assert!(
            cpu <= INSTANT || cpu <= GROWTH * before,
            "{}: {before} s, and four times of it {cpu} s",
            case.name
        );
    }
}
