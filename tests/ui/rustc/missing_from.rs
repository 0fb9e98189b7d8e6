//! One error per fn, with what to write.

use resilient::{circuit_breaker, fallback, rate_limited, retry, timeout};

#[derive(Debug)]
struct Plain;

#[circuit_breaker]
async fn one_policy() -> Result<u32, Plain> {
    Err(Plain)
}

#[rate_limited(1/s)]
#[circuit_breaker]
#[retry]
#[timeout(1s)]
async fn several() -> Result<u32, Plain> {
    Err(Plain)
}

#[fallback(|error| Err(error))]
#[circuit_breaker]
async fn taken_by_a_closure() -> Result<u32, Plain> {
    Err(Plain)
}

#[fallback(spare)]
#[circuit_breaker]
async fn taken_by_a_path() -> Result<u32, Plain> {
    Err(Plain)
}

fn spare(error: Plain) -> Result<u32, Plain> {
    Err(error)
}

#[timeout(1s)]
async fn text() -> Result<u32, String> {
    Err(String::new())
}

#[timeout(1s)]
async fn generic<E>(error: E) -> Result<u32, E> {
    Err(error)
}

struct Client;

impl Client {
    #[timeout(1s)]
    async fn method(&self) -> Result<u32, Plain> {
        Err(Plain)
    }
}

#[async_trait::async_trait]
trait Fetch {
    async fn fetch(&self) -> Result<u32, Plain>;
}

#[async_trait::async_trait]
impl Fetch for Client {
    #[timeout(1s)]
    async fn fetch(&self) -> Result<u32, Plain> {
        Err(Plain)
    }
}

fn main() {}
