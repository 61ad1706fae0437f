//! Work over many places on all processors at once.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

/// So few places that one processor is done before another has begun.
const FEW: usize = 512;

/// Does `work` for `count` places in ranges; what it gives, in their order.
pub(super) fn in_parts<T: Send>(count: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(threads).max(FEW);
    let ranges = (0..count)
        .step_by(share)
        .map(|start| start..count.min(start + share));
    let work = &work;
    thread::scope(|scope| {
        let mut ranges = ranges;
        let own = ranges.next();
        let others: Vec<_> = ranges
            .map(|range| scope.spawn(move || work(range)))
            .collect();
        let own = own.map(work).into_iter();
        let others = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|fault| resume_unwind(fault)));
        own.chain(others).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::in_parts;

    #[test]
    fn every_place_is_worked_on_once_and_in_order() {
        for count in [0, 1, 511, 512, 513, 5_000] {
            let places: Vec<usize> = in_parts(count, Iterator::collect::<Vec<_>>).concat();
            assert_eq!(places, (0..count).collect::<Vec<_>>());
        }
    }
}
