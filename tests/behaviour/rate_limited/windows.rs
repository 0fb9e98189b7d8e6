//! Sliding and fixed windows, and several quotas.

use super::{admitted, retry_after};
use crate::support::{Fault, ms};
use resilient::{Algorithm, Rate, RateLimiter, RateLimiterConfig, rate_limited};
use std::time::Duration;
use tokio::time::{advance, sleep};

const TWO: RateLimiterConfig = RateLimiterConfig::new(Rate::new(2, ms(100)));

#[tokio::test(start_paused = true)]
async fn a_fixed_window_begins_with_the_first_call_and_follows_the_grid() {
    let limiter = RateLimiter::new(TWO.algorithm(Algorithm::FixedWindow));
    advance(ms(7)).await;
    assert_eq!((admitted(&limiter, 5), retry_after(&limiter, 1)), (2, ms(100)));
    advance(ms(190)).await;
    // In the second window, 10 ms before its end.
    assert_eq!((admitted(&limiter, 5), retry_after(&limiter, 1)), (2, ms(10)));
    advance(ms(10)).await;
    assert_eq!((admitted(&limiter, 5), retry_after(&limiter, 2)), (2, ms(100)));
}

#[tokio::test(start_paused = true)]
async fn a_sliding_window_never_gives_more_than_its_limit_in_any_period() {
    let limiter = RateLimiter::new(TWO.algorithm(Algorithm::SlidingWindow));
    assert_eq!(admitted(&limiter, 1), 1);
    advance(ms(60)).await;
    assert_eq!((admitted(&limiter, 5), retry_after(&limiter, 1)), (1, ms(40)));
    assert_eq!(retry_after(&limiter, 2), ms(100));
    advance(ms(40)).await;
    assert_eq!((admitted(&limiter, 5), retry_after(&limiter, 1)), (1, ms(60)));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_waits_serves_in_order_when_it_opens() {
    #[rate_limited(2/100ms, algorithm = fixed_window, wait)]
    async fn windowed() -> Result<u32, Fault> {
        Ok(1)
    }

    let start = tokio::time::Instant::now();
    let call = || async {
        windowed().await.unwrap();
        start.elapsed()
    };
    let ended = tokio::join!(biased; call(), call(), call(), call(), call());
    assert_eq!(ended, (ms(0), ms(0), ms(100), ms(100), ms(200)));
}

#[tokio::test(start_paused = true)]
async fn quotas_take_together_and_where_one_refuses_none_pays() {
    #[rate_limited(10/s, 15/h)]
    async fn both() -> Result<u32, Fault> {
        Ok(1)
    }

    let mut ran = 0;
    for _ in 0..3 {
        for _ in 0..12 {
            ran += u32::from(both().await.is_ok());
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(ran, 15);
    let limiter = resilient::registry().site("windows::both").unwrap();
    let limiter = limiter.rate_limiter().unwrap();
    // The first is full again, whatever was refused by the second.
    limiter.refund(0);
    assert_eq!(limiter.stats().tokens, 0);
    let wait = both().await.unwrap_err().ours().retry_after().unwrap();
    assert!(wait > Duration::from_secs(200), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_refuses_takes_nothing_from_the_other() {
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_hour(5)).and(Rate::per_second(2)));
    assert_eq!(admitted(&limiter, 50), 2);
    advance(Duration::from_secs(1)).await;
    assert_eq!(admitted(&limiter, 50), 2);
    advance(Duration::from_secs(1)).await;
    assert_eq!(admitted(&limiter, 50), 1);
    // More than the smaller of both can never be had.
    assert!(limiter.try_acquire_many(3).unwrap_err().to_string().contains("a burst of 2"));
}

#[tokio::test(start_paused = true)]
async fn a_window_keeps_no_more_than_a_period_when_the_clock_steps_back() {
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        let limiter = RateLimiter::new(TWO.algorithm(algorithm));
        assert_eq!(admitted(&limiter, 5), 2);
        advance(ms(99)).await;
        assert_eq!(admitted(&limiter, 5), 0);
        advance(ms(1)).await;
        assert_eq!(admitted(&limiter, 5), 2);
    }
}
