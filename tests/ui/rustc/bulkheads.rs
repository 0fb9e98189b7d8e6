use resilient::{Error, bulkhead};

type Answer = Result<u32, Error>;

const LOW: u32 = 50;
const FAIR: bool = true;

#[bulkhead(adaptive = LOW..=20)]
async fn a_range_that_only_rustc_sees_upside_down() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 1s, order = FAIR)]
async fn an_order_of_another_type() -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 1s, order = priority, priority = urgency)]
async fn a_class_of_another_type(urgency: u8) -> Answer {
    Ok(1)
}

#[bulkhead(10, wait = 1s, order = priority, priority = high)]
async fn a_class_that_is_none() -> Answer {
    Ok(1)
}

#[bulkhead(10, key = 1.5 + rate)]
async fn a_key_that_is_none(rate: f64) -> Answer {
    Ok(1)
}

fn main() {}
