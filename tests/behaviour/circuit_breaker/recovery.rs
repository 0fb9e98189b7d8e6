//! How long it stays open, and how it closes by degrees.

use super::{CONFIG, begun, call, calls, refused, secs};
use crate::support::{Act, Fault, Heard, ms};
use resilient::{Cause, CircuitBreaker, CircuitBreakerConfig, CircuitState, Ratio};
use std::time::Duration;
use tokio::time::advance;

const GROWING: CircuitBreakerConfig = CircuitBreakerConfig::new().failures(1).open_jitter(Ratio::percent(0));

fn growing(seconds: std::ops::RangeInclusive<u64>) -> CircuitBreakerConfig {
    GROWING.open_for_range(secs(*seconds.start())..=secs(*seconds.end()))
}

/// Waits until an open circuit half-opens, and tells how long that took.
async fn waits(breaker: &CircuitBreaker) -> Duration {
    let left = refused(breaker).await.unwrap();
    let moment = Duration::from_nanos(1);
    advance(left.saturating_sub(moment)).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(moment).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    left
}

#[tokio::test(start_paused = true)]
async fn the_time_open_doubles_with_each_failed_probe_up_to_its_limit_and_begins_anew_once_closed() {
    let breaker = CircuitBreaker::new(growing(1..=6));
    for seconds in [1, 2, 4, 6, 6] {
        calls(&breaker, "F").await;
        assert_eq!(waits(&breaker).await, secs(seconds));
    }
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    for seconds in [1, 2] {
        calls(&breaker, "F").await;
        assert_eq!(waits(&breaker).await, secs(seconds));
    }
    breaker.reset();
    calls(&breaker, "F").await;
    assert_eq!(waits(&breaker).await, secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_time_neither_grows_nor_varies() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).open_jitter(Ratio::percent(100)));
    for _ in 0..20 {
        calls(&breaker, "F").await;
        assert_eq!(waits(&breaker).await, secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_makes_the_time_grow_too() {
    let breaker = CircuitBreaker::new(growing(1..=60).probe_timeout(ms(500)));
    calls(&breaker, "F").await;
    waits(&breaker).await;
    let _hung = breaker.try_acquire().unwrap();
    advance(ms(600)).await;
    assert_eq!(refused(&breaker).await, Some(ms(1900)));
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_what_has_grown_by_no_more_than_its_share() {
    let mut seen = Vec::new();
    for _ in 0..50 {
        let breaker = CircuitBreaker::new(growing(1..=300).open_jitter(Ratio::percent(20)));
        for (most, least) in [(1.0, 1.0), (2.0, 1.6), (4.0, 3.2), (8.0, 6.4)] {
            calls(&breaker, "F").await;
            let time = waits(&breaker).await.as_secs_f64();
            assert!((least..=most).contains(&time), "{time} is not within {least} and {most}");
            seen.push(time);
        }
    }
    let last: Vec<_> = seen.iter().skip(3).step_by(4).collect();
    assert!(last.iter().any(|time| **time < 6.8) && last.iter().any(|time| **time > 7.6), "{last:?}");
    for _ in 0..50 {
        let breaker = CircuitBreaker::new(growing(1..=2).open_jitter(Ratio::percent(100)));
        for _ in 0..2 {
            calls(&breaker, "F").await;
            assert!((1.0..=2.0).contains(&waits(&breaker).await.as_secs_f64()));
        }
    }
}

fn ramped() -> CircuitBreakerConfig {
    growing(10..=60).failures(3).probes(3).successes(4).ramp()
}

/// How many of so many calls pass, and succeed.
async fn passed(breaker: &CircuitBreaker, calls: usize) -> usize {
    let mut passed = 0;
    for _ in 0..calls {
        match call(breaker, Act::Succeed).await {
            Ok(_) => passed += 1,
            Err(Fault::Refused(error)) => assert!(error.is_circuit_open()),
            Err(fault) => panic!("{fault}"),
        }
    }
    passed
}

/// To where the probes have succeeded.
async fn ramp(breaker: &CircuitBreaker) {
    calls(breaker, "FFF").await;
    waits(breaker).await;
    calls(breaker, "SSSS").await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_lets_one_through_and_then_more_and_then_a_growing_share() {
    let heard = Heard::of("ramped");
    let breaker = CircuitBreaker::new(ramped().name("ramped"));
    calls(&breaker, "FFF").await;
    waits(&breaker).await;
    let first = breaker.try_acquire().unwrap();
    refused(&breaker).await;
    assert_eq!(breaker.stats().share, None);
    first.success();
    let rest = begun::<3>(&breaker);
    refused(&breaker).await;
    for probe in rest {
        probe.success();
    }
    for (wait, share) in [(0, 10), (5, 55), (4, 91)] {
        advance(secs(wait)).await;
        assert_eq!(breaker.stats().share, Some(Ratio::percent(share)));
        assert_eq!(passed(&breaker, 100).await, share as usize);
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
    }
    advance(ms(999)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    advance(ms(1)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Ramped);
    assert_eq!(breaker.stats().share, None);
    assert_eq!(passed(&breaker, 100).await, 100);
    let changes = heard.take().into_iter().filter(|text| !text.contains("rejected")).collect::<Vec<_>>();
    assert_eq!(
        changes,
        ["ramped: opened for 10s: 3 failures in a row", "ramped: half-opened", "ramped: closed: all calls pass again"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_of_a_ramp_reopens_it_and_the_next_begins_with_one_again() {
    let breaker = CircuitBreaker::new(ramped());
    calls(&breaker, "FFF").await;
    waits(&breaker).await;
    calls(&breaker, "SF").await;
    assert_eq!(waits(&breaker).await, secs(20));
    let _first = breaker.try_acquire().unwrap();
    refused(&breaker).await;
}

#[tokio::test(start_paused = true)]
async fn failures_in_the_growing_share_reopen_it_for_longer() {
    let breaker = CircuitBreaker::new(ramped());
    ramp(&breaker).await;
    advance(secs(9)).await;
    let mut failed = 0;
    while breaker.state() == CircuitState::HalfOpen {
        failed += u32::from(call(&breaker, Act::Fail).await == Err(Fault::Down(1)));
    }
    // The rule is that of the closed circuit.
    assert_eq!(failed, 3);
    assert_eq!(waits(&breaker).await, secs(20));
    calls(&breaker, "SSSS").await;
    advance(secs(10)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "FFF").await;
    assert_eq!(waits(&breaker).await, secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_result_from_before_the_growing_share_does_not_count_in_it() {
    let breaker = CircuitBreaker::new(ramped().failures(1).successes(1));
    calls(&breaker, "F").await;
    waits(&breaker).await;
    calls(&breaker, "S").await;
    let [passed] = begun(&breaker);
    advance(secs(10)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    passed.failure();
    assert_eq!((breaker.state(), breaker.stats().late), (CircuitState::Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn an_idle_ramp_ends_by_itself() {
    let breaker = CircuitBreaker::new(ramped());
    ramp(&breaker).await;
    advance(secs(86_400)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}
