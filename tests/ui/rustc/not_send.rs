//! The user's own `Rc` across an await, seen through every policy.

use resilient::{Error, bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout};
use std::rc::Rc;

#[fallback(|_| Ok(0))]
#[rate_limited(100/s)]
#[bulkhead(10)]
#[retry]
#[circuit_breaker]
#[timeout(1s)]
async fn protected() -> Result<u32, Error> {
    let shared = Rc::new(1);
    tokio::task::yield_now().await;
    Ok(*shared)
}

fn spawn<T: Send>(_: T) {}

fn main() {
    spawn(protected());
}
