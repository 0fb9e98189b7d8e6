//! Statics outlive runtimes, and paused runtimes disagree about now: a clock that steps back wedges nothing.

use crate::support::{Act, Dependency, Fault, adds_up, ms};
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Rate, RateLimiter, RateLimiterConfig,
    bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout,
};
use std::{future::Future, time::Duration};
use tokio::time::{advance, sleep};

const HOUR: Duration = Duration::from_secs(3600);

fn paused<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
}

#[test]
fn an_open_circuit_opens_for_no_longer_than_its_time() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(ms(100)));
    paused(async {
        advance(HOUR).await;
        breaker.try_acquire().unwrap().failure();
    });
    paused(async {
        let error = breaker.try_acquire().unwrap_err();
        assert_eq!(error.retry_after(), Some(ms(100)));
        advance(ms(100)).await;
        breaker.try_acquire().unwrap().success();
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

#[test]
fn a_probe_that_was_leaked_expires_all_the_same() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(ms(100)).probe_timeout(ms(200)));
    paused(async {
        advance(HOUR).await;
        breaker.try_acquire().unwrap().failure();
        advance(ms(100)).await;
        std::mem::forget(breaker.try_acquire().unwrap());
    });
    paused(async {
        assert!(breaker.try_acquire().is_err());
        advance(ms(200)).await;
        assert!(breaker.try_acquire().is_err());
        advance(ms(100)).await;
        breaker.try_acquire().unwrap().success();
    });
}

#[test]
fn windows_of_time_go_on_judging() {
    let config = CircuitBreakerConfig::new().window_time(Duration::from_secs(10)).min_calls(5).open_for(ms(100));
    let breaker = CircuitBreaker::new(config);
    paused(async {
        advance(HOUR).await;
        for _ in 0..4 {
            breaker.try_acquire().unwrap().success();
        }
        breaker.try_acquire().unwrap().failure();
    });
    paused(async {
        assert_eq!(breaker.stats().calls, 0);
        for _ in 0..5 {
            breaker.try_acquire().unwrap().failure();
        }
        assert_eq!(breaker.state(), CircuitState::Open);
    });
}

/// A drained bucket was empty until the clock had caught up, an hour later.
#[test]
fn a_drained_bucket_fills_again() {
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(10)));
    paused(async {
        advance(HOUR).await;
        for _ in 0..10 {
            limiter.try_acquire().unwrap().success();
        }
    });
    paused(async {
        assert!(limiter.try_acquire().is_err());
        advance(ms(100)).await;
        limiter.try_acquire().unwrap().success();
        assert!(limiter.try_acquire().is_err());
        advance(Duration::from_secs(1)).await;
        assert_eq!((0..20).filter(|_| limiter.try_acquire().is_ok()).count(), 10);
    });
}

#[test]
fn a_full_bucket_lets_calls_wait_for_no_longer_than_one_filling() {
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(10)).wait(ms(200)));
    paused(async {
        advance(HOUR).await;
        limiter.try_acquire().unwrap().success();
    });
    paused(async {
        limiter.acquire().await.unwrap().success();
        advance(Duration::from_secs(1)).await;
        limiter.acquire().await.unwrap().success();
    });
}

#[fallback(|_| Ok(0))]
#[rate_limited(5/s, wait = 1s)]
#[bulkhead(1, wait = 1s)]
#[timeout(10s)]
#[retry(attempts = 3, backoff = 100ms)]
#[circuit_breaker(failures = 2, open_for = 1s)]
#[timeout(1s)]
async fn shared(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[test]
fn a_whole_stack_serves_one_runtime_after_another() {
    for _ in 0..3 {
        paused(async {
            let dependency = Dependency::new([Act::Hang, Act::Fail, Act::Fail]);
            for _ in 0..3 {
                let _ = tokio::join!(shared(&dependency), shared(&dependency));
            }
            dependency.act([Act::Slow(10)]);
            sleep(Duration::from_secs(2)).await;
            assert!(shared(&dependency).await.unwrap() > 0);
            advance(HOUR).await;
        });
        adds_up("clock::shared");
    }
}

#[test]
fn two_runtimes_at_once_share_a_bulkhead() {
    static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(2).wait_unbounded().queue_unbounded());
    std::thread::scope(|scope| {
        for hours in 0..4 {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let dependency = Dependency::new([Act::Yield(hours)]);
                    for _ in 0..50 {
                        PLACES.call(dependency.run()).await.unwrap();
                    }
                });
            });
        }
    });
    assert_eq!((PLACES.stats().in_use, PLACES.stats().waiting), (0, 0));
}
