//! Panics anywhere in a call give everything back, and are failures.

use crate::support::{Act, Dependency, Fault, adds_up, caught, ms, quietly_panic, site};
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, bulkhead, circuit_breaker, fallback,
    retry, timeout,
};
use tokio::time::advance;

struct Parts {
    breaker: CircuitBreaker,
    places: Bulkhead,
}

impl Parts {
    fn new() -> Self {
        Self {
            breaker: CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(ms(10))),
            places: Bulkhead::new(BulkheadConfig::new(1).wait_unbounded()),
        }
    }

    /// The panic opened the circuit, and everything was given back. Leaves it half-open.
    async fn panicked(&self) {
        assert_eq!((self.breaker.state(), self.breaker.stats().probes_in_flight), (CircuitState::Open, 0));
        assert_eq!((self.places.stats().in_use, self.places.stats().waiting), (0, 0));
        advance(ms(10)).await;
        assert_eq!(self.breaker.state(), CircuitState::HalfOpen);
    }
}

#[fallback(|_| Ok(0), when = |_| true)]
#[bulkhead(policy = parts.places)]
#[retry(attempts = 3, backoff = 1ms)]
#[circuit_breaker(policy = parts.breaker)]
#[timeout(1s)]
async fn stacked(parts: &Parts, dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn at_every_poll_with_the_panic_caught_around_the_call() {
    let parts = Parts::new();
    for polls in 0..5 {
        let dependency = Dependency::new([Act::YieldPanic(polls)]);
        assert!(caught(stacked(&parts, &dependency)).await.is_none());
        parts.panicked().await;
    }
    let stats = site("panics::stacked").stats();
    assert!(stats.panicked >= 5 && stats.cancelled == 0);
    adds_up("panics::stacked");
}

#[tokio::test(start_paused = true)]
async fn at_every_poll_with_the_panic_caught_by_the_executor() {
    for polls in 0..5 {
        let parts: &'static Parts = Box::leak(Box::new(Parts::new()));
        let dependency: &'static Dependency = Box::leak(Box::new(Dependency::new([Act::YieldPanic(polls)])));
        #[bulkhead(policy = parts.places)]
        #[circuit_breaker(policy = parts.breaker)]
        async fn spawned(parts: &Parts, dependency: &Dependency) -> Result<u32, Fault> {
            dependency.run().await
        }
        assert!(tokio::spawn(spawned(parts, dependency)).await.unwrap_err().is_panic());
        parts.panicked().await;
    }
    adds_up("panics::spawned");
}

#[tokio::test(start_paused = true)]
async fn in_an_attempt_after_the_first_it_ends_the_retry() {
    let parts = Parts::new();
    #[bulkhead(policy = parts.places)]
    #[retry(attempts = 5, backoff = 1ms)]
    async fn retried(parts: &Parts, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail, Act::Panic]);
    assert!(caught(retried(&parts, &dependency)).await.is_none());
    assert_eq!((dependency.runs(), parts.places.available()), (2, 1));
    adds_up("panics::retried");
}

#[tokio::test(start_paused = true)]
async fn in_a_predicate_of_the_users() {
    let parts = Parts::new();
    #[bulkhead(policy = parts.places)]
    #[circuit_breaker(policy = parts.breaker, when = |_| quietly_panic())]
    async fn judged(parts: &Parts, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail, Act::Slow(1), Act::SlowFail(1)]);
    assert!(caught(judged(&parts, &dependency)).await.is_none());
    parts.panicked().await;
    judged(&parts, &dependency).await.unwrap();
    assert_eq!(parts.breaker.state(), CircuitState::Closed);
    assert!(caught(judged(&parts, &dependency)).await.is_none());
    parts.panicked().await;
    adds_up("panics::judged");
}

#[tokio::test(start_paused = true)]
async fn in_a_fallback_it_does_not_reach_what_has_been_settled() {
    let parts = Parts::new();
    #[bulkhead(policy = parts.places)]
    #[fallback(|_| async { quietly_panic::<Result<u32, Fault>>() })]
    #[circuit_breaker(policy = parts.breaker, when = |_| false)]
    async fn answered(parts: &Parts, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    assert!(caught(answered(&parts, &Dependency::new([Act::Fail]))).await.is_none());
    assert_eq!((parts.breaker.state(), parts.places.available()), (CircuitState::Closed, 1));
    adds_up("panics::answered");
}

#[derive(Debug)]
struct Explosive;

impl From<resilient::Error> for Explosive {
    fn from(_: resilient::Error) -> Self {
        quietly_panic()
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_conversion_of_our_error() {
    let parts = Parts::new();
    #[bulkhead(policy = parts.places)]
    #[timeout(1ms)]
    async fn converted(parts: &Parts) -> Result<u32, Explosive> {
        std::future::pending().await
    }
    assert!(caught(converted(&parts)).await.is_none());
    assert_eq!(parts.places.available(), 1);
    adds_up("panics::converted");
}

#[tokio::test(start_paused = true)]
async fn in_the_drop_of_a_body() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            quietly_panic::<()>();
        }
    }
    let parts = Parts::new();
    #[bulkhead(policy = parts.places)]
    #[timeout(1ms)]
    #[circuit_breaker(policy = parts.breaker)]
    async fn armed(parts: &Parts) -> Result<u32, Fault> {
        let _bomb = Bomb;
        std::future::pending().await
    }
    assert!(caught(armed(&parts)).await.is_none());
    parts.panicked().await;
    adds_up("panics::armed");
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_dropped_by_a_panic_is_a_failure() {
    let parts = Parts::new();
    let work = async {
        let _place = parts.places.acquire().await.unwrap();
        let _permit = parts.breaker.try_acquire().unwrap();
        quietly_panic::<()>();
    };
    assert!(caught(work).await.is_none());
    parts.panicked().await;
}
