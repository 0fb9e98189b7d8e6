//! Times that grow, ramps, shedding and baselines.

use super::{CONFIG, calls, refused};
use crate::support::{Act, ms};
use resilient::{Cause, CircuitBreaker, CircuitBreakerConfig, CircuitState, Permit, Ratio};
use std::time::Duration;
use tokio::time::advance;

const GROWING: CircuitBreakerConfig =
    CONFIG.failures(1).open_for_range(Duration::from_secs(1)..=Duration::from_secs(5)).open_jitter(Ratio::percent(0));

fn cause(breaker: &CircuitBreaker) -> Cause {
    breaker.stats().last_change.unwrap().cause
}

/// The time that it stays open after each of so many failed probes.
async fn open_times(breaker: &CircuitBreaker, failed_probes: usize) -> Vec<Duration> {
    calls(breaker, "F").await;
    let mut times = vec![breaker.stats().retry_after.unwrap()];
    for _ in 0..failed_probes {
        advance(*times.last().unwrap()).await;
        calls(breaker, "F").await;
        times.push(breaker.stats().retry_after.unwrap());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn the_open_time_doubles_with_each_failed_probe_up_to_its_limit() {
    let breaker = CircuitBreaker::new(GROWING);
    assert_eq!(open_times(&breaker, 4).await, [1, 2, 4, 5, 5].map(Duration::from_secs));
}

#[tokio::test(start_paused = true)]
async fn the_open_time_begins_anew_once_it_has_closed() {
    let breaker = CircuitBreaker::new(GROWING);
    open_times(&breaker, 2).await;
    advance(ms(4000)).await;
    calls(&breaker, "S").await;
    assert_eq!(open_times(&breaker, 1).await, [1, 2].map(Duration::from_secs));
    breaker.reset();
    assert_eq!(open_times(&breaker, 1).await, [1, 2].map(Duration::from_secs));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_times_out_lets_the_open_time_grow_too() {
    let breaker = CircuitBreaker::new(GROWING.probe_timeout(ms(100)));
    calls(&breaker, "F").await;
    advance(ms(1000)).await;
    let _hung = breaker.try_acquire().unwrap();
    advance(ms(100)).await;
    assert_eq!(refused(&breaker).await, Some(ms(2000)));
    assert_eq!(cause(&breaker), Cause::ProbeTimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_lets_nothing_grow() {
    let breaker = CircuitBreaker::new(GROWING);
    calls(&breaker, "F").await;
    advance(ms(1000)).await;
    drop(breaker.try_acquire().unwrap());
    calls(&breaker, "F").await;
    assert_eq!(refused(&breaker).await, Some(ms(2000)));
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_what_has_grown_by_a_tenth_at_most_and_never_below_the_first() {
    let (first, second) = (Duration::from_secs(1), Duration::from_secs(2));
    let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
    for _ in 0..200 {
        let breaker = CircuitBreaker::new(CONFIG.failures(1).open_for_range(first..=second));
        let times = open_times(&breaker, 2).await;
        assert_eq!(times[0], first);
        for time in &times[1..] {
            (least, most) = (least.min(*time), most.max(*time));
        }
    }
    assert!(least >= ms(1800) && most <= second, "{least:?} {most:?}");
    assert!(least < ms(1850) && most > ms(1950), "{least:?} {most:?}");
    for _ in 0..50 {
        let all = Ratio::percent(100);
        let breaker = CircuitBreaker::new(CONFIG.failures(1).open_for_range(first..=ms(1050)).open_jitter(all));
        assert!(open_times(&breaker, 3).await.iter().all(|time| (first..=ms(1050)).contains(time)));
    }
}

const RAMP: CircuitBreakerConfig = CONFIG
    .window_calls(10)
    .min_calls(2)
    .open_for_range(Duration::from_secs(1)..=Duration::from_secs(8))
    .open_jitter(Ratio::percent(0))
    .probes(3)
    .successes(4)
    .ramp();

/// How many of so many calls pass, and succeed.
fn passing(breaker: &CircuitBreaker, of: u32) -> u32 {
    (0..of).map(|_| u32::from(breaker.try_acquire().map(Permit::success).is_ok())).sum()
}

/// In a ramp, after one probe and then three.
async fn ramping() -> CircuitBreaker {
    let breaker = CircuitBreaker::new(RAMP);
    calls(&breaker, "FF").await;
    advance(ms(1000)).await;
    calls(&breaker, "SSSS").await;
    breaker
}

#[tokio::test(start_paused = true)]
async fn a_ramp_begins_with_one_probe_and_then_with_all() {
    let breaker = CircuitBreaker::new(RAMP);
    calls(&breaker, "FF").await;
    advance(ms(1000)).await;
    let first = breaker.try_acquire().unwrap();
    refused(&breaker).await;
    first.success();
    let probes = [(); 3].map(|()| breaker.try_acquire().unwrap());
    refused(&breaker).await;
    assert_eq!((breaker.state(), breaker.stats().share), (CircuitState::HalfOpen, None));
    probes.into_iter().for_each(Permit::success);
    assert_eq!((breaker.state(), breaker.stats().share), (CircuitState::HalfOpen, Some(Ratio::percent(10))));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_lets_a_growing_share_pass_until_all_do() {
    let breaker = ramping().await;
    assert_eq!(passing(&breaker, 100), 10);
    advance(ms(500)).await;
    assert_eq!(breaker.stats().share, Some(Ratio::percent(55)));
    assert_eq!(passing(&breaker, 100), 55);
    advance(ms(499)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    advance(ms(1)).await;
    assert_eq!(passing(&breaker, 100), 100);
    assert_eq!((breaker.state(), cause(&breaker)), (CircuitState::Closed, Cause::Ramped));
    assert_eq!(breaker.stats().share, None);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_whose_calls_fail_reopens_for_longer() {
    let breaker = ramping().await;
    advance(ms(990)).await;
    for _ in 0..2 {
        let permit = (0..20).find_map(|_| breaker.try_acquire().ok()).unwrap();
        permit.failure();
    }
    assert!(matches!(cause(&breaker), Cause::FailureRate { failures: 2, calls: 2, .. }));
    assert_eq!(refused(&breaker).await, Some(ms(2000)));
    // Its second ramp takes no longer than the first.
    advance(ms(2000)).await;
    calls(&breaker, "SSSS").await;
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_failure_of_many_does_not_end_a_ramp() {
    let breaker = ramping().await;
    advance(ms(990)).await;
    assert!(passing(&breaker, 20) > 15);
    let permit = (0..20).find_map(|_| breaker.try_acquire().ok()).unwrap();
    permit.failure();
    advance(ms(10)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

const SHEDDING: CircuitBreakerConfig = CONFIG.window_time(Duration::from_secs(30)).shed(2.0);

/// How many of so many calls pass, and fail.
fn failing(breaker: &CircuitBreaker, of: u32) -> u32 {
    (0..of).map(|_| u32::from(breaker.try_acquire().map(Permit::failure).is_ok())).sum()
}

#[tokio::test(start_paused = true)]
async fn shedding_refuses_nothing_below_min_calls() {
    for _ in 0..20 {
        let breaker = CircuitBreaker::new(SHEDDING);
        assert_eq!(failing(&breaker, 20), 20);
        assert!(failing(&breaker, 50) < 30);
        assert!(breaker.stats().shed > 20);
    }
}

#[tokio::test(start_paused = true)]
async fn shedding_refuses_in_proportion() {
    let breaker = CircuitBreaker::new(SHEDDING);
    assert_eq!(passing(&breaker, 1000), 1000);
    // Twice as many requests as successes may be made.
    assert_eq!(failing(&breaker, 1000), 1000);
    assert_eq!(breaker.stats().shed, 0);
    // Of so many more about a third: the excess is 0 of 2000 at first, and 2000 of 4000 in the end.
    let passed = failing(&breaker, 2000);
    assert!((1200..1500).contains(&passed), "{passed}");
    let stats = breaker.stats();
    assert_eq!((stats.shed, stats.rejected), (u64::from(2000 - passed), u64::from(2000 - passed)));
    assert_eq!(stats.state, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_call_in_ten_passes_however_bad_it_is() {
    let breaker = CircuitBreaker::new(SHEDDING);
    failing(&breaker, 1000);
    let passed = failing(&breaker, 5000);
    assert!((350..650).contains(&passed), "{passed}");
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_is_shed_does_not_open_it_and_has_no_time_to_come_back() {
    let breaker = CircuitBreaker::new(SHEDDING);
    failing(&breaker, 100);
    let error = (0..1000).find_map(|_| breaker.try_acquire().err()).unwrap();
    assert!(error.is_circuit_open());
    assert_eq!(error.retry_after(), None);
    assert_eq!(breaker.stats().opened, 0);
}

#[tokio::test(start_paused = true)]
async fn shedding_ends_when_calls_succeed_again_or_the_failures_grow_old() {
    let breaker = CircuitBreaker::new(SHEDDING);
    failing(&breaker, 50);
    passing(&breaker, 5000);
    assert_eq!(passing(&breaker, 100), 100);

    let breaker = CircuitBreaker::new(SHEDDING);
    failing(&breaker, 500);
    advance(Duration::from_secs(31)).await;
    assert_eq!(failing(&breaker, 20), 20);
}

const ADAPTIVE: CircuitBreakerConfig = CONFIG.window_calls(100).failure_rate(Ratio::percent(40)).adaptive();

#[tokio::test(start_paused = true)]
async fn it_learns_what_share_usually_fails_from_whole_windows() {
    let breaker = CircuitBreaker::new(ADAPTIVE);
    calls(&breaker, "FF").await;
    passing(&breaker, 97);
    assert_eq!(breaker.stats().baseline, None);
    passing(&breaker, 1);
    assert_eq!(breaker.stats().baseline, Some(Ratio::percent(2)));
}

#[tokio::test(start_paused = true)]
async fn it_opens_above_the_baseline() {
    let breaker = CircuitBreaker::new(ADAPTIVE);
    calls(&breaker, "FFF").await;
    passing(&breaker, 97);
    passing(&breaker, 50);
    // Five deviations and five failures above 3 of 100 are 16.5.
    assert_eq!(failing(&breaker, 16), 16);
    assert_eq!(breaker.state(), CircuitState::Closed);
    failing(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Open);
    let cause = cause(&breaker);
    let Cause::AboveBaseline { failures: 17, calls: 100, baseline, .. } = cause else { panic!("{cause:?}") };
    assert_eq!(baseline, Ratio::percent(3));
}

#[tokio::test(start_paused = true)]
async fn the_failure_rate_remains_the_ceiling() {
    // Before anything is known.
    let breaker = CircuitBreaker::new(ADAPTIVE);
    passing(&breaker, 12);
    failing(&breaker, 7);
    assert_eq!(breaker.state(), CircuitState::Closed);
    failing(&breaker, 1);
    assert!(matches!(cause(&breaker), Cause::FailureRate { failures: 8, calls: 20, .. }));
    // And the baseline stays below half of it, however long it is bad.
    let breaker = CircuitBreaker::new(ADAPTIVE);
    for _ in 0..1000 {
        passing(&breaker, 13);
        failing(&breaker, 7);
    }
    assert_eq!((breaker.state(), breaker.stats().baseline), (CircuitState::Closed, Some(Ratio::percent(20))));
    failing(&breaker, 5);
    assert!(matches!(cause(&breaker), Cause::FailureRate { failures: 40, calls: 100, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_time_window_is_learnt_too() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(Duration::from_secs(10)).adaptive());
    for _ in 0..4 {
        for _ in 0..10 {
            passing(&breaker, 99);
            super::call(&breaker, Act::Fail).await.unwrap_err();
            advance(ms(1000)).await;
        }
    }
    let baseline = breaker.stats().baseline.unwrap().as_f64();
    assert!((0.009..0.011).contains(&baseline), "{baseline}");
    failing(&breaker, 200);
    assert!(matches!(cause(&breaker), Cause::AboveBaseline { .. }));
}
