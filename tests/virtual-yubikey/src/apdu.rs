//! Commands and answers of ISO/IEC 7816-4: short and extended form, command chaining, GET RESPONSE.

/// What the card says at the end of an answer (ISO/IEC 7816-4, 5.6; SP 800-73-4 part 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// Done.
    pub const OK: Self = Self(0x9000);
    /// The command's length fits no form.
    pub const LENGTH: Self = Self(0x6700);
    /// The last command of a chain does not fit the chain.
    pub const CHAIN: Self = Self(0x6883);
    /// PIN, management key or touch is missing.
    pub const SECURITY: Self = Self(0x6982);
    /// PIN or PUK has no tries left.
    pub const BLOCKED: Self = Self(0x6983);
    /// Not in this state.
    pub const CONDITIONS: Self = Self(0x6985);
    /// Data that the command cannot mean.
    pub const DATA: Self = Self(0x6a80);
    /// No such object or application.
    pub const NOT_FOUND: Self = Self(0x6a82);
    /// The object is larger than the card has room for.
    pub const NO_SPACE: Self = Self(0x6a84);
    /// P1 or P2 that the command does not have.
    pub const PARAMETERS: Self = Self(0x6a86);
    /// No key in that slot.
    pub const NO_KEY: Self = Self(0x6a88);
    /// No such slot.
    pub const SLOT: Self = Self(0x6b00);
    /// No such command.
    pub const INSTRUCTION: Self = Self(0x6d00);
    /// The card failed inside itself.
    pub const INTERNAL: Self = Self(0x6f00);

    /// Wrong PIN or PUK, with the tries that are left; 6983 when none is.
    pub fn tries(left: u8) -> Self {
        match left {
            0 => Self::BLOCKED,
            left => Self(0x63c0 | u16::from(left.min(15))),
        }
    }
}

/// A command as it came, in either form.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// Class; bit 0x10 says that more of the command follows.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Data, possibly a PIN: there is no Debug.
    pub data: Vec<u8>,
    /// Whether the host took the extended form and so can take a long answer.
    pub extended: bool,
}

impl Command {
    /// The command in `bytes`, unless the lengths inside do not add up.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[cla, ins, p1, p2], body) = bytes.split_first_chunk::<4>()?;
        let (data, extended): (&[u8], bool) = match body {
            [] | [_] => (&[], false),
            [0, _, _] => (&[], true),
            [0, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let (data, expected) = rest.split_at_checked(length)?;
                (matches!(expected.len(), 0 | 2)).then_some((data, true))?
            }
            [length, rest @ ..] => {
                let (data, expected) = rest.split_at_checked(usize::from(*length))?;
                (expected.len() <= 1).then_some((data, false))?
            }
        };
        Some(Self {
            cla,
            ins,
            p1,
            p2,
            data: data.to_vec(),
            extended,
        })
    }
}

/// What the transport remembers between two APDUs.
#[derive(Default)]
pub struct Link {
    chain: Option<Command>,
    outgoing: Vec<u8>,
}

/// What to do with an APDU that came in.
pub enum Incoming {
    /// A whole command, all parts of its chain put together.
    Whole(Command),
    /// Answered by the transport itself.
    Answered(Vec<u8>),
}

/// As much data as one command may have, in parts or in one: the largest object with its identifier fits. What a real
/// card takes is not published; nobody should rely on more.
const DATA_LIMIT: usize = 3072;

impl Link {
    /// Takes one APDU: part of a chain, GET RESPONSE, or a command's end.
    pub fn receive(&mut self, bytes: &[u8]) -> Incoming {
        let Some(command) = Command::parse(bytes) else {
            self.chain = None;
            return Incoming::Answered(answer(&[], Status::LENGTH));
        };
        if command.ins == 0xc0 && self.chain.is_none() {
            return Incoming::Answered(self.more(false));
        }
        self.outgoing.clear();
        self.append(command)
    }

    /// Sends the start of a long answer and keeps the rest for GET RESPONSE.
    pub fn send(&mut self, data: Vec<u8>, status: Status, extended: bool) -> Vec<u8> {
        if status != Status::OK {
            return answer(&[], status);
        }
        self.outgoing = data;
        self.more(extended)
    }

