//! A fn without a `Result`: one error, at what it returns.

use resilient::{bulkhead, circuit_breaker, fallback, retry, timeout};

#[circuit_breaker]
async fn breaker() -> u32 {
    1
}

#[retry]
async fn retried() -> Option<u32> {
    None
}

#[timeout(1s)]
async fn timed() -> String {
    String::new()
}

#[bulkhead(1)]
async fn unit() {}

#[circuit_breaker(failure_if = |output: &u32| *output == 0)]
async fn judged() -> u32 {
    1
}

#[retry(when = |_| true)]
async fn judged_by_errors() -> u32 {
    1
}

#[retry]
#[timeout(1s)]
async fn both() -> u32 {
    1
}

#[fallback(|_| 1)]
async fn never_fails() -> u32 {
    1
}

#[fallback(|_| 1, spare)]
#[timeout(1s)]
async fn never_asked() -> u32 {
    1
}

fn spare() -> u32 {
    3
}

fn main() {}
