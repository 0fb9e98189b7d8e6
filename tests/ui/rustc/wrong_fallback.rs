//! Fallbacks of the wrong type or with the wrong parameters.

use resilient::{Error, circuit_breaker, fallback, retry, timeout};

#[fallback(|_| Ok("one"))]
#[timeout(1s)]
async fn closure_of_another_type() -> Result<u32, Error> {
    Ok(1)
}

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

#[fallback(|error: String| Ok(1))]
#[timeout(1s)]
async fn closure_over_another_error() -> Result<u32, Error> {
    Ok(1)
}

#[fallback(|error| Ok(error.missing()))]
#[timeout(1s)]
async fn closure_with_a_mistake() -> Result<u32, Error> {
    Ok(1)
}

#[fallback(text)]
#[timeout(1s)]
async fn path_of_another_type() -> Result<u32, Error> {
    Ok(1)
}

fn text() -> Result<String, Error> {
    Ok(String::new())
}

#[fallback(text_later)]
#[timeout(1s)]
async fn path_of_another_type_later() -> Result<u32, Error> {
    Ok(1)
}

async fn text_later() -> Result<String, Error> {
    Ok(String::new())
}

#[fallback(two_texts)]
#[timeout(1s)]
async fn path_with_other_parameters(n: u32) -> Result<u32, Error> {
    Ok(n)
}

fn two_texts(_: &str, _: &str) -> Result<u32, Error> {
    Ok(1)
}

#[fallback(missing)]
#[timeout(1s)]
async fn path_to_nothing() -> Result<u32, Error> {
    Ok(1)
}

struct Client;

impl Client {
    #[fallback(Self::other)]
    #[retry]
    #[circuit_breaker]
    async fn method(&self, n: u32) -> Result<u32, Error> {
        Ok(n)
    }

    fn other(&self, _: &str) -> Result<u32, Error> {
        Ok(1)
    }

    #[fallback(Self::missing)]
    #[retry]
    async fn method_to_nothing(&self) -> Result<u32, Error> {
        Ok(1)
    }

    #[fallback(generic)]
    #[retry]
    async fn generic_path(&self) -> Result<u32, Error> {
        Ok(1)
    }
}

fn generic<T: Default>() -> Result<u32, Error> {
    let _ = T::default();
    Ok(1)
}

#[fallback(|_| Err(1), |_| Ok(1))]
#[timeout(1s)]
async fn link_of_another_type() -> Result<u32, Error> {
    Ok(1)
}

fn main() {}
