//! Calls that take too long, ended or not.

use super::{CONFIG, calls, refused};
use crate::support::{Act, Dependency, Fault, ms, poll_once};
use resilient::{Cause, CircuitBreaker, CircuitBreakerConfig, CircuitState, Permit, Ratio, circuit_breaker, timeout};
use std::{future::Future, task::Poll, time::Duration};
use tokio::time::{advance, sleep};

/// A call is slow above 100 ms; nothing is decided before ten calls.
const CALLS: CircuitBreakerConfig = CONFIG.window_calls(10).slow_call(Duration::from_millis(100));
const TIME: CircuitBreakerConfig =
    CONFIG.window_time(Duration::from_secs(60)).min_calls(10).slow_call(Duration::from_millis(100));

fn begin(breaker: &CircuitBreaker) -> Permit<'_, CircuitBreaker> {
    breaker.try_acquire().unwrap()
}

async fn slow(breaker: &CircuitBreaker) {
    let permit = begin(breaker);
    advance(ms(101)).await;
    permit.success();
}

/// Calls, failures and slow calls in the window.
fn window(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let stats = breaker.stats();
    (stats.calls, stats.failures, stats.slow)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_slow_that_takes_strictly_longer_than_the_limit() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let permit = begin(&breaker);
        advance(ms(100)).await;
        permit.success();
        assert_eq!(window(&breaker), (1, 0, 0));
        let permit = begin(&breaker);
        advance(ms(100) + Duration::from_nanos(1)).await;
        permit.success();
        assert_eq!(window(&breaker), (2, 0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_future_is_that_from_its_admission_to_its_end() {
    let breaker = CircuitBreaker::new(CALLS);
    for (millis, slow) in [(100, 0), (101, 1), (5000, 2)] {
        breaker
            .call(async {
                sleep(ms(millis)).await;
                Ok::<_, Fault>(())
            })
            .await
            .unwrap();
        assert_eq!(breaker.stats().slow, slow, "{millis}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_failure_counts_as_both_and_as_one_call() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let permit = begin(&breaker);
        advance(ms(101)).await;
        permit.failure();
        assert_eq!(window(&breaker), (1, 1, 1));
        assert_eq!((breaker.stats().total_failures, breaker.stats().total_slow), (1, 1));
    }
}

/// Nobody has looked since it became slow: its end is what tells, and it is no late result for that.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_slow_call_that_opens_it_counts_in_full() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.min_calls(1));
        let permit = begin(&breaker);
        advance(ms(101)).await;
        permit.success();
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.late, stats.total_slow), (CircuitState::Open, 0, 1));
        breaker.reset();
        let permit = begin(&breaker);
        advance(ms(101)).await;
        permit.failure();
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.late, stats.total_failures, stats.total_slow), (CircuitState::Open, 0, 1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_all_calls_must_be_slow_to_open_it() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        calls(&breaker, "S").await;
        for _ in 0..9 {
            slow(&breaker).await;
        }
        assert_eq!((breaker.state(), window(&breaker)), (CircuitState::Closed, (10, 0, 9)));
        let breaker = CircuitBreaker::new(config);
        for _ in 0..10 {
            slow(&breaker).await;
        }
        let last = breaker.stats().last_change.unwrap();
        assert!(matches!(last.cause, Cause::SlowRate { slow: 10, calls: 10, .. }), "{last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_the_slow_rate_and_not_below() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.slow_rate(Ratio::percent(40)));
        for _ in 0..3 {
            slow(&breaker).await;
        }
        calls(&breaker, "SSSSSS").await;
        assert_eq!(breaker.state(), CircuitState::Closed);
        slow(&breaker).await;
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_admission_sees_that_hanging_calls_have_become_slow() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.min_calls(2));
        let _hung = [begin(&breaker), begin(&breaker)];
        advance(ms(100)).await;
        drop(begin(&breaker));
        advance(ms(1)).await;
        // It has been open since they became slow, a millisecond ago.
        assert_eq!(refused(&breaker).await, Some(ms(999)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_result_sees_that_hanging_calls_have_become_slow() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.min_calls(2));
        let _hung = [begin(&breaker), begin(&breaker)];
        advance(ms(60)).await;
        let fast = begin(&breaker);
        advance(ms(60)).await;
        fast.success();
        // Nothing else has looked, so it is the result that did: it came too late to count.
        assert_eq!(breaker.stats().late, 1);
        assert_eq!((breaker.state(), breaker.stats().total_slow), (CircuitState::Open, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_at_the_state_sees_that_hanging_calls_have_become_slow() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.min_calls(2));
        let _hung = [begin(&breaker), begin(&breaker)];
        advance(ms(101)).await;
        assert_eq!(breaker.state(), CircuitState::Open);
        assert_eq!(breaker.stats().in_state_for, Some(ms(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_counts_once_however_often_one_looks() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let hung = begin(&breaker);
        for _ in 0..5 {
            advance(ms(101)).await;
            assert_eq!(window(&breaker), (1, 0, 1));
        }
        hung.success();
        assert_eq!((window(&breaker), breaker.stats().total_slow), ((1, 0, 1), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_that_fails_later_is_a_failure_too_and_no_other_call() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let hung = begin(&breaker);
        advance(ms(500)).await;
        assert_eq!(window(&breaker), (1, 0, 1));
        hung.failure();
        assert_eq!(window(&breaker), (1, 1, 1));
        assert_eq!((breaker.stats().total_failures, breaker.stats().total_slow), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_that_fails_later_may_open_it() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.min_calls(2));
        let hung = begin(&breaker);
        calls(&breaker, "S").await;
        advance(ms(500)).await;
        assert_eq!(breaker.state(), CircuitState::Closed);
        hung.failure();
        let last = breaker.stats().last_change.unwrap();
        assert!(matches!(last.cause, Cause::FailureRate { failures: 1, calls: 2, .. }), "{last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_that_has_left_the_window_fails_outside_of_it() {
    let breaker = CircuitBreaker::new(CALLS);
    let hung = begin(&breaker);
    advance(ms(101)).await;
    calls(&breaker, "SSSSSSSSSS").await;
    hung.failure();
    assert_eq!((window(&breaker), breaker.stats().total_failures), ((10, 0, 0), 1));

    let breaker = CircuitBreaker::new(TIME);
    let hung = begin(&breaker);
    advance(ms(101)).await;
    assert_eq!(breaker.stats().slow, 1);
    advance(Duration::from_secs(61)).await;
    hung.failure();
    assert_eq!((window(&breaker), breaker.stats().total_failures), ((0, 0, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_that_is_cancelled_stays_counted_as_slow() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let (seen, unseen) = (begin(&breaker), begin(&breaker));
        advance(ms(101)).await;
        // Nobody has looked.
        drop(unseen);
        assert_eq!(window(&breaker), (2, 0, 2));
        drop(seen);
        assert_eq!((window(&breaker), breaker.stats().cancelled), ((2, 0, 2), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cancelled_in_time_is_not_counted() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let permit = begin(&breaker);
        advance(ms(100)).await;
        drop(permit);
        advance(ms(100)).await;
        assert_eq!((window(&breaker), breaker.stats().in_flight), ((0, 0, 0), Some(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_an_earlier_state_never_becomes_slow() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let (early, counted) = (begin(&breaker), begin(&breaker));
        advance(ms(50)).await;
        breaker.reset();
        advance(ms(500)).await;
        assert_eq!((window(&breaker), breaker.stats().in_flight), ((0, 0, 0), Some(2)));
        early.failure();
        counted.success();
        assert_eq!((window(&breaker), breaker.stats().total_slow), ((0, 0, 0), 0));
        assert_eq!((breaker.stats().late, breaker.stats().in_flight), (2, Some(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_counted_as_slow_in_an_earlier_state_fails_too_late() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config);
        let hung = begin(&breaker);
        advance(ms(101)).await;
        assert_eq!(breaker.stats().slow, 1);
        breaker.reset();
        calls(&breaker, "S").await;
        hung.failure();
        assert_eq!((window(&breaker), breaker.stats().late), ((1, 0, 0), 1));
    }
}

/// More than a thread has places of its own for.
#[tokio::test(start_paused = true)]
async fn forty_calls_in_flight_are_all_watched() {
    for config in [CALLS, TIME] {
        let breaker = CircuitBreaker::new(config.slow_rate(Ratio::percent(100)).min_calls(10));
        calls(&breaker, "S").await;
        let mut hung: Vec<_> = (0..40).map(|_| begin(&breaker)).collect();
        assert_eq!((breaker.stats().in_flight, breaker.stats().slow), (Some(40), 0));
        advance(ms(101)).await;
        assert_eq!(breaker.stats().total_slow, if config == CALLS { 10 } else { 40 });
        for left in (0..40).rev() {
            hung.pop().unwrap().success();
            assert_eq!(breaker.stats().in_flight, Some(left));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_counted_only_where_their_time_is_watched() {
    let breaker = CircuitBreaker::new(CALLS);
    let mut hung = Box::pin(breaker.call(std::future::pending::<Result<(), Fault>>()));
    assert!(poll_once(&mut hung).is_pending());
    assert_eq!(breaker.stats().in_flight, Some(1));
    drop(hung);
    assert_eq!(breaker.stats().in_flight, Some(0));
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10));
    let _permit = begin(&breaker);
    assert_eq!(breaker.stats().in_flight, None);
}

#[tokio::test(start_paused = true)]
async fn probes_that_succeed_slowly_reopen_it() {
    let breaker = CircuitBreaker::new(CALLS.min_calls(1));
    calls(&breaker, "F").await;
    advance(ms(1000)).await;
    slow(&breaker).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::ProbesSlow);
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_leave_a_time_window_with_age() {
    let breaker = CircuitBreaker::new(TIME);
    for _ in 0..9 {
        slow(&breaker).await;
    }
    advance(Duration::from_secs(61)).await;
    slow(&breaker).await;
    assert_eq!((breaker.state(), window(&breaker)), (CircuitState::Closed, (1, 0, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_call_may_end_on_another_thread() {
    let breaker = CircuitBreaker::new(TIME);
    let permit = breaker.try_acquire().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| permit.success());
    });
    assert_eq!((window(&breaker), breaker.stats().in_flight), ((1, 0, 0), Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_it_does_not_hide_a_hung_dependency() {
    #[timeout(50ms)]
    #[circuit_breaker(slow_call = 20ms, window = 10s, min_calls = 3, open_for = 1h)]
    async fn hung(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang]);
    let calls: Vec<_> = (0..3).map(|_| hung(&dependency)).collect();
    for call in futures_of(calls).await {
        assert!(call.unwrap_err().ours().is_timeout());
    }
    assert!(hung(&dependency).await.unwrap_err().ours().is_circuit_open());
    assert_eq!(dependency.runs(), 3);
}

async fn futures_of<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs = Vec::new();
    std::future::poll_fn(move |cx| {
        futures.retain_mut(|future| match future.as_mut().poll(cx) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        if futures.is_empty() { Poll::Ready(std::mem::take(&mut outputs)) } else { Poll::Pending }
    })
    .await
}
