//! One limiter for each key.

use super::{RateLimiter, RateLimiterConfig, RateLimiterStats};
use crate::policy::keyed::{Birth, Instance};

impl Instance for RateLimiter {
    type Config = RateLimiterConfig;
    type Stats = RateLimiterStats;

    /// # Panics
    /// When the key's own rate can not work.
    fn born(config: RateLimiterConfig, _: &'static str, birth: Birth) -> Self {
        let config = match birth.rate {
            Some(rate) => config.with_rate(rate),
            None => config,
        };
        Self { label: birth.label, ..Self::new(config) }
    }

    fn name_of(config: &RateLimiterConfig) -> &'static str {
        config.name
    }

    /// Evicting one that is not full would give its key new tokens.
    fn is_pinned(&self) -> bool {
        let stats = self.stats();
        stats.waiting > 0 || stats.held_for.is_some() || stats.debt > 0
    }

    fn stats(&self) -> RateLimiterStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}
