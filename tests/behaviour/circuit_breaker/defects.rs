//! Defects that breakers elsewhere have, or had: ours has none of them.

use super::{CONFIG, brittle, call, calls, half_open, refused};
use crate::support::{Act, Dependency, Fault, caught, cut, ms, poll_once, quietly_panic, yields};
use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, EventKind, Ratio, subscribe};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{advance, timeout};

/// Polly, gobreaker.
#[tokio::test(start_paused = true)]
async fn a_hung_probe_does_not_wedge_half_open() {
    let breaker = brittle();
    half_open(&breaker).await;
    let mut hung = Box::pin(call(&breaker, Act::Hang));
    assert!(poll_once(&mut hung).is_pending());
    std::mem::forget(breaker.try_acquire());
    advance(ms(2000)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Polly, and cockatiel where nothing handles the cancellation.
#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_does_not_close() {
    let breaker = brittle();
    half_open(&breaker).await;
    timeout(ms(10), call(&breaker, Act::Hang)).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// reliability-toolkit, ninelives, circuitbreaker-rs, firefly-resilience: stuck until a restart.
#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_gives_its_place_back_at_every_await() {
    let breaker = brittle();
    half_open(&breaker).await;
    for polls in 0..5 {
        assert!(cut(call(&breaker, Act::Yield(10)), polls).await.is_none());
        assert_eq!(breaker.stats().probes_in_flight, 0);
    }
    tokio::select! {
        biased;
        _ = call(&breaker, Act::Hang) => unreachable!(),
        () = yields(1) => {}
    }
    calls(&breaker, "S").await;
}

/// Polly, failsafe-go, hystrix-go, ninelives.
#[tokio::test(start_paused = true)]
async fn a_success_from_before_does_not_close_half_open() {
    let breaker = brittle();
    let old = breaker.try_acquire().unwrap();
    half_open(&breaker).await;
    old.success();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

/// tower-resilience, firefly-resilience, failsafe: no generation.
#[tokio::test(start_paused = true)]
async fn a_failure_from_before_does_not_reopen_half_open() {
    let breaker = brittle();
    let [early, later] = [(); 2].map(|()| breaker.try_acquire().unwrap());
    half_open(&breaker).await;
    early.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    calls(&breaker, "S").await;
    later.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// denoland/std#7306: a stale generation; nv-redfish#211: an older call frees the place of another's probe.
#[tokio::test(start_paused = true)]
async fn a_probe_of_an_earlier_half_open_state_neither_decides_nor_frees_a_place() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(2));
    half_open(&breaker).await;
    let (old, failed) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    failed.failure();
    advance(ms(1000)).await;
    let probes = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
    drop(old);
    refused(&breaker).await;
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 2));
    drop(probes);
}

/// failsafe-go leaked the permit; tower-resilience was poisoned (#325).
#[tokio::test(start_paused = true)]
async fn a_panic_neither_leaks_the_probe_nor_poisons_the_breaker() {
    let breaker = brittle();
    for act in [Act::Panic, Act::YieldPanic(1)] {
        breaker.reset();
        half_open(&breaker).await;
        assert!(caught(call(&breaker, act)).await.is_none());
        assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::Open, 0));
        advance(ms(1000)).await;
        calls(&breaker, "S").await;
    }
    assert!(caught(breaker.call(|| -> std::future::Ready<Result<(), Fault>> { quietly_panic() })).await.is_none());
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// gobreaker#37, Polly#2953, sentinel-core.
#[tokio::test(start_paused = true)]
async fn a_subscriber_that_calls_the_breaker_does_not_deadlock() {
    static NOSY: CircuitBreaker =
        CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(1)).name("nosy"));
    static HEARD: AtomicU32 = AtomicU32::new(0);
    let subscription = subscribe(|event| {
        if event.policy == "nosy" {
            HEARD.fetch_add(1, Relaxed);
            assert_eq!(NOSY.stats().state, NOSY.state());
            let _ = format!("{NOSY:?} {:?}", NOSY.config());
            match event.kind {
                EventKind::Opened { .. } => drop(NOSY.try_acquire()),
                EventKind::HalfOpened => NOSY.reset(),
                _ => {}
            }
        }
    });
    calls(&NOSY, "F").await;
    advance(ms(1000)).await;
    assert_eq!(NOSY.try_acquire().map(drop), Ok(()));
    drop(subscription);
    assert_eq!((NOSY.state(), HEARD.load(Relaxed)), (CircuitState::Closed, 4));
}

