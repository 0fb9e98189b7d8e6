//! Defects that breakers elsewhere have, or had: ours has none of them.

mod locks;
mod probes;
mod refusals;
mod windows;

use crate::support::ms;
use resilient::{CircuitBreaker, CircuitBreakerConfig};
use tokio::time::advance;

/// Opens at the first failure, for a second.
const BRITTLE: CircuitBreakerConfig = CircuitBreakerConfig::new().failures(1).open_for(ms(1000));

const BRITTLE_RATE: CircuitBreakerConfig = CircuitBreakerConfig::new().open_for(ms(1000));

async fn half_open(config: CircuitBreakerConfig) -> CircuitBreaker {
    let breaker = CircuitBreaker::new(config);
    breaker.try_acquire().unwrap().failure();
    advance(ms(1000)).await;
    breaker
}
