//! A breaker that is one of many, by key.

use super::{CircuitBreaker, CircuitBreakerConfig, CircuitBreakerStats};
use crate::{
    error::ConfigError,
    policy::keyed::{Birth, Identity, Instance, Keep},
    time::Nanos,
};

impl Instance for CircuitBreaker {
    type Config = CircuitBreakerConfig;
    type Stats = CircuitBreakerStats;

    fn born(config: CircuitBreakerConfig, site: &'static str, birth: Birth) -> Self {
        Self { identity: Identity::new(birth), ..Self::owned(config, site) }
    }

    fn learn(&self, birth: Birth) {
        self.identity.learn(birth);
    }

    fn name_of(config: &CircuitBreakerConfig) -> &'static str {
        config.name
    }

    fn catch_up(&self, now: Nanos) {
        let has_news = self.health.get().is_some_and(|health| health.has_news());
        if has_news || self.lock().machine.is_overdue(now) {
            // Time acts, and news is heard.
            let _ = self.state();
        }
    }

    fn keep(&self, now: Nanos, unused: Nanos, idle: Nanos) -> Keep {
        let core = self.lock();
        let machine = &core.machine;
        if machine.state().is_manual() || machine.rules.mode != core.config.mode {
            Keep::ByHand
        } else if machine.is_pinned(now, unused, idle) {
            Keep::Refusing
        } else {
            Keep::No
        }
    }

    fn evicted(&self) {
        if let Some(health) = self.health.get() {
            let generation = self.lock().machine.generation();
            health.stop(generation);
        }
    }

    fn next_config(old: &CircuitBreakerConfig, new: CircuitBreakerConfig) -> Result<CircuitBreakerConfig, ConfigError> {
        new.check()?;
        Ok(new.in_place_of(old))
    }

    fn reconfigure(&self, config: CircuitBreakerConfig) -> Result<(), ConfigError> {
        self.reconfigure(config)
    }

    fn stats(&self) -> CircuitBreakerStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}
