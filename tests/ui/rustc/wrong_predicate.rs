//! Predicates are typed at the user's token.

use resilient::{Error, circuit_breaker, fallback, resilient, retry, timeout};

fn of_text(_: &str) -> bool {
    true
}

fn of_value(_: Error) -> bool {
    true
}

fn says_nothing(_: &Error) {}

#[retry(when = of_text)]
async fn another_error() -> Result<u32, Error> {
    Ok(1)
}

#[retry(when = of_value)]
async fn by_value() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(when = says_nothing)]
async fn no_answer() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(unless = |error| error.missing())]
async fn missing_method() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(when = |error| 5)]
async fn number() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(when = missing)]
async fn missing_path() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(when = Error::is_timeout, unless = of_text)]
async fn second_of_two() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(failure_if = Error::is_timeout)]
async fn output_for_an_error() -> Result<u32, Error> {
    Ok(1)
}

#[circuit_breaker(ignore_if = |output| *output == 1)]
async fn ignored() -> Result<u32, Error> {
    Ok(1)
}

#[fallback(|_| Ok(1), when = of_text)]
#[retry]
async fn of_a_fallback() -> Result<u32, Error> {
    Ok(1)
}

#[resilient(rejected = of_text)]
#[timeout(1s)]
async fn rejected() -> Result<u32, String> {
    Ok(1)
}

#[resilient(rejected = of_value)]
#[timeout(1s)]
async fn rejected_to_another_type() -> Result<u32, String> {
    Ok(1)
}

#[resilient(rejected = |error| error.missing())]
#[timeout(1s)]
async fn rejected_closure() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
