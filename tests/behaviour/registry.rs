//! Every site that was called can be found, read and controlled.

use crate::support::{Act, Dependency, Fault, Heard, ms};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, SitePolicy, bulkhead, circuit_breaker, fallback, rate_limited,
    registry, resilient, retry, timeout,
};

#[fallback(|_| Ok(0))]
#[rate_limited(100/s)]
#[bulkhead(10)]
#[timeout(10s, name = "total")]
#[retry]
#[circuit_breaker(failures = 1, name = "shop_prices")]
#[timeout(1s)]
async fn listed(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn a_site_appears_on_its_first_call_with_its_policies_in_order() {
    assert!(registry().site("registry::listed").is_err());
    listed(&Dependency::new([Act::Succeed])).await.unwrap();
    let site = registry().site("registry::listed").unwrap();
    let names: Vec<_> = site.policies().iter().map(SitePolicy::name).collect();
    assert_eq!(names, ["fallback", "rate_limited", "bulkhead", "total", "retry", "shop_prices", "timeout"]);
    let kinds: Vec<_> = site.policies().iter().map(SitePolicy::kind).collect();
    assert_eq!(kinds, ["fallback", "rate_limited", "bulkhead", "timeout", "retry", "circuit_breaker", "timeout"]);
    assert_eq!((site.name(), site.file()), ("behaviour::registry::listed", file!()));
    let text = site.to_string();
    assert!(text.contains("shared by all instances") && text.contains("bulkhead > total > retry"), "{text}");
    let breaker = registry().circuit_breaker("shop_prices").unwrap();
    assert!(std::ptr::eq(breaker, registry().circuit_breaker("registry::listed").unwrap()));
    breaker.force_open();
    assert_eq!(listed(&Dependency::new([Act::Succeed])).await, Ok(0));
    breaker.reset();
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(site.rate_limiter().unwrap().stats().burst, 100);
    let error = registry().circuit_breaker("shop_price").unwrap_err();
    assert_eq!(error.closest(), Some("shop_prices"));
    let error = registry().site("registry::lister").unwrap_err();
    assert!(error.to_string().contains("listed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_name_of_ones_own_and_one_site_for_all_types() {
    #[resilient(name = "shop.generic")]
    #[bulkhead(5)]
    async fn generic<T: Send>(value: T) -> Result<T, Fault> {
        Ok(value)
    }
    generic(1_u8).await.unwrap();
    generic("text").await.unwrap();
    let site = registry().site("shop.generic").unwrap();
    assert_eq!(site.stats().calls, 2);
    let listed = registry().sites().iter().filter(|site| site.name() == "shop.generic").count();
    assert_eq!(listed, 1);
}

#[tokio::test(start_paused = true)]
async fn latency_holds_waits_and_pauses_of_calls_that_waited() {
    #[retry(attempts = 2, backoff = 30ms, jitter = none)]
    async fn timed(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Succeed, Act::SlowFail(20), Act::Slow(10)]);
    timed(&dependency).await.unwrap();
    timed(&dependency).await.unwrap();
    let latency = registry().site("registry::timed").unwrap().stats().latency;
    assert_eq!(latency.count(), 1);
    let median = latency.quantile(0.5).unwrap();
    assert!((ms(60)..ms(69)).contains(&median), "{median:?}");
}

#[test]
fn counts_of_many_threads_add_up() {
    #[bulkhead(1000)]
    async fn counted(fail: bool) -> Result<(), Fault> {
        if fail { Err(Fault::BadRequest) } else { Ok(()) }
    }
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for run in 0..100 {
                    let _ = runtime.block_on(counted(run % 4 == 0));
                }
            });
        }
    });
    let stats = registry().site("registry::counted").unwrap().stats();
    assert_eq!((stats.calls, stats.succeeded, stats.failed), (2000, 1500, 500));
    crate::support::adds_up("registry::counted");
}

#[tokio::test(start_paused = true)]
async fn a_transition_that_a_reader_causes_names_the_site() {
    #[circuit_breaker(failures = 1, open_for = 50ms)]
    async fn watched() -> Result<(), Fault> {
        Err(Fault::BadRequest)
    }
    let heard = Heard::of("registry::watched");
    watched().await.unwrap_err();
    tokio::time::advance(ms(50)).await;
    let breaker = registry().circuit_breaker("watched").unwrap();
    assert_eq!(breaker.state().to_string(), "half-open");
    let texts = heard.take();
    assert!(texts.len() == 2 && texts[1].contains("half-opened"), "{texts:?}");
}

static ELSEWHERE: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new());

#[circuit_breaker(ELSEWHERE, name = "from_elsewhere")]
async fn with_a_shared_one() -> Result<u32, Fault> {
    Ok(1)
}

#[circuit_breaker(key = key, name = "by_key")]
async fn with_one_for_each_key(key: u8) -> Result<u32, Fault> {
    Ok(key.into())
}

#[circuit_breaker(name = "for_all")]
async fn with_one_for_all() -> Result<u32, Fault> {
    Ok(1)
}

/// It was said that none is named so, and something else is the closest.
#[tokio::test]
async fn a_breaker_that_is_found_in_another_way_is_said_to_be() {
    with_a_shared_one().await.unwrap();
    with_one_for_each_key(1).await.unwrap();
    with_one_for_all().await.unwrap();
    let error = |name: &str| registry().circuit_breaker(name).unwrap_err().to_string();
    for name in ["from_elsewhere", "with_a_shared_one"] {
        let expected = format!("`{name}` comes from elsewhere (`policy = ..`): control it where it is");
        assert_eq!(error(name), expected);
        assert_eq!(registry().keyed_circuit_breaker(name).unwrap_err().to_string(), expected);
    }
    for name in ["by_key", "with_one_for_each_key"] {
        assert_eq!(error(name), format!("`{name}` is one for each key: ask for it with `keyed_circuit_breaker`"));
    }
    for name in ["for_all", "with_one_for_all"] {
        let error = registry().keyed_circuit_breaker(name).unwrap_err().to_string();
        assert_eq!(error, format!("`{name}` is one for all calls, without a key: ask for it with `circuit_breaker`"));
    }
}
