//! What policies add to a future.

use resilient::{Error, bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout};
use std::mem::size_of_val;

#[derive(Debug)]
struct Fault(#[expect(dead_code, reason = "as large as an error is")] u64);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(u64::from(error.is_rejection()))
    }
}

/// A body that holds this much while it waits.
async fn body() -> Result<u64, Fault> {
    let held = [1_u8; 64];
    std::future::pending::<()>().await;
    Ok(held.iter().map(|byte| u64::from(*byte)).sum())
}

async fn bare() -> Result<u64, Fault> {
    body().await
}

macro_rules! sites {
    ($($name:ident: $($attribute:meta)*;)+) => {
        $($(#[$attribute])* async fn $name() -> Result<u64, Fault> { body().await })+
    };
}

sites! {
    breaker: circuit_breaker;
    limiter: rate_limited(100/s);
    waiting_limiter: rate_limited(100/s, wait = 1s);
    places: bulkhead(10);
    waiting_places: bulkhead(10, wait = 1s);
    timed: timeout(2s);
    retried: retry;
    answered: fallback(|_| Ok(0));
}

#[timeout(10s)]
#[retry]
#[timeout(1s)]
async fn timed_twice() -> Result<u64, Fault> {
    body().await
}

#[fallback(|_| Ok(0))]
#[rate_limited(100/s)]
#[bulkhead(10)]
#[retry]
#[circuit_breaker]
#[timeout(2s)]
async fn six() -> Result<u64, Fault> {
    body().await
}

#[test]
fn policies_add_no_more_than_their_budget() {
    let body = size_of_val(&bare());
    println!("the bare fn: {body} bytes");
    let mut over = Vec::new();
    for (name, size, budget) in [
        ("circuit_breaker", size_of_val(&breaker()), 64),
        ("rate_limited", size_of_val(&limiter()), 64),
        ("rate_limited, wait", size_of_val(&waiting_limiter()), 64),
        ("bulkhead", size_of_val(&places()), 64),
        ("bulkhead, wait", size_of_val(&waiting_places()), 64),
        ("timeout", size_of_val(&timed()), 64),
        ("retry", size_of_val(&retried()), 64),
        ("fallback", size_of_val(&answered()), 96),
        ("timeout, retry, timeout", size_of_val(&timed_twice()), 64),
        ("six policies", size_of_val(&six()), 128),
    ] {
        let added = size.saturating_sub(body);
        println!("{name}: {added} bytes more");
        if added > budget {
            over.push(format!("{name} adds {added} bytes, more than {budget}"));
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}
