//! A cost is an unsigned integer over the fn's arguments; what a call is charged, and how long it is held, are fns.

use resilient::{Error, rate_limited};

#[rate_limited(10/s, cost = items.len() as i32)]
async fn of_another_type(items: Vec<u8>) -> Result<usize, Error> {
    Ok(items.len())
}

#[rate_limited(10/s, cost = missing)]
async fn missing() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(10/s, priority = urgency)]
async fn of_no_class(urgency: u8) -> Result<u8, Error> {
    Ok(urgency)
}

fn tokens(answer: &String) -> u32 {
    answer.len() as u32
}

#[rate_limited(10/s, charge = tokens)]
async fn charged() -> Result<u32, Error> {
    Ok(1)
}

#[rate_limited(10/s, delay_hint = |error: &Error| error.is_rejection())]
async fn hinted() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
