//! A call allocates nothing when it succeeds, and nothing when it is rejected.

use allocation_counter::measure;
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, Error, Keyed, KeyedRateLimiter, Permit, Rate,
    RateLimiter, RateLimiterConfig, bulkhead, circuit_breaker, fallback, rate_limited, registry, retry, timeout,
};
use std::{
    cell::RefCell,
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

#[circuit_breaker(window = 100, slow_call = 2s)]
async fn counted_watched(answer: Answer) -> Answer {
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
    // The first change of state makes room for the last sixteen. These open below.
    let _ = (now(watched(Ok(1))), now(windowed(Ok(1))));
    for name in ["watched", "windowed"] {
        registry().circuit_breaker(name).unwrap().reset();
    }
    none! {
        broken(Ok(1)) = Ok(1);
        windowed(Ok(1)) = Ok(1);
        counted(Ok(1)) = Ok(1);
        watched(Ok(1)) = Ok(1);
        watched(Err(Fault(false))) = Err(Fault(false));
        counted_watched(Ok(1)) = Ok(1);
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
    registry().keyed_circuit_breaker("keyed").unwrap().force_open(&("a", 80)).unwrap();
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

fn watching(slow_call: Duration) -> [CircuitBreaker; 2] {
    let config = CircuitBreakerConfig::new().slow_call(slow_call).min_calls(1_000_000);
    [config.window_time(Duration::from_secs(30)), config.window_calls(1_000_000)].map(CircuitBreaker::new)
}

#[test]
fn none_for_calls_whose_time_is_watched_once_warm() {
    for breaker in watching(Duration::from_secs(3600)) {
        assert_eq!(allocations(|| breaker.try_acquire().unwrap().success()), 0);
        // Several in flight at once, more than a thread has places for, no more than ever were.
        let mut held = Vec::with_capacity(100);
        let hundred = || {
            held.extend((0..100).map(|_| breaker.try_acquire().unwrap()));
            held.drain(..).for_each(Permit::success);
        };
        assert_eq!(allocations(hundred), 0);
    }
}

#[test]
fn what_a_slow_call_allocates() {
    for breaker in watching(Duration::from_millis(1)) {
        let slow = |look: fn(&CircuitBreaker)| {
            let permit = breaker.try_acquire().unwrap();
            std::thread::sleep(Duration::from_micros(1100));
            look(&breaker);
            permit.success();
        };
        assert_eq!(allocations(|| slow(|_| {})), 0);
        // Those that are found slow while in flight are listed, to be counted in their order: one list a time.
        assert_eq!(allocations(|| slow(|breaker| _ = breaker.state())), 100);
        assert_eq!(breaker.stats().slow, 202);
    }
}

#[test]
fn none_for_a_rejection_of_any_kind() {
    let config = CircuitBreakerConfig::new().failures(1);
    let breaker = CircuitBreaker::new(config);
    breaker.try_acquire().unwrap().failure();
    let refused = || now(breaker.call(std::future::ready(Answer::Ok(1)))) == Err(Fault(true));
    assert_eq!(allocations(|| assert!(refused())), 0, "open");
    breaker.force_open();
    assert_eq!(allocations(|| assert!(refused())), 0, "forced open");
    let breaker = CircuitBreaker::new(config.open_for(Duration::from_millis(1)).probe_timeout(Duration::from_secs(60)));
    breaker.try_acquire().unwrap().failure();
    std::thread::sleep(Duration::from_millis(5));
    let _probe = breaker.try_acquire().unwrap();
    assert_eq!(allocations(|| assert!(breaker.try_acquire().is_err())), 0, "half-open");
}

#[test]
fn what_a_probe_allocates() {
    let config = CircuitBreakerConfig::new().failures(1).open_for(Duration::from_millis(1));
    let breaker = CircuitBreaker::new(config.successes(1_000_000));
    breaker.try_acquire().unwrap().failure();
    std::thread::sleep(Duration::from_millis(5));
    // The list of probes in flight: made by the first, kept while half-open.
    let first = measure(|| breaker.try_acquire().unwrap().success()).count_total;
    let next = allocations(|| breaker.try_acquire().unwrap().success());
    assert_eq!((first, next), (1, 0));
    // One that closes it.
    let breaker = CircuitBreaker::new(config);
    breaker.try_acquire().unwrap().failure();
    std::thread::sleep(Duration::from_millis(5));
    let closing = measure(|| breaker.try_acquire().unwrap().success()).count_total;
    assert_eq!(closing, 1);
}

#[test]
fn none_for_a_keyed_breaker_once_the_key_exists() {
    static HOSTS: Keyed<str, CircuitBreaker> =
        Keyed::new(CircuitBreakerConfig::new().failures(3).checked()).displayed();
    let call = |host: &str| now(HOSTS.get(host).call(std::future::ready(Answer::Ok(1))));
    let called = |host: &str| now(HOSTS.call(host, std::future::ready(Answer::Ok(1))));
    for _ in 0..100 {
        assert!(["a.example", "b.example"].iter().all(|host| call(host) == Ok(1)));
    }
    assert_eq!(allocations(|| assert!(["a.example", "b.example"].iter().all(|host| call(host) == Ok(1)))), 0);
    assert_eq!(allocations(|| called("a.example").unwrap()), 0);
    HOSTS.force_open("b.example").unwrap();
    assert_eq!(allocations(|| called("b.example").unwrap_err()), 0, "refused");
    assert_eq!(HOSTS.stats().keys, 2);
}

#[test]
fn none_for_a_keyed_limiter_after_its_first_call_and_no_byte_for_a_key() {
    let limiter = KeyedRateLimiter::<str>::new(RateLimiterConfig::new(Rate::per_hour(1)).burst(2)).max_keys(1000);
    let first = measure(|| limiter.try_acquire("first").unwrap());
    // Three slots for two keys, in whole sets of sixteen, and the locks of sets.
    assert_eq!(first.bytes_current, 94 * 256 + 64 * 64);
    assert_eq!(allocations(|| limiter.try_acquire_many("a", 3).unwrap_err()), 0, "never");
    assert_eq!(allocations(|| _ = limiter.try_acquire("a")), 0, "two calls of a hundred are admitted");
    let flood = || (0..10_000_u32).for_each(|key| limiter.try_acquire(key.to_string().as_str()).unwrap());
    assert_eq!(measure(flood).bytes_current, 0);
    assert!(limiter.stats().evicted > 8000);
    assert_eq!(allocations(|| now(limiter.call("a", std::future::ready(Answer::Ok(1)))).unwrap_err()), 0);
}

/// What ten calls of `wait` allocate until they wait, and from then on; `end` lets each of them through.
fn waits<F: Future>(mut wait: impl FnMut() -> F, mut end: impl FnMut()) -> (u64, u64) {
    let (mut until, mut after) = (0, 0);
    // The first two set up what belongs to the thread and to the line.
    for turn in 0..12 {
        let mut call = pin!(wait());
        let mut ended = [false; 2];
        let mut poll = |index: usize| {
            let mut cx = Context::from_waker(Waker::noop());
            measure(|| ended[index] = call.as_mut().poll(&mut cx).is_ready()).count_total
        };
        let begun = poll(0);
        end();
        let let_through = poll(1);
        assert_eq!(ended, [false, true]);
        if turn >= 2 {
            (until, after) = (until + begun, after + let_through);
        }
    }
    (until, after)
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[test]
fn what_a_wait_for_a_place_allocates() {
    let runtime = paused();
    let _entered = runtime.enter();
    let config = BulkheadConfig::new(1);
    for config in [config.wait(Duration::from_secs(60)), config.wait_unbounded()] {
        let places = Bulkhead::new(config);
        let held = RefCell::new(None);
        let wait = || {
            *held.borrow_mut() = Some(places.try_acquire().unwrap());
            places.call(std::future::ready(Answer::Ok(1)))
        };
        let count = waits(wait, || drop(held.take()));
        // One box for all that a call needs which waits; its place in the line is reused.
        assert_eq!(count, (10, 0), "{config:?}");
    }
}

#[test]
fn what_a_wait_for_a_token_allocates() {
    let runtime = paused();
    let _entered = runtime.enter();
    let config = RateLimiterConfig::new(Rate::new(10, Duration::from_secs(1))).burst(1);
    for config in [config.wait(Duration::from_secs(60)), config.wait_unbounded()] {
        let limiter = RateLimiter::new(config);
        limiter.try_acquire().unwrap().success();
        let wait = || limiter.call(std::future::ready(Answer::Ok(1)));
        let count = waits(wait, || runtime.block_on(tokio::time::advance(Duration::from_millis(100))));
        // The same box, with the timer in it.
        assert_eq!(count, (10, 0), "{config:?}");
    }
}
