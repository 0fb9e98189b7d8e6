//! A cost is a `u32` over the fn's arguments.

use resilient::{Error, rate_limited};

#[rate_limited(10/s, cost = items.len())]
async fn of_another_type(items: Vec<u8>) -> Result<usize, Error> {
    Ok(items.len())
}

#[rate_limited(10/s, cost = missing)]
async fn missing() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
