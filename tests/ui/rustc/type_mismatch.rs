//! The body's own mistakes are underlined in the body, as without attributes.

use resilient::{Error, circuit_breaker, fallback, retry, timeout};

#[retry]
#[timeout(1s)]
async fn wrong_value() -> Result<u32, Error> {
    Ok("one")
}

#[circuit_breaker]
async fn wrong_tail() -> Result<u32, Error> {
    1
}

#[circuit_breaker]
async fn wrong_return(n: u32) -> Result<u32, Error> {
    if n == 1 {
        return "one";
    }
    Ok(n)
}

#[circuit_breaker]
async fn wrong_question_mark() -> Result<u32, Error> {
    let n: u32 = "1".parse::<u32>()?;
    Ok(n)
}

#[circuit_breaker]
async fn no_tail() -> Result<u32, Error> {
    Ok::<u32, Error>(1);
}

#[fallback(|_| Ok(String::new()))]
#[circuit_breaker]
async fn below_a_fallback() -> Result<String, Error> {
    Ok(1)
}

#[resilient::bulkhead(1)]
#[resilient::resilient(rejected = |_| ())]
async fn unit() {
    1
}

fn main() {}
