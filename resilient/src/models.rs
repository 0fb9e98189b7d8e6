//! Every schedule, or many of them: `RUSTFLAGS="--cfg shuttle" cargo test -p resilient --lib models`.
//!
//! The model checker runs the very code of production: `crate::sync` hands it the locks and atomics. It tries schedules,
//! not weak memory orderings: all atomics are sequentially consistent here.

use crate::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Permit, Rate, RateLimiter,
    RateLimiterConfig, Ratio,
    stats::slots::OWN_SLOTS,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};
use shuttle::{future, thread};
use std::{
    future::Future as _,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// As many schedules of each kind as `SCHEDULES` in the environment says, of threads that share one line of a breaker.
fn check(model: impl Fn() + Send + Sync + Clone + 'static) {
    let schedules = std::env::var("SCHEDULES").ok().and_then(|number| number.parse().ok()).unwrap_or(1000);
    shuttle::check_random(model.clone(), schedules);
    shuttle::check_pct(model, schedules, 3);
}

/// The same for threads of which each has a line of its own.
fn check_with_own_lines(model: impl Fn() + Send + Sync + Clone + 'static) {
    OWN_SLOTS.set(true);
    check(model);
    OWN_SLOTS.set(false);
}

/// A clock that stands still unless a model moves it.
#[derive(Clone)]
struct Clock(Arc<Runtime>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()))
    }

    fn advance(&self, millis: u64) {
        self.0.block_on(tokio::time::advance(Duration::from_millis(millis)));
    }
}

fn open_breaker(clock: &Clock, config: CircuitBreakerConfig) -> CircuitBreaker {
    let hour = Duration::from_secs(3600);
    let breaker = CircuitBreaker::new(config.open_for(Duration::from_millis(1)).probe_timeout(hour));
    while breaker.state() == CircuitState::Closed {
        breaker.try_acquire().unwrap().failure();
    }
    clock.advance(2);
    breaker
}

#[test]
fn a_place_is_never_taken_twice_and_nobody_waits_for_ever() {
    check(|| {
        let places = Arc::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue_unbounded()));
        let inside = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let (places, inside) = (Arc::clone(&places), Arc::clone(&inside));
                future::spawn(async move {
                    let place = places.acquire().await.unwrap();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    future::yield_now().await;
                    inside.fetch_sub(1, SeqCst);
                    place.success();
                })
            })
            .collect();
        let fickle = {
            let places = Arc::clone(&places);
            thread::spawn(move || {
                let mut call = pin!(places.acquire());
                // Dropped in line, or with its turn come, or inside.
                let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                thread::yield_now();
            })
        };
        future::block_on(async {
            for call in calls {
                call.await.unwrap();
            }
        });
        fickle.join().unwrap();
        let stats = places.stats();
        assert_eq!((stats.in_use, stats.waiting), (0, 0));
    });
}

#[test]
fn half_open_admits_exactly_its_probes_under_any_race() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let breaker = Arc::new(open_breaker(&clock, CircuitBreakerConfig::new().failures(1).probes(2).successes(2)));
        let admitted = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let (breaker, admitted) = (Arc::clone(&breaker), Arc::clone(&admitted));
                thread::spawn(move || {
                    let permit = breaker.try_acquire();
                    admitted.fetch_add(u32::from(permit.is_ok()), SeqCst);
                    // Held until all have asked.
                    permit.ok().map(std::mem::forget)
                })
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        assert_eq!(admitted.load(SeqCst), 2);
        let stats = breaker.stats();
        assert_eq!((stats.probes_in_flight, stats.rejected), (2, 2));
    });
}

#[test]
fn a_late_result_never_decides_and_every_probe_gives_its_place_back() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let breaker = Arc::new(CircuitBreaker::new(
            CircuitBreakerConfig::new()
                .failures(1)
                .open_for(Duration::from_millis(1))
                .probe_timeout(Duration::from_secs(3600)),
        ));
        let early = breaker.try_acquire().unwrap();
        breaker.try_acquire().unwrap().failure();
        clock.advance(2);
        let probe = breaker.try_acquire().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| early.success());
            scope.spawn(|| drop(probe));
            scope.spawn(|| {
                if let Ok(permit) = breaker.try_acquire() {
                    permit.ignore();
                }
            });
        });
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.probes_in_flight), (CircuitState::HalfOpen, 0));
    });
}

