//! Faults as words: the same on the command line and on a control socket.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use crate::faults::{Controls, Faults, Refusal, Touch};

/// What can be said, for the help text.
pub const GRAMMAR: &str = "\
pull-after-apdus N | pull-after-signatures N
flip-signature on|off | repeat-nonce on|off | other-key on|off | attest-other-key on|off
serial N | touch MILLISECONDS | touch by-hand | touch-timeout MILLISECONDS | refuse INS AFTER STATUS (hex, number, hex)
clear (no faults) | finger (touch it now) | log (what it was asked)";

/// Does what one line says; the answer is for whoever said it.
///
/// # Errors
///
/// The line means nothing: the text repeats the grammar.
pub fn obey(line: &str, controls: &Controls) -> Result<String, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let done = Ok("done".to_owned());
    match words.as_slice() {
        ["finger"] if controls.touch() => done,
        ["finger"] => Ok("it does not blink".to_owned()),
        ["log"] => {
            let lines: Vec<String> = controls.log().iter().map(ToString::to_string).collect();
            Ok(lines.join("\n"))
        }
        words => {
            let mut faults = controls.faults();
            change(words, &mut faults)
                .ok_or_else(|| format!("`{line}` means nothing here. One of:\n{GRAMMAR}"))?;
            controls.set(|current| *current = faults);
            done
        }
    }
}

fn change(words: &[&str], faults: &mut Faults) -> Option<()> {
    match words {
        ["clear"] => *faults = Faults::default(),
        ["pull-after-apdus", n] => faults.pull_after_apdus = Some(n.parse().ok()?),
        ["pull-after-signatures", n] => faults.pull_after_signatures = Some(n.parse().ok()?),
        ["flip-signature", on] => faults.flip_signature = switch(on)?,
        ["repeat-nonce", on] => faults.repeat_nonce = switch(on)?,
        ["other-key", on] => faults.sign_with_other_key = switch(on)?,
        ["attest-other-key", on] => faults.attest_other_key = switch(on)?,
        ["serial", n] => faults.serial = Some(n.parse().ok()?),
        ["touch", "by-hand"] => faults.touch = Touch::ByHand,
        ["touch", time] => faults.touch = Touch::After(milliseconds(time)?),
        ["touch-timeout", time] => faults.touch_timeout = milliseconds(time)?,
        ["refuse", ins, after, status] => faults.refuse.push(Refusal {
            ins: u8::from_str_radix(ins, 16).ok()?,
            after: after.parse().ok()?,
            status: u16::from_str_radix(status, 16).ok()?,
        }),
        _ => return None,
    }
    Some(())
}

fn switch(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn milliseconds(word: &str) -> Option<Duration> {
    word.parse().ok().map(Duration::from_millis)
}

/// Listens at `path` and obeys each line; ends with the program.
///
/// # Errors
///
/// The socket cannot be made.
pub fn listen(path: &Path, controls: Controls) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let controls = controls.clone();
            // A caller who hangs up in the middle is no concern of the card.
            std::thread::spawn(move || drop(converse(stream, &controls)));
        }
    });
    Ok(())
}

fn converse(stream: UnixStream, controls: &Controls) -> io::Result<()> {
    let mut answers = stream.try_clone()?;
    for line in BufReader::new(stream).lines() {
        let answer = obey(&line?, controls).unwrap_or_else(|wrong| wrong);
        writeln!(answers, "{}", answer.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_fault_can_be_said() {
        let controls = Controls::default();
        let lines = [
            "pull-after-apdus 3",
            "pull-after-signatures 0",
            "flip-signature on",
            "repeat-nonce on",
            "other-key on",
            "attest-other-key on",
            "serial 7",
            "touch by-hand",
            "touch-timeout 50",
            "refuse 87 1 6F00",
        ];
        for line in lines {
            obey(line, &controls).unwrap();
        }
        let expected = Faults {
            pull_after_apdus: Some(3),
            pull_after_signatures: Some(0),
            flip_signature: true,
            repeat_nonce: true,
            sign_with_other_key: true,
            serial: Some(7),
            attest_other_key: true,
            refuse: vec![Refusal {
                ins: 0x87,
                after: 1,
                status: 0x6f00,
            }],
            touch: Touch::ByHand,
            touch_timeout: Duration::from_millis(50),
        };
        assert_eq!(controls.faults(), expected);
        obey("clear", &controls).unwrap();
        assert_eq!(controls.faults(), Faults::default());
    }

    #[test]
    fn what_means_nothing_changes_nothing() {
        let controls = Controls::default();
        for line in [
            "",
            "pull",
            "serial x",
            "flip-signature maybe",
            "refuse 87 1",
        ] {
            assert!(obey(line, &controls).is_err(), "{line}");
        }
        assert_eq!(controls.faults(), Faults::default());
    }
}
