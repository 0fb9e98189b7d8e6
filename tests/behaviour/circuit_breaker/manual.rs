//! What an operator says.

use super::{brittle, calls, refused};
use resilient::CircuitState;
use std::time::Duration;
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn an_operator_may_overrule_it() {
    let breaker = brittle();
    breaker.force_open();
    advance(Duration::from_secs(3600)).await;
    assert_eq!(refused(&breaker).await, None);
    breaker.force_closed();
    calls(&breaker, "FFF").await;
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::ForcedClosed, 3));
    breaker.disable();
    calls(&breaker, "FFF").await;
    assert_eq!((breaker.state(), breaker.stats().calls), (CircuitState::Disabled, 0));
    breaker.reset();
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}
