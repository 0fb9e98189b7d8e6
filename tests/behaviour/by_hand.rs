//! The policies without attributes.

use crate::support::{Act, Dependency, Fault, ms};
use resilient::{
    Backoff, Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Error, Fallback, Jitter,
    Rate, RateLimiter, RateLimiterConfig, Retry, RetryConfig, Timeout, TimeoutConfig, circuit_breaker,
};
use std::sync::Arc;

static BREAKER: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).name("static"));
static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(1));
static QUOTA: RateLimiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_hour(100)));
static PATIENT: Retry = Retry::new(
    RetryConfig::new().attempts(3).backoff(Backoff::constant(std::time::Duration::from_millis(1))).jitter(Jitter::None),
);
static BRIEF: Timeout = Timeout::new(TimeoutConfig::new(Timeout::FAST));

#[tokio::test(start_paused = true)]
async fn they_compose_by_nesting() {
    let dependency = Dependency::new([Act::Fail, Act::Hang, Act::Succeed]);
    let cached = Fallback::new(|_: Fault| Ok(0));
    let call = || async {
        cached.call(|| PLACES.call(|| PATIENT.call(|| QUOTA.call(|| BRIEF.call(|| dependency.run()))))).await
    };
    assert_eq!(call().await, Ok(3));
    dependency.act([Act::Fail]);
    assert_eq!(call().await, Ok(0));
    assert_eq!((QUOTA.stats().tokens, PLACES.available()), (94, 1));
    assert_eq!((PATIENT.stats().retries, PATIENT.stats().exhausted, BRIEF.stats().timed_out), (4, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_policy_used_by_hand_has_no_site() {
    let refused = BREAKER.try_acquire();
    refused.unwrap().failure();
    let error = BREAKER.call(async { Ok::<_, Error>(()) }).await.unwrap_err();
    assert_eq!((error.policy(), error.site()), ("static", ""));
    assert!(error.to_string().starts_with("static: the circuit is open; retry after "));
    let io: std::io::Error = BREAKER.call(async { Ok::<(), std::io::Error>(()) }).await.unwrap_err();
    assert!(io.get_ref().unwrap().downcast_ref::<Error>().unwrap().is_circuit_open());
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_shared_between_sites_and_by_hand() {
    struct Client {
        breaker: Arc<CircuitBreaker>,
        calls: u32,
    }
    impl Client {
        #[circuit_breaker(policy = self.breaker)]
        async fn by_ref(&self) -> Result<u32, Fault> {
            Err(Fault::BadRequest)
        }

        #[circuit_breaker(policy = self.breaker)]
        async fn by_mut(&mut self) -> Result<u32, Fault> {
            self.calls += 1;
            Ok(self.calls)
        }
    }
    let breaker = Arc::new(CircuitBreaker::new(CircuitBreakerConfig::new().failures(2)));
    let mut client = Client { breaker: breaker.clone(), calls: 0 };
    assert_eq!(client.by_mut().await, Ok(1));
    client.by_ref().await.unwrap_err();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), CircuitState::Open);
    assert!(client.by_mut().await.unwrap_err().ours().is_circuit_open());
    assert_eq!(client.calls, 1);
}

#[tokio::test(start_paused = true)]
async fn permits_and_calls_of_a_bulkhead_share_its_places() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait(ms(10)));
    let place = places.acquire().await.unwrap();
    let error = places.call(async { Ok::<_, Fault>(()) }).await.unwrap_err();
    assert!(matches!(error.ours(), Error::BulkheadFull { max: 1, .. }));
    place.success();
    places.call(async { Ok::<_, Fault>(()) }).await.unwrap();
}

#[test]
fn impossible_numbers_are_refused_at_run_time_with_what_is_allowed() {
    let refused = [
        CircuitBreakerConfig::new().failures(0).check(),
        RateLimiterConfig::new(Rate::per_second(0)).check(),
        RetryConfig::new().attempts(1).check(),
        TimeoutConfig::new(ms(0)).check(),
        BulkheadConfig::new(0).check(),
    ];
    for error in refused.map(Result::unwrap_err) {
        assert!(error.message().len() > 20, "{error}");
    }
}
