mod adaptive;
mod defects;
mod half_open;
mod health;
mod judged;
mod keyed;
mod keyed_control;
mod keyed_kept;
mod locks;
mod manual;
mod many;
mod modes;
mod outcomes;
mod reconfigure;
mod recovery;
mod shed;
mod slow_calls;
mod stats;
mod windows;

use crate::support::{Act, Dependency, Fault, Heard, adds_up, caught, ms, poll_once, site};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, Permit, Ratio, bulkhead, circuit_breaker, rate_limited,
    registry, timeout,
};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::{advance, sleep};

const CONFIG: CircuitBreakerConfig = CircuitBreakerConfig::new().open_for(Duration::from_secs(1));

/// Opens at the first failure, for a second.
fn brittle() -> CircuitBreaker {
    CircuitBreaker::new(CONFIG.failures(1))
}

async fn call(breaker: &CircuitBreaker, act: Act) -> Result<u32, Fault> {
    let dependency = Dependency::new([act]);
    breaker.call(dependency.run()).await
}

async fn calls(breaker: &CircuitBreaker, acts: &str) {
    for act in acts.chars() {
        let act = if act == 'S' { Act::Succeed } else { Act::Fail };
        let ended = call(breaker, act).await;
        assert!(!matches!(ended, Err(Fault::Refused(_))), "refused: {acts}");
    }
}

async fn half_open(breaker: &CircuitBreaker) {
    calls(breaker, "F").await;
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

async fn refused(breaker: &CircuitBreaker) -> Option<Duration> {
    let error = call(breaker, Act::Succeed).await.unwrap_err();
    assert!(error.ours().is_circuit_open());
    error.ours().retry_after()
}

/// Calls that have begun, and wait to be settled.
fn begun<const N: usize>(breaker: &CircuitBreaker) -> [Permit<'_, CircuitBreaker>; N] {
    [(); N].map(|()| breaker.try_acquire().unwrap())
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