    fn append(&mut self, command: Command) -> Incoming {
        let more = command.cla & 0x10 != 0;
        let whole = match self.chain.take() {
            None => command,
            Some(mut chain) => {
                let same = (chain.ins, chain.p1, chain.p2) == (command.ins, command.p1, command.p2);
                if !same {
                    return Incoming::Answered(answer(&[], Status::CHAIN));
                }
                chain.data.extend_from_slice(&command.data);
                chain.cla = command.cla;
                chain.extended = command.extended;
                chain
            }
        };
        if whole.data.len() > DATA_LIMIT {
            return Incoming::Answered(answer(&[], Status::LENGTH));
        }
        if more {
            self.chain = Some(whole);
            return Incoming::Answered(answer(&[], Status::OK));
        }
        Incoming::Whole(whole)
    }

    fn more(&mut self, extended: bool) -> Vec<u8> {
        let take = if extended { usize::MAX } else { 256 };
        let rest = self.outgoing.split_off(self.outgoing.len().min(take));
        let part = std::mem::replace(&mut self.outgoing, rest);
        match u16::try_from(self.outgoing.len()) {
            Ok(0) => answer(&part, Status::OK),
            Ok(left) if left < 256 => answer(&part, Status(0x6100 | left)),
            _ => answer(&part, Status(0x6100)),
        }
    }
}

/// Data and status as they go over the wire.
pub fn answer(data: &[u8], status: Status) -> Vec<u8> {
    let mut bytes = data.to_vec();
    bytes.extend(status.0.to_be_bytes());
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn short_and_extended_forms_hold_the_same_data() {
        let forms: [(&[u8], &[u8], bool); 7] = [
            (&[0, 1, 2, 3], &[], false),
            (&[0, 1, 2, 3, 0], &[], false),
            (&[0, 1, 2, 3, 2, 8, 9], &[8, 9], false),
            (&[0, 1, 2, 3, 2, 8, 9, 0], &[8, 9], false),
            (&[0, 1, 2, 3, 0, 0, 0], &[], true),
            (&[0, 1, 2, 3, 0, 0, 2, 8, 9], &[8, 9], true),
            (&[0, 1, 2, 3, 0, 0, 2, 8, 9, 0, 0], &[8, 9], true),
        ];
        for (bytes, data, extended) in forms {
            let command = Command::parse(bytes).unwrap();
            assert_eq!((&command.data[..], command.extended), (data, extended));
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_no_command() {
        let wrong: [&[u8]; 4] = [
            &[0, 1, 2],
            &[0, 1, 2, 3, 3, 8, 9],
            &[0, 1, 2, 3, 1, 8, 9, 9],
            &[0, 1, 2, 3, 0, 0, 4, 8, 9],
        ];
        for bytes in wrong {
            assert!(Command::parse(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn a_chain_is_one_command_and_a_long_answer_comes_in_parts() {
        let mut link = Link::default();
        let first = link.receive(&[0x10, 0x87, 0x11, 0x9c, 2, 1, 2]);
        assert!(matches!(first, Incoming::Answered(sw) if sw == [0x90, 0]));
        let Incoming::Whole(command) = link.receive(&[0, 0x87, 0x11, 0x9c, 1, 3]) else {
            panic!("the chain has ended");
        };
        assert_eq!(command.data, [1, 2, 3]);
        let sent = link.send(vec![5; 600], Status::OK, false);
        assert_eq!((sent.len(), &sent[256..]), (258, &[0x61, 0][..]));
        let Incoming::Answered(next) = link.receive(&[0, 0xc0, 0, 0, 0]) else {
            panic!("GET RESPONSE is the transport's");
        };
        assert_eq!((next.len(), &next[256..]), (258, &[0x61, 88][..]));
    }

    #[test]
    fn a_command_has_an_end_in_either_form() {
        let mut link = Link::default();
        let part = [&[0x10, 0x87, 0xe0, 0x9c, 255][..], &[7; 255]].concat();
        for _ in 0..12 {
            assert!(matches!(link.receive(&part), Incoming::Answered(sw) if sw == [0x90, 0]));
        }
        assert!(matches!(link.receive(&part), Incoming::Answered(sw) if sw == [0x67, 0]));
        let long = [&[0, 0x87, 0xe0, 0x9c, 0, 0x0c, 1][..], &[7; 0x0c01]].concat();
        assert!(matches!(link.receive(&long), Incoming::Answered(sw) if sw == [0x67, 0]));
        assert!(matches!(
            link.receive(&long[..long.len() - 1]),
            Incoming::Answered(_)
        ));
    }

    #[test]
    fn a_chain_of_two_commands_is_refused() {
        let mut link = Link::default();
        link.receive(&[0x10, 0x87, 0x11, 0x9c, 2, 1, 2]);
        let other = link.receive(&[0, 0x87, 0x11, 0x9a, 1, 3]);
        assert!(matches!(other, Incoming::Answered(sw) if sw == [0x68, 0x83]));
    }
}
