//! Errors about names, borrows and patterns in the body, and unused things.

#![deny(unused)]

use resilient::{Error, circuit_breaker, retry};

struct Client {
    log: Vec<u32>,
}

impl Client {
    #[retry]
    async fn unknown_names(&self) -> Result<u32, Error> {
        self.missing();
        Ok(missing)
    }

    #[retry]
    async fn mutates(&self) -> Result<u32, Error> {
        self.log.push(1);
        Ok(1)
    }
}

#[circuit_breaker]
async fn unused(argument: u32) -> Result<u32, Error> {
    let local = 1;
    let mut never_changed = 2;
    return Ok(never_changed);
    Ok(3)
}

fn main() {}