#[test]
fn failures_that_race_with_successes_open_where_some_order_would() {
    check(|| {
        let breaker = Arc::new(CircuitBreaker::new(CircuitBreakerConfig::new().failures(2)));
        thread::scope(|scope| {
            scope.spawn(|| breaker.try_acquire().unwrap().failure());
            scope.spawn(|| drop(breaker.try_acquire().map(Permit::failure)));
            scope.spawn(|| drop(breaker.try_acquire().map(Permit::success)));
        });
        // First what calls may do without the lock, as the last result has left it; then the machine itself.
        let admitted = breaker.try_acquire().is_ok();
        let stats = breaker.stats();
        assert_eq!(admitted, stats.state == CircuitState::Closed);
        // Two failures in a row open it; a success between them, or after the first, does not let them be two.
        match stats.state {
            CircuitState::Closed => assert!(stats.failures <= 1),
            state => assert_eq!(state, CircuitState::Open),
        }
    });
}

/// All are counted, and none of them twice.
fn successes_are_counted() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().min_calls(100));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..3 {
                    breaker.try_acquire().unwrap().success();
                }
            });
        }
    });
    assert_eq!(breaker.stats().calls, 9);
}

#[test]
fn successes_in_a_line_that_threads_share_are_all_counted() {
    check(successes_are_counted);
}

#[test]
fn successes_in_lines_of_their_own_are_all_counted() {
    check_with_own_lines(successes_are_counted);
}

fn watching() -> CircuitBreakerConfig {
    CircuitBreakerConfig::new().min_calls(100).slow_call(Duration::from_millis(1))
}

/// Ends of slow calls, on other threads than they began on, race with looks that find them slow.
fn slow_calls_are_counted_once(clock: &Clock) {
    let _here = clock.0.enter();
    let breaker = CircuitBreaker::new(watching());
    let [succeeds, fails, drops, _stays] = [(); 4].map(|()| breaker.try_acquire().unwrap());
    clock.advance(2);
    thread::scope(|scope| {
        scope.spawn(|| succeeds.success());
        scope.spawn(|| fails.failure());
        scope.spawn(|| drop(drops));
        scope.spawn(|| breaker.try_acquire().unwrap().success());
        scope.spawn(|| {
            let stats = breaker.stats();
            assert_eq!(stats.slow, 4);
            assert!(stats.calls >= stats.slow && stats.failures <= stats.calls);
        });
    });
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.slow), (5, 1, 4));
    assert_eq!((stats.total_failures, stats.total_slow, stats.late), (1, 4, 0));
    assert_eq!((stats.cancelled, stats.in_flight), (1, Some(1)));
}

#[test]
fn a_slow_call_is_counted_once_whatever_finds_it() {
    let clock = Clock::new();
    check_with_own_lines(move || slow_calls_are_counted_once(&clock));
}

#[test]
fn a_slow_call_is_counted_once_in_a_list_that_threads_share() {
    let clock = Clock::new();
    check(move || slow_calls_are_counted_once(&clock));
}

/// Calls end, on other threads than they began on, just as they become slow.
fn calls_are_slow_or_not(clock: &Clock) {
    let _here = clock.0.enter();
    let breaker = CircuitBreaker::new(watching());
    let [succeeds, fails, drops] = [(); 3].map(|()| breaker.try_acquire().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| succeeds.success());
        scope.spawn(|| fails.failure());
        scope.spawn(|| drop(drops));
        scope.spawn(|| {
            clock.advance(2);
            let stats = breaker.stats();
            assert!(stats.slow <= stats.calls && stats.failures <= stats.calls, "{stats:?}");
        });
    });
    let stats = breaker.stats();
    assert_eq!(stats.slow, stats.total_slow);
    // The one that is dropped counts where it was found slow before.
    assert!((2..=3).contains(&stats.calls) && stats.slow <= stats.calls, "{stats:?}");
    assert!(stats.calls == 2 || stats.slow > 0, "{stats:?}");
    assert_eq!((stats.failures, stats.total_failures, stats.late), (1, 1, 0));
    assert_eq!((stats.cancelled, stats.in_flight), (1, Some(0)));
}

