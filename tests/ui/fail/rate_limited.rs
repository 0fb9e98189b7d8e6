use resilient::{Error, rate_limited};

type Answer = Result<u32, Error>;

#[rate_limited]
async fn nothing() -> Answer {
    Ok(1)
}

#[rate_limited(burst = 5)]
async fn without_a_rate() -> Answer {
    Ok(1)
}

#[rate_limited(100)]
async fn without_a_period() -> Answer {
    Ok(1)
}

#[rate_limited(100/second)]
async fn long_period() -> Answer {
    Ok(1)
}

#[rate_limited("100/s")]
async fn quoted() -> Answer {
    Ok(1)
}

#[rate_limited(100 per s)]
async fn in_words() -> Answer {
    Ok(1)
}

#[rate_limited(0/s)]
async fn no_call() -> Answer {
    Ok(1)
}

#[rate_limited(100/s, burst = 0)]
async fn no_burst() -> Answer {
    Ok(1)
}

#[rate_limited(100/s, burst = 10, initial = 20)]
async fn more_than_fits() -> Answer {
    Ok(1)
}

#[rate_limited(10/s, cost = 20)]
async fn never_admitted() -> Answer {
    Ok(1)
}

#[rate_limited(10/s, cost = 0)]
async fn free() -> Answer {
    Ok(1)
}

#[rate_limited(100/s, wait = 0s)]
async fn no_wait() -> Answer {
    Ok(1)
}

#[rate_limited(100/s, wait = 5)]
async fn wait_without_a_unit() -> Answer {
    Ok(1)
}

#[rate_limited(1/s, 2/s, 3/s, 4/s, 5/s)]
async fn too_many_quotas() -> Answer {
    Ok(1)
}

#[rate_limited(10/s, store = REDIS)]
async fn of_a_later_version(tenant: u32) -> Answer {
    Ok(tenant)
}

#[rate_limited(10/s, algorithm = leaky_bucket)]
async fn of_no_algorithm() -> Answer {
    Ok(1)
}

#[rate_limited(10/s, reserve = 10%)]
async fn for_nobody() -> Answer {
    Ok(1)
}

#[rate_limited(rate = tenant.rate)]
async fn of_no_key(tenant: u32) -> Answer {
    Ok(tenant)
}

#[rate_limited(0.5/s)]
async fn half_a_call() -> Answer {
    Ok(1)
}

#[rate_limited(10/s, cost = -1)]
async fn negative() -> Answer {
    Ok(1)
}

#[rate_limited(rate = 3/s)]
async fn by_name() -> Answer {
    Ok(1)
}

#[rate_limited(limit = 3/s, burst = 5)]
async fn by_another_name() -> Answer {
    Ok(1)
}

fn main() {}
