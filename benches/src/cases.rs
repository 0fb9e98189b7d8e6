//! The same small fn: bare, with one policy, with six.

use resilient::{Error, bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout};
use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

/// Fits a register, as most benchmarks' errors do.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) u64);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(u64::from(error.is_rejection()))
    }
}

/// Never set: the optimiser can not know that the body is always ready.
static PENDING: AtomicBool = AtomicBool::new(false);

pub(crate) async fn body(input: u64) -> Result<u64, Failed> {
    poll_fn(|_| if PENDING.load(Ordering::Relaxed) { Poll::Pending } else { Poll::Ready(()) }).await;
    Ok(input.wrapping_mul(3))
}

pub(crate) async fn bare(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[circuit_breaker(failures = 5)]
pub(crate) async fn breaker(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[circuit_breaker(failure_rate = 50%, window = 30s)]
pub(crate) async fn rate_breaker(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[rate_limited(1_000_000_000/s)]
pub(crate) async fn limiter(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[bulkhead(100)]
pub(crate) async fn bulkhead_(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[timeout(2s)]
pub(crate) async fn timeout_(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[retry(attempts = 3)]
pub(crate) async fn retry_(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[fallback(|_| Ok(0))]
#[rate_limited(1_000_000_000/s)]
#[bulkhead(100)]
#[retry(attempts = 3, backoff = 100ms..=2s)]
#[circuit_breaker(failures = 5, open_for = 30s)]
#[timeout(2s)]
pub(crate) async fn six(input: u64) -> Result<u64, Failed> {
    body(input).await
}

#[circuit_breaker(failures = 1, open_for = 1h)]
pub(crate) async fn open(input: u64) -> Result<u64, Failed> {
    if input == u64::MAX { Err(Failed(7)) } else { body(input).await }
}

#[rate_limited(1/h, burst = 1)]
pub(crate) async fn empty(input: u64) -> Result<u64, Failed> {
    body(input).await
}
