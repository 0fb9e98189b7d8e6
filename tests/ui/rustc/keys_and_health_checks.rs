//! Keys, health checks and modes of another type.

use resilient::{CircuitBreaker, CircuitBreakerConfig, Error, Keyed, circuit_breaker};
use std::rc::Rc;

type Answer = Result<u32, Error>;

struct NoHash;

#[circuit_breaker(key = it)]
async fn not_hashed(it: &NoHash) -> Answer {
    let _ = it;
    Ok(1)
}

#[circuit_breaker(key = it)]
async fn not_known_to_be_hashed<T>(it: T) -> Answer {
    let _ = it;
    Ok(1)
}

#[circuit_breaker(key = hosts)]
async fn no_argument(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(key = host, key_label = Some(host))]
async fn not_displayed(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(key = n, max_keys = "9".len(), idle = NUMBER)]
async fn other_bounds(n: u32) -> Answer {
    Ok(n)
}

fn ping() -> bool {
    true
}

#[circuit_breaker(health_check = ping)]
async fn no_async_fn() -> Answer {
    Ok(1)
}

async fn number() -> u32 {
    1
}

#[circuit_breaker(health_check = number)]
async fn no_result() -> Answer {
    Ok(1)
}

#[circuit_breaker(health_check = missing)]
async fn no_fn() -> Answer {
    Ok(1)
}

#[circuit_breaker(health_check = NUMBER)]
async fn a_number() -> Answer {
    Ok(1)
}

async fn local() -> Result<(), Error> {
    let held = Rc::new(1);
    number().await;
    drop(held);
    Ok(())
}

#[circuit_breaker(health_check = local)]
async fn stays_on_its_thread() -> Answer {
    Ok(1)
}

async fn by_number(_: u32) -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(key = host, health_check = by_number)]
async fn another_key(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(health_check = by_number)]
async fn without_a_key() -> Answer {
    Ok(1)
}

#[derive(Hash)]
struct NoClone;

async fn by_any<T>(_: T) -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(key = it.0, health_check = by_any)]
async fn not_cloned(it: &(NoClone, u32)) -> Answer {
    Ok(it.1)
}

const NUMBER: u32 = 1;

#[circuit_breaker(mode = NUMBER, shed = NUMBER, slow_call = NUMBER, open_for = 1s..=NUMBER)]
async fn no_constants() -> Answer {
    Ok(1)
}

static ONE: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new());
static HOSTS: Keyed<str, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new());

#[circuit_breaker(HOSTS)]
async fn many_for_one() -> Answer {
    Ok(1)
}

#[circuit_breaker(ONE, key = host)]
async fn one_for_many(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(HOSTS, key = port)]
async fn of_another_key(port: u32) -> Answer {
    Ok(port)
}

#[circuit_breaker(key = (host, NoClone), health_check = by_any)]
async fn a_part_not_cloned(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(key = (host, 7_u8), health_check = by_number)]
async fn another_key_of_parts(host: &str) -> Answer {
    Ok(host.len() as u32)
}

static SHARDS: Keyed<u64, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new());

fn other_keys() {
    let _ = (HOSTS.state(&7), SHARDS.state("7"), SHARDS.find(&7_i32), SHARDS.get(&7_i32));
}

fn main() {
    other_keys();
}
