//! Locks, and what runs under them.

use super::{BRITTLE, half_open};
use crate::support::{Act, Dependency, ms};
use resilient::{CircuitBreaker, CircuitState, EventKind, subscribe};
use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::sleep;

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

/// gobreaker #37, Polly #2953: a callback that calls through the breaker, or overrules it, blocks for ever.
#[tokio::test(start_paused = true)]
async fn a_subscriber_may_call_and_overrule_the_breaker() {
    let breaker = Arc::new(CircuitBreaker::new(BRITTLE.name("overruled")));
    let (asked, refused) = (breaker.clone(), Arc::new(AtomicU32::new(0)));
    let counter = refused.clone();
    let _heard = subscribe(move |event| {
        if event.policy == "overruled" && matches!(event.kind, EventKind::Opened { .. }) {
            counter.fetch_add(u32::from(asked.try_acquire().is_err()), Relaxed);
            asked.reset();
            asked.try_acquire().unwrap().success();
        }
    });
    breaker.try_acquire().unwrap().failure();
    assert_eq!((breaker.state(), refused.load(Relaxed)), (CircuitState::Closed, 1));
}

/// Polly: a callback that takes its time blocks every other call of the breaker.
#[test]
fn a_subscriber_that_blocks_holds_up_nobody_else() {
    let breaker = CircuitBreaker::new(BRITTLE.open_for(Duration::from_secs(600)).name("held up"));
    let (opened, refused) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (tell, wait) = (opened.clone(), refused.clone());
    let _heard = subscribe(move |event| {
        if event.policy == "held up" && matches!(event.kind, EventKind::Opened { .. }) {
            tell.wait();
            wait.wait();
        }
    });
    std::thread::scope(|scope| {
        scope.spawn(|| breaker.try_acquire().unwrap().failure());
        opened.wait();
        assert!(breaker.try_acquire().is_err());
        assert_eq!((breaker.state(), breaker.stats().opened), (CircuitState::Open, 1));
        refused.wait();
    });
}

/// pybreaker: a breaker used within its own call waits for its own lock.
#[tokio::test(start_paused = true)]
async fn a_breaker_may_be_used_within_its_own_call() {
    let breaker = half_open(BRITTLE.probes(2).successes(2)).await;
    let dependency = Dependency::new([Act::Succeed]);
    let nested = breaker.call(async {
        assert_eq!(breaker.stats().probes_in_flight, 1);
        breaker.call(dependency.run()).await
    });
    nested.await.unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
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
