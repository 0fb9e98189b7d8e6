//! What rustc says of the fn is what it says without attributes.

#![deny(unused)]

use resilient::{Error, circuit_breaker};

#[must_use = "it cost a call"]
#[circuit_breaker]
async fn marked() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker]
async fn not_awaited() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker]
async fn unused_result() -> Result<u32, Error> {
    not_awaited();
    not_awaited().await;
    let mark = marked();
    mark.await
}

#[circuit_breaker]
async fn never_called() -> Result<u32, Error> {
    Ok(1)
}

fn main() {
    drop(unused_result());
}
