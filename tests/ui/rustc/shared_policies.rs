//! Shared policies of another type, or that stay borrowed.

use resilient::{
    CircuitBreaker, CircuitBreakerConfig, Error, Timeout, TimeoutConfig, circuit_breaker, rate_limited, retry, timeout,
};
use std::{sync::Arc, time::Duration};

static TOTAL: Timeout = Timeout::new(TimeoutConfig::new(Duration::from_secs(1)));

#[circuit_breaker(TOTAL)]
async fn another_policy() -> Result<u32, Error> {
    Ok(1)
}

#[retry(MISSING)]
async fn missing() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(policy = 1 + 1)]
async fn number() -> Result<u32, Error> {
    Ok(1)
}

#[timeout(policy = Duration::from_secs(1))]
async fn time() -> Result<u32, Error> {
    Ok(1)
}

struct Client {
    breaker: CircuitBreaker,
    counted: Arc<Timeout>,
    log: Vec<u32>,
}

impl Client {
    #[circuit_breaker(policy = self.breaker)]
    async fn borrowed(&mut self) -> Result<u32, Error> {
        self.log.push(1);
        Ok(1)
    }

    #[circuit_breaker(policy = self.counted)]
    async fn another_counted_policy(&mut self) -> Result<u32, Error> {
        self.log.push(1);
        Ok(1)
    }

    #[circuit_breaker(policy = self.missing)]
    async fn missing_field(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn main() {
    let _ = CircuitBreakerConfig::new();
}
