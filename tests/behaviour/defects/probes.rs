//! Probes.

use super::{BRITTLE, BRITTLE_RATE, half_open};
use crate::support::{Act, Dependency, Fault, ms};
use resilient::{CircuitBreaker, CircuitState};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::time::{advance, timeout};

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
