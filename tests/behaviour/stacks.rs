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
