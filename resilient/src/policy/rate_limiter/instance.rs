//! One limiter for each key.

use super::{RateLimiter, RateLimiterConfig, RateLimiterStats};
use crate::{
    error::ConfigError,
    policy::keyed::{Birth, Identity, Instance, Keep, Keyed},
    rate::Rate,
    time::Nanos,
};
use std::hash::Hash;

impl<K: Hash + ?Sized> Keyed<K, RateLimiter> {
    /// Each key has the rate that `rate` says, read when its limiter is made; it panics there where that can not work.
    ///
    /// ```
    /// # use resilient::{Keyed, Rate, RateLimiter, RateLimiterConfig};
    /// #[derive(Hash)]
    /// struct Tenant { id: u64, per_second: u32 }
    ///
    /// static TENANTS: Keyed<Tenant, RateLimiter> = Keyed::new(RateLimiterConfig::new(Rate::per_second(10)))
    ///     .rate(|tenant: &Tenant| Rate::per_second(tenant.per_second));
    /// ```
    #[must_use]
    pub const fn rate(self, rate: fn(&K) -> Rate) -> Self {
        self.of_rate(rate)
    }
}

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
