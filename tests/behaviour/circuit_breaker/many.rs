//! Attempts that are admitted together.

use super::*;
use resilient::Mode;

#[tokio::test(start_paused = true)]
async fn a_permit_for_many_counts_as_many_results() {
    for config in [CONFIG.window_calls(100), CONFIG.window_time(secs(10))] {
        let breaker = CircuitBreaker::new(config);
        breaker.try_acquire_many(30).unwrap().success();
        breaker.try_acquire_many(20).unwrap().failure();
        breaker.try_acquire_many(7).unwrap().ignore();
        drop(breaker.try_acquire_many(4).unwrap());
        let stats = breaker.stats();
        assert_eq!((stats.calls, stats.failures, stats.total_failures), (50, 20, 20));
        assert_eq!((stats.ignored, stats.cancelled, stats.state), (7, 4, CircuitState::Closed));
        breaker.try_acquire_many(10).unwrap().record(&Err::<(), _>("down"));
        assert_eq!(breaker.state(), CircuitState::Open);
        breaker.try_acquire_many(3).unwrap_err();
        assert_eq!(breaker.stats().rejected, 3);
    }
    let breaker = CircuitBreaker::new(CONFIG.failures(5));
    breaker.try_acquire_many(4).unwrap().failure();
    assert_eq!((breaker.stats().calls, breaker.state()), (4, CircuitState::Closed));
    breaker.try_acquire_many(2).unwrap().failure();
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn half_open_many_take_a_place_each_or_are_refused_together() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(4).successes(4));
    half_open(&breaker).await;
    let three = breaker.try_acquire_many(3).unwrap();
    assert_eq!(breaker.stats().probes_in_flight, 3);
    assert!(breaker.try_acquire_many(2).unwrap_err().is_circuit_open());
    let one = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    drop(three);
    assert_eq!(breaker.stats().probes_in_flight, 1);
    let three = breaker.try_acquire_many(3).unwrap();
    one.success();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    three.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
    half_open(&breaker).await;
    breaker.try_acquire_many(2).unwrap().failure();
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// It would never close for who only comes with many.
#[tokio::test(start_paused = true)]
async fn more_than_there_are_places_take_them_all() {
    let breaker = brittle();
    half_open(&breaker).await;
    let one = breaker.try_acquire().unwrap();
    breaker.try_acquire_many(10).unwrap_err();
    drop(one);
    let many = breaker.try_acquire_many(10).unwrap();
    breaker.try_acquire().unwrap_err();
    many.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn many_that_are_slow_all_count_as_slow() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(100).slow_call(ms(10)));
    let [succeeds, fails, drops] = [(); 3].map(|()| breaker.try_acquire_many(4).unwrap());
    assert_eq!(breaker.stats().in_flight, Some(3));
    advance(ms(11)).await;
    assert_eq!((breaker.stats().calls, breaker.stats().slow), (3, 3));
    succeeds.success();
    fails.failure();
    drop(drops);
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.slow, stats.total_slow), (9, 4, 9, 9));
    breaker.try_acquire_many(2).unwrap().success();
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.slow, stats.in_flight), (11, 9, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn many_that_come_too_late_are_as_many_late_results() {
    let breaker = brittle();
    let [late, dropped] = [(); 2].map(|()| breaker.try_acquire_many(3).unwrap());
    calls(&breaker, "F").await;
    late.failure();
    drop(dropped);
    let stats = breaker.stats();
    assert_eq!((stats.late, stats.total_failures, stats.cancelled), (3, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn none_at_all_are_always_admitted_and_count_as_nothing() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).mode(Mode::Shadow));
    breaker.try_acquire_many(0).unwrap().failure();
    assert_eq!((breaker.state(), breaker.stats().total_failures), (CircuitState::Closed, 0));
    breaker.set_mode(Mode::On);
    breaker.force_open();
    breaker.try_acquire_many(0).unwrap().ignore();
    assert_eq!((breaker.stats().rejected, breaker.stats().ignored), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_no_window_could_hold_does_not_hold_everybody_up() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(secs(30)));
    breaker.try_acquire_many(u32::MAX).unwrap().success();
    assert_eq!(breaker.stats().calls, 1_000_000);
}
