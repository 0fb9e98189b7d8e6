//! An attribute under another name can not be gathered.

use resilient::{Error, circuit_breaker, retry as again, timeout};

#[circuit_breaker]
#[again]
async fn below() -> Result<u32, Error> {
    Ok(1)
}

#[again]
#[timeout(1s)]
async fn above() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
