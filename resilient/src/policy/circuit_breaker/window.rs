//! Sliding windows of results. Pure: time comes in as an argument.

use super::config::Span;
use crate::time::{Nanos, nanos};

/// As they begin at arbitrary instants, at least the newest 29 thirtieths of a window count.
pub(super) const BUCKETS: u64 = 30;

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) failures: u64,
    pub(super) calls: u64,
}

/// The successes of a time window, which are counted elsewhere: each thread has its own.
pub(super) trait Successes {
    /// How many were counted in the buckets `first..=last`.
    fn within(&self, first: u64, last: u64) -> u64;
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "const-constructed in statics, so not boxed")]
pub(super) enum Window {
    /// Failures since the last success.
    Streak(u64),
    Calls(CallWindow),
    Time(TimeWindow),
}

impl Window {
    pub(super) const fn new(span: Span) -> Self {
        match span {
            Span::Streak => Self::Streak(0),
            Span::Calls(size) => Self::Calls(CallWindow::new(size)),
            Span::Time(time) => Self::Time(TimeWindow::new(nanos(time) / BUCKETS)),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Streak(failures) => *failures = 0,
            Self::Calls(window) => window.clear(),
            Self::Time(window) => window.buckets = [Bucket::EMPTY; BUCKETS as usize],
        }
    }

    /// A success of a time window is not recorded here.
    pub(super) fn success(&mut self) {
        match self {
            Self::Streak(failures) => *failures = 0,
            Self::Calls(window) => window.push(false),
            Self::Time(_) => {}
        }
    }

    pub(super) fn failure(&mut self, now: Nanos) {
        match self {
            Self::Streak(failures) => *failures += 1,
            Self::Calls(window) => window.push(true),
            Self::Time(window) => window.failure(now),
        }
    }

    pub(super) fn totals(&self, now: Nanos, successes: &impl Successes) -> Totals {
        match self {
            Self::Streak(failures) => Totals { failures: *failures, calls: *failures },
            Self::Calls(window) => Totals { failures: window.failures.into(), calls: window.len.into() },
            Self::Time(window) => window.totals(now, successes),
        }
    }

    /// Whether another success would change nothing.
    pub(super) fn absorbs_successes(&self) -> bool {
        match self {
            Self::Streak(failures) => *failures == 0,
            Self::Calls(window) => window.failures == 0 && window.len == window.size,
            Self::Time(_) => false,
        }
    }
}

/// The last `size` results, a bit each.
#[derive(Debug)]
pub(super) struct CallWindow {
    size: u32,
    len: u32,
    next: u32,
    failures: u32,
    /// Allocated at the first result.
    bits: Vec<u64>,
}

impl CallWindow {
    const fn new(size: u32) -> Self {
        Self { size, len: 0, next: 0, failures: 0, bits: Vec::new() }
    }

    fn clear(&mut self) {
        (self.len, self.next, self.failures) = (0, 0, 0);
        self.bits.fill(0);
    }

    fn push(&mut self, failed: bool) {
        if self.bits.is_empty() {
            self.bits = vec![0; self.size.div_ceil(64) as usize];
        }
        let (word, bit) = (&mut self.bits[(self.next / 64) as usize], 1 << (self.next % 64));
        if self.len < self.size {
            self.len += 1;
        } else if *word & bit != 0 {
            self.failures -= 1;
        }
        if failed {
            *word |= bit;
            self.failures += 1;
        } else {
            *word &= !bit;
        }
        self.next = if self.next + 1 == self.size { 0 } else { self.next + 1 };
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    index: u64,
    failures: u64,
}

impl Bucket {
    const EMPTY: Self = Self { index: 0, failures: 0 };
}

/// The failures of the last buckets of time, the current one included.
#[derive(Debug)]
pub(super) struct TimeWindow {
    width: Nanos,
    buckets: [Bucket; BUCKETS as usize],
}

impl TimeWindow {
    const fn new(width: Nanos) -> Self {
        Self { width, buckets: [Bucket::EMPTY; BUCKETS as usize] }
    }

    fn failure(&mut self, now: Nanos) {
        let index = now / self.width;
        let bucket = &mut self.buckets[(index % BUCKETS) as usize];
        // Another index is a bucket of an earlier lap, or of a clock that has since stepped back.
        if bucket.index != index {
            *bucket = Bucket { index, failures: 0 };
        }
        bucket.failures += 1;
    }

    fn totals(&self, now: Nanos, successes: &impl Successes) -> Totals {
        let last = now / self.width;
        let first = last.saturating_sub(BUCKETS - 1);
        let held = self.buckets.iter().filter(|bucket| (first..=last).contains(&bucket.index));
        let failures = held.map(|bucket| bucket.failures).sum();
        Totals { failures, calls: failures + successes.within(first, last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, collections::VecDeque, time::Duration};

    /// Successes by bucket index.
    #[derive(Default)]
    struct Counted(RefCell<Vec<u64>>);

    impl Successes for Counted {
        fn within(&self, first: u64, last: u64) -> u64 {
            self.0.borrow().iter().filter(|index| (first..=last).contains(index)).count() as u64
        }
    }

    #[test]
    fn a_call_window_agrees_with_a_queue_over_random_results() {
        for size in [1, 2, 63, 64, 65, 200] {
            let mut window = CallWindow::new(size);
            let mut oracle = VecDeque::new();
            for _ in 0..3000 {
                let failed = fastrand::bool();
                window.push(failed);
                oracle.push_back(failed);
                while oracle.len() > size as usize {
                    oracle.pop_front();
                }
                assert_eq!(window.len as usize, oracle.len());
                assert_eq!(window.failures as usize, oracle.iter().filter(|failed| **failed).count());
            }
        }
    }

    #[test]
    fn a_time_window_holds_all_but_its_oldest_bucket() {
        let mut window = Window::new(Span::Time(Duration::from_micros(3)));
        let successes = Counted::default();
        let mut log = VecDeque::new();
        let mut now = 5_000;
        for _ in 0..20_000 {
            now += fastrand::u64(0..150);
            if fastrand::bool() {
                window.failure(now);
            } else {
                successes.0.borrow_mut().push(now / 100);
            }
            log.push_back(now);
            while log.front().is_some_and(|at| now - at > 3000) {
                log.pop_front();
            }
            successes.0.borrow_mut().retain(|index| now / 100 - index < 40);
            let calls = window.totals(now, &successes).calls;
            let younger = |age: u64| log.iter().filter(|at| now - **at < age).count() as u64;
            assert!(calls <= younger(3000) && calls >= younger(2900), "{calls} at {now}");
        }
    }

    #[test]
    fn a_time_window_survives_a_clock_that_steps_back() {
        let mut window = Window::new(Span::Time(Duration::from_micros(1)));
        let none = Counted::default();
        window.failure(1_000_000);
        assert_eq!(window.totals(500, &none).calls, 0);
        window.failure(500);
        assert_eq!(window.totals(500, &none).calls, 1);
        assert_eq!(window.totals(1_000_000, &none).calls, 1);
    }
}
