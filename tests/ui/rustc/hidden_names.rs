//! What the expansion declares is not the user's to see.

use resilient::{Error, circuit_breaker, fallback, retry, timeout};

#[fallback(|_| Ok(drop((__call, __step, __view, __convert, __ended, __answer, __of))))]
#[retry(when = |_| __call.is_some())]
#[circuit_breaker(policy = __step)]
#[timeout(1s)]
async fn hidden() -> Result<(), Error> {
    drop((__call, __step, __view, __convert, __ended, __answer, __edge, __error, __of));
    Ok(())
}

fn main() {}
