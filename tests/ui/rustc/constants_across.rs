//! Rules over several arguments, of which one is an expression.

use resilient::{Error, circuit_breaker, rate_limited, retry};
use std::time::Duration;

const MANY: u32 = 200;
const LONG: Duration = Duration::from_secs(60);

#[circuit_breaker(window = 100, min_calls = MANY)]
async fn window() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(100/s, initial = MANY)]
async fn initial() -> Result<u32, Error> {
    Ok(1)
}

#[retry(backoff = LONG..=1s)]
async fn backoff() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
