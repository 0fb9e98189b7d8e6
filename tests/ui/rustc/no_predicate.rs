//! Predicates that are none, or over something else: one error each.

use resilient::{Error, circuit_breaker, retry};

#[derive(Debug)]
enum Fault {
    Broken,
}

#[retry(when = Fault::Broken)]
async fn variant() -> Result<u32, Fault> {
    Err(Fault::Broken)
}

#[circuit_breaker(failure_if = Error::is_timeout)]
async fn output_for_an_error() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(when = says_nothing)]
async fn no_answer() -> Result<u32, Error> {
    Ok(1)
}

fn says_nothing(_: &Error) {}

fn main() {}
