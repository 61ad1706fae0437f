//! Verification on all processors, while the token signs on: an ECDSA signature can be dearer to verify than to make.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

/// Says of the signature with this place among those that are asked for whether it is right.
pub(super) trait Judge: Fn(usize, &[u8]) -> bool + Clone + Send {}

impl<T: Fn(usize, &[u8]) -> bool + Clone + Send> Judge for T {}

/// Threads that verify what they are handed, until this is dropped.
pub(super) struct Judges(Sender<Asked>);

struct Asked {
    place: usize,
    sig: Vec<u8>,
    answer: Sender<bool>,
}

impl Judges {
    /// As many as there are processors.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        judge: &(impl Judge + 'scope),
    ) -> Self {
        let (sender, asked) = channel::<Asked>();
        let asked = Arc::new(Mutex::new(asked));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            let (asked, judge) = (Arc::clone(&asked), judge.clone());
            // The lock is held while one waits: the others have nothing to do then.
            let next = move || asked.lock().ok()?.recv().ok();
            scope.spawn(move || {
                while let Some(Asked { place, sig, answer }) = next() {
                    // Whoever asked may want no answer any more.
                    let _ = answer.send(judge(place, &sig));
                }
            });
        }
        Self(sender)
    }

    /// Hands one over. No answer is a no.
    pub(super) fn ask(&self, place: usize, sig: Vec<u8>) -> Receiver<bool> {
        let (answer, judged) = channel();
        let _ = self.0.send(Asked { place, sig, answer });
        judged
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::Judges;

    #[test]
    fn each_answer_is_about_the_signature_that_was_handed_over() {
        let judge = |place: usize, sig: &[u8]| sig == place.to_le_bytes();
        // It comes to an end only if all threads do.
        std::thread::scope(|scope| {
            let judges = Judges::start(scope, &judge);
            let asked: Vec<_> = (0..1000_usize)
                .map(|place| {
                    let other = place + usize::from(place % 7 == 0);
                    judges.ask(place, other.to_le_bytes().to_vec())
                })
                .collect();
            for (place, answer) in asked.into_iter().enumerate() {
                assert_eq!(answer.recv().unwrap(), place % 7 != 0, "{place}");
            }
        });
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn no_answer_is_waited_for_from_a_thread_that_is_gone() {
        let judge = |_: usize, _: &[u8]| -> bool { panic!("a fault of the library") };
        std::thread::scope(|scope| {
            let judges = Judges::start(scope, &judge);
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            // One for each of them, and one that nobody takes any more.
            for place in 0..=threads {
                assert!(judges.ask(place, Vec::new()).recv().is_err());
            }
        });
    }
}
