//! Breakers as five systems use them.

mod build_service;
mod cache_layers;
mod package_client;
mod patterns;
mod tool_providers;

use crate::support::{Act, Dependency, Fault, ms};
use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, Keyed, Ratio};
use std::time::Duration;
use tokio::time::advance;

const SECOND: Duration = Duration::from_secs(1);

fn fail(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().failure();
    }
}

fn succeed(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().success();
    }
}

fn is_refused(breaker: &CircuitBreaker) -> bool {
    breaker.try_acquire().is_err_and(|error| error.is_circuit_open())
}
