//! Classes of calls: who goes first, and what is kept for whom.

use crate::support::{Fault, ms};
use resilient::{Priority, Rate, RateLimiter, RateLimiterConfig, Ratio, rate_limited};
use std::cell::RefCell;
use tokio::time::advance;

const TEN: RateLimiterConfig = RateLimiterConfig::new(Rate::per_second(10)).reserve(Ratio::percent(20));

#[tokio::test(start_paused = true)]
async fn a_reserve_is_for_urgent_calls_and_critical_ones_may_owe_as_much() {
    let limiter = RateLimiter::new(TEN);
    let taken = |class| (0..20).filter(|_| limiter.try_acquire_as(class, 1).is_ok()).count();
    assert_eq!(taken(Priority::Low), 8);
    assert_eq!(taken(Priority::Normal), 0);
    assert_eq!(taken(Priority::High), 2);
    assert_eq!(taken(Priority::Critical), 2);
    assert_eq!((limiter.stats().tokens, limiter.stats().debt), (0, 2));
    // The debt is paid first, then the reserve fills, and only then there is something for all.
    assert_eq!(limiter.try_acquire_as(Priority::High, 1).unwrap_err().retry_after(), Some(ms(300)));
    assert_eq!(limiter.try_acquire_as(Priority::Low, 1).unwrap_err().retry_after(), Some(ms(500)));
    advance(ms(300)).await;
    assert_eq!((taken(Priority::Low), taken(Priority::High)), (0, 1));
    // More than is left to it can never be had.
    assert!(!limiter.try_acquire_as(Priority::Normal, 9).unwrap_err().to_string().contains("rate limit reached"));
    assert!(limiter.try_acquire_as(Priority::High, 9).unwrap_err().to_string().contains("rate limit reached"));
}

#[tokio::test(start_paused = true)]
async fn the_more_urgent_goes_first_and_of_one_class_who_came_first() {
    #[rate_limited(10/s, burst = 1, wait, priority = class)]
    async fn ordered(class: Priority, name: &'static str, order: &RefCell<Vec<&'static str>>) -> Result<u32, Fault> {
        order.borrow_mut().push(name);
        Ok(1)
    }

    let order = RefCell::new(Vec::new());
    let call = async |class, name| ordered(class, name, &order).await.unwrap();
    tokio::join!(biased;
        call(Priority::Normal, "first"),
        call(Priority::Low, "low"),
        call(Priority::Normal, "normal"),
        call(Priority::Critical, "critical"),
        call(Priority::Normal, "normal again"),
        call(Priority::High, "high"),
    );
    assert_eq!(*order.borrow(), ["first", "critical", "high", "normal", "normal again", "low"]);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_passed_over_beyond_its_limit_is_refused_then() {
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(10)).burst(1).wait(ms(250)));
    limiter.try_acquire().unwrap().success();
    let low = async { limiter.acquire_as(Priority::Low, 1).await.map(drop) };
    let urgent = async {
        for _ in 0..4 {
            limiter.acquire_as(Priority::Critical, 1).await.unwrap().success();
        }
    };
    let (low, ()) = tokio::join!(biased; low, urgent);
    assert!(low.unwrap_err().is_rate_limited());
    let stats = limiter.stats();
    assert_eq!((stats.rejected, stats.rejected_late, stats.admitted), (1, 1, 5));
    assert_eq!(stats.waited.count(), 4);
    assert!(stats.waited.quantile(0.5).unwrap() >= ms(100));
    assert_eq!(stats.acceptance_rate().unwrap().to_string(), Ratio::new(5.0 / 6.0).unwrap().to_string());
}

#[tokio::test(start_paused = true)]
async fn urgent_calls_do_not_starve_the_others_of_a_limiter_with_a_reserve() {
    let limiter = RateLimiter::new(TEN.wait_unbounded());
    // Twice as many critical calls as there are tokens.
    let flood = async {
        for _ in 0..200 {
            let call = limiter.acquire_as(Priority::Critical, 1);
            let _ = tokio::time::timeout(ms(50), call).await;
            tokio::time::sleep(ms(1)).await;
        }
    };
    let start = tokio::time::Instant::now();
    let low = async {
        tokio::time::sleep(ms(100)).await;
        limiter.acquire_as(Priority::Low, 1).await.unwrap().success();
        start.elapsed()
    };
    let ((), waited) = tokio::join!(biased; flood, low);
    assert!(waited < ms(4000), "{waited:?}");
}
