//! Shared instances, several of a kind, names.

use crate::support::{Fault, Flaky};
use resilient::{
    Backoff, Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, Jitter, Rate, RateLimiter,
    RateLimiterConfig, Retry, RetryConfig, Timeout, TimeoutConfig, bulkhead, circuit_breaker, rate_limited, resilient,
    retry, timeout,
};
use std::{sync::Arc, time::Duration};

static PAYMENTS: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).name("payments"));
static VENDOR: RateLimiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_hour(2)).name("vendor"));
static READS: Retry = Retry::new(RetryConfig::new().attempts(4).jitter(Jitter::None).name("reads"));
static TOTAL: Timeout = Timeout::new(TimeoutConfig::new(Duration::from_secs(3)).name("total"));
static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(2).name("places"));

#[circuit_breaker(PAYMENTS)]
async fn pay(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[circuit_breaker(policy = PAYMENTS, when = Fault::is_transient, name = "mine")]
async fn refund(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[circuit_breaker(self::PAYMENTS)]
async fn by_path(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[timeout(policy = TOTAL)]
#[rate_limited(policy = VENDOR, cost = n)]
#[bulkhead(policy = PLACES)]
#[retry(READS)]
async fn all_shared(n: u32, flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn statics() {
    assert_eq!(pay(&Flaky::failing(1)).await, Err(Fault::Transient));
    let refused = refund(&Flaky::failing(0)).await.unwrap_err();
    assert_eq!(refused.to_string().split(';').next(), Some("mine of shapes::policies::refund: the circuit is open"));
    assert!(by_path(&Flaky::failing(0)).await.is_err());
    assert_eq!(all_shared(1, &Flaky::failing(3)).await, Ok(4));
    let refused = all_shared(2, &Flaky::failing(0)).await.unwrap_err();
    assert!(matches!(refused, Fault::Refused(error) if error.is_rate_limited() && error.policy() == "vendor"));
}

struct Client {
    breaker: CircuitBreaker,
    counted: Arc<CircuitBreaker>,
    boxed: Box<Timeout>,
    flaky: Flaky,
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(CircuitBreakerConfig::new().failures(1))
}

impl Client {
    fn failing(times: u32) -> Self {
        Self {
            breaker: breaker(),
            counted: Arc::new(breaker()),
            boxed: Box::new(Timeout::new(TimeoutConfig::new(Duration::from_secs(1)))),
            flaky: Flaky::failing(times),
        }
    }

    fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    #[circuit_breaker(policy = self.breaker)]
    async fn field(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[circuit_breaker(policy = &self.breaker)]
    async fn reference(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[circuit_breaker(policy = self.breaker())]
    async fn getter(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[circuit_breaker(policy = self.counted)]
    async fn counted(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[timeout(policy = self.boxed)]
    async fn boxed(&self) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[circuit_breaker(policy = self.counted)]
    async fn counted_by_mut(&mut self) -> Result<u32, Fault> {
        self.flaky = Flaky::failing(1);
        self.flaky.run()
    }

    #[circuit_breaker(policy = self.counted)]
    #[circuit_breaker(PAYMENTS, when = |_| false)]
    async fn counted_by_value(self) -> Result<u32, Fault> {
        let Self { flaky, .. } = self;
        flaky.run()
    }

    #[circuit_breaker(policy = breaker)]
    async fn argument(&mut self, breaker: &CircuitBreaker) -> Result<u32, Fault> {
        self.flaky.run()
    }

    #[circuit_breaker(policy = breaker)]
    async fn counted_argument(&self, breaker: Arc<CircuitBreaker>) -> Result<u32, Fault> {
        self.flaky.run()
    }
}

#[tokio::test(start_paused = true)]
async fn fields() {
    let mut client = Client::failing(1);
    assert_eq!(client.field().await, Err(Fault::Transient));
    assert!(matches!(client.reference().await, Err(Fault::Refused(_))));
    assert!(matches!(client.getter().await, Err(Fault::Refused(_))));
    assert_eq!(client.counted().await, Ok(2));
    assert_eq!(client.boxed().await, Ok(3));
    assert_eq!(client.counted_by_mut().await, Err(Fault::Transient));
    assert!(matches!(client.counted().await, Err(Fault::Refused(_))));
    let breaker = Arc::new(breaker());
    breaker.force_open();
    assert!(matches!(client.argument(&breaker).await, Err(Fault::Refused(_))));
    assert!(matches!(client.counted_argument(breaker).await, Err(Fault::Refused(_))));
    PAYMENTS.disable();
    assert!(matches!(client.counted_by_value().await, Err(Fault::Refused(_))));
    PAYMENTS.reset();
}

#[timeout(10s)]
#[rate_limited(3/h)]
#[rate_limited(2/h, name = "hourly")]
#[retry(attempts = 2)]
#[retry(attempts = 2, backoff = 1ms)]
#[circuit_breaker(failures = 100)]
#[circuit_breaker(failures = 50)]
#[bulkhead(2)]
#[bulkhead(1)]
#[timeout(1s)]
async fn several(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn several_of_a_kind() {
    assert_eq!(several(&Flaky::failing(3)).await, Ok(4));
    assert_eq!(several(&Flaky::failing(0)).await, Ok(1));
    let Err(Fault::Refused(error)) = several(&Flaky::failing(0)).await else { panic!("a third call passed") };
    assert_eq!(error.policy(), "hourly");
    let registry = resilient::registry();
    let site = registry.site("shapes::policies::several").unwrap();
    let names: Vec<_> = site.policies().iter().map(resilient::SitePolicy::name).collect();
    assert_eq!(
        names,
        [
            "timeout",
            "rate_limited",
            "hourly",
            "retry",
            "retry_2",
            "circuit_breaker",
            "circuit_breaker_2",
            "bulkhead",
            "bulkhead_2",
            "timeout_2"
        ]
    );
}

#[resilient(name = "prices")]
#[circuit_breaker(failures = 1, name = "prices-breaker")]
async fn named(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn names() {
    assert!(named(&Flaky::failing(1)).await.is_err());
    let Err(Fault::Refused(error)) = named(&Flaky::failing(0)).await else { panic!("not refused") };
    assert_eq!((error.policy(), error.site()), ("prices-breaker", "prices"));
    let registry = resilient::registry();
    let site = registry.site("prices").unwrap();
    assert!(site.file().ends_with("policies.rs"));
    assert_eq!(registry.circuit_breaker("prices-breaker").unwrap().name(), "prices-breaker");
}

#[circuit_breaker(failures = 1, failure_if = |output| *output > 3, ignore_if = |output| *output == 2)]
#[resilient(rejected = |_| 0)]
async fn judged(output: u32) -> u32 {
    output
}

#[tokio::test(start_paused = true)]
async fn fns_without_a_result() {
    assert_eq!(judged(1).await, 1);
    assert_eq!(judged(2).await, 2);
    assert_eq!(judged(4).await, 4);
    assert_eq!(judged(1).await, 0);
}

#[rate_limited(1000/s, cost = items.len().try_into().unwrap_or(u32::MAX))]
async fn costly(items: Vec<u8>) -> Result<usize, Fault> {
    let items = items.into_iter();
    Ok(items.count())
}

#[tokio::test(start_paused = true)]
async fn a_cost_of_the_arguments() {
    assert_eq!(costly(vec![0; 600]).await, Ok(600));
    assert!(matches!(costly(vec![0; 600]).await, Err(Fault::Refused(_))));
}

#[retry(backoff = BACKOFF, jitter = none)]
async fn paused(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

const BACKOFF: Backoff = Backoff::constant(Duration::from_secs(5));

#[tokio::test(start_paused = true)]
async fn pauses() {
    let start = tokio::time::Instant::now();
    assert_eq!(paused(&Flaky::failing(2)).await, Ok(3));
    assert_eq!(start.elapsed().as_secs(), 10);
}
