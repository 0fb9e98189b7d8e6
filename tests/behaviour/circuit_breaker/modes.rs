//! A breaker that only reports, or does nothing.

use super::{CONFIG, begun, call, calls, half_open, refused, secs};
use crate::support::{Act, Dependency, Fault, Heard, ms};
use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, EventKind, Mode};
use tokio::time::advance;

const SHADOW: CircuitBreakerConfig = CONFIG.failures(1).mode(Mode::Shadow);

#[tokio::test(start_paused = true)]
async fn in_the_shadow_it_goes_through_its_states_and_rejects_nothing() {
    let heard = Heard::of("shadow");
    let breaker = CircuitBreaker::new(SHADOW.name("shadow"));
    let dependency = Dependency::new([Act::Fail, Act::Fail, Act::Succeed]);
    for _ in 0..3 {
        let _ = breaker.call(dependency.run()).await;
    }
    assert_eq!((dependency.runs(), breaker.state()), (3, CircuitState::Open));
    let stats = breaker.stats();
    assert_eq!((stats.mode, stats.rejected, stats.opened, stats.total_failures), (Mode::Shadow, 2, 1, 1));
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    let [probe, beside_it] = begun(&breaker);
    assert_eq!(breaker.stats().probes_in_flight, 1);
    beside_it.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(
        heard.take(),
        [
            "shadow: opened for 1s: 1 failure in a row",
            "shadow: would reject: the circuit is open; retry after 1s",
            "shadow: would reject: the circuit is open; retry after 1s",
            "shadow: half-opened",
            "shadow: would reject: the circuit is open; retry after 2s",
            "shadow: closed: the probes succeeded",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_tells_a_rejection_in_the_shadow_from_one_that_acts() {
    let heard = Heard::of("told apart");
    let breaker = CircuitBreaker::new(SHADOW.name("told apart"));
    calls(&breaker, "F").await;
    calls(&breaker, "S").await;
    breaker.set_mode(Mode::On);
    refused(&breaker).await;
    let shadows: Vec<_> = heard
        .take_events()
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Rejected { shadow, .. } => Some(shadow),
            _ => None,
        })
        .collect();
    assert_eq!(shadows, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn in_the_shadow_what_would_have_been_refused_does_not_count() {
    let breaker = CircuitBreaker::new(SHADOW);
    calls(&breaker, "F").await;
    let would_be_refused = begun::<3>(&breaker);
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    for permit in would_be_refused {
        permit.failure();
    }
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.total_failures, stats.late), (CircuitState::Closed, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_lets_every_call_pass_and_records_nothing() {
    for window in [CONFIG.failures(2), CONFIG.window_calls(2), CONFIG.window_time(secs(60)).min_calls(2)] {
        let breaker = CircuitBreaker::new(window.mode(Mode::Off));
        calls(&breaker, "FFFFSFFFF").await;
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.calls, stats.failures, stats.total_failures), (CircuitState::Closed, 0, 0, 0));
        assert_eq!((stats.mode, stats.late, stats.rejected), (Mode::Off, 0, 0));
        breaker.set_mode(Mode::On);
        calls(&breaker, "FF").await;
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn switched_off_while_open_it_begins_anew_when_it_is_switched_on() {
    let breaker = CircuitBreaker::new(CONFIG.failures(2));
    calls(&breaker, "FF").await;
    refused(&breaker).await;
    breaker.set_mode(Mode::Off);
    calls(&breaker, "FFF").await;
    let [begun_while_off] = begun(&breaker);
    breaker.set_mode(Mode::On);
    begun_while_off.failure();
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn from_the_shadow_it_acts_on_what_it_knows() {
    let breaker = CircuitBreaker::new(SHADOW);
    calls(&breaker, "F").await;
    assert_eq!(call(&breaker, Act::Succeed).await, Ok(1));
    breaker.set_mode(Mode::On);
    assert_eq!(refused(&breaker).await, Some(ms(1000)));
    breaker.set_mode(Mode::Shadow);
    assert_eq!(call(&breaker, Act::Succeed).await, Ok(1));
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_said_outlasts_a_switch() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1));
    breaker.force_open();
    breaker.set_mode(Mode::Off);
    calls(&breaker, "S").await;
    breaker.set_mode(Mode::Shadow);
    calls(&breaker, "S").await;
    breaker.set_mode(Mode::On);
    assert_eq!((breaker.state(), refused(&breaker).await), (CircuitState::ForcedOpen, None));
}

#[tokio::test(start_paused = true)]
async fn slow_calls_are_seen_in_the_shadow_and_not_while_off() {
    let slow = CONFIG.window_calls(2).slow_call(ms(100));
    for (mode, state) in [(Mode::Shadow, CircuitState::Open), (Mode::Off, CircuitState::Closed)] {
        let breaker = CircuitBreaker::new(slow.mode(mode));
        let _hung = begun::<2>(&breaker);
        advance(ms(101)).await;
        assert_eq!(breaker.state(), state);
    }
}

/// A switch is no result: the calls in flight go on.
#[tokio::test(start_paused = true)]
async fn a_probe_in_flight_survives_the_switch_into_the_shadow() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1));
    half_open(&breaker).await;
    let [probe] = begun(&breaker);
    breaker.set_mode(Mode::Shadow);
    probe.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert!(matches!(call(&breaker, Act::Fail).await, Err(Fault::Down(1))));
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// A new configuration made from the present one switches nothing back.
#[tokio::test(start_paused = true)]
async fn the_configuration_tells_the_mode_that_it_was_switched_to() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1));
    breaker.set_mode(Mode::Shadow);
    assert_eq!(breaker.config(), SHADOW);
    breaker.reconfigure(breaker.config().failures(2)).unwrap();
    calls(&breaker, "FFS").await;
    assert_eq!((breaker.state(), breaker.stats().mode), (CircuitState::Open, Mode::Shadow));
}
