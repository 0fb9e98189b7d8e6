use resilient::{Error, retry};

type Answer = Result<u32, Error>;

#[retry(attempts = 1)]
async fn no_retry() -> Answer {
    Ok(1)
}

#[retry(attempts = 0)]
async fn no_run() -> Answer {
    Ok(1)
}

#[retry(3)]
async fn without_a_name() -> Answer {
    Ok(1)
}

#[retry(retries = 3)]
async fn retries() -> Answer {
    Ok(1)
}

#[retry(attempt = 3, delay = 100ms)]
async fn misspelt() -> Answer {
    Ok(1)
}

#[retry(backoff = 100)]
async fn without_a_unit() -> Answer {
    Ok(1)
}

#[retry(backoff = 100ms..2s)]
async fn half_open() -> Answer {
    Ok(1)
}

#[retry(backoff = 100ms..)]
async fn without_an_end() -> Answer {
    Ok(1)
}

#[retry(backoff = 10s..=100ms)]
async fn upside_down() -> Answer {
    Ok(1)
}

#[retry(backoff = 100ms, factor = 2)]
async fn factor_without_a_range() -> Answer {
    Ok(1)
}

#[retry(backoff = 1ms..=1s, factor = 1)]
async fn factor_of_nothing() -> Answer {
    Ok(1)
}

#[retry(jitter = ful)]
async fn misspelt_jitter() -> Answer {
    Ok(1)
}

#[retry(jitter = 0%)]
async fn no_jitter() -> Answer {
    Ok(1)
}

#[retry(backoff = 5m)]
async fn ambiguous() -> Answer {
    Ok(1)
}

#[retry(backoff = 5seconds, max_duration = 1fortnight)]
async fn unknown_units() -> Answer {
    Ok(1)
}

#[retry(budget = 20%, classify)]
async fn of_a_later_version() -> Answer {
    Ok(1)
}

#[retry(jitter = true)]
async fn jitter_as_a_switch() -> Answer {
    Ok(1)
}

fn main() {}