#[test]
fn a_call_that_ends_just_as_it_becomes_slow_is_counted_once() {
    let clock = Clock::new();
    check_with_own_lines(move || calls_are_slow_or_not(&clock));
}

#[test]
fn a_call_in_a_shared_list_that_ends_just_as_it_becomes_slow_is_counted_once() {
    let clock = Clock::new();
    check(move || calls_are_slow_or_not(&clock));
}

#[test]
fn a_reset_that_races_with_results_loses_no_place_and_counts_none_of_them_twice() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = CircuitBreaker::new(watching());
        let [succeeds, fails] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| succeeds.success());
            scope.spawn(|| fails.failure());
            scope.spawn(|| breaker.try_acquire().unwrap().failure());
            scope.spawn(|| {
                clock.advance(2);
                breaker.reset();
            });
        });
        let stats = breaker.stats();
        assert!(stats.calls + stats.late <= 3, "{stats:?}");
        assert!(stats.failures <= stats.calls && stats.slow <= stats.calls, "{stats:?}");
        assert_eq!((stats.state, stats.in_flight), (CircuitState::Closed, Some(0)));
        // The window of the new state is a sound one.
        breaker.try_acquire().unwrap().failure();
        let after = breaker.stats();
        assert_eq!((after.calls, after.failures), (stats.calls + 1, stats.failures + 1));
    });
}

/// Places are taken by their owner while other threads empty them, and no call is lost or found in the place of another.
fn places_are_used_again(clock: &Clock) {
    let _here = clock.0.enter();
    let breaker = CircuitBreaker::new(watching());
    let early = [(); 3].map(|()| breaker.try_acquire().unwrap());
    let ended = AtomicU32::new(0);
    thread::scope(|scope| {
        let ended = &ended;
        for permit in early {
            scope.spawn(move || {
                permit.success();
                ended.fetch_add(1, SeqCst);
            });
        }
        scope.spawn(|| {
            let mine = breaker.try_acquire().unwrap();
            scope.spawn(move || drop(mine));
        });
        // These would become slow.
        for _ in 0..2 {
            std::mem::forget(breaker.try_acquire().unwrap());
        }
        let in_flight = breaker.stats().in_flight.unwrap();
        assert!((2..=6).contains(&in_flight), "{in_flight}");
    });
    assert_eq!(breaker.stats().in_flight, Some(2));
    clock.advance(2);
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.slow, stats.cancelled, stats.in_flight), (5, 2, 1, Some(2)));
}

#[test]
fn places_that_other_threads_empty_are_used_again() {
    let clock = Clock::new();
    check_with_own_lines(move || places_are_used_again(&clock));
}

#[test]
fn places_in_a_list_that_threads_share_are_used_again() {
    let clock = Clock::new();
    check(move || places_are_used_again(&clock));
}

#[test]
fn a_call_that_begins_while_others_are_found_slow_is_found_in_its_turn() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = CircuitBreaker::new(watching());
        std::mem::forget(breaker.try_acquire().unwrap());
        clock.advance(2);
        thread::scope(|scope| {
            scope.spawn(|| std::mem::forget(breaker.try_acquire().unwrap()));
            scope.spawn(|| std::mem::forget(breaker.try_acquire().unwrap()));
            scope.spawn(|| breaker.stats());
        });
        assert_eq!(breaker.stats().slow, 1);
        clock.advance(2);
        // Its end alone finds the two.
        breaker.try_acquire().unwrap().success();
        assert_eq!(breaker.stats().slow, 3);
    });
}

