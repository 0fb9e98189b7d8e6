use resilient::{Error, circuit_breaker};

type Answer = Result<u32, Error>;

struct NoHash;

#[circuit_breaker(key = it)]
async fn not_hashed(it: &NoHash) -> Answer {
    let _ = it;
    Ok(1)
}

fn ping() -> bool {
    true
}

#[circuit_breaker(health_check = ping)]
async fn no_async_fn() -> Answer {
    Ok(1)
}

async fn by_number(_: u32) -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(key = host, health_check = by_number)]
async fn another_key(host: &str) -> Answer {
    let _ = host;
    Ok(1)
}

const MODE: u32 = 1;

#[circuit_breaker(mode = MODE)]
async fn no_mode() -> Answer {
    Ok(1)
}

fn main() {}
