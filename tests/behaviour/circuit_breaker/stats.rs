//! What a breaker tells of itself.

use super::{CONFIG, begun, brittle, calls, refused, secs};
use crate::support::ms;
use resilient::{Cause, CircuitBreaker, CircuitState, Mode, Ratio};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn a_new_breaker_has_nothing_to_tell() {
    let stats = brittle().stats();
    assert_eq!((stats.state, stats.mode), (CircuitState::Closed, Mode::On));
    assert_eq!((stats.in_state_for, stats.retry_after, stats.last_change), (None, None, None));
    assert_eq!((stats.calls, stats.failures, stats.slow, stats.opened, stats.probes_in_flight), (0, 0, 0, 0, 0));
    assert_eq!((stats.failure_rate, stats.slow_rate, stats.baseline, stats.share), (None, None, None, None));
    assert_eq!((stats.total_failures, stats.total_slow, stats.rejected, stats.shed), (0, 0, 0, 0));
    assert_eq!((stats.ignored, stats.cancelled, stats.late, stats.in_flight), (0, 0, 0, None));
}

#[tokio::test(start_paused = true)]
async fn rates_are_told_from_min_calls_on() {
    for window in [CONFIG.window_calls(10), CONFIG.window_time(secs(60))] {
        let breaker = CircuitBreaker::new(window.min_calls(4).slow_call(ms(100)).failure_rate(Ratio::percent(80)));
        calls(&breaker, "FSS").await;
        assert_eq!((breaker.stats().failure_rate, breaker.stats().slow_rate), (None, None));
        let [slow] = begun(&breaker);
        advance(ms(101)).await;
        slow.success();
        let quarter = Some(Ratio::percent(25));
        assert_eq!((breaker.stats().failure_rate, breaker.stats().slow_rate), (quarter, quarter));
        breaker.reset();
        assert_eq!((breaker.stats().failure_rate, breaker.stats().slow_rate), (None, None));
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_rate_of_failures_in_a_row_nor_of_slow_calls_without_a_limit() {
    let breaker = CircuitBreaker::new(CONFIG.failures(3));
    calls(&breaker, "FF").await;
    assert_eq!((breaker.stats().calls, breaker.stats().failures, breaker.stats().failure_rate), (2, 2, None));
    let breaker = CircuitBreaker::new(CONFIG.window_calls(1));
    calls(&breaker, "S").await;
    assert_eq!((breaker.stats().failure_rate, breaker.stats().slow_rate), (Some(Ratio::percent(0)), None));
}

#[tokio::test(start_paused = true)]
async fn the_last_change_tells_from_where_to_where_why_and_when() {
    let breaker = brittle();
    let last = |breaker: &CircuitBreaker| {
        let change = breaker.stats().last_change.unwrap();
        (change.from, change.to, change.ago)
    };
    calls(&breaker, "F").await;
    advance(ms(300)).await;
    assert_eq!(last(&breaker), (CircuitState::Closed, CircuitState::Open, ms(300)));
    assert!(matches!(breaker.stats().last_change.unwrap().cause, Cause::Failures { failures: 1, .. }));
    advance(ms(900)).await;
    // Time acts when somebody looks.
    assert_eq!(last(&breaker), (CircuitState::Open, CircuitState::HalfOpen, ms(0)));
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::TimeOver);
    calls(&breaker, "F").await;
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::ProbeFailed);
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    advance(secs(5)).await;
    assert_eq!(last(&breaker), (CircuitState::HalfOpen, CircuitState::Closed, secs(5)));
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::ProbesSucceeded);
    breaker.disable();
    assert_eq!(last(&breaker), (CircuitState::Closed, CircuitState::Disabled, ms(0)));
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::ByHand);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hung_is_the_cause() {
    let breaker = brittle();
    super::half_open(&breaker).await;
    let _hung = begun::<1>(&breaker);
    advance(ms(1500)).await;
    let stats = breaker.stats();
    assert_eq!((stats.last_change.unwrap().cause, stats.last_change.unwrap().ago), (Cause::ProbeTimedOut, ms(500)));
    assert_eq!((stats.in_state_for, stats.retry_after), (Some(ms(500)), Some(ms(500))));
}

#[tokio::test(start_paused = true)]
async fn it_tells_how_long_it_was_in_each_state() {
    let breaker = brittle();
    assert_eq!(breaker.stats().time_in.closed, ms(0));
    advance(ms(250)).await;
    calls(&breaker, "F").await;
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    advance(ms(30)).await;
    calls(&breaker, "S").await;
    advance(ms(70)).await;
    breaker.force_open();
    advance(secs(2)).await;
    breaker.force_closed();
    advance(secs(3)).await;
    breaker.disable();
    advance(secs(4)).await;
    let time = breaker.stats().time_in;
    assert_eq!((time.closed, time.open, time.half_open), (ms(320), ms(1000), ms(30)));
    assert_eq!((time.forced_open, time.forced_closed, time.disabled), (secs(2), secs(3), secs(4)));
    assert_eq!(breaker.stats().in_state_for, Some(secs(4)));
}

#[tokio::test(start_paused = true)]
async fn every_ending_is_in_its_count() {
    for window in [CONFIG.failures(2), CONFIG.window_calls(2), CONFIG.window_time(secs(60)).min_calls(2)] {
        let breaker = CircuitBreaker::new(window);
        let [ignored, dropped, late, late_and_ignored, late_and_dropped] = begun(&breaker);
        ignored.ignore();
        drop(dropped);
        calls(&breaker, "FF").await;
        for _ in 0..3 {
            refused(&breaker).await;
        }
        late.success();
        late_and_ignored.ignore();
        drop(late_and_dropped);
        let stats = breaker.stats();
        assert_eq!((stats.ignored, stats.cancelled, stats.late), (2, 2, 1));
        assert_eq!((stats.rejected, stats.shed, stats.total_failures, stats.opened), (3, 0, 2, 1));
        breaker.force_open();
        refused(&breaker).await;
        breaker.reset();
        let stats = breaker.stats();
        assert_eq!((stats.rejected, stats.total_failures, stats.opened), (4, 2, 1));
    }
}

/// A look at an open circuit whose time is over half-opens it; no look changes what it holds.
#[tokio::test(start_paused = true)]
async fn looking_changes_nothing_that_time_has_not_changed() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(3).slow_call(secs(1)));
    calls(&breaker, "FS").await;
    let before = breaker.stats();
    let (_, _, after) = (breaker.state(), format!("{breaker:?}"), breaker.stats());
    assert_eq!(before, after);
}
