//! Const expressions wherever a literal may stand.

use crate::support::{Fault, Flaky};
use resilient::{Backoff, Rate, Ratio, Timeout, bulkhead, circuit_breaker, rate_limited, retry, timeout};
use std::time::Duration;

const N: u32 = 5;
const HALF: Ratio = Ratio::percent(50);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = SECOND.saturating_mul(60);
const RATE: Rate = Rate::per_second(100);

mod limits {
    pub(super) const CALLS: u32 = 3;
    pub(super) const fn doubled(n: u32) -> u32 {
        n * 2
    }
}

struct Client;

impl Client {
    const LIMIT: u32 = 7;

    #[bulkhead(Client::LIMIT)]
    async fn associated(&self) -> Result<(), Fault> {
        Ok(())
    }
}

#[circuit_breaker(
    failure_rate = HALF, window = N * 4, min_calls = N, open_for = SECOND.saturating_mul(2), probes = limits::CALLS,
    successes = limits::doubled(N), probe_timeout = SECOND
)]
#[circuit_breaker(failure_rate = Ratio::percent(10), window = SECOND)]
#[circuit_breaker(failures = N, open_for = { SECOND })]
#[rate_limited(RATE, burst = N * 100, initial = N, wait = SECOND)]
#[rate_limited(Rate::per_minute(10))]
#[rate_limited(N/min)]
#[retry(attempts = N, backoff = SECOND..=Duration::from_secs(10), factor = 1.0 + 0.5, jitter = HALF, max_duration = MINUTE)]
#[retry(attempts = 2, backoff = 10ms..=SECOND)]
#[retry(attempts = 2, backoff = SECOND)]
#[retry(attempts = 2, backoff = Backoff::exponential(SECOND, Duration::from_secs(2)))]
#[timeout(SECOND)]
#[timeout(Timeout::FAST)]
#[bulkhead(N, wait = SECOND, queue = N)]
async fn every_argument(flaky: &Flaky) -> Result<u32, Fault> {
    flaky.run()
}

#[tokio::test(start_paused = true)]
async fn expressions() {
    assert_eq!(every_argument(&Flaky::failing(1)).await, Ok(2));
    Client.associated().await.unwrap();
    let registry = resilient::registry();
    let site = registry.site("shapes::expressions::every_argument").unwrap();
    let config = site.circuit_breaker().unwrap().config();
    let expected = resilient::CircuitBreakerConfig::new()
        .window_calls(20)
        .min_calls(5)
        .failure_rate(HALF)
        .open_for(Duration::from_secs(2))
        .probe_timeout(SECOND)
        .probes(3)
        .successes(10)
        .name("circuit_breaker");
    assert_eq!(format!("{config:?}"), format!("{expected:?}"));
    let places = registry.site("shapes::expressions::Client::associated");
    assert!(places.is_err(), "a site is named by module and fn");
}

macro_rules! limited {
    ($name:ident, $places:expr, $time:expr) => {
        #[bulkhead($places)]
        #[timeout($time)]
        async fn $name() -> Result<(), Fault> {
            Ok(())
        }
    };
}

limited!(from_macros, 3, 2s);
limited!(from_macros_by_expression, N, SECOND);

#[tokio::test(start_paused = true)]
async fn fragments_of_macros() {
    from_macros().await.unwrap();
    from_macros_by_expression().await.unwrap();
}
