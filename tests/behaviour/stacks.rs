use crate::support::{Act, Dependency, Fault, adds_up, ms};
use resilient::{Error, bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error(transparent)]
    Resilience(#[from] Error),
    #[error("transient")]
    Transient,
}

impl ApiError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Transient)
    }
}

struct Client {
    failures: AtomicU32,
    runs: AtomicU32,
}

impl Client {
    #[fallback(Self::cached)]
    #[rate_limited(100/s, burst = 200)]
    #[bulkhead(10)]
    #[retry(attempts = 3, backoff = 100ms..=2s, when = ApiError::is_transient)]
    #[circuit_breaker(failure_rate = 50%, window = 30s, open_for = 30s)]
    #[timeout(2s)]
    async fn price(&self, sku: &str) -> Result<u32, ApiError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.fetch_sub(1, Ordering::Relaxed);
            return Err(ApiError::Transient);
        }
        if sku == "slow" {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Ok(u32::try_from(sku.len()).unwrap())
    }

    async fn cached(&self, _sku: &str, error: &ApiError) -> Result<u32, ApiError> {
        tokio::task::yield_now().await;
        if error.is_transient() { Ok(1000) } else { Ok(2000) }
    }
}

#[tokio::test(start_paused = true)]
async fn six_policies_recover_time_out_and_fall_back() {
    let client = Client { failures: AtomicU32::new(2), runs: AtomicU32::new(0) };
    assert_eq!(client.price("abc").await.unwrap(), 3);
    assert_eq!(client.runs.load(Ordering::Relaxed), 3);
    client.failures.store(3, Ordering::Relaxed);
    assert_eq!(client.price("abc").await.unwrap(), 1000);
    // All three attempts time out.
    let start = tokio::time::Instant::now();
    assert_eq!(client.price("slow").await.unwrap(), 2000);
    assert!(start.elapsed() >= Duration::from_secs(6));
}

#[timeout(1s, name = "total")]
#[retry(attempts = 10, backoff = 100ms, jitter = none)]
#[timeout(200ms, name = "each")]
async fn total_and_each(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn a_total_time_out_around_a_retry_around_one_per_attempt() {
    let dependency = Dependency::new([Act::Hang, Act::Hang, Act::Slow(50)]);
    assert_eq!(total_and_each(&dependency).await, Ok(3));
    assert_eq!(dependency.starts(), [0, 300, 600]);
    let dependency = Dependency::new([Act::Hang]);
    let start = tokio::time::Instant::now();
    let error = total_and_each(&dependency).await.unwrap_err();
    assert_eq!((error.ours().policy(), start.elapsed()), ("total", ms(1000)));
    assert_eq!(dependency.starts(), [0, 300, 600, 900]);
    // The last pause would end with the total: it is not begun, and the last real error is returned.
    let dependency = Dependency::new([Act::SlowFail(150)]);
    let start = tokio::time::Instant::now();
    assert_eq!(total_and_each(&dependency).await, Err(Fault::Down(4)));
    assert_eq!(start.elapsed(), ms(900));
}

#[retry(attempts = 2, backoff = 10ms, jitter = none, name = "outer")]
#[timeout(100ms)]
#[retry(attempts = 100, backoff = 40ms, jitter = none, name = "inner")]
async fn bursts(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn a_retry_around_a_time_out_around_a_retry_begins_anew() {
    let dependency = Dependency::new([Act::Fail]);
    assert_eq!(bursts(&dependency).await, Err(Fault::Down(6)));
    assert_eq!(dependency.starts(), [0, 40, 80, 90, 130, 170]);
    let dependency = Dependency::new([Act::Fail, Act::Hang, Act::Fail, Act::Succeed]);
    assert_eq!(bursts(&dependency).await, Ok(4));
    assert_eq!(dependency.starts(), [0, 40, 110, 150]);
    adds_up("stacks::bursts");
}

#[tokio::test(start_paused = true)]
async fn calls_and_attempts_are_limited_apart() {
    #[rate_limited(2/h, name = "calls")]
    #[retry(attempts = 3, backoff = 1ms)]
    #[rate_limited(5/h, name = "attempts")]
    async fn limited_twice(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert_eq!(limited_twice(&dependency).await, Err(Fault::Down(3)));
    assert_eq!(limited_twice(&dependency).await.unwrap_err().ours().policy(), "attempts");
    assert_eq!(limited_twice(&dependency).await.unwrap_err().ours().policy(), "calls");
    assert_eq!(dependency.runs(), 5);
}

/// The breaker sees every attempt below the retry, and one result per call above it.
#[tokio::test(start_paused = true)]
async fn a_breaker_above_a_retry_counts_calls_and_below_it_attempts() {
    #[circuit_breaker(failures = 2)]
    #[retry(attempts = 3, backoff = 1ms)]
    async fn above(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    #[retry(attempts = 3, backoff = 1ms)]
    #[circuit_breaker(failures = 2)]
    async fn below(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let (calls, attempts) = (Dependency::new([Act::Fail]), Dependency::new([Act::Fail]));
    for _ in 0..3 {
        let _ = above(&calls).await;
        let _ = below(&attempts).await;
    }
    assert_eq!((calls.runs(), attempts.runs()), (6, 2));
}

#[tokio::test(start_paused = true)]
async fn attempts_of_one_call_and_another_call_take_turns_in_one_bulkhead() {
    #[retry(attempts = 5, backoff = 1ms, jitter = none)]
    #[timeout(50ms)]
    #[bulkhead(1, wait)]
    async fn contended(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let slow = Dependency::new([Act::Slow(40)]);
    let failing = Dependency::new([Act::Fail]);
    let (first, second) = tokio::join!(biased; contended(&failing), contended(&slow));
    assert_eq!(second, Ok(1));
    assert!(first.is_err());
    adds_up("stacks::contended");
}
