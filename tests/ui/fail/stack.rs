use resilient::{Error, circuit_breaker, resilient, retry, timeout};

type Answer = Result<u32, Error>;

#[retry]
#[fallback(|_| Ok(0))]
async fn fallback_inside_retry() -> Answer {
    Ok(1)
}

#[circuit_breaker]
#[fallback(|_| Ok(0))]
async fn fallback_inside_circuit_breaker() -> Answer {
    Ok(1)
}

#[timeout(1s)]
#[retry]
#[timeout(2s)]
async fn timeout_not_shorter() -> Answer {
    Ok(1)
}

#[timeout(2s, name = "twice")]
#[timeout(1s, name = "twice")]
async fn one_name() -> Answer {
    Ok(1)
}

#[retry(attempts = 1)]
#[timeout(2)]
#[circuit_breaker(failurs = 2)]
async fn all_mistakes_at_once() -> Answer {
    Ok(1)
}

#[resilient]
async fn no_policy() -> Answer {
    Ok(1)
}

#[resilient(name = "a")]
#[retry]
#[resilient(name = "b")]
async fn twice() -> Answer {
    Ok(1)
}

#[resilient(nme = "a", allow(fallback_in_retry), rejected = 5, crate = "resilient")]
#[retry]
async fn site() -> Answer {
    Ok(1)
}

#[resilient(rejected = std::convert::identity)]
#[retry]
async fn never_rejected() -> Answer {
    Ok(1)
}

#[resilient(allow(fallback_inside_retry, fallback_inside_circuit_breaker))]
#[retry]
#[fallback(|_| Ok(0))]
async fn never_found() -> Answer {
    Ok(1)
}

#[resilient(preset = network)]
#[retry]
async fn of_a_later_version() -> Answer {
    Ok(1)
}

fn main() {}
