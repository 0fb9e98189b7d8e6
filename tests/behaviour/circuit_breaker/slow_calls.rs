//! Calls that take too long, ended or not.

use super::*;
use resilient::Cause;

/// A call above 100 ms is slow.
fn patient() -> CircuitBreakerConfig {
    CONFIG.window_time(Duration::from_secs(30)).min_calls(2).slow_call(ms(100))
}

fn stats(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let stats = breaker.stats();
    (stats.calls, stats.failures, stats.slow)
}

#[tokio::test(start_paused = true)]
async fn slow_is_longer_than_the_limit_whatever_the_result() {
    let breaker =
        CircuitBreaker::new(patient().slow_rate(Ratio::percent(60)).min_calls(3).failure_rate(Ratio::percent(100)));
    call(&breaker, Act::Slow(100)).await.unwrap();
    call(&breaker, Act::SlowFail(101)).await.unwrap_err();
    assert_eq!(stats(&breaker), (2, 1, 1));
    call(&breaker, Act::Slow(101)).await.unwrap();
    assert_eq!(breaker.state(), CircuitState::Open);
    let change = breaker.stats().last_change.unwrap();
    assert!(matches!(change.cause, Cause::SlowRate { slow: 2, calls: 3, .. }), "{change:?}");
}

#[tokio::test(start_paused = true)]
async fn by_default_all_must_be_slow() {
    let breaker = CircuitBreaker::new(patient());
    call(&breaker, Act::Succeed).await.unwrap();
    for _ in 0..5 {
        call(&breaker, Act::Slow(200)).await.unwrap();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_counts_when_its_time_passes_and_only_once() {
    for config in [patient(), patient().window_calls(10)] {
        let breaker = CircuitBreaker::new(config.min_calls(5));
        let hung = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
        assert_eq!(breaker.stats().in_flight, Some(3));
        advance(ms(100)).await;
        assert_eq!(stats(&breaker), (0, 0, 0));
        advance(ms(1)).await;
        assert_eq!(stats(&breaker), (3, 0, 3));
        let [first, second, third] = hung;
        first.success();
        second.failure();
        drop(third);
        // The failure counts too, but for the same call.
        assert_eq!(stats(&breaker), (3, 1, 3));
        assert_eq!(breaker.stats().in_flight, Some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_admission_sees_that_calls_hang() {
    let breaker = CircuitBreaker::new(patient());
    let hung = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
    advance(ms(150)).await;
    // Opened when the time passed, not now.
    assert_eq!(refused(&breaker).await, Some(ms(950)));
    for permit in hung {
        permit.success();
    }
    assert_eq!((breaker.state(), breaker.stats().late), (CircuitState::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn the_next_result_sees_that_calls_hang() {
    let breaker = CircuitBreaker::new(patient().slow_rate(Ratio::percent(50)));
    let hung = breaker.try_acquire().unwrap();
    advance(ms(90)).await;
    let quick = breaker.try_acquire().unwrap();
    advance(ms(20)).await;
    quick.success();
    let opened = breaker.stats();
    assert_eq!((opened.state, opened.opened), (CircuitState::Open, 1));
    drop(hung);
}

#[tokio::test(start_paused = true)]
async fn what_hung_before_a_reset_is_of_no_interest() {
    let breaker = CircuitBreaker::new(patient());
    let hung = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
    breaker.reset();
    advance(ms(500)).await;
    assert_eq!((breaker.state(), stats(&breaker)), (CircuitState::Closed, (0, 0, 0)));
    drop(hung);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_are_all_counted() {
    let breaker = CircuitBreaker::new(patient().min_calls(1000));
    let hung: Vec<_> = (0..100).map(|_| breaker.try_acquire().unwrap()).collect();
    advance(ms(101)).await;
    assert_eq!(stats(&breaker), (100, 0, 100));
    hung.into_iter().for_each(resilient::Permit::failure);
    assert_eq!(stats(&breaker), (100, 100, 100));
}

#[tokio::test(start_paused = true)]
async fn a_call_may_end_on_another_thread() {
    let breaker = CircuitBreaker::new(patient().min_calls(1000));
    let permit = breaker.try_acquire().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| permit.success());
    });
    assert_eq!((stats(&breaker), breaker.stats().in_flight), ((1, 0, 0), Some(0)));
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
