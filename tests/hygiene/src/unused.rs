//! Lints of the user's see the fn once, as without attributes.

use crate::{Fault, Ok, Result};
use ::tough::{circuit_breaker, fallback, retry};

#[expect(dead_code, reason = "nobody calls it")]
#[retry]
#[circuit_breaker]
async fn expected_above() -> Result<u8, Fault> {
    ::std::future::ready(()).await;
    Ok(1)
}

#[retry]
#[circuit_breaker]
#[expect(dead_code, reason = "nobody calls it")]
async fn expected_below() -> Result<u8, Fault> {
    ::std::future::ready(()).await;
    Ok(1)
}

#[fallback(|_| Ok(1))]
#[expect(dead_code, unused_variables, reason = "rustc still sees both")]
#[retry]
async fn expected_between(unused: u8) -> Result<u8, Fault> {
    Ok(1)
}
