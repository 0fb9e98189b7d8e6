//! A chain of cache layers: one that fails or is slow is left out.

use super::*;
use resilient::{Fallback, Timeout, TimeoutConfig, circuit_breaker, registry, timeout};

const LAYER: CircuitBreakerConfig =
    CircuitBreakerConfig::new().failures(3).open_for(Duration::from_millis(100)).successes(2);

#[tokio::test(start_paused = true)]
async fn it_goes_through_all_states() {
    let breaker = CircuitBreaker::new(LAYER);
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 3);
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(is_refused(&breaker));
    advance(ms(150)).await;
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(150)).await;
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn repeated_timeouts_open_the_circuit() {
    let breaker = CircuitBreaker::new(LAYER);
    let timeout = Timeout::new(TimeoutConfig::new(ms(50)));
    let slow = Dependency::new([Act::Slow(200)]);
    for _ in 0..3 {
        let error = breaker.call(timeout.call(slow.run())).await.unwrap_err();
        assert!(error.ours().is_timeout() && !error.ours().is_circuit_open());
    }
    let error = breaker.call(timeout.call(slow.run())).await.unwrap_err();
    assert!(error.ours().is_circuit_open() && !error.ours().is_timeout());
    assert_eq!(slow.starts(), [0, 50, 100]);
}

#[tokio::test(start_paused = true)]
async fn what_ends_in_time_is_a_success() {
    let breaker = CircuitBreaker::new(LAYER);
    let timeout = Timeout::new(TimeoutConfig::new(ms(50)));
    let quick = Dependency::new([Act::Slow(40)]);
    for run in 1..=5 {
        assert_eq!(breaker.call(timeout.call(quick.run())).await, Ok(run));
    }
    assert_eq!((breaker.state(), breaker.stats().total_failures), (CircuitState::Closed, 0));
}

/// The caller's own deadline is not the layer's failure.
#[tokio::test(start_paused = true)]
async fn a_callers_shorter_deadline_takes_precedence_and_does_not_count_against_the_layer() {
    let breaker = CircuitBreaker::new(LAYER);
    let (caller, own) = (Timeout::new(TimeoutConfig::new(ms(20))), Timeout::new(TimeoutConfig::new(ms(50))));
    let slow = Dependency::new([Act::Slow(200)]);
    for _ in 0..5 {
        let begun = tokio::time::Instant::now();
        let error = caller.call(breaker.call(own.call(slow.run()))).await.unwrap_err();
        assert!(error.ours().is_timeout());
        assert_eq!(begun.elapsed(), ms(20));
    }
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.failures, stats.cancelled), (CircuitState::Closed, 0, 5));
}

#[tokio::test(start_paused = true)]
async fn a_chain_skips_the_layer_that_always_fails() {
    let breaker = CircuitBreaker::new(LAYER.open_for(30 * SECOND));
    let (first, second) = (Dependency::new([Act::Fail]), Dependency::new([Act::Succeed]));
    let next = Fallback::new(|_: Fault| second.run());
    for call in 1..=5 {
        assert_eq!(next.call(breaker.call(first.run())).await, Ok(call));
    }
    assert_eq!((first.runs(), second.runs(), breaker.stats().rejected), (3, 5, 2));
    // The first layer is back.
    first.act([Act::Succeed]);
    advance(30 * SECOND).await;
    for call in 4..=5 {
        assert_eq!(next.call(breaker.call(first.run())).await, Ok(call));
    }
    assert_eq!((second.runs(), breaker.state()), (5, CircuitState::Closed));
}

/// The same with attributes.
#[tokio::test(start_paused = true)]
async fn an_annotated_layer_that_hangs_is_passed_over() {
    #[circuit_breaker(failures = 2, open_for = 10s, successes = 2)]
    #[timeout(100ms)]
    async fn get_layer(layer: &Dependency) -> Result<u32, Fault> {
        layer.run().await
    }
    let layer = Dependency::new([Act::Hang]);
    for _ in 0..2 {
        assert!(get_layer(&layer).await.unwrap_err().ours().is_timeout());
    }
    assert!(get_layer(&layer).await.unwrap_err().ours().is_circuit_open());
    assert_eq!(layer.runs(), 2);
    layer.act([Act::Succeed]);
    advance(10 * SECOND).await;
    get_layer(&layer).await.unwrap();
    get_layer(&layer).await.unwrap();
    let breaker = registry().circuit_breaker("cache_layers::get_layer").unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
}
