use resilient::{Error, Priority, bulkhead};

type Answer = Result<u32, Error>;

#[bulkhead(10, order = lifo)]
async fn an_order_of_nobody() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 1s, order = urgency)]
async fn an_order_that_is_none() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 1s, order = priority)]
async fn an_order_without_classes() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 1s, priority = class)]
async fn classes_without_an_order(class: Priority) -> Answer {
    Ok(class as u32)
}

#[bulkhead(10, wait = 1s, order = lifo, priority = class)]
async fn classes_in_another_order(class: Priority) -> Answer {
    Ok(class as u32)
}

#[bulkhead(10, wait = 1s, order = priority, priority = "high")]
async fn a_class_in_quotes() -> Answer {
    Ok(1)
}

#[bulkhead(adaptive)]
async fn adaptive_to_what() -> Answer {
    Ok(1)
}

#[bulkhead(adaptive = 200)]
async fn adaptive_to_a_number() -> Answer {
    Ok(1)
}

#[bulkhead(adaptive = 200..=10)]
async fn adaptive_upside_down() -> Answer {
    Ok(1)
}

#[bulkhead(adaptive = 10..200)]
async fn adaptive_half_open() -> Answer {
    Ok(1)
}

#[bulkhead(10, adaptive = 10..=200)]
async fn adaptive_and_a_number() -> Answer {
    Ok(1)
}

#[bulkhead(10, max_keys = 5)]
async fn keys_without_a_key() -> Answer {
    Ok(1)
}

#[bulkhead(10, mode = shadows)]
async fn a_mode_that_is_none() -> Answer {
    Ok(1)
}

fn main() {}
