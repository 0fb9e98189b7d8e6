use resilient::{Error, bulkhead, timeout};

type Answer = Result<u32, Error>;

#[timeout]
async fn without_a_time() -> Answer {
    Ok(1)
}

#[timeout(2)]
async fn without_a_unit() -> Answer {
    Ok(1)
}

#[timeout(5000)]
async fn probably_milliseconds() -> Answer {
    Ok(1)
}

#[timeout(0s)]
async fn at_once() -> Answer {
    Ok(1)
}

#[timeout("2s")]
async fn quoted() -> Answer {
    Ok(1)
}

#[timeout(2.5)]
async fn fraction() -> Answer {
    Ok(1)
}

#[timeout(1s, 2s)]
async fn two_times() -> Answer {
    Ok(1)
}

#[timeout(duration = 2s)]
async fn named() -> Answer {
    Ok(1)
}

#[timeout(-2s)]
async fn negative() -> Answer {
    Ok(1)
}

#[timeout(1s, nme = "x")]
async fn misspelt() -> Answer {
    Ok(1)
}

#[timeout(2 s)]
async fn apart() -> Answer {
    Ok(1)
}

#[timeout(2 * s)]
async fn multiplied() -> Answer {
    Ok(1)
}

#[bulkhead]
async fn without_places() -> Answer {
    Ok(1)
}

#[bulkhead(0)]
async fn no_place() -> Answer {
    Ok(1)
}

#[bulkhead(10s)]
async fn places_of_time() -> Answer {
    Ok(1)
}

#[bulkhead(10, queue = 5)]
async fn queue_without_wait() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait, queue = 0)]
async fn no_queue() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 100)]
async fn wait_without_a_unit() -> Answer {
    Ok(1)
}

#[bulkhead(max = 10)]
async fn places_by_name() -> Answer {
    Ok(1)
}

#[timeout(after = 3s, name = "total")]
async fn another_name() -> Answer {
    Ok(1)
}

#[timeout(deadline = instant)]
async fn of_a_later_version(instant: u32) -> Answer {
    Ok(instant)
}

fn main() {}
