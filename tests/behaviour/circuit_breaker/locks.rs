//! Locks, and what runs under them.

use super::{CONFIG, half_open};
use crate::support::{Act, Dependency, Fault};
use resilient::{CircuitBreaker, CircuitState, EventKind, bulkhead, circuit_breaker, rate_limited, subscribe};
use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

/// gobreaker #37, Polly #2953: a callback that calls through the breaker, or overrules it, blocks for ever.
#[tokio::test(start_paused = true)]
async fn a_subscriber_may_call_and_overrule_the_breaker() {
    let breaker = Arc::new(CircuitBreaker::new(CONFIG.failures(1).name("overruled")));
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
    let breaker = CircuitBreaker::new(CONFIG.failures(1).open_for(Duration::from_secs(600)).name("held up"));
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
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(2).successes(2));
    half_open(&breaker).await;
    let dependency = Dependency::new([Act::Succeed]);
    let nested = breaker.call(async {
        assert_eq!(breaker.stats().probes_in_flight, 1);
        breaker.call(dependency.run()).await
    });
    nested.await.unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
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
