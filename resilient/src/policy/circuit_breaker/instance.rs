//! A breaker that is one of many, by key.

use super::{CircuitBreaker, CircuitBreakerConfig, CircuitBreakerStats, health::Ask};
use crate::{
    policy::keyed::{Birth, Instance},
    time::precise,
};

impl Instance for CircuitBreaker {
    type Config = CircuitBreakerConfig;
    type Stats = CircuitBreakerStats;

    fn born(config: CircuitBreakerConfig, site: &'static str, birth: Birth) -> Self {
        let Birth { label, check, .. } = birth;
        Self { label, ask: check.map(Ask::Own), ..Self::owned(config, site) }
    }

    fn name_of(config: &CircuitBreakerConfig) -> &'static str {
        config.name
    }

    fn is_pinned(&self) -> bool {
        let now = precise();
        self.lock().machine.is_pinned(now)
    }

    fn stats(&self) -> CircuitBreakerStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}
