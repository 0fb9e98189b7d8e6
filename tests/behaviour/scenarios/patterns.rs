//! A client that combines the patterns.

use super::*;
use resilient::{Backoff, Bulkhead, BulkheadConfig, Jitter, Retry, RetryConfig};

const CLIENT: CircuitBreakerConfig =
    CircuitBreakerConfig::new().failures(3).open_for(Duration::from_secs(30)).probes(3).successes(3);

#[tokio::test(start_paused = true)]
async fn half_open_lets_as_many_through_as_must_succeed() {
    let breaker = CircuitBreaker::new(CLIENT);
    fail(&breaker, 3);
    advance(30 * SECOND).await;
    let [first, second, third] = [(); 3].map(|()| breaker.try_acquire().unwrap());
    assert!(is_refused(&breaker));
    first.success();
    second.success();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    third.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_failure_of_several_probes_opens_it_again_and_their_count_begins_anew() {
    let breaker = CircuitBreaker::new(CLIENT);
    fail(&breaker, 3);
    advance(30 * SECOND).await;
    succeed(&breaker, 1);
    let late = breaker.try_acquire().unwrap();
    fail(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Open);
    late.success();
    assert_eq!(breaker.stats().late, 1);
    advance(30 * SECOND).await;
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn combined_with_retries_inside_a_call_is_one_result() {
    let breaker = CircuitBreaker::new(CLIENT);
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded());
    let backoff = Backoff::constant(ms(100));
    let retry = Retry::new(RetryConfig::new().attempts(3).backoff(backoff).jitter(Jitter::None));
    let server = Dependency::new([Act::Fail, Act::Fail, Act::Succeed, Act::Fail]);
    let call = || places.call(breaker.call(retry.call(|| server.run())));
    assert_eq!(call().await, Ok(3));
    assert_eq!((breaker.stats().failures, breaker.stats().total_failures), (0, 0));
    for calls in 1..=3 {
        assert_eq!(call().await, Err(Fault::Down(3 + 3 * calls)));
    }
    assert!(call().await.unwrap_err().ours().is_circuit_open());
    assert_eq!((server.runs(), breaker.stats().total_failures), (12, 3));
    // Recovered.
    server.act([Act::Succeed]);
    advance(30 * SECOND).await;
    for _ in 0..3 {
        call().await.unwrap();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn combined_with_a_bulkhead_outside_an_open_circuit_frees_the_places_at_once() {
    let breaker = CircuitBreaker::new(CLIENT);
    let places = Bulkhead::new(BulkheadConfig::new(2).wait_unbounded());
    let server = Dependency::new([Act::SlowFail(1000)]);
    let call = || places.call(breaker.call(server.run()));
    let begun = tokio::time::Instant::now();
    let ended = tokio::join!(call(), call(), call(), call(), call(), call());
    let refused = [&ended.0, &ended.1, &ended.2, &ended.3, &ended.4, &ended.5]
        .map(|ended| u32::from(matches!(ended, Err(Fault::Refused(_)))));
    // Two at a time: the third failure opens it, the fourth was under way, and those in the line find it open.
    assert_eq!((server.runs(), refused.iter().sum()), (4, 2));
    assert_eq!((begun.elapsed(), places.available()), (ms(2000), 2));
}
