//! Forms of attributes that rustc refuses itself.

use resilient::{Error, circuit_breaker};

#[circuit_breaker = 5]
async fn without_parentheses() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