/// pybreaker holds its lock over the call, and do-over one over its own transition.
#[tokio::test(start_paused = true)]
async fn no_lock_is_held_while_the_body_runs() {
    let breaker = brittle();
    let inspect = || async {
        assert_eq!(breaker.stats().state, breaker.state());
        let _ = breaker.try_acquire();
        breaker.call(async { Ok::<_, Fault>(()) }).await.map_err(|_| Fault::Down(1))
    };
    breaker.call(inspect).await.unwrap();
    half_open(&breaker).await;
    // The body of the probe itself is refused another, and that refusal is neutral.
    assert_eq!(breaker.call(inspect).await, Err(Fault::Down(1)));
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
    let resetting = || async {
        breaker.reset();
        Ok::<_, Fault>(())
    };
    breaker.call(resetting).await.unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// failsafe-go's buckets, cockatiel's rotation by one slot.
#[tokio::test(start_paused = true)]
async fn a_window_is_not_stale_after_an_idle_time() {
    for idle in [10_000, 10_334, 95_000, 3_600_000] {
        let breaker = CircuitBreaker::new(CONFIG.window_time(Duration::from_secs(10)).min_calls(4));
        calls(&breaker, "FFF").await;
        advance(ms(idle)).await;
        calls(&breaker, "F").await;
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.failures, stats.calls), (CircuitState::Closed, 1, 1), "{idle}");
    }
}

/// failsafe-go rounds rates to two decimals.
#[tokio::test(start_paused = true)]
async fn no_rounding_moves_a_threshold() {
    for (ppm, calls, needed) in [(335_000, 200, 67), (333_334, 1000, 334), (5_000, 1000, 5), (999_900, 10_000, 9999)] {
        for window in [CONFIG.window_calls(calls), CONFIG.window_time(Duration::from_secs(60))] {
            let breaker = CircuitBreaker::new(window.min_calls(calls).failure_rate(Ratio::from_ppb(ppm * 1000)));
            for (failures, opened) in [(needed - 1, 0), (needed, 1)] {
                breaker.reset();
                for call in 0..calls {
                    let permit = breaker.try_acquire().unwrap();
                    if call < failures { permit.failure() } else { permit.success() }
                }
                assert_eq!(breaker.stats().opened, opened, "{ppm} {calls} {failures}");
            }
        }
    }
}

/// cenkalti/backoff, gRPC, failsafe-go: jitter after the cap exceeds it. Polly#2163, cockatiel#86: many attempts overflow.
#[tokio::test(start_paused = true)]
async fn the_open_time_never_exceeds_its_limit_however_often_a_probe_fails() {
    let times = ms(1000)..=ms(60_000);
    let breaker = CircuitBreaker::new(CONFIG.failures(1).open_for_range(times.clone()));
    calls(&breaker, "F").await;
    for _ in 0..200 {
        let time = breaker.stats().retry_after.unwrap();
        assert!(times.contains(&time), "{time:?}");
        advance(time).await;
        calls(&breaker, "F").await;
    }
}

/// Polly, failsafe-go, recloser, sentinel-core read a clock that steps: a break ends early, late or never.
#[test]
fn a_clock_that_steps_neither_prolongs_a_break_nor_scrambles_the_window() {
    fn paused<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
    }
    let hour = Duration::from_secs(3600);
    let breaker = CircuitBreaker::new(CONFIG.window_time(Duration::from_secs(10)).min_calls(2));
    paused(async {
        advance(hour).await;
        calls(&breaker, "FF").await;
    });
    paused(async {
        // An hour back.
        assert_eq!(refused(&breaker).await, Some(ms(1000)));
        advance(ms(1000)).await;
        calls(&breaker, "SS").await;
        assert_eq!((breaker.state(), breaker.stats().calls), (CircuitState::Closed, 1));
    });
    paused(async {
        // And two hours on.
        advance(2 * hour).await;
        calls(&breaker, "F").await;
        assert_eq!((breaker.state(), breaker.stats().calls), (CircuitState::Closed, 1));
        calls(&breaker, "F").await;
        assert_eq!(refused(&breaker).await, Some(ms(1000)));
    });
}

/// tower-resilience: after a million successes it takes a million failures.
#[tokio::test(start_paused = true)]
async fn after_a_long_healthy_time_an_outage_opens_it_within_a_window() {
    for window in [CONFIG.window_calls(100), CONFIG.window_time(Duration::from_secs(10))] {
        let breaker = CircuitBreaker::new(window);
        for _ in 0..10_000 {
            breaker.try_acquire().unwrap().success();
            advance(ms(100)).await;
        }
        let mut failures = 0;
        while let Ok(permit) = breaker.try_acquire() {
            permit.failure();
            failures += 1;
            advance(ms(100)).await;
        }
        assert!(failures <= 51, "{failures}");
    }
}

