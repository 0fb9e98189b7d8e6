//! Sliding windows of results. Pure: time comes in as an argument.

use super::rules::{Rules, Span};
use crate::time::Nanos;

/// As they begin at arbitrary instants, at least the newest 29 thirtieths of a window count.
pub(super) const BUCKETS: u64 = 30;

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
    /// Refused to take load off the dependency.
    pub(super) shed: u64,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// Where a call has been counted, so that it can still be found to have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position(pub(super) u64);

/// The fast successes of a time window, which are counted elsewhere: each thread has its own.
pub(super) trait Successes {
    /// How many were counted in the buckets `first..=last`.
    fn within(&self, first: u64, last: u64) -> u64;
}

#[derive(Debug)]
pub(super) enum Window {
    /// Failures since the last success.
    Streak(u64),
    Calls(CallWindow),
    Time(TimeWindow),
}

impl Window {
    pub(super) const fn new(rules: &Rules) -> Self {
        match rules.span {
            Span::Streak => Self::Streak(0),
            Span::Calls(size) => Self::Calls(CallWindow::new(size)),
            Span::Time(_) => Self::Time(TimeWindow::new(rules.bucket_width())),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Streak(failures) => *failures = 0,
            Self::Calls(window) => window.clear(),
            Self::Time(window) => window.buckets.fill(Bucket::EMPTY),
        }
    }

    /// Records a call. A fast success of a time window is none of its business.
    pub(super) fn record(&mut self, verdict: Verdict, at: Nanos) -> Position {
        match self {
            Self::Streak(failures) => {
                *failures = if verdict.failed { *failures + 1 } else { 0 };
                Position(0)
            }
            Self::Calls(window) => window.push(verdict),
            Self::Time(window) => window.record(verdict, at),
        }
    }

    /// A call recorded as slow has failed in the end: it counts where it stands, if it still does.
    pub(super) fn fail(&mut self, position: Position) {
        match self {
            Self::Streak(_) => {}
            Self::Calls(window) => window.fail(position),
            Self::Time(window) => window.fail(position),
        }
    }

    /// A call was refused to take load off the dependency.
    pub(super) fn shed(&mut self, now: Nanos) {
        if let Self::Time(window) = self {
            window.bucket(now).shed += 1;
        }
    }

    pub(super) fn totals(&self, now: Nanos, successes: &impl Successes) -> Totals {
        match self {
            Self::Streak(failures) => Totals { failures: *failures, calls: *failures, ..Totals::default() },
            Self::Calls(window) => window.totals(),
            Self::Time(window) => window.totals(now, successes),
        }
    }

    /// Whether another fast success would change nothing.
    pub(super) fn absorbs_successes(&self) -> bool {
        match self {
            Self::Streak(failures) => *failures == 0,
            Self::Calls(window) => window.failed.count == 0 && window.slow.count == 0 && window.len == window.size,
            Self::Time(_) => false,
        }
    }

    /// How far it has moved on, in its own unit, and how far a whole window reaches.
    pub(super) fn progress(&self, now: Nanos) -> (u64, u64) {
        match self {
            Self::Streak(_) => (0, u64::MAX),
            Self::Calls(window) => (window.pushed, window.size.into()),
            Self::Time(window) => (now, window.width * BUCKETS),
        }
    }
}

/// A bit for each of the last results, and how many are set.
#[derive(Debug)]
struct Bits {
    /// Allocated when the first is set.
    words: Vec<u64>,
    count: u32,
}

impl Bits {
    const EMPTY: Self = Self { words: Vec::new(), count: 0 };

    fn clear(&mut self) {
        self.words.fill(0);
        self.count = 0;
    }

    fn set(&mut self, index: u32, set: bool, size: u32) {
        if self.words.is_empty() {
            if !set {
                return;
            }
            self.words = vec![0; size.div_ceil(64) as usize];
        }
        let (word, bit) = (&mut self.words[(index / 64) as usize], 1 << (index % 64));
        match (*word & bit != 0, set) {
            (true, false) => {
                *word &= !bit;
                self.count -= 1;
            }
            (false, true) => {
                *word |= bit;
                self.count += 1;
            }
            _ => {}
        }
    }
}

/// The last `size` results.
#[derive(Debug)]
pub(super) struct CallWindow {
    size: u32,
    len: u32,
    next: u32,
    pushed: u64,
    failed: Bits,
    slow: Bits,
}

impl CallWindow {
    const fn new(size: u32) -> Self {
        Self { size, len: 0, next: 0, pushed: 0, failed: Bits::EMPTY, slow: Bits::EMPTY }
    }

    fn clear(&mut self) {
        (self.len, self.next, self.pushed) = (0, 0, 0);
        self.failed.clear();
        self.slow.clear();
    }

    fn push(&mut self, verdict: Verdict) -> Position {
        let position = Position(self.pushed);
        self.failed.set(self.next, verdict.failed, self.size);
        self.slow.set(self.next, verdict.slow, self.size);
        self.len = (self.len + 1).min(self.size);
        self.next = if self.next + 1 == self.size { 0 } else { self.next + 1 };
        self.pushed += 1;
        position
    }

    fn fail(&mut self, position: Position) {
        let age = self.pushed.saturating_sub(position.0);
        if (1..=u64::from(self.len)).contains(&age) {
            #[expect(clippy::cast_possible_truncation, reason = "below the size")]
            let index = (position.0 % u64::from(self.size)) as u32;
            self.failed.set(index, true, self.size);
        }
    }

