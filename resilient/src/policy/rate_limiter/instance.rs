//! One limiter for each key.

use super::{RateLimiter, RateLimiterConfig, RateLimiterStats};
use crate::{
    error::ConfigError,
    policy::keyed::{Birth, Identity, Instance, Keep},
    time::Nanos,
};

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
        Self { identity: Identity::new(birth), ..Self::new(config) }
    }

    fn learn(&self, birth: Birth) {
        if let Some(rate) = birth.rate {
            // A rate that can not work is refused, and the one that it has stays.
            let _ = self.reconfigure(self.config().with_rate(rate));
        }
        self.identity.learn(birth);
    }

    fn name_of(config: &RateLimiterConfig) -> &'static str {
        config.name
    }

    /// Evicting one that is not full would give its key new tokens.
    fn keep(&self, _: Nanos, _: Nanos, _: Nanos) -> Keep {
        if self.is_as_new() { Keep::No } else { Keep::Refusing }
    }

    fn next_config(_: &RateLimiterConfig, new: RateLimiterConfig) -> Result<RateLimiterConfig, ConfigError> {
        new.check()?;
        Ok(new)
    }

    fn reconfigure(&self, config: RateLimiterConfig) -> Result<(), ConfigError> {
        self.reconfigure(config)
    }

    fn stats(&self) -> RateLimiterStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}
