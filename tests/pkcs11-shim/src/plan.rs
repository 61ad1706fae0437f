//! What the shim is to do: read once when the module is loaded, from a text file beside it and from the environment.
//!
//! One order a line; a blank line and one that begins with `#` say nothing. A line that is not understood is an error and the module
//! then does not load: a fault that is silently not injected would make a test that cannot fail.

use std::path::PathBuf;

use cryptoki_sys::CK_RV;

use crate::codes;
use crate::functions::WRAPPED;
use crate::lies::Lie;

/// A whole plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The module that calls go to.
    pub(crate) real: PathBuf,
    pub(crate) log: Option<PathBuf>,
    /// Set before the real module is loaded: the program may have cleaned the environment.
    pub(crate) environment: Vec<(String, String)>,
    /// Functions whose pointer is NULL in the list.
    pub(crate) missing: Vec<String>,
    /// Every private key wants a fresh login for each signature.
    pub(crate) always_authenticate: bool,
    /// What is typed on the token's own keys when a login brings no PIN.
    pub(crate) pin_pad: Option<String>,
    /// Numbers of calls go on from those in the log, so that a plan spans the processes that a test starts.
    pub(crate) count_across_processes: bool,
    pub(crate) faults: Vec<Fault>,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// None is any function; calls of all of them are then counted together.
    pub(crate) function: Option<String>,
    pub(crate) calls: Calls,
    /// The call reaches the real module first.
    pub(crate) after: bool,
    pub(crate) what: What,
}

/// Which calls of a function, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calls {
    first: u64,
    last: u64,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// This code is returned.
    Code(CK_RV),
    Kill,
    Segv,
    Abort,
    Exit(i32),
    Hang,
    /// Milliseconds.
    Sleep(u64),
    /// To stdout and stderr.
    Print(Vec<u8>),
    /// libusb is loaded and initialised; where that fails, `CKR_DEVICE_ERROR`.
    Libusb,
    /// A socket is opened; where that fails, `CKR_DEVICE_ERROR`.
    Socket(Socket),
    /// The call succeeds and its result is wrong.
    Lie(Lie),
}

/// Sockets that a module may want to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Socket {
    Unix,
    Inet,
    Inet6,
    /// The kernel's messages on devices.
    Uevent,
    /// Another netlink protocol.
    Netlink,
}

impl Socket {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "unix" => Self::Unix,
            "inet" => Self::Inet,
            "inet6" => Self::Inet6,
            "uevent" => Self::Uevent,
            "netlink" => Self::Netlink,
            _ => return Err("not unix, inet, inet6, uevent or netlink".to_owned()),
        })
    }
}

impl Plan {
    /// Adds the orders of `text`, which come from `source`.
    pub(crate) fn add(&mut self, text: &str, source: &str) -> Result<(), String> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.order(line)
                .map_err(|why| format!("{source}, line {}: {why}: {line:?}", number + 1))?;
        }
        Ok(())
    }

    fn order(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = split(line);
        match word {
            "real" if !rest.is_empty() => self.real = rest.into(),
            "log" if !rest.is_empty() => self.log = Some(rest.into()),
            "env" => {
                let (name, value) = split(rest);
                self.environment.push((name.to_owned(), value.to_owned()));
            }
            "missing" => self.missing.push(wrapped(rest)?),
            "always-authenticate" if rest.is_empty() => self.always_authenticate = true,
            "pin-pad" if !rest.is_empty() => self.pin_pad = Some(rest.to_owned()),
            "count-across-processes" if rest.is_empty() => self.count_across_processes = true,
            "*" => self.faults.push(Fault::parse(None, rest)?),
            _ if word.starts_with("C_") => {
                self.faults.push(Fault::parse(Some(wrapped(word)?), rest)?);
            }
            _ => return Err("not an order".to_owned()),
        }
        Ok(())
    }
}

impl Fault {
    fn parse(function: Option<String>, rest: &str) -> Result<Self, String> {
        let (calls, rest) = split(rest);
        let calls = Calls::parse(calls).ok_or("which calls? N, N+, N-M or *")?;
        let (after, rest) = match split(rest) {
            ("after", rest) => (true, rest),
            _ => (false, rest),
        };
        let what = What::parse(function.as_deref(), rest)?;
        if after && matches!(what, What::Lie(_)) {
            return Err("a lie has no before and after".to_owned());
        }
        Ok(Self {
            function,
            calls,
            after,
            what,
        })
    }

    /// Whether it is due at the `call`-th call of `function`, the `total`-th of all.
    pub(crate) fn is_due(&self, function: &str, call: u64, total: u64) -> bool {
        match &self.function {
            Some(name) => name == function && self.calls.has(call),
            None => self.calls.has(total),
        }
    }
}

impl Calls {
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let (first, last) = if text == "*" {
            (1, u64::MAX)
        } else if let Some(first) = text.strip_suffix('+') {
            (number(first)?, u64::MAX)
        } else if let Some((first, last)) = text.split_once('-') {
            (number(first)?, number(last)?)
        } else {
            (number(text)?, number(text)?)
        };
        (first <= last).then_some(Self { first, last })
    }

    fn has(self, call: u64) -> bool {
        (self.first..=self.last).contains(&call)
    }
}