/// `resilient` 0.1.0, recloser, failsafe, do-over, pensyve#87; tower-resilience before #407.
#[tokio::test(start_paused = true)]
async fn exactly_one_of_sixty_four_tasks_runs_half_open() {
    let breaker = Arc::new(brittle());
    half_open(&breaker).await;
    let dependency = Arc::new(Dependency::new([Act::Slow(10)]));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (breaker, dependency) = (Arc::clone(&breaker), Arc::clone(&dependency));
        tasks.spawn(async move { breaker.call(dependency.run()).await });
    }
    let ended = tasks.join_all().await;
    assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 1);
    assert_eq!((dependency.runs(), breaker.state()), (1, CircuitState::Closed));
}

/// `resilient` 0.1.0, tokitai: the operation runs although the breaker is open.
#[tokio::test(start_paused = true)]
async fn behind_an_open_breaker_no_body_runs() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    let dependency = Dependency::new([Act::Succeed]);
    for _ in 0..100 {
        breaker.call(dependency.run()).await.unwrap_err();
        breaker.call(|| dependency.run()).await.unwrap_err();
        advance(ms(9)).await;
    }
    assert_eq!(dependency.runs(), 0);
}

/// `resilient` 0.1.0 records a rejection as a failure.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_failure_and_prolongs_nothing() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2));
    calls(&breaker, "FF").await;
    for _ in 0..100 {
        refused(&breaker).await;
    }
    assert_eq!((breaker.stats().failures, breaker.stats().total_failures), (0, 2));
    assert_eq!(breaker.stats().retry_after, Some(ms(1000)));
}

/// circuitbreaker-rs: its probes are never refunded, and their counter wraps.
#[tokio::test(start_paused = true)]
async fn more_successes_than_probes_at_once_may_be_wanted() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(1).successes(5));
    half_open(&breaker).await;
    for _ in 0..1000 {
        let probe = breaker.try_acquire().unwrap();
        assert!(breaker.try_acquire().is_err());
        drop(probe);
    }
    calls(&breaker, "SSSSS").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// tower-resilience: successes of probes age out of the window, and nothing else ends the state.
#[tokio::test(start_paused = true)]
async fn probes_far_apart_close_it_too() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(Duration::from_secs(1)).min_calls(1).successes(3));
    calls(&breaker, "F").await;
    for _ in 0..3 {
        advance(ms(5000)).await;
        calls(&breaker, "S").await;
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// nora#585: a result that is neither success nor failure never releases the probe.
#[tokio::test(start_paused = true)]
async fn an_ignored_probe_releases_its_place() {
    let breaker = brittle();
    half_open(&breaker).await;
    for _ in 0..10 {
        breaker.try_acquire().unwrap().ignore();
    }
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
}

/// ninelives, circuitbreaker-rs: the time of opening is stored after the state, so a racing call half-opens at once.
#[test]
fn nobody_sees_it_open_and_half_open_at_once() {
    for _ in 0..200 {
        let breaker = CircuitBreaker::new(CONFIG.failures(1).open_for(Duration::from_secs(3600)));
        let admitted = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while breaker.stats().opened == 0 {
                        std::thread::yield_now();
                    }
                    admitted.fetch_add(u32::from(breaker.try_acquire().is_ok()), Relaxed);
                });
            }
            breaker.try_acquire().unwrap().failure();
        });
        assert_eq!(admitted.load(Relaxed), 0);
    }
}

/// Polly's threshold of calls and hystrix's volume: a lone failure after a quiet night is no outage.
#[tokio::test(start_paused = true)]
async fn a_lone_failure_is_no_outage() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new());
    for _ in 0..50 {
        calls(&breaker, "F").await;
        advance(Duration::from_secs(3600)).await;
    }
    assert_eq!((breaker.state(), breaker.stats().opened), (CircuitState::Closed, 0));
}

/// Polly's break generator: what computes the break runs under the lock, and may block it. Ours is arithmetic; and a
/// timer that was set before a hand acted undoes nothing.
#[tokio::test(start_paused = true)]
async fn a_stale_timer_undoes_no_hand() {
    let breaker = brittle();
    breaker.try_acquire().unwrap().failure();
    breaker.force_open();
    tokio::time::sleep(ms(5000)).await;
    assert!(breaker.try_acquire().is_err());
    breaker.disable();
    (0..5).for_each(|_| breaker.try_acquire().unwrap().failure());
    assert_eq!(breaker.state(), CircuitState::Disabled);
    breaker.reset();
    assert_eq!(breaker.state(), CircuitState::Closed);
}
