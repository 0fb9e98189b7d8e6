//! What an operator says.

use super::{CONFIG, begun, brittle, call, calls, half_open, refused, secs};
use crate::support::{Act, caught, ms};
use resilient::{Cause, CircuitBreaker, CircuitState, Ratio};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn the_time_of_an_opening_does_not_end_what_was_said_since() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    breaker.force_open();
    advance(ms(1000)).await;
    assert_eq!((breaker.state(), refused(&breaker).await), (CircuitState::ForcedOpen, None));

    breaker.reset();
    calls(&breaker, "F").await;
    advance(ms(500)).await;
    breaker.reset();
    calls(&breaker, "F").await;
    advance(ms(500)).await;
    // The first opening's time would be over.
    assert_eq!(refused(&breaker).await, Some(ms(500)));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_does_not_open_what_was_closed_by_hand() {
    let breaker = brittle();
    for (say, state) in [
        (CircuitBreaker::reset as fn(&CircuitBreaker), CircuitState::Closed),
        (CircuitBreaker::force_closed, CircuitState::ForcedClosed),
        (CircuitBreaker::disable, CircuitState::Disabled),
    ] {
        half_open(&breaker).await;
        let [hung] = begun(&breaker);
        say(&breaker);
        advance(secs(60)).await;
        assert_eq!(breaker.state(), state);
        hung.failure();
        assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (state, 0));
        breaker.reset();
    }
}

#[tokio::test(start_paused = true)]
async fn results_from_before_do_not_count_whatever_was_said() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(1));
    let [for_reset, for_closed, for_open, for_disabled] = begun(&breaker);
    breaker.reset();
    for_reset.failure();
    breaker.force_closed();
    for_closed.failure();
    assert_eq!(breaker.stats().calls, 0);
    breaker.force_open();
    for_open.success();
    assert_eq!(breaker.state(), CircuitState::ForcedOpen);
    breaker.disable();
    for_disabled.failure();
    assert_eq!((breaker.state(), breaker.stats().late), (CircuitState::Disabled, 4));
}

#[tokio::test(start_paused = true)]
async fn a_reset_closes_an_open_circuit_at_once_with_an_empty_window() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2));
    calls(&breaker, "FF").await;
    refused(&breaker).await;
    breaker.reset();
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.calls, stats.last_change.unwrap().cause), (CircuitState::Closed, 0, Cause::ByHand));
    calls(&breaker, "SF").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_do_not_open_what_was_closed_by_hand() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2).slow_call(ms(100)).failure_rate(Ratio::percent(50)));
    breaker.force_closed();
    let _hung = begun::<4>(&breaker);
    advance(ms(101)).await;
    calls(&breaker, "FF").await;
    assert_eq!((breaker.state(), breaker.stats().total_slow), (CircuitState::ForcedClosed, 4));
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_forced_closed_is_recorded_and_one_while_disabled_is_not() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(5));
    breaker.force_closed();
    assert_eq!(caught(call(&breaker, Act::Panic)).await, None);
    assert_eq!(breaker.stats().failures, 1);
    breaker.disable();
    assert_eq!(caught(call(&breaker, Act::YieldPanic(1))).await, None);
    assert_eq!((breaker.stats().failures, breaker.stats().total_failures), (0, 1));
}