impl What {
    fn parse(function: Option<&str>, text: &str) -> Result<Self, String> {
        let (word, rest) = split(text);
        let what = match word {
            "kill" => Self::Kill,
            "segv" => Self::Segv,
            "abort" => Self::Abort,
            "hang" => Self::Hang,
            "libusb" => Self::Libusb,
            "socket" => return Socket::parse(rest).map(Self::Socket),
            "exit" => return number(rest).map(Self::Exit),
            "sleep" => return number(rest).map(Self::Sleep),
            "print" => return bytes(rest).map(Self::Print),
            _ => match (codes::code_of(word), function) {
                (Some(code), _) => Self::Code(code),
                (None, Some(function)) => return Lie::parse(function, text).map(Self::Lie),
                (None, None) => return Err("no such fault".to_owned()),
            },
        };
        if rest.is_empty() {
            Ok(what)
        } else {
            Err("too many words".to_owned())
        }
    }
}

/// The first word and what follows it.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start())
}

pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "not a number".to_owned())
}

/// `hex:` and digits, `text:` and anything, or a hostile text by its name.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    if let Some(text) = text.strip_prefix("text:") {
        return Ok(text.as_bytes().to_vec());
    }
    if let Some(digits) = text.strip_prefix("hex:") {
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        return pairs
            .collect::<Option<_>>()
            .ok_or_else(|| "not hexadecimal".to_owned());
    }
    let named: &[u8] = match text {
        // Clears the screen, sets the title, hides what follows; the last as C1 in UTF-8.
        "esc" => b"\x1b[2J\x1b]0;owned\x07\x1b[8m\xc2\x9b2J",
        "bidi" => "root\u{202e}toor\u{2066}\u{200b}".as_bytes(),
        "invalid-utf8" => b"\xff\xfe\xc3\x28\xe2\x82",
        "nul" => &[0; 64],
        _ => return Err("not hex:, text:, esc, bidi, invalid-utf8 or nul".to_owned()),
    };
    Ok(named.to_vec())
}

fn wrapped(function: &str) -> Result<String, String> {
    if WRAPPED.contains(&function) {
        Ok(function.to_owned())
    } else {
        Err(format!("the shim does not wrap {function:?}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Plan, What};

    fn plan(text: &str) -> Result<Plan, String> {
        let mut plan = Plan::default();
        plan.add(text, "plan").map(|()| plan)
    }

    #[test]
    fn codes_are_read_by_name_and_by_number() {
        for code in ["CKR_DEVICE_REMOVED", "0x32"] {
            let plan = plan(&format!("C_Sign 2 {code}")).unwrap();
            assert_eq!(plan.faults[0].what, What::Code(0x32));
        }
    }

    #[test]
    fn fault_is_due_at_its_calls_only() {
        for (calls, due) in [
            ("2", "-2--"),
            ("2+", "-234"),
            ("2-3", "-23-"),
            ("*", "1234"),
        ] {
            let plan = plan(&format!("C_Sign {calls} kill\n* {calls} kill")).unwrap();
            for fault in &plan.faults {
                let seen: String = (1..=4)
                    .map(|call| {
                        let (own, total) = match fault.function {
                            Some(_) => (call, 99),
                            None => (99, call),
                        };
                        if fault.is_due("C_Sign", own, total) {
                            char::from(b'0' + u8::try_from(call).unwrap())
                        } else {
                            '-'
                        }
                    })
                    .collect();
                assert_eq!(seen, due, "{fault:?}");
            }
            assert!(!plan.faults[0].is_due("C_Login", 2, 2));
        }
    }

    #[test]
    fn order_that_cannot_be_obeyed_is_refused() {
        for line in [
            "real",
            "C_Sign",
            "C_Sign 0 kill",
            "C_Sign 3-2 kill",
            "C_Sign x kill",
            "C_Sign 1 kill it",
            "C_Sign 1 CKR_NO_SUCH_CODE",
            "C_Sign 1 exit",
            "C_Sign 1 socket",
            "C_Sign 1 socket ax25",
            "C_Sign 1 libusb 1.0",
            "C_Sign 1 after flip",
            "C_Sgin 1 kill",
            "C_Digest 1 kill",
            "C_Login 1 flip",
            "* 1 flip",
            "C_SignFinal 1 other-key",
            "C_GetTokenInfo 1 label hex:0",
            "C_GetTokenInfo 1 label hex:zz",
            "C_GetTokenInfo 1 label loud",
            "C_GetTokenInfo 1 set CKF_NOTHING",
            "C_GetAttributeValue 1 CKA_NOTHING other",
            "C_GetAttributeValue 1 CKA_EC_POINT",
            "missing C_Sgin",
            "always-authenticate me",
            "nonsense",
        ] {
            let error = plan(&format!("# a comment\n\n{line}")).unwrap_err();
            assert!(error.starts_with("plan, line 3: "), "{error}");
        }
    }

    #[test]
    fn every_order_of_the_manual_is_read() {
        let manual = include_str!("../README.md");
        let orders: Vec<&str> = manual
            .split("```plan\n")
            .skip(1)
            .filter_map(|block| block.split("```").next())
            .collect();
        assert!(orders.len() > 3, "{orders:?}");
        for text in orders {
            plan(text).unwrap();
        }
    }
}
