use super::bucket::Bucket;
use crate::{
    check,
    error::{ConfigError, demand},
    rate::Rate,
};
use std::time::Duration;

/// How often a [`RateLimiter`](super::RateLimiter) lets calls pass.
///
/// ```
/// use resilient::{Rate, RateLimiter, RateLimiterConfig};
/// use std::time::Duration;
///
/// static VENDOR: RateLimiter = RateLimiter::new(
///     RateLimiterConfig::new(Rate::per_second(100)).burst(20).wait(Duration::from_millis(500)).name("vendor"),
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RateLimiterConfig {
    pub(super) name: &'static str,
    pub(super) rate: Rate,
    burst: Option<u32>,
    initial: Option<u32>,
    pub(super) wait: Option<Duration>,
}

impl RateLimiterConfig {
    /// This rate; a burst of one period's worth, a full bucket at the start, and refusal at once.
    pub const fn new(rate: Rate) -> Self {
        Self { name: "rate_limited", rate, burst: None, initial: None, wait: None }
    }

    /// The tokens that the bucket holds (at least 1; default: one period's worth, so that up to twice the rate can pass
    /// in one period).
    pub const fn burst(mut self, tokens: u32) -> Self {
        self.burst = Some(tokens);
        self
    }

    /// The tokens in the bucket at the first call (default: all).
    pub const fn initial(mut self, tokens: u32) -> Self {
        self.initial = Some(tokens);
        self
    }

    /// A call without a token waits its turn for up to so long, first come, first served.
    pub const fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// A call without a token waits its turn up to the timeout around it, or for as long as it takes.
    pub const fn wait_unbounded(self) -> Self {
        self.wait(Duration::MAX)
    }

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) const fn capacity(&self) -> u32 {
        match self.burst {
            Some(tokens) => tokens,
            None => self.rate.limit(),
        }
    }

    pub(super) const fn first_tokens(&self) -> u32 {
        match self.initial {
            Some(tokens) => tokens,
            None => self.capacity(),
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that can not work.
    pub const fn check(&self) -> Result<(), ConfigError> {
        if let Err(error) = check::rate(self.rate) {
            return Err(error);
        }
        if let Err(error) = check::burst(self.capacity()) {
            return Err(error);
        }
        if self.first_tokens() > self.capacity() {
            return Err(ConfigError::new("`initial` is more than the bucket holds: it is at most the `burst`"));
        }
        if !Bucket::fits(self.rate, self.capacity()) {
            return Err(ConfigError::new(
                "a `burst` that takes more than a century to come back is none: write a smaller one",
            ));
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
        let new = || RateLimiterConfig::new(Rate::per_second(10));
        assert_eq!(new().check(), Ok(()));
        assert_eq!(new().wait_unbounded().initial(0).check(), Ok(()));
        for config in [
            RateLimiterConfig::new(Rate::per_second(0)),
            RateLimiterConfig::new(Rate::new(1, Duration::ZERO)),
            RateLimiterConfig::new(Rate::new(1001, Duration::from_micros(1))),
            new().burst(0),
            RateLimiterConfig::new(Rate::per_day(1)).burst(100_000),
            new().initial(11),
            new().wait(Duration::ZERO),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
