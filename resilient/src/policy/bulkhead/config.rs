use crate::{
    check,
    error::{ConfigError, demand},
};
use std::time::Duration;

/// How many calls a [`Bulkhead`](super::Bulkhead) lets run at once.
///
/// ```
/// use resilient::{Bulkhead, BulkheadConfig};
/// use std::time::Duration;
///
/// static REPORTS: Bulkhead =
///     Bulkhead::new(BulkheadConfig::new(4).wait(Duration::from_millis(100)).queue(50).name("reports"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct BulkheadConfig {
    pub(super) name: &'static str,
    pub(super) max: u32,
    pub(super) wait: Option<Duration>,
    queue: Option<u32>,
}

impl BulkheadConfig {
    /// `max` at once (1 to 1 000 000); more are refused at once.
    pub const fn new(max: u32) -> Self {
        Self { name: "bulkhead", max, wait: None, queue: None }
    }

    /// A call without a place waits for one for up to so long, first come, first served.
    pub const fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// A call without a place waits for one up to the timeout around it, or for as long as it takes.
    pub const fn wait_unbounded(self) -> Self {
        self.wait(Duration::MAX)
    }

    /// At most so many wait (default: as many as there are places); more are refused at once. Only with `wait`.
    pub const fn queue(mut self, calls: u32) -> Self {
        self.queue = Some(calls);
        self
    }

    /// Any number may wait.
    pub const fn queue_unbounded(self) -> Self {
        self.queue(u32::MAX)
    }

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) const fn queue_length(&self) -> usize {
        match self.queue {
            Some(u32::MAX) => usize::MAX,
            Some(calls) => calls as usize,
            None => self.max as usize,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that can not work.
    pub const fn check(&self) -> Result<(), ConfigError> {
        if let Err(error) = check::max(self.max) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused() {
        let new = BulkheadConfig::new;
        assert_eq!(new(1).check(), Ok(()));
        assert_eq!(new(1).wait_unbounded().queue_unbounded().check(), Ok(()));
        for config in
            [new(0), new(1_000_001), new(1).queue(3), new(1).wait(Duration::ZERO), new(1).wait_unbounded().queue(0)]
        {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
