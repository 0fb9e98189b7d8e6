//! Windows, and clocks.

use super::BRITTLE_RATE;
use crate::support::ms;
use resilient::{CircuitBreaker, CircuitState, Permit, Ratio};
use std::time::Duration;
use tokio::time::advance;

/// failsafe-go's buckets, cockatiel: what is in the window after a long idle time is old.
#[tokio::test(start_paused = true)]
async fn nothing_is_stale_after_idleness() {
    let config = BRITTLE_RATE.window_time(ms(3000)).min_calls(4);
    let breaker = CircuitBreaker::new(config);
    (0..3).for_each(|_| breaker.try_acquire().unwrap().failure());
    advance(ms(100_000_000)).await;
    breaker.try_acquire().unwrap().failure();
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 1));
}

/// failsafe-go: rates are rounded to two decimals before they are compared.
#[tokio::test(start_paused = true)]
async fn rounding_moves_no_threshold() {
    let config = BRITTLE_RATE.window_calls(1000).min_calls(1000).failure_rate(Ratio::new(0.333_333_333).unwrap());
    for (failures, state) in [(333, CircuitState::Closed), (334, CircuitState::Open)] {
        let breaker = CircuitBreaker::new(config);
        (0..1000 - failures).for_each(|_| breaker.try_acquire().unwrap().success());
        (0..failures).for_each(|_| breaker.try_acquire().unwrap().failure());
        assert_eq!(breaker.state(), state, "{failures}");
    }
}

/// tower-resilience: a window that never forgets needs as many failures as there were successes.
#[tokio::test(start_paused = true)]
async fn a_long_healthy_history_delays_nothing() {
    let breaker = CircuitBreaker::new(BRITTLE_RATE.window_calls(100).failure_rate(Ratio::percent(50)));
    (0..10_000).for_each(|_| breaker.try_acquire().unwrap().success());
    let failures =
        std::iter::repeat_with(|| breaker.try_acquire().map(Permit::failure)).take_while(Result::is_ok).count();
    assert_eq!(failures, 50);
}

/// And a window of time that counts for longer than it says.
#[tokio::test(start_paused = true)]
async fn a_long_healthy_history_delays_a_window_of_time_by_no_more_than_the_window() {
    let config = BRITTLE_RATE.window_time(ms(10_000)).failure_rate(Ratio::percent(50));
    let breaker = CircuitBreaker::new(config);
    for _ in 0..10_000 {
        breaker.try_acquire().unwrap().success();
        advance(ms(10)).await;
    }
    let mut failures = 0;
    while let Ok(permit) = breaker.try_acquire() {
        permit.failure();
        advance(ms(10)).await;
        failures += 1;
    }
    // A call each ten milliseconds: half a window.
    assert!((450..=500).contains(&failures), "{failures}");
}

/// recloser, Polly, failsafe-go, gobreaker's distributed one: a clock that is set back, or forward, moves the end of a
/// break, or mixes the window up. Ours is monotonic; and paused clocks, which are not, differ by no more than one break.
#[test]
fn a_clock_that_steps_moves_no_end_by_more_than_one_break() {
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let breaker = CircuitBreaker::new(BRITTLE_RATE.window_time(ms(10_000)).min_calls(2));
    paused().block_on(async {
        advance(Duration::from_secs(86_400)).await;
        (0..2).for_each(|_| breaker.try_acquire().unwrap().failure());
        assert_eq!(breaker.state(), CircuitState::Open);
    });
    paused().block_on(async {
        assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), Some(ms(1000)));
        advance(ms(1000)).await;
        breaker.try_acquire().unwrap().success();
        breaker.try_acquire().unwrap().failure();
        assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 1));
    });
    paused().block_on(async {
        advance(Duration::from_secs(3600)).await;
        breaker.try_acquire().unwrap().failure();
        assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 1));
    });
}

/// Envoy #46532, #38338: what an adaptive limit has learnt in bad times stays, and nothing brings it back.
#[tokio::test(start_paused = true)]
async fn what_was_learnt_in_bad_times_is_forgotten_in_good_ones() {
    for window in [BRITTLE_RATE.window_calls(100), BRITTLE_RATE.window_time(ms(1000))] {
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
