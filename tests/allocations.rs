//! A call allocates nothing when it succeeds, and nothing when it is rejected.

use allocation_counter::measure;
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Error, Rate, RateLimiter,
    RateLimiterConfig, bulkhead, circuit_breaker, fallback, rate_limited, registry, retry, timeout,
};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

#[derive(Debug, PartialEq)]
struct Fault(bool);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error.is_rejection())
    }
}

type Answer = Result<u32, Fault>;

#[circuit_breaker(failures = 3)]
async fn broken(answer: Answer) -> Answer {
    answer
}

#[circuit_breaker(failure_rate = 50%, window = 30s)]
async fn windowed(answer: Answer) -> Answer {
    answer
}

#[circuit_breaker(failure_rate = 50%, window = 100)]
async fn counted(answer: Answer) -> Answer {
    answer
}

#[circuit_breaker(window = 30s, slow_call = 2s)]
async fn watched(answer: Answer) -> Answer {
    answer
}

#[circuit_breaker(failures = 3, key = (host, 80))]
async fn keyed(host: &str, answer: Answer) -> Answer {
    let _ = host;
    answer
}

#[rate_limited(1_000_000/s)]
async fn limited(answer: Answer) -> Answer {
    answer
}

#[rate_limited(1/d, initial = 0)]
async fn drained(answer: Answer) -> Answer {
    answer
}

#[bulkhead(10)]
async fn bulkheaded(answer: Answer) -> Answer {
    answer
}

#[bulkhead(1, name = "full")]
async fn full(answer: Answer) -> Answer {
    full_inside();
    answer
}

#[timeout(2s)]
async fn timed(answer: Answer) -> Answer {
    answer
}

#[retry(attempts = 3)]
async fn retried(answer: Answer) -> Answer {
    match answer {
        Ok(value) => Ok(value),
        Err(Fault(rejected)) => Err(Fault(rejected)),
    }
}

#[fallback(|_| Ok(0))]
async fn answered(answer: Answer) -> Answer {
    answer
}

#[fallback(|_| Ok(0))]
#[rate_limited(1_000_000/s)]
#[bulkhead(10)]
#[retry(attempts = 3, backoff = 100ms..=2s)]
#[circuit_breaker(failure_rate = 50%, window = 30s)]
#[timeout(2s)]
async fn six(answer: u32) -> Answer {
    Ok(answer)
}

#[retry(attempts = 3, backoff = 100ms..=2s)]
#[circuit_breaker(failures = 1)]
#[timeout(2s)]
async fn open_stack(answer: u32) -> Answer {
    Ok(answer)
}

fn full_inside() {
    // The one place is taken by the call that asks.
    let refused = now(Box::pin(full(Ok(0))));
    assert_eq!(refused, Err(Fault(true)));
}

/// The output of what is ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready at once"),
    }
}

/// Of the hundred calls after the first, which sets up what belongs to a thread.
fn allocations<T>(mut call: impl FnMut() -> T) -> u64 {
    call();
    measure(|| (0..100).for_each(|_| drop(call()))).count_total
}

macro_rules! none {
    ($($name:ident($($argument:expr),*) = $expected:expr;)+) => {
        $(
            let count = allocations(|| assert_eq!(now($name($($argument),*)), $expected));
            println!("{}: {count} allocations in 100 calls", stringify!($name($($argument),*)));
            assert_eq!(count, 0, "{}", stringify!($name($($argument),*)));
        )+
    };
}

#[test]
fn none_for_success_and_none_for_rejection() {
    none! {
        broken(Ok(1)) = Ok(1);
        windowed(Ok(1)) = Ok(1);
        counted(Ok(1)) = Ok(1);
        watched(Ok(1)) = Ok(1);
        watched(Err(Fault(false))) = Err(Fault(false));
        keyed("a", Ok(1)) = Ok(1);
        limited(Ok(1)) = Ok(1);
        bulkheaded(Ok(1)) = Ok(1);
        timed(Ok(1)) = Ok(1);
        retried(Ok(1)) = Ok(1);
        answered(Ok(1)) = Ok(1);
        six(1) = Ok(1);
        // Failures that nobody retries.
        windowed(Err(Fault(false))) = Err(Fault(false));
        bulkheaded(Err(Fault(false))) = Err(Fault(false));
        // Rejections.
        drained(Ok(1)) = Err(Fault(true));
    }
    for _ in 0..3 {
        let _ = now(broken(Err(Fault(false))));
    }
    now(open_stack(1)).unwrap();
    registry().keyed_circuit_breaker("keyed").unwrap().force_open(&("a", 80));
    registry().circuit_breaker("open_stack").unwrap().force_open();
    registry().circuit_breaker("windowed").unwrap().force_open();
    none! {
        broken(Ok(1)) = Err(Fault(true));
        windowed(Ok(1)) = Err(Fault(true));
        open_stack(1) = Err(Fault(true));
        keyed("a", Ok(1)) = Err(Fault(true));
    }
    // One box for all that a call needs which retries, falls back or waits for a timer.
    let count = allocations(|| assert_eq!(now(answered(Err(Fault(false)))), Ok(0)));
    assert_eq!(count, 100, "a fallback");
    // The refused call inside is boxed by the test.
    let count = allocations(|| assert_eq!(now(full(Ok(1))), Ok(1)));
    assert_eq!(count, 100, "a full bulkhead");
}

