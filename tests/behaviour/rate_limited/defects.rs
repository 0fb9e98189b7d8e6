//! What other limiters get wrong, by the name of what went wrong there.

use super::{TEN, admitted};
use crate::support::{Fault, ms};
use resilient::{Algorithm, Keyed, Rate, RateLimiter, RateLimiterConfig, rate_limited, timeout};
use std::{
    pin::pin,
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Waker},
    time::Duration,
};
use tokio::time::advance;

/// A budget was checked, and then taken: two callers took the same.
#[test]
fn a_check_before_the_act_gave_more_than_there_was() {
    let hour = RateLimiterConfig::new(Rate::per_hour(1000));
    for config in [hour, hour.algorithm(Algorithm::SlidingWindow), hour.and(Rate::per_day(1000))] {
        let (limiter, barrier, taken) = (RateLimiter::new(config), Barrier::new(4), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..1000 {
                        taken.fetch_add(u32::from(limiter.try_acquire().is_ok()), Relaxed);
                    }
                });
            }
        });
        assert_eq!(taken.into_inner(), 1000);
    }
}

/// A waiter that gave up kept its place, and those behind it waited for ever.
#[tokio::test(start_paused = true)]
async fn an_aborted_waiter_starved_the_line() {
    let limiter = RateLimiter::new(TEN.burst(1).wait_unbounded());
    limiter.try_acquire().unwrap().success();
    let cx = &mut Context::from_waker(Waker::noop());
    {
        let mut first = pin!(limiter.acquire());
        assert!(first.as_mut().poll(cx).is_pending());
    }
    let start = tokio::time::Instant::now();
    limiter.acquire().await.unwrap().success();
    assert_eq!(start.elapsed(), ms(100));
    assert_eq!(limiter.stats().waiting, 0);
}

/// A limit that had sunk to its floor never came back, for nothing was measured there.
#[tokio::test(start_paused = true)]
async fn a_pace_at_its_floor_never_recovered() {
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(20)).adaptive());
    for _ in 0..100 {
        let _ = limiter.call(async { Err::<(), _>(Fault::Down(1)) }).await;
        advance(ms(100)).await;
    }
    let sunk = limiter.stats().pace;
    assert!(sunk < resilient::Ratio::percent(15), "{sunk}");
    for _ in 0..600 {
        let _ = limiter.call(async { Ok::<_, Fault>(()) }).await;
        advance(ms(100)).await;
    }
    assert_eq!(limiter.stats().pace, resilient::Ratio::percent(100));
}

/// Two handles of one service had a quota each.
#[tokio::test(start_paused = true)]
async fn clones_of_a_service_had_a_quota_each() {
    #[derive(Clone)]
    struct Service;

    impl Service {
        #[rate_limited(3/h)]
        async fn call(&self) -> Result<u32, Fault> {
            Ok(1)
        }
    }

    let service = Service;
    let mut passed = 0;
    for _ in 0..5 {
        let clone = service.clone();
        passed += u32::from(service.call().await.is_ok()) + u32::from(clone.call().await.is_ok());
    }
    assert_eq!(passed, 3);
}

/// Every key that anybody sent was kept for ever.
#[test]
fn a_flood_of_keys_filled_the_memory() {
    static KEYS: Keyed<u64, RateLimiter> =
        Keyed::new(RateLimiterConfig::new(Rate::per_second(1_000_000))).max_keys(1000);
    for key in 0..100_000 {
        assert!(KEYS.get(&key).try_acquire().is_ok());
        assert!(key % 1000 > 0 || KEYS.stats().keys <= 1000);
    }
}

/// The body ran although the limiter had refused, for a wrapper looked at the refusal too late.
#[tokio::test(start_paused = true)]
async fn a_refused_call_ran_its_body() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[rate_limited(1/h)]
    #[timeout(1s)]
    async fn counted() -> Result<u32, Fault> {
        Ok(RUNS.fetch_add(1, Relaxed))
    }

    for _ in 0..10 {
        let _ = counted().await;
    }
    assert_eq!(RUNS.load(Relaxed), 1);
}

/// More than a limiter ever holds was waited for, for ever.
#[tokio::test(start_paused = true)]
async fn more_than_the_burst_was_waited_for() {
    let limiter = RateLimiter::new(TEN.wait_unbounded());
    let asked = tokio::time::timeout(Duration::from_secs(60), limiter.acquire_many(11)).await;
    assert!(asked.expect("it is refused at once").is_err());
}

/// After a long time without calls more than the burst came at once.
#[tokio::test(start_paused = true)]
async fn tokens_piled_up_while_nobody_called() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow, Algorithm::FixedWindow] {
        let limiter = RateLimiter::new(TEN.algorithm(algorithm));
        admitted(&limiter, 50);
        advance(Duration::from_secs(100 * 24 * 3600)).await;
        assert_eq!(admitted(&limiter, 50), 10);
    }
}
