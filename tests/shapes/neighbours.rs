//! Attributes of others above and below ours.

use crate::support::{Fault, Flaky};
use resilient::{circuit_breaker, retry, timeout};

/// Documented above.
#[tracing::instrument(skip_all)]
#[retry]
#[circuit_breaker]
/// And between.
#[timeout(1s)]
async fn instrument_above(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[retry]
#[circuit_breaker]
#[timeout(1s)]
#[tracing::instrument(skip_all, err, ret)]
async fn instrument_below(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[retry]
#[tracing::instrument(skip_all)]
#[timeout(1s)]
async fn instrument_between(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[cfg_attr(all(), retry)]
#[cfg_attr(any(), timeout(0s))]
#[cfg_attr(all(), timeout(1s))]
async fn conditional(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[must_use = "it cost a call"]
#[retry]
#[doc(hidden)]
#[allow(clippy::unused_async)]
#[inline]
#[deprecated(note = "for the test")]
async fn marked(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[resilient::retry]
#[::resilient::timeout(1s)]
async fn by_paths(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[retry]
async fn inner_attributes(flaky: &Flaky) -> Result<u32, Fault> {
    #![allow(unused_variables)]
    let unused = 1;
    flaky.run()
}

#[retry]
async fn arguments_with_attributes(
    #[cfg(any())] gone: Missing,
    #[allow(unused_variables)] unused: u32,
    flaky: &Flaky,
) -> Result<u32, Fault> {
    flaky.run()
}

struct Client(Flaky);

#[async_trait::async_trait]
trait Fetch {
    async fn above(&self) -> Result<u32, Fault>;
    async fn below(&self) -> Result<u32, Fault>;
}

#[async_trait::async_trait]
impl Fetch for Client {
    #[tracing::instrument(skip_all)]
    #[retry]
    #[timeout(1s)]
    async fn above(&self) -> Result<u32, Fault> {
        self.0.run()
    }

    #[retry]
    #[timeout(1s)]
    #[tracing::instrument(skip_all)]
    async fn below(&self) -> Result<u32, Fault> {
        self.0.run()
    }
}

#[tokio::test(start_paused = true)]
#[expect(deprecated, reason = "the attribute is still there")]
async fn neighbours() {
    assert_eq!(instrument_above(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(instrument_below(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(instrument_between(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(conditional(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(marked(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(by_paths(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(inner_attributes(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(arguments_with_attributes(0, &Flaky::failing(2)).await, Ok(3));
    assert_eq!(Client(Flaky::failing(2)).above().await, Ok(3));
    assert_eq!(Client(Flaky::failing(2)).below().await, Ok(3));
}

/// A fn that only tests declare, inside another fn.
#[tokio::test(start_paused = true)]
async fn a_local_fn() {
    #[retry]
    async fn local(flaky: &Flaky) -> Result<u32, Fault> {
        flaky.run()
    }
    assert_eq!(local(&Flaky::failing(1)).await, Ok(2));
}

#[retry]
#[timeout(1s)]
#[tokio::test(start_paused = true)]
async fn a_test_itself() -> Result<(), Fault> {
    tokio::task::yield_now().await;
    Ok(())
}

mod keyed {
    use super::*;
    /// Raw names are names.
    #[retry]
    pub(super) async fn r#match(r#type: &Flaky) -> Result<u32, Fault> {
        r#type.run()
    }
}

#[tokio::test(start_paused = true)]
async fn raw_names() {
    assert_eq!(keyed::r#match(&Flaky::failing(1)).await, Ok(2));
    assert!(resilient::registry().site("shapes::neighbours::keyed::match").is_ok());
}
