//! How each sort of end counts.

use super::*;
use crate::support::dropped_everywhere;

#[tokio::test(start_paused = true)]
async fn outcome_table_ignored_and_cancelled_are_recorded_as_neither() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10));
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    drop(poll_once(&mut Box::pin(call(&breaker, Act::Hang))));
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (0, 0));
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().failure();
    breaker.try_acquire().unwrap().record(&Err::<(), _>(Fault::BadRequest));
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn outcome_table_ignored_and_cancelled_probes_give_their_place_back_at_once() {
    let breaker = brittle();
    half_open(&breaker).await;
    let mut hung = Box::pin(call(&breaker, Act::Hang));
    assert!(poll_once(&mut hung).is_pending());
    refused(&breaker).await;
    drop(hung);
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert_eq!(breaker.stats().probes_in_flight, 0);
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_a_panic_is_a_failure_and_gives_the_place_back() {
    let breaker = brittle();
    assert_eq!(caught(call(&breaker, Act::Panic)).await, None);
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(1000)).await;
    assert_eq!(caught(call(&breaker, Act::YieldPanic(2))).await, None);
    assert_eq!((breaker.state(), breaker.stats().opened), (CircuitState::Open, 2));
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
}

/// A call that waits while another future of its task panics was dropped, not broken.
#[tokio::test(start_paused = true)]
async fn a_neighbours_panic_is_not_held_against_the_call_that_it_drops() {
    let breaker = brittle();
    let together = async {
        let _ = tokio::join!(call(&breaker, Act::Hang), crate::support::quietly_panic_later());
    };
    assert_eq!(caught(together).await, None);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_a_time_out_inside_is_a_failure() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    #[timeout(10ms)]
    async fn timed_inside(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        std::future::pending().await
    }
    assert!(timed_inside(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_a_time_out_outside_is_a_cancellation() {
    let breaker = brittle();
    #[timeout(10ms)]
    #[circuit_breaker(policy = breaker)]
    async fn timed_outside(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        std::future::pending().await
    }
    assert!(timed_outside(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 0));
    half_open(&breaker).await;
    assert!(timed_outside(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn rejections_below_a_breaker_are_neutral() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    #[bulkhead(1)]
    #[rate_limited(1/h)]
    async fn guarded(breaker: &CircuitBreaker, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(10), Act::Succeed]);
    let (first, second) = tokio::join!(guarded(&breaker, &dependency), guarded(&breaker, &dependency));
    first.unwrap();
    assert!(second.unwrap_err().ours().is_bulkhead_full());
    assert!(guarded(&breaker, &dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!(breaker.state(), CircuitState::Closed);
    half_open(&breaker).await;
    assert!(guarded(&breaker, &dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
    adds_up("circuit_breaker::outcomes::guarded");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_inside_another_is_neutral_for_it() {
    let (outer, inner) = (brittle(), brittle());
    #[circuit_breaker(policy = outer)]
    #[circuit_breaker(policy = inner)]
    async fn two_breakers(outer: &CircuitBreaker, inner: &CircuitBreaker) -> Result<u32, Fault> {
        Ok(1)
    }
    inner.force_open();
    for _ in 0..3 {
        let error = two_breakers(&outer, &inner).await.unwrap_err();
        assert_eq!(error.ours().policy(), "circuit_breaker");
    }
    assert_eq!((outer.state(), outer.stats().failures), (CircuitState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_before_the_body_runs_is_neutral() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    #[timeout(10ms)]
    #[bulkhead(1, wait)]
    async fn queued(breaker: &CircuitBreaker, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let slow = Dependency::new([Act::Hang]);
    let (first, second) = tokio::join!(biased; queued(&breaker, &slow), queued(&breaker, &slow));
    assert!(first.unwrap_err().ours().is_timeout());
    assert!(matches!(second.unwrap_err().ours(), resilient::Error::DeadlineExceeded { .. }));
    assert_eq!(slow.runs(), 1);
    assert_eq!(breaker.stats().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_of_its_awaits_leaves_nothing_behind() {
    for window in [CONFIG.failures(1), CONFIG.window_calls(1), CONFIG.window_calls(1).slow_call(ms(100))] {
        let breaker = CircuitBreaker::new(window);
        let dependency = Dependency::new([Act::Yield(5)]);
        for state in [CircuitState::Closed, CircuitState::HalfOpen] {
            if state == CircuitState::HalfOpen {
                half_open(&breaker).await;
            }
            let check = || {
                let stats = breaker.stats();
                let is_closed = stats.state == CircuitState::Closed;
                assert!(stats.state == state || is_closed, "{:?}", stats.state);
                assert_eq!((stats.probes_in_flight, stats.in_flight.unwrap_or(0), stats.failures), (0, 0, 0));
            };
            // Five where it yields, and one before its first poll.
            assert_eq!(dropped_everywhere(|| breaker.call(dependency.run()), check).await, 6);
            assert_eq!(breaker.state(), CircuitState::Closed);
        }
        // Before its first poll a call has not begun.
        assert_eq!((breaker.stats().cancelled, breaker.stats().late), (10, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_any_state_leaves_nothing_behind() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(1).slow_call(ms(100)));
    for polls in [0, 1, 3] {
        assert_eq!(caught(call(&breaker, Act::YieldPanic(polls))).await, None);
        assert_eq!((breaker.state(), breaker.stats().in_flight), (CircuitState::Open, Some(0)));
        advance(ms(1000)).await;
        assert_eq!(caught(call(&breaker, Act::YieldPanic(polls))).await, None);
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.probes_in_flight), (CircuitState::Open, 0));
        advance(ms(1000)).await;
        calls(&breaker, "S").await;
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
    assert_eq!(breaker.stats().total_failures, 6);
}
