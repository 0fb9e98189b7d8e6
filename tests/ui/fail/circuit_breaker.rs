use resilient::{Error, circuit_breaker};

type Answer = Result<u32, Error>;

#[circuit_breaker(failure_rate = 50, window = 30s)]
async fn without_percent() -> Answer {
    Ok(1)
}

#[circuit_breaker(failure_rate = 0.5, open_for = 30, window = 30s)]
async fn without_units() -> Answer {
    Ok(1)
}

#[circuit_breaker(failure_rate = 150%)]
async fn more_than_everything() -> Answer {
    Ok(1)
}

#[circuit_breaker(failurs = 5)]
async fn misspelt() -> Answer {
    Ok(1)
}

#[circuit_breaker(treshold = 5)]
async fn unknown() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = 5, open_for = 1s, failures = 6)]
async fn twice() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = 5, window = 30s)]
async fn two_modes() -> Answer {
    Ok(1)
}

#[circuit_breaker(window = 10, min_calls = 20)]
async fn never_opens() -> Answer {
    Ok(1)
}

#[circuit_breaker(5)]
async fn without_a_name() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = 0, probes = 5_000, open_for = 0s)]
async fn out_of_range() -> Answer {
    Ok(1)
}

#[circuit_breaker(window = 1ms, min_calls = 0, successes = 0, probe_timeout = 0s, failure_rate = 0%)]
async fn out_of_range_too() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = "5", open_for = "30s", failure_rate = "50%", name = payments)]
async fn quoted() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures)]
async fn without_a_value() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures: 5)]
async fn with_a_colon() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = 5 open_for = 30s)]
async fn without_a_comma() -> Answer {
    Ok(1)
}

#[circuit_breaker(when = 5, failure_if = |a, b| a, ignore_if = !x)]
async fn no_predicates() -> Answer {
    Ok(1)
}

#[circuit_breaker(PAYMENTS, failures = 3)]
async fn set_beside_a_shared_one() -> Answer {
    Ok(1)
}

#[circuit_breaker(payments)]
async fn shared_in_lower_case() -> Answer {
    Ok(1)
}

#[circuit_breaker(classify)]
async fn of_a_later_version() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = "5")]
async fn quoted_count() -> Answer {
    Ok(1)
}

#[circuit_breaker(failures = 5, slow_call = 2s)]
async fn slow_without_a_window() -> Answer {
    Ok(1)
}

#[circuit_breaker(slow_rate = 50%, open_for = 5min..=30s, mode = shade, ramp = true)]
async fn recovers_never() -> Answer {
    Ok(1)
}

#[circuit_breaker(max_keys = 100, shed = 0.5, health_every = 5s)]
async fn without_what_they_need() -> Answer {
    Ok(1)
}

#[circuit_breaker(key = "host", health_check = ping())]
async fn no_keys() -> Answer {
    Ok(1)
}

#[circuit_breaker(key = |host| host, health_check = || ping(), mode = "shadow", shed = 2%)]
async fn of_another_shape(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(open_for = 30s.., slow_call = 2, slow_rate = 0.8, health_every = 0s, health_check = ping)]
async fn of_another_unit() -> Answer {
    Ok(1)
}

#[circuit_breaker(ramp(0.1), adaptive =, open_for = 30s..5min)]
async fn flags_are_words() -> Answer {
    Ok(1)
}

#[circuit_breaker(window = 100, shed = 2.0, max_keys = 0, idle = 10, key = host)]
async fn shed_by_count(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(failures = 5, slow_rate = 80%, adaptive, shed = 2.0)]
async fn no_window_at_all() -> Answer {
    Ok(1)
}

#[circuit_breaker(HOSTS, key = host, key_label = host, idle = 5s, health_check = ping, mode = off)]
async fn set_beside_a_shared_keyed_one(host: &str) -> Answer {
    Ok(host.len() as u32)
}

#[circuit_breaker(health_check = T::ping, max_keys = N, key = N)]
async fn generic<T, const N: u32>() -> Answer {
    Ok(N)
}

#[circuit_breaker(health_check = ping)]
async fn named_like_an_argument(ping: u32) -> Answer {
    Ok(ping)
}

#[circuit_breaker(adaptiv, slow_calls = 2s)]
async fn nearly() -> Answer {
    Ok(1)
}

fn main() {}
