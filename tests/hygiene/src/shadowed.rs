//! Other things under the names of the prelude, and under the names that an expansion uses.

use ::std::future::ready;
use ::std::prelude::rust_2024::{Clone, Copy, Debug, Eq, PartialEq, derive};
use ::tough::{bulkhead, circuit_breaker, fallback, rate_limited, retry};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Some;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct None;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ok;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Err;
type Result = (Some, None, Ok, Err);
type Option = Result;
type Box = Option;
type Send = Box;
#[allow(non_camel_case_types, reason = "the name of a primitive type")]
type u32 = Send;
#[allow(non_camel_case_types, reason = "the name of a primitive type")]
type bool = u32;

mod core {}
mod resilient {}
mod future {}

macro_rules! concat {
    () => {};
}
macro_rules! pin {
    () => {};
}

/// Runs through all of it.
///
/// # Errors
/// Those of the policies.
#[fallback(|error| if step == 0 { ::std::result::Result::Ok(call) } else { ::std::result::Result::Err(error) })]
#[rate_limited(1000/s, cost = 1)]
#[bulkhead(10)]
#[::tough::timeout(10s)]
#[retry(attempts = 3, backoff = 1ms)]
#[circuit_breaker(failures = COUNT)]
#[::tough::timeout(500ms)]
pub async fn shadowed(call: u8, step: u8) -> ::std::result::Result<u8, ::tough::Error> {
    pin!();
    concat!();
    let all: bool = (Some, None, Ok, Err);
    let _: Result = all;
    ready(()).await;
    ::std::result::Result::Ok(call + step)
}

const COUNT: ::std::primitive::u32 = 5;
