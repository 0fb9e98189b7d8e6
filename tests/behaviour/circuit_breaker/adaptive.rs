//! A threshold relative to what usually fails.

use super::{CONFIG, calls};
use crate::support::ms;
use resilient::{Cause, CircuitBreaker, CircuitBreakerConfig, CircuitState, Ratio};
use tokio::time::advance;

const ADAPTIVE: CircuitBreakerConfig = CONFIG.window_calls(100).adaptive();

/// So many windows in which the first `failures` of a hundred calls fail.
async fn windows(breaker: &CircuitBreaker, windows: usize, failures: usize) {
    let window = "F".repeat(failures) + &"S".repeat(100 - failures);
    for _ in 0..windows {
        calls(breaker, &window).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_learns_what_usually_fails_and_opens_well_above_it() {
    let breaker = CircuitBreaker::new(ADAPTIVE);
    assert_eq!(breaker.stats().baseline, None);
    // One in a hundred.
    for _ in 0..20 {
        calls(&breaker, &("S".repeat(99) + "F")).await;
    }
    let baseline = breaker.stats().baseline.unwrap();
    assert!((0.005..0.015).contains(&baseline.as_f64()), "{baseline:?}");
    let mut failures = 1;
    while breaker.state() == CircuitState::Closed {
        calls(&breaker, "F").await;
        failures += 1;
    }
    assert!((8..=14).contains(&failures), "{failures} in a hundred");
    let cause = breaker.stats().last_change.unwrap().cause;
    assert!(matches!(cause, Cause::AboveBaseline { calls: 100, .. }), "{cause:?}");
    let text = cause.to_string();
    assert!(text.ends_with(" in 100 calls, of which 1.0% usually fail"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_usual_does_not_open_it() {
    let breaker = CircuitBreaker::new(ADAPTIVE);
    for _ in 0..200 {
        calls(&breaker, "SSSSSFSSSSSSSSSSSSSS").await;
    }
    assert_eq!((breaker.state(), breaker.stats().baseline), (CircuitState::Closed, Some(Ratio::percent(5))));
}

#[tokio::test(start_paused = true)]
async fn before_it_has_learnt_anything_the_failure_rate_decides() {
    let breaker = CircuitBreaker::new(ADAPTIVE.failure_rate(Ratio::percent(30)).min_calls(20));
    calls(&breaker, &("FS".repeat(5) + &"S".repeat(9))).await;
    assert_eq!((breaker.state(), breaker.stats().baseline), (CircuitState::Closed, None));
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(matches!(breaker.stats().last_change.unwrap().cause, Cause::FailureRate { failures: 6, calls: 20, .. }));
}

/// However bad things have always been, they may not become the norm.
#[tokio::test(start_paused = true)]
async fn the_failure_rate_remains_the_ceiling_and_the_baseline_stays_below_half_of_it() {
    let breaker = CircuitBreaker::new(ADAPTIVE.failure_rate(Ratio::percent(40)));
    for _ in 0..100 {
        calls(&breaker, &("SSF".repeat(33) + "S")).await;
    }
    assert_eq!((breaker.state(), breaker.stats().baseline), (CircuitState::Closed, Some(Ratio::percent(20))));
    let mut recent = 33;
    while breaker.state() == CircuitState::Closed {
        calls(&breaker, "F").await;
        recent += 1;
    }
    assert!(recent <= 60, "{recent}");
    assert!(matches!(breaker.stats().last_change.unwrap().cause, Cause::FailureRate { failures: 40, calls: 100, .. }));
}

#[tokio::test(start_paused = true)]
async fn the_first_window_after_a_transition_is_not_half_an_old_one() {
    let breaker = CircuitBreaker::new(ADAPTIVE);
    windows(&breaker, 5, 1).await;
    let learnt = breaker.stats().baseline;
    breaker.reset();
    calls(&breaker, &"S".repeat(99)).await;
    assert_eq!(breaker.stats().baseline, learnt);
    calls(&breaker, "S").await;
    assert!(breaker.stats().baseline < learnt);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_is_learnt_once_it_has_passed() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(ms(10_000)).adaptive());
    for second in 0..12 {
        assert_eq!(breaker.stats().baseline.is_some(), second > 10, "after {second} seconds");
        calls(&breaker, &("F".to_owned() + &"S".repeat(19))).await;
        advance(ms(1000)).await;
    }
    let baseline = breaker.stats().baseline.unwrap();
    assert!((0.045..0.06).contains(&baseline.as_f64()), "{baseline:?}");
}

/// Envoy #46532, #38338: what an adaptive limit has learnt in bad times stays, and nothing brings it back.
#[tokio::test(start_paused = true)]
async fn what_was_learnt_in_bad_times_is_forgotten_in_good_ones() {
    for window in [CONFIG.window_calls(100), CONFIG.window_time(ms(1000))] {
        let breaker = CircuitBreaker::new(window.adaptive());
        for (windows, failing) in [(50, 3), (60, 0)] {
            for call in 0..100 * windows {
                let permit = breaker.try_acquire().unwrap();
                if call % 10 < failing {
                    permit.failure();
                } else {
                    permit.success();
                }
                advance(ms(10)).await;
            }
            let baseline = breaker.stats().baseline.unwrap().as_f64();
            let expected = if failing == 3 { 0.24..=0.25 } else { 0.0..=0.01 };
            assert!(expected.contains(&baseline), "{baseline}");
        }
    }
}
