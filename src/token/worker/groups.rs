//! Many signatures in one call: the digests go in one frame, the signatures come back in groups while the token signs on. A group is sent as soon as
//! some time has gone by, so a slow token's signatures come one by one, and a fast one does not wait for the pipe.

use std::time::{Duration, Instant};

use super::super::{Module, failure};
use super::frame::{Broken, Channel, within};
use super::message::{GROUP, Request, SIGNATURE};
use super::serve::say;
use crate::ceremony::port::{Taken, TokenError, TokenFault, TokenId, TokenKey};
use crate::tuf::key::Message;

/// How long signatures may wait for others that go with them.
const PATIENCE: Duration = Duration::from_millis(2);
/// Most digests of one call.
const MOST: usize = 1 << 20;
/// Bytes before each signature: its length, and the nanoseconds that it took.
const HEAD: usize = 4 + 8;

/// The worker's side.
pub(super) fn sign_each(
    module: &mut dyn Module,
    token: &TokenId,
    key: Result<TokenKey, TokenError>,
    count: usize,
    channel: &Channel,
) -> Result<(), Broken> {
    let most = count.min(MOST) * 64;
    let digests = channel.receive_bytes(most, None)?;
    let mut out = Groups::new(channel);
    let done = key.and_then(|key| {
        let messages = messages(&key, count, &digests)?;
        module.sign_each(token, &key, &messages, &mut |signature, took| {
            out.take(&signature, took)
        })
    });
    out.end()?;
    say(channel, &done)
}

fn messages<'a>(
    key: &TokenKey,
    count: usize,
    digests: &'a [u8],
) -> Result<Vec<Message<'a>>, TokenError> {
    let known = key.public.algorithm();
    let known = known.and_then(|algorithm| Some((algorithm, Message::digest_length(algorithm)?)));
    let whole = known.filter(|(_, length)| count.checked_mul(*length) == Some(digests.len()));
    let messages = whole.map(|(algorithm, length)| {
        let digests = digests.chunks_exact(length);
        digests
            .filter_map(|digest| Message::of_digest(algorithm, digest))
            .collect()
    });
    messages.ok_or_else(|| {
        let said = "keys of this type do not sign these";
        failure("use a key", said, TokenFault::Unsupported)
    })
}

/// Signatures on their way out.
struct Groups<'a> {
    channel: &'a Channel,
    group: Vec<u8>,
    sent: Instant,
    broken: Option<Broken>,
    stopped: bool,
}

impl<'a> Groups<'a> {
    fn new(channel: &'a Channel) -> Self {
        Self {
            channel,
            group: Vec::new(),
            sent: Instant::now(),
            broken: None,
            stopped: false,
        }
    }

    /// `false`: no more.
    fn take(&mut self, signature: &[u8], took: Duration) -> bool {
        let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.group.extend(length.to_le_bytes());
        self.group.extend(took.to_le_bytes());
        self.group.extend(signature);
        let full = self.group.len() > GROUP / 2;
        if full || self.sent.elapsed() >= PATIENCE {
            self.broken = self.send().and_then(|()| self.listen()).err();
        }
        self.broken.is_none() && !self.stopped
    }

    fn send(&mut self) -> Result<(), Broken> {
        if !self.group.is_empty() {
            self.channel.send_bytes(&self.group, None)?;
            self.group.clear();
        }
        self.sent = Instant::now();
        Ok(())
    }

    /// Whether the program wants no more.
    fn listen(&mut self) -> Result<(), Broken> {
        if !self.channel.has_more()? {
            return Ok(());
        }
        match self.channel.receive_json(super::message::REQUEST, None)? {
            Request::Stop => {
                self.stopped = true;
                Ok(())
            }
            _ => Err(Broken::Garbage("a call within a call".to_owned())),
        }
    }

    fn end(mut self) -> Result<(), Broken> {
        if let Some(broken) = self.broken.take() {
            return Err(broken);
        }
        self.send()?;
        self.channel.send_bytes(&[], None)
    }
}

