//! Tool providers: their callers ask of an error whether the circuit is open.

use super::*;
use resilient::{Backoff, Bulkhead, BulkheadConfig, Jitter, Retry, RetryConfig};

const BACKEND: CircuitBreakerConfig =
    CircuitBreakerConfig::new().name("backend").failures(5).open_for(Duration::from_secs(30)).successes(2);

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_told_apart_from_the_providers_own_errors() {
    let breaker = CircuitBreaker::new(BACKEND);
    let provider = Dependency::new([Act::Fail]);
    for run in 1..=5 {
        assert_eq!(breaker.call(provider.run()).await, Err(Fault::Down(run)));
    }
    let error = breaker.call(provider.run()).await.unwrap_err();
    let error = error.ours();
    assert!(error.is_circuit_open() && error.is_rejection() && !error.is_timeout());
    assert_eq!((error.policy(), error.retry_after()), ("backend", Some(30 * SECOND)));
    assert_eq!(provider.runs(), 5);
}

#[tokio::test(start_paused = true)]
async fn two_successes_close_it() {
    let breaker = CircuitBreaker::new(BACKEND);
    fail(&breaker, 5);
    advance(30 * SECOND).await;
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn many_callers_at_the_end_of_the_timeout_send_one_probe() {
    let breaker = CircuitBreaker::new(BACKEND);
    fail(&breaker, 5);
    advance(31 * SECOND).await;
    let admitted: Vec<_> = (0..100).filter_map(|_| breaker.try_acquire().ok()).collect();
    assert_eq!((admitted.len(), breaker.stats().rejected), (1, 99));
}

#[tokio::test(start_paused = true)]
async fn a_provider_behind_all_of_it_is_left_alone_once_the_circuit_is_open() {
    let breaker = CircuitBreaker::new(BACKEND);
    let places = Bulkhead::new(BulkheadConfig::new(10));
    let backoff = Backoff::exponential(ms(100), 10 * SECOND);
    let retry = Retry::new(RetryConfig::new().attempts(3).backoff(backoff).jitter(Jitter::None));
    let provider = Dependency::new([Act::Fail]);
    let call = || places.call(retry.call(|| breaker.call(provider.run())));
    assert_eq!(call().await, Err(Fault::Down(3)));
    // The fifth attempt opens it, and the refusal ends the retries.
    assert!(call().await.unwrap_err().ours().is_circuit_open());
    assert_eq!(provider.starts(), [0, 100, 300, 300, 400]);
    assert!(call().await.unwrap_err().ours().is_circuit_open());
    assert_eq!((provider.runs(), places.available()), (5, 10));
}
