//! Calls that take longer than `slow_call`.

use super::{CONFIG, begun, call, calls, half_open, refused, secs};
use crate::support::{Act, Dependency, Fault, ms, poll_once};
use resilient::{Cause, CircuitBreaker, CircuitBreakerConfig, CircuitState, Permit, Ratio, circuit_breaker, timeout};
use std::time::Duration;
use tokio::time::advance;

/// 100 ms are not slow, and more is.
const SLOW: CircuitBreakerConfig = CONFIG.slow_call(ms(100));

type Admitted<'a> = Permit<'a, CircuitBreaker>;

/// A result of the given time and ending.
async fn took(breaker: &CircuitBreaker, time: Duration, succeeds: bool) {
    let permit = breaker.try_acquire().unwrap();
    advance(time).await;
    if succeeds { permit.success() } else { permit.failure() }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_counts_at_its_end_whatever_its_result() {
    for window in [SLOW.window_calls(4), SLOW.window_time(secs(60)).min_calls(4)] {
        let breaker = CircuitBreaker::new(window.slow_rate(Ratio::percent(75)).failure_rate(Ratio::percent(75)));
        took(&breaker, ms(150), true).await;
        took(&breaker, ms(50), true).await;
        took(&breaker, ms(150), false).await;
        let stats = breaker.stats();
        assert_eq!((stats.calls, stats.failures, stats.slow), (3, 1, 2));
        assert_eq!(stats.state, CircuitState::Closed);
        took(&breaker, ms(150), true).await;
        assert_eq!(breaker.state(), CircuitState::Open);
        assert!(matches!(breaker.stats().last_change.unwrap().cause, Cause::SlowRate { slow: 3, calls: 4, .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_takes_strictly_longer_is_slow() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(10));
    took(&breaker, ms(100), true).await;
    assert_eq!((breaker.stats().calls, breaker.stats().slow), (1, 0));
    took(&breaker, ms(100) + Duration::from_nanos(1), true).await;
    assert_eq!((breaker.stats().calls, breaker.stats().slow), (2, 1));

    let [_hung] = begun(&breaker);
    advance(ms(100)).await;
    assert_eq!(breaker.stats().slow, 1);
    advance(Duration::from_nanos(1)).await;
    assert_eq!(breaker.stats().slow, 2);
}

#[tokio::test(start_paused = true)]
async fn by_default_all_calls_must_be_slow() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(4));
    took(&breaker, ms(50), true).await;
    for _ in 0..3 {
        took(&breaker, ms(150), true).await;
    }
    assert_eq!((breaker.state(), breaker.stats().slow_rate), (CircuitState::Closed, Some(Ratio::percent(75))));
    took(&breaker, ms(150), true).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_open_it_at_the_next_admission() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(2));
    let mut hung = [(); 2].map(|()| Box::pin(call(&breaker, Act::Hang)));
    for call in &mut hung {
        assert!(poll_once(call).is_pending());
    }
    advance(ms(100)).await;
    assert_eq!(breaker.stats().in_flight, Some(2));
    advance(ms(300)).await;
    // It opened when they became slow, and not when somebody looked.
    assert_eq!(refused(&breaker).await, Some(ms(700)));
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_open_it_when_its_state_is_read() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(2));
    let _hung = begun::<2>(&breaker);
    advance(ms(101)).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.stats().retry_after, Some(ms(999)));
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_open_it_at_the_next_result_which_is_late() {
    for window in [SLOW.window_calls(2), SLOW.window_time(secs(60)).min_calls(2)] {
        let breaker = CircuitBreaker::new(window);
        let hung = begun::<2>(&breaker);
        advance(ms(50)).await;
        let [quick] = begun(&breaker);
        advance(ms(51)).await;
        quick.success();
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.late, stats.opened), (CircuitState::Open, 1, 1));
        hung.into_iter().for_each(Permit::success);
        assert_eq!(breaker.stats().late, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_counts_once() {
    for window in [SLOW.window_calls(10), SLOW.window_time(secs(3600))] {
        let breaker = CircuitBreaker::new(window);
        let [hung] = begun(&breaker);
        for _ in 0..3 {
            advance(ms(150)).await;
            let stats = breaker.stats();
            assert_eq!((stats.calls, stats.slow, stats.total_slow), (1, 1, 1));
        }
        hung.success();
        let stats = breaker.stats();
        assert_eq!((stats.calls, stats.failures, stats.slow, stats.total_slow), (1, 0, 1, 1));
        assert_eq!(stats.in_flight, Some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_that_fails_later_is_a_failure_too_and_one_call() {
    for window in [SLOW.window_calls(10), SLOW.window_time(secs(3600))] {
        let breaker = CircuitBreaker::new(window.min_calls(2));
        let [hung] = begun(&breaker);
        advance(ms(101)).await;
        assert_eq!((breaker.stats().slow, breaker.stats().failures), (1, 0));
        hung.failure();
        let stats = breaker.stats();
        assert_eq!((stats.calls, stats.failures, stats.slow, stats.total_failures), (1, 1, 1, 1));
        calls(&breaker, "F").await;
        assert!(matches!(breaker.stats().last_change.unwrap().cause, Cause::FailureRate { failures: 2, calls: 2, .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn the_failure_of_a_slow_call_opens_it() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(4).min_calls(2).failure_rate(Ratio::percent(50)));
    calls(&breaker, "S").await;
    let [hung] = begun(&breaker);
    advance(ms(101)).await;
    assert_eq!((breaker.state(), breaker.stats().calls), (CircuitState::Closed, 2));
    hung.failure();
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_counts_only_if_it_was_slow() {
    for window in [SLOW.window_calls(10), SLOW.window_time(secs(60))] {
        let breaker = CircuitBreaker::new(window);
        let [quick, ignored] = begun(&breaker);
        advance(ms(100)).await;
        drop(quick);
        ignored.ignore();
        assert_eq!((breaker.stats().calls, breaker.stats().in_flight), (0, Some(0)));
        for seen in [true, false] {
            let [hung] = begun(&breaker);
            advance(ms(101)).await;
            if seen {
                assert_eq!(breaker.stats().in_flight, Some(1));
            }
            drop(hung);
        }
        let stats = breaker.stats();
        assert_eq!((stats.calls, stats.failures, stats.slow, stats.cancelled), (2, 0, 2, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_may_end_on_another_thread() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(10));
    let clock = tokio::runtime::Handle::current();
    let ends: [fn(Admitted<'_>); 3] = [|permit| permit.success(), |permit| permit.failure(), |permit| drop(permit)];
    for end in ends {
        let [permit] = begun(&breaker);
        advance(ms(101)).await;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _clock = clock.enter();
                assert_eq!(breaker.stats().in_flight, Some(1));
                end(permit);
            });
        });
    }
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.slow, stats.in_flight), (3, 1, 3, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn calls_from_before_a_reset_do_not_become_slow() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(2));
    let hung = begun::<2>(&breaker);
    breaker.reset();
    advance(secs(5)).await;
    assert_eq!((breaker.state(), breaker.stats().slow), (CircuitState::Closed, 0));
    hung.into_iter().for_each(Permit::success);
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.slow, stats.late, stats.in_flight), (0, 0, 2, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn calls_from_before_an_opening_do_not_become_slow_after_it() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(1).slow_call(ms(1500)));
    let _hung = begun::<9>(&breaker);
    half_open(&breaker).await;
    calls(&breaker, "S").await;
    advance(secs(5)).await;
    assert_eq!((breaker.state(), breaker.stats().total_slow), (CircuitState::Closed, 0));
}

/// More than a thread has places for.
#[tokio::test(start_paused = true)]
async fn forty_calls_may_be_in_flight_at_once() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(100).min_calls(40));
    let hung = begun::<40>(&breaker);
    assert_eq!(breaker.stats().in_flight, Some(40));
    advance(ms(100)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    advance(ms(1)).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(matches!(breaker.stats().last_change.unwrap().cause, Cause::SlowRate { slow: 40, calls: 40, .. }));
    hung.into_iter().for_each(drop);
    assert_eq!(breaker.stats().in_flight, Some(0));
    breaker.reset();
    let again = begun::<40>(&breaker);
    again.into_iter().for_each(Permit::success);
    assert_eq!((breaker.stats().calls, breaker.stats().slow), (40, 0));
}

#[tokio::test(start_paused = true)]
async fn a_window_full_of_fast_successes_still_sees_slow_ones() {
    for (window, calls) in [(SLOW.window_calls(10), 10), (SLOW.window_time(secs(3)), 20)] {
        let breaker = CircuitBreaker::new(window);
        for _ in 0..100 {
            took(&breaker, ms(1), true).await;
        }
        advance(secs(3)).await;
        for _ in 1..calls {
            took(&breaker, ms(101), true).await;
        }
        assert_eq!(breaker.state(), CircuitState::Closed);
        took(&breaker, ms(101), true).await;
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_grows_old_from_the_instant_it_became_slow() {
    let breaker = CircuitBreaker::new(SLOW.window_time(secs(3)));
    let [_hung] = begun(&breaker);
    advance(ms(2900)).await;
    assert_eq!(breaker.stats().slow, 1);
    advance(ms(201)).await;
    assert_eq!(breaker.stats().slow, 0);
}

#[tokio::test(start_paused = true)]
async fn probes_that_succeed_slowly_reopen_it() {
    let breaker = CircuitBreaker::new(SLOW.window_calls(1).successes(2).slow_rate(Ratio::percent(51)));
    half_open(&breaker).await;
    took(&breaker, ms(101), true).await;
    took(&breaker, ms(100), true).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    half_open(&breaker).await;
    took(&breaker, ms(101), true).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    took(&breaker, ms(101), true).await;
    assert_eq!((breaker.state(), breaker.stats().last_change.unwrap().cause), (CircuitState::Open, Cause::ProbesSlow));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_it_does_not_hide_that_the_dependency_hangs() {
    #[timeout(50ms)]
    #[circuit_breaker(slow_call = 20ms, window = 10s, min_calls = 3, open_for = 1h)]
    async fn hangs(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang]);
    let calls = tokio::join!(hangs(&dependency), hangs(&dependency), hangs(&dependency));
    for ended in <[_; 3]>::from(calls) {
        assert!(ended.unwrap_err().ours().is_timeout());
    }
    assert!(hangs(&dependency).await.unwrap_err().ours().is_circuit_open());
    assert_eq!(dependency.runs(), 3);
}

#[test]
fn threads_that_begin_and_end_calls_leave_none_in_flight() {
    let window = CONFIG.slow_call(secs(3600)).window_time(secs(3600)).min_calls(u32::MAX);
    let breaker = CircuitBreaker::new(window);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let [success, failure, dropped] = begun(&breaker);
                    success.success();
                    failure.failure();
                    drop(dropped);
                }
            });
        }
    });
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.cancelled, stats.in_flight), (3200, 1600, 1600, Some(0)));
}
