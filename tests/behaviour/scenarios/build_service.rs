//! A build service: rolling windows, with thresholds by how much an endpoint matters.

use super::*;
use crate::support::Heard;
use resilient::{Cause, EventKind};

const fn preset(failure_rate: u32, min_calls: u32) -> CircuitBreakerConfig {
    CircuitBreakerConfig::new().failure_rate(Ratio::percent(failure_rate)).min_calls(min_calls)
}

const CRITICAL: CircuitBreakerConfig = preset(30, 5);
const STANDARD: CircuitBreakerConfig = preset(50, 10);
const NETWORK: CircuitBreakerConfig = preset(40, 10);
const HIGH_THROUGHPUT: CircuitBreakerConfig = preset(60, 15);
const RELAXED: CircuitBreakerConfig = preset(70, 20);

const PRESETS: [(CircuitBreakerConfig, u32, u32); 5] =
    [(CRITICAL, 30, 5), (STANDARD, 50, 10), (NETWORK, 40, 10), (HIGH_THROUGHPUT, 60, 15), (RELAXED, 70, 20)];

#[tokio::test(start_paused = true)]
async fn each_preset_opens_at_its_rate_and_not_below() {
    for (config, percent, _) in PRESETS {
        let breaker = CircuitBreaker::new(config);
        succeed(&breaker, 100 - percent);
        fail(&breaker, percent - 1);
        assert_eq!(breaker.state(), CircuitState::Closed, "{percent}% of 99");
        fail(&breaker, 1);
        assert_eq!(breaker.state(), CircuitState::Open, "{percent}% of 100");
    }
}

#[tokio::test(start_paused = true)]
async fn each_preset_decides_on_its_least_number_of_requests() {
    for (config, percent, least) in PRESETS {
        let breaker = CircuitBreaker::new(config);
        fail(&breaker, least - 1);
        assert_eq!(breaker.state(), CircuitState::Closed, "{percent}%");
        assert_eq!(breaker.stats().failure_rate, None);
        fail(&breaker, 1);
        assert_eq!(breaker.state(), CircuitState::Open, "{percent}%");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_in_a_rolling_window() {
    let breaker = CircuitBreaker::new(STANDARD.window_time(10 * SECOND));
    for _ in 0..20 {
        fail(&breaker, 4);
        succeed(&breaker, 5);
        advance(11 * SECOND).await;
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!((breaker.stats().calls, breaker.stats().total_failures), (0, 80));
}

#[tokio::test(start_paused = true)]
async fn only_network_errors_count_with_the_network_preset() {
    let breaker = CircuitBreaker::new(NETWORK);
    for _ in 0..100 {
        breaker.try_acquire().unwrap().ignore();
    }
    assert_eq!((breaker.stats().calls, breaker.stats().ignored), (0, 100));
    fail(&breaker, 10);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_failing_calls_open_the_endpoint_and_the_next_is_rejected() {
    let endpoints = Keyed::<str, CircuitBreaker>::new(STANDARD.checked()).displayed();
    let dependency = Dependency::new([Act::Fail]);
    let mut refused = 0;
    for _ in 0..100 {
        let error = endpoints.get("test").call(dependency.run()).await.unwrap_err();
        refused += u32::from(matches!(error, Fault::Refused(_)));
    }
    assert_eq!((dependency.runs(), refused), (10, 90));
    assert_eq!(endpoints.state("test"), CircuitState::Open);
    dependency.act([Act::Succeed]);
    let rejected: Result<u32, Fault> = endpoints.get("test").call(dependency.run()).await;
    assert!(rejected.unwrap_err().ours().is_circuit_open());
    // Another endpoint has a breaker of its own.
    assert_eq!(endpoints.get("cache").call(dependency.run()).await, Ok(11));
    // An operator may let calls through all the same.
    endpoints.force_closed("test").unwrap();
    assert_eq!(endpoints.get("test").call(dependency.run()).await, Ok(12));
}

#[tokio::test(start_paused = true)]
async fn its_states_are_reported_as_they_change() {
    let heard = Heard::of("build endpoint");
    let breaker = CircuitBreaker::new(CRITICAL.name("build endpoint").open_for(SECOND));
    fail(&breaker, 5);
    advance(SECOND).await;
    succeed(&breaker, 1);
    let kinds: Vec<_> = heard.take_events().into_iter().map(|event| event.kind).collect();
    let [EventKind::Opened { failures: 5, calls: 5, open_for, cause, .. }, half_opened, closed] = &kinds[..] else {
        panic!("{kinds:?}");
    };
    assert_eq!(*open_for, Some(SECOND));
    assert!(matches!(cause, Cause::FailureRate { failures: 5, calls: 5, .. }));
    assert!(matches!(half_opened, EventKind::HalfOpened));
    assert!(matches!(closed, EventKind::Closed { .. }));
}

#[tokio::test(start_paused = true)]
async fn monitoring_sees_states_rates_and_rejections() {
    let breaker = CircuitBreaker::new(CRITICAL);
    succeed(&breaker, 3);
    fail(&breaker, 1);
    assert_eq!(breaker.stats().failure_rate, None);
    succeed(&breaker, 1);
    assert_eq!(breaker.stats().failure_rate, Some(Ratio::percent(20)));
    fail(&breaker, 1);
    assert!(is_refused(&breaker) && is_refused(&breaker));
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.opened, stats.rejected), (CircuitState::Open, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn its_state_can_be_set_by_hand() {
    let breaker = CircuitBreaker::new(STANDARD);
    breaker.force_open();
    advance(3600 * SECOND).await;
    assert!(is_refused(&breaker));
    breaker.force_closed();
    fail(&breaker, 100);
    assert_eq!(breaker.state(), CircuitState::ForcedClosed);
    breaker.reset();
    assert_eq!((breaker.state(), breaker.stats().calls), (CircuitState::Closed, 0));
    fail(&breaker, 10);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_refined_from_a_preset() {
    let breaker = CircuitBreaker::new(STANDARD);
    breaker.reconfigure(NETWORK.min_calls(5)).unwrap();
    succeed(&breaker, 3);
    fail(&breaker, 2);
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(breaker.reconfigure(NETWORK.min_calls(0)).is_err());
}

#[tokio::test(start_paused = true)]
async fn thresholds_adapt_to_what_is_usual() {
    let breaker = CircuitBreaker::new(RELAXED.window_calls(100).adaptive());
    // Four of a hundred calls usually fail.
    for _ in 0..50 {
        fail(&breaker, 1);
        succeed(&breaker, 24);
    }
    for _ in 0..20 {
        fail(&breaker, 1);
        succeed(&breaker, 24);
    }
    let usual = breaker.stats().baseline.unwrap().as_f64();
    assert!((0.03..0.05).contains(&usual), "{usual}");
    // Far below the limit of 70%, and far above that.
    while breaker.state() == CircuitState::Closed {
        fail(&breaker, 1);
    }
    let cause = breaker.stats().last_change.unwrap().cause;
    assert!(matches!(cause, Cause::AboveBaseline { failures: 10..40, .. }), "{cause:?}");
}

#[tokio::test(start_paused = true)]
async fn health_probes_close_it_without_traffic() {
    use resilient::HealthCheck;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let healthy = HealthCheck::new(|| Box::pin(async { ASKED.fetch_add(1, Relaxed) >= 2 }));
    let breaker = CircuitBreaker::new(CRITICAL.health_check(healthy).health_every(SECOND));
    fail(&breaker, 5);
    assert!(is_refused(&breaker));
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (3, CircuitState::Closed));
}
