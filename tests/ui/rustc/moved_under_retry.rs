//! What an attempt consumes is gone for the next one: rustc's own error at the user's token.

use resilient::{Error, circuit_breaker, fallback, retry, timeout};

#[retry]
async fn consumed(text: String) -> Result<usize, Error> {
    Ok(text.into_bytes().len())
}

struct Client {
    log: Vec<u32>,
}

impl Client {
    #[retry]
    #[circuit_breaker]
    async fn whole(self) -> Result<Vec<u32>, Error> {
        Ok(self.log)
    }

    #[retry]
    async fn lent(&mut self) -> Result<&mut Vec<u32>, Error> {
        Ok(&mut self.log)
    }
}

#[fallback(|_| Ok(text.len()))]
#[timeout(1s)]
async fn consumed_before_a_fallback(text: String) -> Result<usize, Error> {
    Ok(text.into_bytes().len())
}

#[fallback(spare)]
#[timeout(1s)]
async fn consumed_before_a_path(text: String) -> Result<usize, Error> {
    Ok(text.into_bytes().len())
}

fn spare(text: String) -> Result<usize, Error> {
    Ok(text.len())
}

fn main() {}
