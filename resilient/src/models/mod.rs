//! Every schedule, or many of them: `RUSTFLAGS="--cfg shuttle" cargo test -p resilient --lib models`.
//!
//! The model checker runs the very code of production: `crate::sync` hands it the locks and atomics. It tries schedules,
//! not weak memory orderings: all atomics are sequentially consistent here.

mod bulkhead;
mod circuit_breaker;
mod keyed_limits;
mod limits;
mod rate_limits;
mod slow_calls;

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
