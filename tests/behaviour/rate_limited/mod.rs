//! Rates: how many calls pass in which time.

mod control;
mod defects;
mod keys;
mod priority;
mod windows;

use crate::support::{Act, Dependency, Fault, adds_up, ms, poll_once, settle, site};
use resilient::{Error, Rate, RateLimiter, RateLimiterConfig, rate_limited, retry, timeout};
use std::{
    cell::RefCell,
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, advance, sleep};

/// A token every 100 ms.
const TEN: RateLimiterConfig = RateLimiterConfig::new(Rate::per_second(10));

fn admitted(limiter: &RateLimiter, tries: usize) -> usize {
    (0..tries).filter(|_| limiter.try_acquire().is_ok()).count()
}

fn retry_after(limiter: &RateLimiter, tokens: u32) -> Duration {
    limiter.try_acquire_many(tokens).unwrap_err().retry_after().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_bucket_starts_full_and_fills_one_by_one() {
    let limiter = RateLimiter::new(TEN);
    assert_eq!(admitted(&limiter, 20), 10);
    assert_eq!(retry_after(&limiter, 1), ms(100));
    advance(ms(99)).await;
    assert_eq!(retry_after(&limiter, 1), ms(1));
    advance(ms(1)).await;
    assert_eq!(admitted(&limiter, 20), 1);
    advance(ms(250)).await;
    assert_eq!(admitted(&limiter, 20), 2);
    // Nothing beyond the burst piles up.
    advance(Duration::from_secs(3600)).await;
    assert_eq!(admitted(&limiter, 20), 10);
}

#[tokio::test(start_paused = true)]
async fn burst_and_initial_are_what_they_say() {
    let limiter = RateLimiter::new(TEN.burst(3));
    assert_eq!(admitted(&limiter, 20), 3);
    let limiter = RateLimiter::new(TEN.burst(30).initial(0));
    assert_eq!(admitted(&limiter, 20), 0);
    advance(ms(500)).await;
    assert_eq!(admitted(&limiter, 20), 5);
    advance(Duration::from_secs(60)).await;
    assert_eq!(admitted(&limiter, 40), 30);
    assert_eq!(limiter.stats().tokens, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_costs_nothing_and_polling_does_not_starve() {
    let limiter = RateLimiter::new(TEN);
    assert_eq!(admitted(&limiter, 10), 10);
    let mut granted = 0;
    for _ in 0..1000 {
        granted += admitted(&limiter, 3);
        assert!(limiter.try_acquire_many(5).is_err());
        advance(ms(1)).await;
    }
    assert!((9..=10).contains(&granted), "{granted}");
    assert!(limiter.stats().rejected >= 2000);
}

#[tokio::test(start_paused = true)]
async fn many_tokens_are_taken_together_or_not_at_all() {
    let limiter = RateLimiter::new(TEN);
    limiter.try_acquire_many(7).unwrap().success();
    assert_eq!(retry_after(&limiter, 5), ms(200));
    assert_eq!(limiter.stats().tokens, 3);
    limiter.try_acquire_many(3).unwrap().failure();
    // Tokens are spent, whatever became of the attempt.
    drop(limiter.try_acquire_many(0).unwrap());
    assert_eq!(limiter.stats().tokens, 0);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_burst_can_never_succeed_and_says_so() {
    for config in [TEN, TEN.wait_unbounded()] {
        let limiter = RateLimiter::new(config);
        let error = limiter.try_acquire_many(11).unwrap_err();
        assert!(matches!(error, Error::CostExceedsBurst { cost: 11, burst: 10, .. }));
        assert!(error.is_rejection() && error.is_rate_limited() && error.retry_after().is_none());
        assert!(matches!(limiter.acquire_many(11).await, Err(Error::CostExceedsBurst { .. })));
        assert_eq!(limiter.stats().tokens, 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cost_is_evaluated_once_per_call_over_the_arguments() {
    #[rate_limited(10/h, cost = u32::try_from(items.len()).unwrap())]
    async fn costly(items: &[u8]) -> Result<usize, Fault> {
        Ok(items.len())
    }
    costly(&[0; 7]).await.unwrap();
    let error = costly(&[0; 4]).await.unwrap_err();
    assert!(matches!(error.ours(), Error::RateLimited { .. }));
    costly(&[0; 3]).await.unwrap();
    let error = costly(&[0; 11]).await.unwrap_err();
    assert!(matches!(error.ours(), Error::CostExceedsBurst { cost: 11, burst: 10, .. }));
    adds_up("rate_limited::costly");
}

#[tokio::test(start_paused = true)]
async fn above_a_retry_it_counts_calls_and_below_it_attempts() {
    #[rate_limited(3/h)]
    #[retry(attempts = 2, backoff = 1ms)]
    async fn counted_calls(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    #[retry(attempts = 2, backoff = 1ms)]
    #[rate_limited(3/h)]
    async fn counted_attempts(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let (calls, attempts) = (Dependency::new([Act::Fail]), Dependency::new([Act::Fail]));
    for _ in 0..4 {
        let _ = counted_calls(&calls).await;
        let _ = counted_attempts(&attempts).await;
    }
    assert_eq!((calls.runs(), attempts.runs()), (6, 3));
}

#[tokio::test(start_paused = true)]
async fn of_two_limiters_both_must_admit() {
    #[rate_limited(100/s, burst = 100, name = "per_second")]
    #[rate_limited(5/h, name = "per_hour")]
    async fn both(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Succeed]);
    let mut refused_by = Vec::new();
    for _ in 0..7 {
        if let Err(error) = both(&dependency).await {
            refused_by.push(error.ours().policy());
        }
    }
    assert_eq!((dependency.runs(), refused_by), (5, vec!["per_hour"; 2]));
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_in_order_each_at_its_time() {
    let limiter = RateLimiter::new(TEN.burst(1).wait(Duration::from_secs(1)));
    let start = Instant::now();
    let served = RefCell::new(Vec::new());
    let wait = async |number: u128| {
        sleep(ms(u64::try_from(number).unwrap())).await;
        limiter.acquire().await.unwrap().success();
        served.borrow_mut().push((number, start.elapsed().as_millis()));
    };
    tokio::join!(wait(4), wait(2), wait(0), wait(3), wait(1));
    assert_eq!(*served.borrow(), [(0, 0), (1, 100), (2, 200), (3, 300), (4, 400)]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_its_limit_is_refused_at_once_without_booking() {
    let limiter = RateLimiter::new(TEN.burst(1).wait(ms(250)));
    limiter.try_acquire().unwrap().success();
    let start = Instant::now();
    let mut first = Box::pin(limiter.acquire());
    let mut second = Box::pin(limiter.acquire());
    assert!(poll_once(&mut first).is_pending() && poll_once(&mut second).is_pending());
    for _ in 0..10 {
        let error = limiter.acquire().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(ms(300)));
    }
    assert_eq!((start.elapsed(), limiter.stats().waiting), (Duration::ZERO, 2));
    first.await.unwrap().success();
    second.await.unwrap().success();
    assert_eq!(start.elapsed(), ms(200));
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes_those_in_line() {
    let limiter = RateLimiter::new(TEN.burst(5).initial(0).wait(Duration::from_secs(1)));
    let mut large = Box::pin(limiter.acquire_many(5));
    assert!(poll_once(&mut large).is_pending());
    advance(ms(300)).await;
    // Three tokens are there, and promised.
    assert_eq!(retry_after(&limiter, 1), ms(300));
    let mut small = Box::pin(limiter.acquire());
    assert!(poll_once(&mut small).is_pending());
    large.await.unwrap().success();
    assert!(poll_once(&mut small).is_pending());
    small.await.unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_waiters_turn_goes_to_the_next() {
    let limiter = RateLimiter::new(TEN.burst(1).wait(Duration::from_secs(1)));
    limiter.try_acquire().unwrap().success();
    let start = Instant::now();
    let (first, second) = tokio::join!(biased;
        tokio::time::timeout(ms(50), limiter.acquire()),
        async { limiter.acquire().await.map(|_| start.elapsed()) },
    );
    first.unwrap_err();
    assert_eq!(second.unwrap(), ms(100));
    assert_eq!(limiter.stats().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_around_it_bounds_the_wait_and_is_known_beforehand() {
    #[timeout(250ms)]
    #[rate_limited(10/s, burst = 1, wait)]
    async fn bounded(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Succeed]);
    let start = Instant::now();
    let ended = async {
        tokio::join!(biased; bounded(&dependency), bounded(&dependency), bounded(&dependency), async {
            let ended = bounded(&dependency).await;
            (ended, start.elapsed())
        })
    };
    let (a, b, c, (fourth, at)) = ended.await;
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    // Its turn would come after 300 ms: refused at once, not timed out.
    assert_eq!((fourth.unwrap_err().ours().retry_after(), at), (Some(ms(300)), Duration::ZERO));
    assert_eq!(start.elapsed(), ms(200));
    let stats = site("rate_limited::bounded").stats();
    assert_eq!((stats.succeeded, stats.rejected), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refilled_bucket_serves_those_in_line_at_once() {
    let limiter = std::sync::Arc::new(RateLimiter::new(RateLimiterConfig::new(Rate::per_hour(2)).wait_unbounded()));
    assert_eq!(admitted(&limiter, 5), 2);
    let waiting = [(); 2].map(|()| {
        let limiter = limiter.clone();
        tokio::spawn(async move { limiter.acquire().await.unwrap().success() })
    });
    settle().await;
    assert_eq!(limiter.stats().waiting, 2);
    limiter.reset();
    let start = Instant::now();
    for task in waiting {
        task.await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn threads_take_no_more_than_there_is() {
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_day(1000)));
    let (barrier, taken) = (Barrier::new(8), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..500 {
                    taken.fetch_add(u32::from(limiter.try_acquire().is_ok()), Relaxed);
                }
            });
        }
    });
    assert_eq!(taken.load(Relaxed), 1000);
}