/// The program's side, once the digests are sent: hands over what comes until the worker says that nothing more does. Each group has the time of one
/// signature.
pub(super) fn receive_each(
    channel: &Channel,
    limit: Duration,
    count: usize,
    give: &mut Taken<'_>,
) -> Result<(), Broken> {
    let (mut left, mut wanted) = (count, true);
    loop {
        let group = channel.receive_bytes(GROUP, within(limit))?;
        if group.is_empty() {
            return Ok(());
        }
        let mut rest = group.as_slice();
        while !rest.is_empty() {
            let (signature, took) = split(&mut rest)
                .filter(|_| left > 0)
                .ok_or_else(|| Broken::Garbage("signatures that cannot be".to_owned()))?;
            left -= 1;
            // What was made is taken, wanted or not: it is lost otherwise.
            if !give(signature.to_vec(), took) && wanted {
                wanted = false;
                channel.send_json(&Request::Stop, within(limit))?;
            }
        }
    }
}

fn split<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Duration)> {
    let (head, after) = rest.split_first_chunk::<HEAD>()?;
    let (length, took) = head.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let took = u64::from_le_bytes(took.try_into().ok()?);
    let (signature, after) = after
        .split_at_checked(length)
        .filter(|_| length <= SIGNATURE)?;
    *rest = after;
    Some((signature, Duration::from_nanos(took)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::super::frame::{Broken, Channel};
    use super::super::message::{REQUEST, Request, SIGNATURE};
    use super::{HEAD, receive_each};

    const LIMIT: Duration = Duration::from_millis(300);

    fn entry(length: u32, signature: &[u8]) -> Vec<u8> {
        let took = 7_u64.to_le_bytes();
        [&length.to_le_bytes()[..], &took, signature].concat()
    }

    /// What comes of these groups where two signatures were asked for, and whether the worker heard that no more are wanted.
    fn received(groups: &[Vec<u8>], wanted: usize) -> (Vec<Vec<u8>>, Result<(), Broken>, bool) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ours, theirs) = (Channel::new(ours).unwrap(), Channel::new(theirs).unwrap());
        for group in groups {
            theirs.send_bytes(group, None).unwrap();
        }
        let mut came = Vec::new();
        let ended = receive_each(&ours, LIMIT, 2, &mut |signature, took| {
            assert_eq!(took, Duration::from_nanos(7));
            came.push(signature);
            came.len() < wanted
        });
        let stopped = theirs.has_more().unwrap()
            && matches!(theirs.receive_json(REQUEST, None).unwrap(), Request::Stop);
        (came, ended, stopped)
    }

    #[test]
    fn groups_that_can_be_are_handed_over_and_one_that_cannot_ends_it() {
        let (one, two) = (entry(3, b"one"), entry(3, b"two"));
        let both = [one.clone(), two.clone()].concat();
        let (came, ended, stopped) = received(&[both.clone(), Vec::new()], 9);
        ended.unwrap();
        assert_eq!(
            (came, stopped),
            (vec![b"one".to_vec(), b"two".to_vec()], false)
        );
        // Said once, and what was made all the same is taken.
        let (came, ended, stopped) = received(&[both.clone(), Vec::new()], 1);
        ended.unwrap();
        assert_eq!((came.len(), stopped), (2, true));

        let long = entry(u32::try_from(SIGNATURE + 1).unwrap(), &[1; SIGNATURE + 1]);
        for (wrong, before) in [
            ([both.clone(), one.clone()].concat(), 2),
            ([one.clone(), two[..HEAD - 1].to_vec()].concat(), 1),
            ([one.clone(), entry(4, b"two")].concat(), 1),
            ([one.clone(), entry(u32::MAX, b"two")].concat(), 1),
            (long, 0),
        ] {
            let (came, ended, _) = received(&[wrong], 9);
            let broken = ended.unwrap_err().to_string();
            assert_eq!(
                (came.len(), &*broken),
                (before, "signatures that cannot be")
            );
        }
        let (came, ended, _) = received(&[one], 9);
        assert!(
            matches!(ended, Err(Broken::Late)),
            "the end is awaited no longer than a signature"
        );
        assert_eq!(came.len(), 1);
    }
}
