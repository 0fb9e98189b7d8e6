//! How calls are measured where the limit is found by that: three additions for each, and a lock for each window.

use super::limit::{Limit, Range, Window};
use crate::{
    outcome::Ending,
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{AcqRel, Relaxed},
        },
    },
    time::{Nanos, precise},
};
use std::{num::NonZeroU32, sync::PoisonError};

#[derive(Debug)]
pub(super) struct Measure {
    /// Calls below, dropped ones above.
    calls: AtomicU64,
    /// What the former took, in [`UNIT`]s.
    sum: AtomicU64,
    squares: AtomicU64,
    peak: AtomicU32,
    /// How many calls close the window.
    size: AtomicU32,
    /// How long calls take without load, in units; 0 before that is known.
    unloaded: AtomicU64,
    limit: Mutex<Limit>,
}

/// Nanoseconds, as a shift: so a beginning fits into half a word for eighteen minutes.
const UNIT: u32 = 8;

const DROPPED: u64 = 1 << 32;

/// So many squares of it fit into a word: half a minute.
const LONGEST: u64 = 120_000_000;

/// When a call began: an odd number.
pub(super) fn begin() -> NonZeroU32 {
    NonZeroU32::MIN | (precise() >> UNIT) as u32
}

fn since(began: NonZeroU32) -> u64 {
    // Not from a moment that has yet to come.
    u64::from(((precise() >> UNIT) as u32).wrapping_sub(began.get() & !1).max(1))
}

fn units(nanos: f64) -> u64 {
    #[expect(clippy::cast_sign_loss, reason = "a duration")]
    let units = nanos as u64 >> UNIT;
    units
}

impl Measure {
    pub(super) fn new(range: Range) -> Self {
        let limit = Limit::new(range);
        Self {
            calls: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            squares: AtomicU64::new(0),
            peak: AtomicU32::new(0),
            size: AtomicU32::new(limit.window()),
            unloaded: AtomicU64::new(0),
            limit: Mutex::new(limit),
        }
    }

    /// Begins anew.
    pub(super) fn restart(&self, range: Range) {
        let mut limit = self.lock();
        *limit = Limit::new(range);
        self.publish(&limit);
        self.take();
    }

    /// How long calls take without load.
    pub(super) fn unloaded(&self) -> Option<Nanos> {
        match self.unloaded.load(Relaxed) {
            0 => None,
            units => Some(units << UNIT),
        }
    }

    /// How many calls may run at once.
    pub(super) fn limit(&self) -> u32 {
        self.lock().now()
    }

    /// A call has ended with which so many were in flight. Tells whether that closes a window.
    pub(super) fn record(&self, began: NonZeroU32, ending: Ending, in_flight: u32, range: Range) -> bool {
        let (took, unloaded) = (since(began), self.unloaded.load(Relaxed));
        let count = match ending {
            Ending::Success => 1,
            Ending::Failure | Ending::Panicked => DROPPED,
            // It would have taken longer still.
            Ending::Cancelled if unloaded != 0 && took > 2 * unloaded => 1,
            Ending::Cancelled | Ending::Ignored => return false,
        };
        if count == 1 {
            let took = took.min(LONGEST);
            self.sum.fetch_add(took, Relaxed);
            self.squares.fetch_add(took * took, Relaxed);
        }
        if self.peak.load(Relaxed) < in_flight {
            self.peak.fetch_max(in_flight, Relaxed);
        }
        let before = self.calls.fetch_add(count, AcqRel);
        let ended = (before as u32).wrapping_add((before >> 32) as u32).wrapping_add(1);
        ended >= self.size.load(Relaxed) && self.close(range)
    }

    #[cold]
    fn close(&self, range: Range) -> bool {
        let mut limit = self.lock();
        if limit.range() != range {
            // It was made just when the range was changed.
            *limit = Limit::new(range);
        }
        let calls = self.calls.load(Relaxed);
        if (calls as u32).wrapping_add((calls >> 32) as u32) < limit.window() {
            // Another has closed it.
            self.publish(&limit);
            return false;
        }
        let window = self.take();
        limit.close(precise(), window);
        self.publish(&limit);
        true
    }

    /// What was measured. A call that ends just now may be split between this window and the next.
    fn take(&self) -> Window {
        let calls = self.calls.swap(0, AcqRel);
        let nanos = f64::from(1 << UNIT);
        let (sum, squares) = (self.sum.swap(0, Relaxed) as f64, self.squares.swap(0, Relaxed) as f64);
        let peak = self.peak.swap(0, Relaxed);
        let window = Window { calls: calls as u32, dropped: (calls >> 32) as u32, peak, ..Window::default() };
        window.of(sum * nanos, squares * nanos * nanos)
    }

    fn publish(&self, limit: &Limit) {
        self.size.store(limit.window(), Relaxed);
        self.unloaded.store(limit.unloaded().map_or(0, |nanos| units(nanos).max(1)), Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RANGE: Range = Range { least: 10, most: 20 };

    #[tokio::test(start_paused = true)]
    async fn a_call_that_ends_at_once_did_not_begin_in_the_future() {
        for _ in 0..4 {
            assert_eq!(since(begin()), 1);
            // An odd number of units.
            tokio::time::advance(Duration::from_nanos(3 << UNIT)).await;
        }
        let began = begin();
        tokio::time::advance(Duration::from_millis(10)).await;
        assert!((since(began) << UNIT).abs_diff(10_000_000) <= 2 << UNIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_closes_with_as_many_calls_as_it_has_whatever_became_of_them() {
        let measure = Measure::new(RANGE);
        let size = measure.size.load(Relaxed);
        for index in 1..size {
            let ending = if index % 20 == 0 { Ending::Failure } else { Ending::Success };
            assert!(!measure.record(begin(), ending, 10, RANGE));
            assert!(!measure.record(begin(), Ending::Ignored, 10, RANGE));
        }
        assert!(measure.record(begin(), Ending::Success, 10, RANGE));
        assert_eq!(measure.limit(), 15);
        assert_eq!(measure.calls.load(Relaxed), 0);
        assert!(measure.unloaded().is_some());
    }
}
