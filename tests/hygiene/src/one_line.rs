//! Bodies of one line, as they are written without rustfmt: their braces are no lint's business.

use crate::{Fault, Ok, Result};
use ::tough::{bulkhead, circuit_breaker, fallback, rate_limited, resilient, retry, timeout};

#[circuit_breaker] async fn broken() -> Result<u8, Fault> { Ok(1) }
#[rate_limited(1000/s)] async fn limited() -> Result<u8, Fault> { Ok(1) }
#[retry] async fn retried() -> Result<u8, Fault> { Ok(1) }
#[timeout(1s)] async fn timed() -> Result<u8, Fault> { Ok(1) }
#[bulkhead(1)] async fn placed() -> Result<u8, Fault> { Ok(1) }
#[fallback(|_| Ok(1))] #[timeout(1s)] async fn answered() -> Result<u8, Fault> { Ok(1) }
#[resilient(rejected = |_| 0)] #[bulkhead(1)] async fn mapped() -> u8 { 1 }

struct Client(u8);

impl Client {
    #[circuit_breaker] async fn broken(&self) -> Result<u8, Fault> { Ok(self.0) }
    #[rate_limited(1000/s)] async fn limited(&self) -> Result<u8, Fault> { Ok(self.0) }
    #[retry] async fn retried(&self) -> Result<u8, Fault> { Ok(self.0) }
    #[timeout(1s)] async fn timed(&self) -> Result<u8, Fault> { Ok(self.0) }
    #[bulkhead(1)] async fn placed(&self) -> Result<u8, Fault> { Ok(self.0) }
    #[fallback(|_| Ok(1))] #[timeout(1s)] async fn answered(&self) -> Result<u8, Fault> { Ok(self.0) }
    #[resilient(rejected = |_| 0)] #[bulkhead(1)] async fn mapped(&self) -> u8 { self.0 }
}

/// Calls all of them.
///
/// # Errors
/// None.
pub async fn one_lines() -> Result<u8, Fault> {
    let fns = broken().await? + limited().await? + retried().await? + timed().await? + placed().await?;
    let fns = fns + answered().await? + mapped().await;
    let it = Client(1);
    let methods = it.broken().await? + it.limited().await? + it.retried().await? + it.timed().await?;
    Ok(fns + methods + it.placed().await? + it.answered().await? + it.mapped().await)
}
