//! Defects that breakers elsewhere have, or had: ours has none of them.

use crate::support::{Act, Dependency, Fault, ms};
use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, EventKind, Permit, Ratio, subscribe};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};
use tokio::time::{advance, sleep, timeout};

/// Opens at the first failure, for a second.
const BRITTLE: CircuitBreakerConfig = CircuitBreakerConfig::new().failures(1).open_for(ms(1000));

async fn half_open(config: CircuitBreakerConfig) -> CircuitBreaker {
    let breaker = CircuitBreaker::new(config);
    breaker.try_acquire().unwrap().failure();
    advance(ms(1000)).await;
    breaker
}

/// Polly, gobreaker: a probe that never ends leaves the circuit half-open for ever.
#[tokio::test(start_paused = true)]
async fn a_hung_probe_does_not_wedge_half_open() {
    let breaker = half_open(BRITTLE.probe_timeout(ms(500))).await;
    let hung = breaker.try_acquire().unwrap();
    advance(ms(500)).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(1000)).await;
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), CircuitState::Closed);
    hung.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Polly, cockatiel: a cancelled probe closes the circuit.
#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_does_not_close() {
    let breaker = half_open(BRITTLE).await;
    let dependency = Dependency::new([Act::Hang]);
    timeout(ms(10), breaker.call(dependency.run())).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

/// reliability-toolkit, ninelives, circuitbreaker-rs, firefly: a probe that is dropped, or panics, keeps its place.
#[tokio::test(start_paused = true)]
async fn a_dropped_or_panicked_probe_gives_its_place_back() {
    let breaker = half_open(BRITTLE).await;
    drop(breaker.try_acquire().unwrap());
    let probe = breaker.try_acquire().unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _probe = probe;
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(panicked.is_err());
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::Open, 0));
    advance(ms(1000)).await;
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Polly, failsafe-go, hystrix-go, and every Rust peer without a generation: a call from before decides half-open.
#[tokio::test(start_paused = true)]
async fn a_call_from_before_decides_nothing() {
    for succeeds in [true, false] {
        let breaker = CircuitBreaker::new(BRITTLE);
        let early = breaker.try_acquire().unwrap();
        breaker.try_acquire().unwrap().failure();
        advance(ms(1000)).await;
        let probe = breaker.try_acquire().unwrap();
        if succeeds {
            early.success();
        } else {
            early.failure();
        }
        assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 1));
        probe.success();
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}

/// gobreaker, Polly: a callback that asks the breaker finds it locked.
#[tokio::test(start_paused = true)]
async fn a_subscriber_may_ask_the_breaker() {
    let breaker = Arc::new(CircuitBreaker::new(BRITTLE.name("asked back")));
    let (asked, seen) = (breaker.clone(), Arc::new(AtomicU32::new(0)));
    let counter = seen.clone();
    let _heard = subscribe(move |event| {
        if event.policy == "asked back" && matches!(event.kind, EventKind::Opened { .. }) {
            assert_eq!(asked.state(), CircuitState::Open);
            counter.fetch_add(1, Relaxed);
        }
    });
    breaker.try_acquire().unwrap().failure();
    assert_eq!(seen.load(Relaxed), 1);
}

/// pybreaker, gobreaker's distributed one: the lock is held while the call runs.
#[tokio::test(start_paused = true)]
async fn calls_run_side_by_side() {
    let breaker = CircuitBreaker::new(BRITTLE);
    let dependency = Dependency::new([Act::Slow(10)]);
    let (first, second) = tokio::join!(breaker.call(dependency.run()), breaker.call(dependency.run()));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(dependency.most_running.load(Relaxed), 2);
}

/// failsafe-go's buckets, cockatiel: what is in the window after a long idle time is old.
#[tokio::test(start_paused = true)]
async fn nothing_is_stale_after_idleness() {
    let config = BRITTLE_RATE.window_time(ms(3000)).min_calls(4);
    let breaker = CircuitBreaker::new(config);
    (0..3).for_each(|_| breaker.try_acquire().unwrap().failure());
    advance(ms(100_000_000)).await;
    breaker.try_acquire().unwrap().failure();
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 1));
}

const BRITTLE_RATE: CircuitBreakerConfig = CircuitBreakerConfig::new().open_for(ms(1000));

/// failsafe-go: rates are rounded to two decimals before they are compared.
#[tokio::test(start_paused = true)]
async fn rounding_moves_no_threshold() {
    let config = BRITTLE_RATE.window_calls(1000).min_calls(1000).failure_rate(Ratio::new(0.333_333_333).unwrap());
    for (failures, state) in [(333, CircuitState::Closed), (334, CircuitState::Open)] {
        let breaker = CircuitBreaker::new(config);
        (0..1000 - failures).for_each(|_| breaker.try_acquire().unwrap().success());
        (0..failures).for_each(|_| breaker.try_acquire().unwrap().failure());
        assert_eq!(breaker.state(), state, "{failures}");
    }
}

/// tower-resilience: a window that never forgets needs as many failures as there were successes.
#[tokio::test(start_paused = true)]
async fn a_long_healthy_history_delays_nothing() {
    let breaker = CircuitBreaker::new(BRITTLE_RATE.window_calls(100).failure_rate(Ratio::percent(50)));
    (0..10_000).for_each(|_| breaker.try_acquire().unwrap().success());
    let failures =
        std::iter::repeat_with(|| breaker.try_acquire().map(Permit::failure)).take_while(Result::is_ok).count();
    assert_eq!(failures, 50);
}

/// tower-resilience: successes that grow old in half-open leave it half-open for ever.
#[tokio::test(start_paused = true)]
async fn successes_of_probes_do_not_grow_old() {
    let breaker = half_open(BRITTLE_RATE.window_time(ms(100)).min_calls(1).successes(2)).await;
    breaker.try_acquire().unwrap().success();
    advance(ms(10_000)).await;
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// `resilient` 0.1, recloser, failsafe, do-over: half-open admits whoever comes.
#[tokio::test(start_paused = true)]
async fn one_probe_means_one() {
    let breaker = Arc::new(half_open(BRITTLE).await);
    let dependency = Arc::new(Dependency::new([Act::Slow(10)]));
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let (breaker, dependency) = (breaker.clone(), dependency.clone());
            tokio::spawn(async move { breaker.call(dependency.run()).await })
        })
        .collect();
    for call in calls {
        let _: Result<u32, Fault> = call.await.unwrap();
    }
    assert_eq!(dependency.runs(), 1);
}

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

/// Polly's break generator: what computes the break runs under the lock, and may block it. Ours is arithmetic; and a
/// timer that was set before a hand acted undoes nothing.
#[tokio::test(start_paused = true)]
async fn a_stale_timer_undoes_no_hand() {
    let breaker = CircuitBreaker::new(BRITTLE);
    breaker.try_acquire().unwrap().failure();
    breaker.force_open();
    sleep(ms(5000)).await;
    assert!(breaker.try_acquire().is_err());
    breaker.disable();
    (0..5).for_each(|_| breaker.try_acquire().unwrap().failure());
    assert_eq!(breaker.state(), CircuitState::Disabled);
    breaker.reset();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// denoland/std, nv-redfish: an older completion frees the place of another probe.
#[tokio::test(start_paused = true)]
async fn an_older_probe_frees_no_place_of_a_newer_one() {
    let breaker = half_open(BRITTLE.probe_timeout(ms(100))).await;
    let old = breaker.try_acquire().unwrap();
    advance(ms(1100)).await;
    let new = breaker.try_acquire().unwrap();
    drop(old);
    assert!(breaker.try_acquire().is_err());
    new.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}
