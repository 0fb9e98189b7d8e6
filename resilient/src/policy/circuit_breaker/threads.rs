//! What each thread counts for itself, so that a success needs no shared write.

use super::window::Successes;
use crate::stats::lines::{Lines, Local};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// More than a window's, so that a bucket is not overwritten while another thread may still read it.
const BUCKETS: u64 = 32;

/// One thread's successes, by bucket: the low half of a bucket's index above, their number below.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Line {
    /// The generation that the buckets belong to, plus one.
    generation: AtomicU64,
    buckets: [AtomicU64; BUCKETS as usize],
    counters: [AtomicU64; 4],
}

/// What a thread counts without the lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Rejected,
    Ignored,
    Cancelled,
    /// Those of buckets that have gone.
    Succeeded,
}

#[derive(Debug)]
pub(super) struct Threads(Lines<Line>);

impl Threads {
    pub(super) const fn new() -> Self {
        Self(Lines::new())
    }

    /// Counts so many successes in bucket `index`; tells whether they are this thread's first there.
    #[inline]
    pub(super) fn success(
        &self,
        is_one_of_many: impl FnOnce() -> bool,
        generation: u32,
        index: u64,
        calls: u32,
    ) -> bool {
        let Local { line, owned, .. } = self.0.local(is_one_of_many);
        if line.generation.load(Acquire) != u64::from(generation) + 1 && !line.begin(generation) {
            return false;
        }
        let (bucket, tag) = (&line.buckets[(index % BUCKETS) as usize], index << 32);
        let held = bucket.load(Relaxed);
        if owned && held & TAG == tag {
            // No other thread writes here, so no read-modify-write is needed.
            bucket.store(held + u64::from(calls), Relaxed);
            return false;
        }
        self.first_or_shared(line, bucket, tag, calls)
    }

    /// The first of a thread in a bucket, or one where other threads count too.
    #[inline(never)]
    fn first_or_shared(&self, line: &Line, bucket: &AtomicU64, tag: u64, calls: u32) -> bool {
        let calls = u64::from(calls);
        let next = |held: u64| if held & TAG == tag { held + calls } else { tag | calls };
        let mut held = bucket.load(Relaxed);
        while let Err(found) = bucket.compare_exchange(held, next(held), Relaxed, Relaxed) {
            held = found;
            self.0.spread();
        }
        let first = held & TAG != tag;
        if first {
            line.retire(held);
        }
        first
    }

    pub(super) fn count(&self, is_one_of_many: impl FnOnce() -> bool, count: Count, calls: u32) {
        let Local { line, owned, .. } = self.0.local(is_one_of_many);
        let counter = &line.counters[count as usize];
        if owned {
            counter.store(counter.load(Relaxed) + u64::from(calls), Relaxed);
        } else {
            counter.fetch_add(calls.into(), Relaxed);
        }
    }

    pub(super) fn counted(&self, count: Count) -> u64 {
        self.0.iter().map(|line| line.counters[count as usize].load(Relaxed)).sum()
    }

    /// Successes since it was made.
    pub(super) fn succeeded(&self) -> u64 {
        let counted = self.counted(Count::Succeeded);
        let held = self.0.iter().flat_map(|line| &line.buckets).map(|bucket| bucket.load(Relaxed) & !TAG);
        counted + held.sum::<u64>()
    }

    pub(super) fn successes(&self, generation: u32) -> impl Successes {
        Counted { threads: self, generation }
    }
}

/// The half of a bucket that tells its index.
const TAG: u64 = !0 << 32;

/// No generation: a thread empties the line for the next.
const EMPTYING: u64 = u64::MAX;

impl Line {
    /// What a bucket held goes.
    #[cold]
    fn retire(&self, held: u64) {
        self.counters[Count::Succeeded as usize].fetch_add(held & !TAG, Relaxed);
    }

    /// Begins to count for a newer generation, unless the line has seen a newer one still. While one thread empties a
    /// line that others share, these count nothing.
    #[cold]
    fn begin(&self, generation: u32) -> bool {
        let held = self.generation.load(Acquire);
        let next = u64::from(generation) + 1;
        let ahead = generation.wrapping_sub((held as u32).wrapping_sub(1));
        let newer = held == 0 || (held != EMPTYING && (1..1 << 31).contains(&ahead));
        if newer {
            // An unused line is empty.
            let step = if held == 0 { next } else { EMPTYING };
            if self.generation.compare_exchange(held, step, AcqRel, Acquire).is_ok() && step == EMPTYING {
                self.buckets.iter().for_each(|bucket| self.retire(bucket.swap(0, Relaxed)));
                self.generation.store(next, Release);
            }
        }
        self.generation.load(Acquire) == next
    }
}

struct Counted<'a> {
    threads: &'a Threads,
    generation: u32,
}

impl Successes for Counted<'_> {
    fn within(&self, first: u64, last: u64) -> u64 {
        let lines = self.threads.0.iter();
        let lines = lines.filter(|line| line.generation.load(Acquire) == u64::from(self.generation) + 1);
        lines
            .flat_map(|line| (first..=last).map(|index| (index << 32, &line.buckets[(index % BUCKETS) as usize])))
            .map(|(tag, bucket)| (tag, bucket.load(Relaxed)))
            .filter(|(tag, held)| held & TAG == *tag)
            .map(|(_, held)| held & !TAG)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successes_are_told_apart_by_bucket_and_generation() {
        let threads = Threads::new();
        assert!(threads.success(|| false, 7, 100, 1));
        assert!(!threads.success(|| false, 7, 100, 1));
        assert!(threads.success(|| false, 7, 101, 1));
        assert_eq!(threads.successes(7).within(100, 101), 3);
        assert_eq!(threads.successes(7).within(101, 110), 1);
        assert_eq!(threads.successes(8).within(0, 200), 0);
        assert!(threads.success(|| false, 8, 101, 1));
        assert_eq!(threads.successes(8).within(100, 101), 1);
        // A late success of an older generation wipes nothing.
        assert!(!threads.success(|| false, 7, 101, 1));
        assert_eq!(threads.successes(8).within(100, 101), 1);
        assert_eq!(threads.successes(7).within(100, 101), 0);
        assert_eq!(threads.succeeded(), 4);
    }

    #[test]
    fn a_full_lap_forgets() {
        let threads = Threads::new();
        threads.success(|| false, 0, 5, 1);
        threads.success(|| false, 0, 5 + BUCKETS, 1);
        assert_eq!(threads.successes(0).within(5, 14), 0);
        assert_eq!(threads.successes(0).within(5 + BUCKETS, 14 + BUCKETS), 1);
        assert_eq!(threads.succeeded(), 2);
    }
}
