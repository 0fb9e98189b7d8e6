//! Fallbacks that give something else: one error each. (A name that is not found would hide what rustc says later.)

use resilient::{Error, fallback, timeout};

#[fallback(|_| 1)]
#[timeout(1s)]
async fn closure_of_no_result() -> Result<u32, Error> {
    Ok(1)
}

#[fallback(async |_| Ok("one"))]
#[timeout(1s)]
async fn async_closure_of_another_type() -> Result<u32, Error> {
    Ok(1)
}

#[fallback(number)]
#[timeout(1s)]
async fn path_of_no_result() -> Result<u32, Error> {
    Ok(1)
}

fn number() -> u32 {
    1
}

#[fallback(option_later)]
#[timeout(1s)]
async fn path_of_no_result_later() -> Result<u32, Error> {
    Ok(1)
}

async fn option_later() -> Option<u32> {
    Some(1)
}

#[fallback(|_| async { Some(1) })]
#[timeout(1s)]
async fn closure_of_no_result_later() -> Result<u32, Error> {
    Ok(1)
}

#[fallback(|| 1)]
#[timeout(1s)]
async fn closure_without_the_error() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
