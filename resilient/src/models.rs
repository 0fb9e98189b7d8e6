//! Every schedule, or many of them: `RUSTFLAGS="--cfg shuttle" cargo test -p resilient --lib models`.
//!
//! The model checker runs the very code of production: `crate::sync` hands it the locks and atomics. It tries schedules,
//! not weak memory orderings: all atomics are sequentially consistent here.

use crate::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Permit, Rate, RateLimiter,
    RateLimiterConfig,
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

/// As many schedules of each kind as `SCHEDULES` in the environment says.
fn check(model: impl Fn() + Send + Sync + Clone + 'static) {
    let schedules = std::env::var("SCHEDULES").ok().and_then(|number| number.parse().ok()).unwrap_or(3000);
    shuttle::check_random(model.clone(), schedules);
    shuttle::check_pct(model, schedules, 3);
}

fn open_breaker(config: CircuitBreakerConfig) -> Arc<CircuitBreaker> {
    let hour = Duration::from_secs(3600);
    let breaker = CircuitBreaker::new(config.open_for(Duration::from_millis(1)).probe_timeout(hour));
    while breaker.state() == CircuitState::Closed {
        breaker.try_acquire().unwrap().failure();
    }
    std::thread::sleep(Duration::from_millis(2));
    Arc::new(breaker)
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
    check(|| {
        let breaker = open_breaker(CircuitBreakerConfig::new().failures(1).probes(2).successes(2));
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
        assert_eq!(breaker.stats().probes_in_flight, 2);
    });
}

#[test]
fn a_late_result_never_decides_and_every_probe_gives_its_place_back() {
    check(|| {
        let breaker = Arc::new(CircuitBreaker::new(
            CircuitBreakerConfig::new()
                .failures(1)
                .open_for(Duration::from_millis(1))
                .probe_timeout(Duration::from_secs(3600)),
        ));
        let early = breaker.try_acquire().unwrap();
        breaker.try_acquire().unwrap().failure();
        std::thread::sleep(Duration::from_millis(2));
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

#[test]
fn successes_in_a_line_that_threads_share_are_all_counted() {
    check(|| {
        let breaker = Arc::new(CircuitBreaker::new(CircuitBreakerConfig::new().min_calls(100)));
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
