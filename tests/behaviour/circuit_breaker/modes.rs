//! Shadows, switches, and other configurations.

use super::*;
use resilient::{ConfigError, EventKind, Mode, subscribe};

#[tokio::test(start_paused = true)]
async fn in_the_shadow_it_decides_and_reports_but_refuses_nothing() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).mode(Mode::Shadow).name("shadow"));
    let would_reject = std::sync::Arc::new(AtomicU32::new(0));
    let counter = would_reject.clone();
    let _heard = subscribe(move |event| {
        if let EventKind::Rejected { shadow: true, .. } = event.kind {
            counter.fetch_add(u32::from(event.policy == "shadow"), Relaxed);
        }
    });
    calls(&breaker, "FSFS").await;
    assert_eq!((breaker.state(), would_reject.load(Relaxed)), (CircuitState::Open, 3));
    assert_eq!((breaker.stats().rejected, breaker.stats().late), (3, 0));
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_can_be_switched_off_and_on_again() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    breaker.set_mode(Mode::Off);
    calls(&breaker, "FFF").await;
    assert_eq!((breaker.stats().mode, breaker.stats().failures), (Mode::Off, 0));
    breaker.set_mode(Mode::On);
    calls(&breaker, "SF").await;
    assert!(refused(&breaker).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_said_outlives_a_switch() {
    let breaker = brittle();
    breaker.force_open();
    breaker.set_mode(Mode::Off);
    calls(&breaker, "S").await;
    breaker.set_mode(Mode::On);
    assert_eq!(refused(&breaker).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_bad_configuration_changes_nothing() {
    let breaker = brittle();
    let before = breaker.config();
    let refused: Result<(), ConfigError> = breaker.reconfigure(CONFIG.failures(0));
    assert!(refused.unwrap_err().message().contains("`failures`"));
    assert_eq!(breaker.config(), before);
}

#[tokio::test(start_paused = true)]
async fn another_configuration_applies_at_once_and_an_open_circuit_stays_open() {
    let breaker = brittle();
    breaker.reconfigure(CONFIG.window_calls(4).min_calls(4).open_for(ms(500))).unwrap();
    calls(&breaker, "FFS").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "F").await;
    breaker.reconfigure(CONFIG.failures(3).open_for(ms(200))).unwrap();
    assert_eq!(refused(&breaker).await, Some(ms(200)));
    advance(ms(200)).await;
    calls(&breaker, "SFF").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn rates_are_absent_where_they_would_mean_nothing() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10).min_calls(4).slow_call(ms(100)));
    calls(&breaker, "SFS").await;
    assert_eq!((breaker.stats().failure_rate, breaker.stats().slow_rate), (None, None));
    calls(&breaker, "S").await;
    assert_eq!(breaker.stats().failure_rate, Some(Ratio::percent(25)));
    assert_eq!(breaker.stats().slow_rate, Some(Ratio::percent(0)));
    assert_eq!(brittle().stats().failure_rate, None);
}

#[tokio::test(start_paused = true)]
async fn statistics_add_up() {
    let breaker = brittle();
    let [ignored, cancelled, late] = [0, 1, 2].map(|_| breaker.try_acquire().unwrap());
    ignored.ignore();
    drop(cancelled);
    advance(ms(10)).await;
    let _ = breaker.state();
    advance(ms(40)).await;
    calls(&breaker, "F").await;
    late.failure();
    refused(&breaker).await;
    advance(ms(1200)).await;
    let stats = breaker.stats();
    assert_eq!((stats.ignored, stats.cancelled, stats.late, stats.rejected), (1, 1, 1, 1));
    assert_eq!((stats.total_failures, stats.opened, stats.state), (1, 1, CircuitState::HalfOpen));
    assert_eq!((stats.time_in.closed, stats.time_in.open), (ms(40), ms(1200)));
    let change = stats.last_change.unwrap();
    assert_eq!((change.from, change.to), (CircuitState::Open, CircuitState::HalfOpen));
    assert_eq!(change.cause.to_string(), "the time is over");
}