/// Four failures and two successes: in every order the last failure, if no other, completes half of at least four.
fn failures_open(clock: &Clock, config: CircuitBreakerConfig) {
    let _here = clock.0.enter();
    let breaker = CircuitBreaker::new(config.min_calls(4));
    let permits = [(); 6].map(|()| breaker.try_acquire().unwrap());
    thread::scope(|scope| {
        for (index, permit) in permits.into_iter().enumerate() {
            scope.spawn(move || if index % 3 == 2 { permit.success() } else { permit.failure() });
        }
        scope.spawn(|| {
            for _ in 0..2 {
                let stats = breaker.stats();
                assert!(stats.failures <= stats.calls && stats.slow <= stats.calls, "{stats:?}");
            }
        });
    });
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.opened, stats.in_flight.unwrap_or(0)), (CircuitState::Open, 1, 0));
    assert!(breaker.try_acquire().is_err());
}

#[test]
fn enough_failures_open_it_under_every_schedule() {
    let clock = Clock::new();
    check_with_own_lines(move || failures_open(&clock, CircuitBreakerConfig::new()));
}

#[test]
fn enough_failures_open_it_where_time_is_watched() {
    let clock = Clock::new();
    check_with_own_lines(move || failures_open(&clock, watching()));
}

#[test]
fn enough_failures_in_a_window_of_calls_open_it() {
    let clock = Clock::new();
    check_with_own_lines(move || failures_open(&clock, CircuitBreakerConfig::new().window_calls(6)));
}

#[test]
fn enough_slow_calls_open_it_once_though_all_end_fast_enough_to_race() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = CircuitBreaker::new(watching().min_calls(3));
        let permits = [(); 3].map(|()| breaker.try_acquire().unwrap());
        clock.advance(2);
        thread::scope(|scope| {
            for permit in permits {
                scope.spawn(move || permit.success());
            }
            scope.spawn(|| drop(breaker.try_acquire()));
        });
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.opened, stats.total_slow), (CircuitState::Open, 1, 3));
        assert_eq!(stats.in_flight, Some(0));
    });
}

/// How many of four threads are admitted at once.
fn admitted(breaker: &CircuitBreaker) -> u32 {
    let admitted = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                if let Ok(permit) = breaker.try_acquire() {
                    admitted.fetch_add(1, SeqCst);
                    std::mem::forget(permit);
                }
            });
        }
    });
    admitted.load(SeqCst)
}

#[test]
fn a_ramp_begins_with_one_probe_and_goes_on_with_so_many() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let breaker = open_breaker(&clock, CircuitBreakerConfig::new().failures(1).probes(2).successes(4).ramp());
        let first = breaker.try_acquire().unwrap();
        assert_eq!(admitted(&breaker), 0);
        first.success();
        assert_eq!(admitted(&breaker), 2);
        assert_eq!(breaker.stats().probes_in_flight, 2);
    });
}

#[test]
fn hands_that_race_with_results_leave_no_more_probes_than_there_may_be() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let config = CircuitBreakerConfig::new().failure_rate(Ratio::percent(50)).min_calls(1).probes(2).successes(2);
        let breaker = open_breaker(&clock, config);
        let [succeeds, fails] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| succeeds.success());
            scope.spawn(|| fails.failure());
            scope.spawn(|| {
                breaker.reset();
                breaker.try_acquire().map(Permit::failure)
            });
            scope.spawn(|| {
                let permit = breaker.try_acquire();
                assert!(breaker.stats().probes_in_flight <= 2);
                drop(permit);
            });
        });
        // The last word had the failure after the reset, unless a look after that let time act.
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.probes_in_flight), (CircuitState::Open, 0));
        clock.advance(2);
        assert_eq!(admitted(&breaker), 2);
    });
}

#[test]
fn a_bucket_gives_no_token_twice_and_keeps_none_back() {
    check(|| {
        let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new(Rate::per_day(3))));
        let taken = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..4)
            .map(|index| {
                let (limiter, taken) = (Arc::clone(&limiter), Arc::clone(&taken));
                let tokens = 1 + index % 2;
                thread::spawn(move || {
                    if limiter.try_acquire_many(tokens).is_ok() {
                        taken.fetch_add(tokens, SeqCst);
                    }
                })
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        // 1 + 2 + 1 + 2 were asked of 3: all of them are given, or one is left that nobody who came could use.
        let given = taken.load(SeqCst);
        assert!(given == 3 || (given == 2 && limiter.stats().tokens == 1), "{given}");
    });
}
