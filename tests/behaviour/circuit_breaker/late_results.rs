//! Results that arrive from an earlier state.

use super::{CONFIG, brittle, calls, refused};
use crate::support::{Heard, ms};
use resilient::{CircuitBreaker, CircuitState};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn a_late_result_never_changes_the_state() {
    let heard = Heard::of("late");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("late"));
    let old = [(); 4].map(|()| breaker.try_acquire().unwrap());
    let [success, failure, ignored, last] = old;
    calls(&breaker, "F").await;
    success.success();
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(1000)).await;
    let probe = breaker.try_acquire().unwrap();
    failure.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    ignored.ignore();
    refused(&breaker).await;
    probe.success();
    last.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
    let heard = heard.take();
    assert_eq!(heard.iter().filter(|text| text.contains("late result")).count(), 3, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_result_from_before_a_reset_no_longer_counts() {
    let breaker = brittle();
    let old = breaker.try_acquire().unwrap();
    breaker.reset();
    old.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
}
