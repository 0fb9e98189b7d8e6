//! Defects that breakers elsewhere have, or had: ours has none of them.

use crate::support::{Act, Dependency, Fault, ms};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, EventKind, Permit, Ratio, bulkhead, circuit_breaker,
    rate_limited, subscribe,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
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

/// And a window of time that counts for longer than it says.
#[tokio::test(start_paused = true)]
async fn a_long_healthy_history_delays_a_window_of_time_by_no_more_than_the_window() {
    let config = BRITTLE_RATE.window_time(ms(10_000)).failure_rate(Ratio::percent(50));
    let breaker = CircuitBreaker::new(config);
    for _ in 0..10_000 {
        breaker.try_acquire().unwrap().success();
        advance(ms(10)).await;
    }
    let mut failures = 0;
    while let Ok(permit) = breaker.try_acquire() {
        permit.failure();
        advance(ms(10)).await;
        failures += 1;
    }
    // A call each ten milliseconds: half a window.
    assert!((450..=500).contains(&failures), "{failures}");
}

/// recloser, Polly, failsafe-go, gobreaker's distributed one: a clock that is set back, or forward, moves the end of a
/// break, or mixes the window up. Ours is monotonic; and paused clocks, which are not, differ by no more than one break.
#[test]
fn a_clock_that_steps_moves_no_end_by_more_than_one_break() {
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let breaker = CircuitBreaker::new(BRITTLE_RATE.window_time(ms(10_000)).min_calls(2));
    paused().block_on(async {
        advance(Duration::from_secs(86_400)).await;
        (0..2).for_each(|_| breaker.try_acquire().unwrap().failure());
        assert_eq!(breaker.state(), CircuitState::Open);
    });
    paused().block_on(async {
        assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), Some(ms(1000)));
        advance(ms(1000)).await;
        breaker.try_acquire().unwrap().success();
        breaker.try_acquire().unwrap().failure();
        assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 1));
    });
    paused().block_on(async {
        advance(Duration::from_secs(3600)).await;
        breaker.try_acquire().unwrap().failure();
        assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 1));
    });
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

/// Envoy #46532, #38338: what an adaptive limit has learnt in bad times stays, and nothing brings it back.
#[tokio::test(start_paused = true)]
async fn what_was_learnt_in_bad_times_is_forgotten_in_good_ones() {
    for window in [BRITTLE_RATE.window_calls(100), BRITTLE_RATE.window_time(ms(1000))] {
        let breaker = CircuitBreaker::new(window.adaptive());
        for (windows, failing) in [(50, 3), (60, 0)] {
            for call in 0..100 * windows {
                let permit = breaker.try_acquire().unwrap();
                if call % 10 < failing {
                    permit.failure()
                } else {
                    permit.success()
                }
                advance(ms(10)).await;
            }
            let baseline = breaker.stats().baseline.unwrap().as_f64();
            let expected = if failing == 3 { 0.24..=0.25 } else { 0.0..=0.01 };
            assert!(expected.contains(&baseline), "{baseline}");
        }
    }
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
