//! Policies where a value is expected: they are shared by name.

use resilient::{
    Bulkhead, BulkheadConfig, Error, Rate, RateLimiter, RateLimiterConfig, Timeout, TimeoutConfig, bulkhead,
    rate_limited, timeout,
};
use std::time::Duration;

static LIMITER: RateLimiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(1)));
static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(1));
static TOTAL: Timeout = Timeout::new(TimeoutConfig::new(Duration::from_secs(1)));

#[rate_limited(LIMITER)]
async fn limited() -> Result<u32, Error> {
    Ok(1)
}

#[bulkhead(PLACES)]
async fn placed() -> Result<u32, Error> {
    Ok(1)
}

#[timeout(TOTAL)]
async fn timed() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