#[test]
fn none_by_hand() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1));
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::new(1_000_000, Duration::from_secs(3600))));
    let places = Bulkhead::new(BulkheadConfig::new(1));
    assert_eq!(allocations(|| breaker.try_acquire().unwrap().success()), 0);
    assert_eq!(allocations(|| limiter.try_acquire().unwrap().success()), 0);
    assert_eq!(allocations(|| places.try_acquire().unwrap().success()), 0);
    let held = places.try_acquire().unwrap();
    assert_eq!(allocations(|| places.try_acquire().is_err()), 0);
    drop(held);
    limiter.try_acquire_many(limiter.stats().tokens).unwrap().success();
    while limiter.try_acquire().is_ok() {}
    assert_eq!(allocations(|| limiter.try_acquire_many(1_000_000).is_err()), 0);
    assert_eq!(allocations(|| limiter.try_acquire_many(1_000_001).is_err()), 0);
    breaker.try_acquire().unwrap().failure();
    assert_eq!(allocations(|| breaker.try_acquire().is_err()), 0);
}

/// Where an open circuit comes to let probes through, by the clock of the machine.
fn half_opened(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
    while breaker.state() != CircuitState::HalfOpen {
        std::thread::yield_now();
    }
}

#[test]
fn one_for_the_probes_of_a_recovery() {
    let breaker = CircuitBreaker::new(
        CircuitBreakerConfig::new().failures(1).open_for(Duration::from_millis(1)).successes(u32::MAX),
    );
    half_opened(&breaker);
    // The first makes the list of those in flight, with room for some.
    assert_eq!(measure(|| breaker.try_acquire().unwrap().success()).count_total, 1);
    assert_eq!(allocations(|| breaker.try_acquire().unwrap().success()), 0);
    assert_eq!(allocations(|| drop(breaker.try_acquire().unwrap())), 0);
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(allocations(|| breaker.try_acquire().is_err()), 0);
    drop(probe);
}

#[test]
fn none_for_calls_whose_time_is_watched() {
    let watched = CircuitBreakerConfig::new().slow_call(Duration::from_secs(3600)).min_calls(1_000_000);
    for config in [watched, watched.window_calls(1_000_000)] {
        let breaker = CircuitBreaker::new(config);
        assert_eq!(allocations(|| breaker.try_acquire().unwrap().success()), 0);
        assert_eq!(allocations(|| drop(breaker.try_acquire().unwrap())), 0);
        breaker.try_acquire().unwrap().failure();
        assert_eq!(allocations(|| breaker.try_acquire().unwrap().failure()), 0);
        // As many at once as a thread has places for.
        assert_eq!(allocations(|| drop([(); 30].map(|()| breaker.try_acquire().unwrap()))), 0);
    }
}

/// A box for what the waiting needs; and who gives back a place of a bulkhead lists whom it wakes.
#[test]
fn one_for_a_call_that_waits_and_one_for_who_wakes_it() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded());
    let waited = || {
        let held = places.try_acquire().unwrap();
        let mut waiting = pin!(places.acquire());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        held.success();
        now(waiting).unwrap().success();
    };
    assert_eq!(allocations(waited), 200, "a place of a bulkhead");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let quota = RateLimiterConfig::new(Rate::per_second(1)).initial(0).wait_unbounded();
    let limiter = RateLimiter::new(quota);
    let of_the_runtime = allocations(|| runtime.block_on(async { tokio::time::sleep(Duration::from_secs(1)).await }));
    let waited = allocations(|| runtime.block_on(async { limiter.acquire().await.unwrap().success() }));
    assert_eq!(waited - of_the_runtime, 100, "a token of a limiter");
}
