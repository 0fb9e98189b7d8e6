//! Shadows, switches, and other configurations.

use super::{CONFIG, brittle, call, calls, refused};
use crate::support::{Act, Heard, ms};
use resilient::{CircuitBreaker, CircuitState, EventKind, Mode, Ratio};
use std::time::Duration;
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn in_the_shadow_it_never_rejects_and_says_what_it_would_have() {
    let heard = Heard::of("shade");
    let breaker = CircuitBreaker::new(CONFIG.failures(2).mode(Mode::Shadow).name("shade"));
    calls(&breaker, "FF").await;
    assert_eq!(breaker.state(), CircuitState::Open);
    heard.take();
    calls(&breaker, "FSF").await;
    let events = heard.take_events();
    assert_eq!(events.len(), 3);
    for event in events {
        assert!(event.to_string().starts_with("shade: would reject: "), "{event}");
        let EventKind::Rejected { error, shadow: true, .. } = event.kind else { panic!("{event}") };
        assert!(error.is_circuit_open());
        assert_eq!(error.retry_after(), Some(ms(1000)));
    }
    assert_eq!((breaker.stats().rejected, breaker.stats().mode), (3, Mode::Shadow));
}

#[tokio::test(start_paused = true)]
async fn in_the_shadow_it_opens_half_opens_and_closes() {
    let breaker = CircuitBreaker::new(CONFIG.failures(2).mode(Mode::Shadow));
    calls(&breaker, "FF").await;
    // What it would have refused decides nothing.
    calls(&breaker, "FFSS").await;
    assert_eq!((breaker.state(), breaker.stats().total_failures), (CircuitState::Open, 2));
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    let probe = breaker.try_acquire().unwrap();
    let shadow = breaker.try_acquire().unwrap();
    shadow.failure();
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 1));
    probe.success();
    assert_eq!((breaker.state(), breaker.stats().late), (CircuitState::Closed, 0));
    calls(&breaker, "FF").await;
    assert_eq!(breaker.stats().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn in_the_shadow_what_would_be_shed_is_not_counted_as_a_result() {
    let window = CONFIG.window_time(Duration::from_secs(30)).shed(2.0).mode(Mode::Shadow);
    let breaker = CircuitBreaker::new(window);
    for _ in 0..100 {
        breaker.try_acquire().unwrap().failure();
    }
    for _ in 0..100 {
        breaker.try_acquire().unwrap().success();
    }
    let stats = breaker.stats();
    assert!(stats.shed > 20 && stats.rejected == stats.shed, "{stats:?}");
    assert_eq!(stats.calls + stats.shed, 200, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn off_it_lets_all_pass_and_records_nothing() {
    for config in [CONFIG.failures(1), CONFIG.window_calls(2), CONFIG.window_time(ms(1000)).slow_call(ms(10))] {
        let heard = Heard::of("off");
        let breaker = CircuitBreaker::new(config.mode(Mode::Off).name("off"));
        calls(&breaker, "FFFFFFFFFFFFFFFFFFFFFFS").await;
        let permit = breaker.try_acquire().unwrap();
        advance(ms(50)).await;
        permit.failure();
        breaker.try_acquire().unwrap().ignore();
        drop(breaker.try_acquire().unwrap());
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.mode, stats.opened), (CircuitState::Closed, Mode::Off, 0));
        assert_eq!((stats.ignored, stats.cancelled), (0, 0));
        assert_eq!((stats.calls, stats.failures, stats.slow), (0, 0, 0));
        assert_eq!((stats.total_failures, stats.total_slow, stats.late), (0, 0, 0));
        assert!(heard.take().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_mode_may_change_at_run_time() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    refused(&breaker).await;
    // In the shadow and back it stays open.
    breaker.set_mode(Mode::Shadow);
    calls(&breaker, "SS").await;
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker.set_mode(Mode::On);
    assert_eq!(refused(&breaker).await, Some(ms(1000)));
    // Off and on again it begins closed.
    breaker.set_mode(Mode::Off);
    calls(&breaker, "FFF").await;
    breaker.set_mode(Mode::On);
    assert_eq!((breaker.state(), breaker.stats().total_failures), (CircuitState::Closed, 1));
    calls(&breaker, "F").await;
    refused(&breaker).await;
}

#[tokio::test(start_paused = true)]
async fn a_mode_does_not_undo_what_somebody_said() {
    let breaker = brittle();
    breaker.force_open();
    for mode in [Mode::Off, Mode::Shadow, Mode::On] {
        breaker.set_mode(mode);
        assert_eq!(breaker.state(), CircuitState::ForcedOpen);
        assert_eq!(call(&breaker, Act::Succeed).await.is_err(), mode == Mode::On);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_when_it_is_switched_off_does_not_count() {
    let breaker = brittle();
    let permit = breaker.try_acquire().unwrap();
    breaker.set_mode(Mode::Off);
    breaker.set_mode(Mode::On);
    permit.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_can_not_work_is_refused_and_changes_nothing() {
    let config = CONFIG.window_calls(10).name("first");
    let breaker = CircuitBreaker::new(config);
    calls(&breaker, "SF").await;
    for bad in [CONFIG.failures(0), CONFIG.window_calls(10).min_calls(11), CONFIG.failures(2).slow_call(ms(1))] {
        let error = breaker.reconfigure(bad).unwrap_err();
        assert!(error.message().contains('`'), "{error}");
    }
    assert_eq!(breaker.config(), config);
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_stays_open_under_another_configuration() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    advance(ms(400)).await;
    breaker.reconfigure(CONFIG.window_calls(5)).unwrap();
    assert_eq!(refused(&breaker).await, Some(ms(600)));
    // For no longer than the new one allows.
    breaker.reconfigure(CONFIG.window_calls(5).open_for(ms(100))).unwrap();
    assert_eq!(refused(&breaker).await, Some(ms(100)));
    advance(ms(100)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn another_configuration_begins_with_an_empty_window() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(4).name("kept"));
    calls(&breaker, "SSF").await;
    let old = breaker.try_acquire().unwrap();
    breaker.reconfigure(CONFIG.window_calls(2).failure_rate(Ratio::percent(100)).name("ignored")).unwrap();
    assert_eq!((breaker.stats().calls, breaker.name(), breaker.config().check()), (0, "kept", Ok(())));
    old.failure();
    assert_eq!((breaker.stats().calls, breaker.stats().late), (0, 1));
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn probes_in_flight_do_not_decide_under_another_configuration() {
    let breaker = brittle();
    super::half_open(&breaker).await;
    let old = breaker.try_acquire().unwrap();
    breaker.reconfigure(CONFIG.failures(1).successes(2)).unwrap();
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
    old.failure();
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_are_watched_from_another_configuration_on() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10));
    calls(&breaker, "S").await;
    breaker.reconfigure(CONFIG.window_calls(10).min_calls(1).slow_call(ms(10))).unwrap();
    let _hung = breaker.try_acquire().unwrap();
    advance(ms(11)).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// Its state was set by hand, and stays; but its place among the calls in flight is free.
#[tokio::test(start_paused = true)]
async fn a_watched_call_that_ends_while_it_is_off_is_in_flight_no_longer() {
    let config = CONFIG.window_calls(10).slow_call(ms(10));
    for force in [CircuitBreaker::reset, CircuitBreaker::force_closed] {
        let breaker = CircuitBreaker::new(config);
        force(&breaker);
        let (permit, earlier) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        breaker.set_mode(Mode::Off);
        let hung = breaker.try_acquire().unwrap();
        permit.success();
        assert_eq!(breaker.stats().in_flight, Some(1));
        advance(ms(20)).await;
        assert_eq!(breaker.stats().total_slow, 0);
        earlier.success();
        assert_eq!(breaker.stats().in_flight, Some(0));
        breaker.set_mode(Mode::On);
        hung.success();
        assert_eq!((breaker.stats().slow, breaker.stats().in_flight), (0, Some(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabled_breaker_records_nothing() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10).slow_call(ms(10)));
    breaker.disable();
    calls(&breaker, "SFF").await;
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.total_failures, stats.ignored, stats.cancelled), (0, 0, 0, 0));
}
