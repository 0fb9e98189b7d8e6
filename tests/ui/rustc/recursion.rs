//! Recursion needs a box, with or without attributes.

use resilient::{Error, circuit_breaker};

#[circuit_breaker]
async fn recursive(n: u32) -> Result<u32, Error> {
    if n == 0 { Ok(0) } else { recursive(n - 1).await }
}

fn main() {}
