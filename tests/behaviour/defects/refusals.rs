//! Refusals that refuse nothing.

use super::BRITTLE;
use crate::support::{Act, Dependency, Fault};
use resilient::{CircuitBreaker, bulkhead, circuit_breaker, rate_limited};

/// `resilient` 0.1, tokitai: an open circuit runs the body all the same.
#[tokio::test(start_paused = true)]
async fn an_open_circuit_runs_nothing() {
    let breaker = CircuitBreaker::new(BRITTLE);
    breaker.force_open();
    let dependency = Dependency::new([Act::Succeed]);
    for _ in 0..10 {
        assert!(breaker.call(dependency.run()).await.is_err());
    }
    assert_eq!(dependency.runs(), 0);
}

/// The same behind all that refuses: not one of them lets the body begin.
#[tokio::test(start_paused = true)]
async fn nothing_that_refuses_runs_the_body() {
    #[rate_limited(1/d, initial = 0)]
    async fn drained(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    #[bulkhead(1)]
    #[circuit_breaker(failures = 1, open_for = 1h)]
    async fn occupied(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::SlowFail(10)]);
    let (first, second) = tokio::join!(occupied(&dependency), occupied(&dependency));
    assert!(matches!(first, Err(Fault::Down(1))) && second.unwrap_err().ours().is_bulkhead_full());
    for _ in 0..10 {
        assert!(occupied(&dependency).await.unwrap_err().ours().is_circuit_open());
        assert!(drained(&dependency).await.unwrap_err().ours().is_rate_limited());
    }
    assert_eq!(dependency.runs(), 1);
}
