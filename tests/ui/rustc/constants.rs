//! Constant expressions are checked by the rules of literals, at the user's token.

use resilient::{Backoff, Error, Rate, Ratio, bulkhead, circuit_breaker, rate_limited, retry, timeout};
use std::time::Duration;

const NONE: u32 = 0;
const NO_TIME: Duration = Duration::ZERO;
const NOTHING: Ratio = Ratio::percent(0);

#[circuit_breaker(failures = NONE)]
async fn failures() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(failure_rate = NOTHING, window = NONE, open_for = NO_TIME)]
async fn window() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(window = NO_TIME, min_calls = 1 - 1)]
async fn window_of_time() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(Rate::per_second(NONE))]
async fn rate() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(NONE/s)]
async fn limit() -> Result<u32, Error> {
    Ok(1)
}

#[retry(attempts = 2 - 1, backoff = Duration::MAX, jitter = NOTHING, max_duration = NO_TIME)]
async fn retried() -> Result<u32, Error> {
    Ok(1)
}

#[retry(backoff = NO_TIME..=Duration::MAX, factor = 0.5 + 0.5)]
async fn retried_in_a_range() -> Result<u32, Error> {
    Ok(1)
}

#[timeout(NO_TIME)]
async fn timed() -> Result<u32, Error> {
    Ok(1)
}

#[bulkhead(NONE, wait = NO_TIME, queue = NONE)]
async fn places() -> Result<u32, Error> {
    Ok(1)
}

#[retry(backoff = Backoff::constant(Duration::MAX))]
async fn by_backoff() -> Result<u32, Error> {
    Ok(1)
}

const LONG: Duration = Duration::from_secs(60);

#[circuit_breaker(slow_call = NO_TIME, slow_rate = NOTHING, shed = 0.5 + 0.5, open_for = LONG..=1s)]
async fn watched() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(key = n, max_keys = NONE, idle = NO_TIME, open_for = 1s..=Duration::MAX)]
async fn keyed(n: u32) -> Result<u32, Error> {
    Ok(n)
}

#[circuit_breaker(health_check = ping, health_every = NO_TIME)]
async fn asked() -> Result<u32, Error> {
    Ok(1)
}

async fn ping() -> Result<(), Error> {
    Ok(())
}

fn main() {}