    fn totals(&self) -> Totals {
        let (failures, slow) = (self.failed.count.into(), self.slow.count.into());
        Totals { calls: self.len.into(), failures, slow, shed: 0 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    index: u64,
    failures: u32,
    slow: u32,
    slow_failures: u32,
    shed: u32,
}

impl Bucket {
    const EMPTY: Self = Self { index: 0, failures: 0, slow: 0, slow_failures: 0, shed: 0 };
}

/// The failures and slow calls of the last buckets of time, the current one included.
#[derive(Debug)]
pub(super) struct TimeWindow {
    width: Nanos,
    /// Allocated when the first is needed: most breakers never see a failure.
    buckets: Vec<Bucket>,
}

impl TimeWindow {
    const fn new(width: Nanos) -> Self {
        Self { width, buckets: Vec::new() }
    }

    fn bucket(&mut self, now: Nanos) -> &mut Bucket {
        let index = now / self.width;
        if self.buckets.is_empty() {
            self.buckets = vec![Bucket::EMPTY; BUCKETS as usize];
        }
        let bucket = &mut self.buckets[(index % BUCKETS) as usize];
        // Another index is a bucket of an earlier lap, or of a clock that has since stepped back.
        if bucket.index != index {
            *bucket = Bucket { index, ..Bucket::EMPTY };
        }
        bucket
    }

    fn record(&mut self, Verdict { failed, slow }: Verdict, at: Nanos) -> Position {
        let bucket = self.bucket(at);
        bucket.failures += u32::from(failed);
        bucket.slow += u32::from(slow);
        bucket.slow_failures += u32::from(failed && slow);
        Position(bucket.index)
    }

    fn fail(&mut self, position: Position) {
        let bucket = self.buckets.get_mut((position.0 % BUCKETS) as usize);
        // A clock that stepped back may have emptied it since.
        let held = |bucket: &&mut Bucket| bucket.index == position.0 && bucket.slow_failures < bucket.slow;
        if let Some(bucket) = bucket.filter(held) {
            bucket.failures += 1;
            bucket.slow_failures += 1;
        }
    }

    fn totals(&self, now: Nanos, successes: &impl Successes) -> Totals {
        let last = now / self.width;
        let first = last.saturating_sub(BUCKETS - 1);
        let mut totals = Totals { calls: successes.within(first, last), ..Totals::default() };
        for bucket in self.buckets.iter().filter(|bucket| (first..=last).contains(&bucket.index)) {
            let [failures, slow, both, shed] =
                [bucket.failures, bucket.slow, bucket.slow_failures, bucket.shed].map(u64::from);
            totals.calls += failures + slow - both;
            totals.failures += failures;
            totals.slow += slow;
            totals.shed += shed;
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, collections::VecDeque};

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
                let slow = fastrand::bool();
                window.push(Verdict { failed, slow });
                oracle.push_back((failed, slow));
                while oracle.len() > size as usize {
                    oracle.pop_front();
                }
                let count = |of: fn(&(bool, bool)) -> bool| oracle.iter().filter(|verdict| of(verdict)).count() as u64;
                let [failures, slow] = [count(|verdict| verdict.0), count(|verdict| verdict.1)];
                assert_eq!(window.totals(), Totals { calls: oracle.len() as u64, failures, slow, shed: 0 });
            }
        }
    }

    const FAILED: Verdict = Verdict { failed: true, slow: false };
    const SLOW: Verdict = Verdict { failed: false, slow: true };

    fn time_window(time: Nanos) -> Window {
        Window::Time(TimeWindow::new(time / BUCKETS))
    }

    #[test]
    fn a_slow_call_that_fails_later_counts_where_it_stands_while_it_does() {
        let mut window = CallWindow::new(3);
        let position = window.push(SLOW);
        window.push(FAILED);
        window.fail(position);
        assert_eq!(window.totals(), Totals { calls: 2, failures: 2, slow: 1, shed: 0 });
        for _ in 0..2 {
            window.push(FAILED);
        }
        window.fail(position);
        assert_eq!(window.totals(), Totals { calls: 3, failures: 3, slow: 0, shed: 0 });

        let (mut window, none) = (time_window(3000), Counted::default());
        let position = window.record(SLOW, 5_000);
        window.record(FAILED, 7_000);
        window.fail(position);
        assert_eq!(window.totals(7_000, &none), Totals { calls: 2, failures: 2, slow: 1, shed: 0 });
        assert_eq!(window.totals(9_000, &none), Totals { calls: 1, failures: 1, slow: 0, shed: 0 });
        window.record(FAILED, 8_000);
        window.fail(position);
        assert_eq!(window.totals(9_000, &none), Totals { calls: 2, failures: 2, slow: 0, shed: 0 });
    }

    #[test]
    fn a_time_window_holds_all_but_its_oldest_bucket() {
        let mut window = time_window(3000);
        let successes = Counted::default();
        let mut log = VecDeque::new();
        let mut now = 5_000;
        for _ in 0..20_000 {
            now += fastrand::u64(0..150);
            if fastrand::bool() {
                window.record(FAILED, now);
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
        let mut window = time_window(1000);
        let none = Counted::default();
        window.record(FAILED, 1_000_000);
        assert_eq!(window.totals(500, &none).calls, 0);
        window.record(FAILED, 500);
        assert_eq!(window.totals(500, &none).calls, 1);
        assert_eq!(window.totals(1_000_000, &none).calls, 1);
    }

    #[test]
    fn a_slow_call_whose_bucket_a_clock_that_stepped_back_has_emptied_does_not_fail_in_it() {
        let (mut window, none) = (time_window(3000), Counted::default());
        let position = window.record(SLOW, 1_003_000);
        window.record(FAILED, 1_000_000);
        window.record(FAILED, 1_003_000);
        window.fail(position);
        assert_eq!(window.totals(1_003_000, &none), Totals { calls: 1, failures: 1, slow: 0, shed: 0 });
    }
}
