use super::limit::Range;
use crate::{
    check,
    error::{ConfigError, demand},
    policy::mode::Mode,
    queue::Order,
};
use std::{ops::RangeInclusive, time::Duration};

/// How many calls a [`Bulkhead`](super::Bulkhead) lets run at once.
///
/// ```
/// use resilient::{Bulkhead, BulkheadConfig, Order};
/// use std::time::Duration;
///
/// static REPORTS: Bulkhead =
///     Bulkhead::new(BulkheadConfig::new(4).wait(Duration::from_millis(100)).queue(50).name("reports"));
/// static SEARCHES: Bulkhead =
///     Bulkhead::new(BulkheadConfig::adaptive(10..=200).wait(Duration::from_secs(1)).order(Order::Priority));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct BulkheadConfig {
    pub(super) name: &'static str,
    pub(super) max: u32,
    /// Where the limit is found by measurement, the least that it may be.
    pub(super) least: Option<u32>,
    pub(super) wait: Option<Duration>,
    pub(super) queue: Option<u32>,
    pub(super) order: Order,
    pub(super) mode: Mode,
}

impl BulkheadConfig {
    /// `max` at once (1 to 1 000 000); more are refused at once.
    pub const fn new(max: u32) -> Self {
        Self { name: "bulkhead", max, least: None, wait: None, queue: None, order: Order::Fifo, mode: Mode::On }
    }

    /// As many at once, between these limits, as the dependency serves without making them queue: that is found by
    /// measurement.
    ///
    /// The limit begins at the lower end. While calls are as quick as they were without load, and the limit is used, it
    /// rises; when they become slower, as they do where they queue, it falls in proportion, and by a tenth where more than a
    /// tenth of the calls failed or timed out. How quick calls are without load is measured anew from time to time, with
    /// half the limit for a few dozen calls, and when less load does not make them any quicker. An upper end well above what
    /// the dependency may ever serve costs nothing; a lower one above what it serves can not be corrected.
    ///
    /// A call by [`call`](super::Bulkhead::call) or in an annotated fn is measured by itself. Settle permits: one that is
    /// dropped counts only where it was held for longer than usual, for it may have been cancelled.
    ///
    /// ```
    /// # use resilient::{Bulkhead, BulkheadConfig};
    /// static STORE: Bulkhead = Bulkhead::new(BulkheadConfig::adaptive(10..=200));
    /// assert_eq!((STORE.stats().limit, STORE.stats().max), (10, 200));
    /// ```
    pub const fn adaptive(limits: RangeInclusive<u32>) -> Self {
        Self { least: Some(*limits.start()), ..Self::new(*limits.end()) }
    }

    /// A call without a place waits for one for up to so long.
    pub const fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// A call without a place waits for one up to the timeout around it, or for as long as it takes.
    pub const fn wait_unbounded(self) -> Self {
        self.wait(Duration::MAX)
    }

    /// At most so many wait (default: as many as there are places at most); more are refused at once. Only with `wait`.
    pub const fn queue(mut self, calls: u32) -> Self {
        self.queue = Some(calls);
        self
    }

    /// Any number may wait (up to 1 048 575).
    pub const fn queue_unbounded(self) -> Self {
        self.queue(u32::MAX)
    }

    /// Who goes first of those who wait (default: who came first).
    ///
    /// Where the queue is full, it is who would go last that is refused: a newcomer; with [`Order::Lifo`] the one who
    /// has waited longest; with [`Order::Priority`] perhaps a less urgent one who waits.
    pub const fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Whether it acts, only reports, or does nothing: see [`Bulkhead::set_mode`](super::Bulkhead::set_mode).
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(crate) const fn own_name(&self) -> &'static str {
        self.name
    }

    /// Where the limit is found by measurement, between which.
    pub(super) const fn range(&self) -> Option<Range> {
        match self.least {
            Some(least) => Some(Range { least, most: self.max }),
            None => None,
        }
    }

    /// The limit before anything is measured.
    pub(super) const fn first_limit(&self) -> u32 {
        match self.range() {
            Some(range) => range.first(),
            None => self.max,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that can not work.
    pub const fn check(&self) -> Result<(), ConfigError> {
        let limits = match self.least {
            Some(least) => check::adaptive([least, self.max]),
            None => check::max(self.max),
        };
        if let Err(error) = limits {
            return Err(error);
        }
        if let Some(calls) = self.queue {
            if self.wait.is_none() {
                return Err(ConfigError::new("a `queue` without `wait` is never used"));
            }
            if let Err(error) = check::queue(calls) {
                return Err(error);
            }
        }
        match self.wait {
            Some(limit) if limit.as_secs() != Duration::MAX.as_secs() => check::wait(limit),
            _ => Ok(()),
        }
    }

    /// [`check`](Self::check)s in a const context.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn assert(&self) {
        demand(self.check());
    }

    /// The same configuration, [`check`](Self::check)ed.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn checked(self) -> Self {
        self.assert();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused() {
        let new = BulkheadConfig::new;
        assert_eq!(new(1).check(), Ok(()));
        assert_eq!(new(1).wait_unbounded().queue_unbounded().check(), Ok(()));
        assert_eq!(BulkheadConfig::adaptive(1..=1_000_000).check(), Ok(()));
        for config in [
            new(0),
            new(1_000_001),
            new(1).queue(3),
            new(1).wait(Duration::ZERO),
            new(1).wait_unbounded().queue(0),
            BulkheadConfig::adaptive(0..=5),
            BulkheadConfig::adaptive(5..=5),
            #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
            BulkheadConfig::adaptive(6..=5),
            BulkheadConfig::adaptive(6..=1_000_001),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
