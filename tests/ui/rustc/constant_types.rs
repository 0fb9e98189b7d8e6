//! Constant expressions of another type, or that are none.

use resilient::{Error, bulkhead, circuit_breaker, rate_limited, retry, timeout};
use std::time::Duration;

const TEXT: &str = "5";
const NUMBER: u32 = 5;
const TIME: Duration = Duration::from_secs(1);

fn at_run_time() -> Duration {
    TIME
}

#[timeout(NUMBER)]
async fn timed() -> Result<u32, Error> {
    Ok(1)
}

#[bulkhead(TIME)]
async fn places() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(failures = TEXT, failure_if = Result::is_err)]
async fn failures() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(window = TEXT)]
async fn window() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(failure_rate = NUMBER)]
async fn failure_rate() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(NUMBER)]
async fn rate() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(TIME/s)]
async fn limit() -> Result<u32, Error> {
    Ok(1)
}

#[retry(backoff = NUMBER)]
async fn backoff() -> Result<u32, Error> {
    Ok(1)
}

#[retry(backoff = NUMBER..=1s)]
async fn backoff_range() -> Result<u32, Error> {
    Ok(1)
}

#[timeout(at_run_time())]
async fn not_constant() -> Result<u32, Error> {
    Ok(1)
}

#[timeout(MISSING)]
async fn missing() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
