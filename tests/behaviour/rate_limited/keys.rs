//! One limiter for each key.

use crate::support::{Fault, ms};
use resilient::{Keyed, Rate, RateLimiter, RateLimiterConfig, rate_limited};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn each_key_has_a_limit_of_its_own() {
    #[rate_limited(2/s, key = host, key_label = format!("host {host}"), max_keys = 100)]
    async fn get(host: &str) -> Result<usize, Fault> {
        Ok(host.len())
    }

    for host in ["a", "b"] {
        assert!(get(host).await.is_ok() && get(host).await.is_ok());
        let error = get(host).await.unwrap_err();
        assert_eq!(error.ours().retry_after(), Some(ms(500)));
    }
    let limiters = resilient::registry().keyed_rate_limiter("keys::get").unwrap();
    let mut all: Vec<_> =
        limiters.all().into_iter().map(|(label, stats)| (label.to_string(), stats.rejected)).collect();
    all.sort();
    assert_eq!(all, [("host a".to_owned(), 1), ("host b".to_owned(), 1)]);
    advance(ms(500)).await;
    assert!(get("a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_may_have_a_rate_of_its_own() {
    struct Tenant {
        id: u64,
        rate: Rate,
    }

    #[rate_limited(key = tenant.id, rate = tenant.rate)]
    async fn serve(tenant: &Tenant) -> Result<u64, Fault> {
        Ok(tenant.id)
    }

    for (id, limit) in [(1, 3), (2, 7)] {
        let tenant = Tenant { id, rate: Rate::per_hour(limit) };
        let mut served = 0;
        for _ in 0..20 {
            served += u32::from(serve(&tenant).await.is_ok());
        }
        assert_eq!(served, limit);
    }
}

/// The per-source limiter of a package client: made when first asked, and seen one by one or all together.
#[tokio::test(start_paused = true)]
async fn sources_are_limited_one_by_one() {
    static SOURCES: Keyed<str, RateLimiter> =
        Keyed::new(RateLimiterConfig::new(Rate::per_second(10)).burst(3).wait(ms(1000))).displayed();

    assert_eq!(SOURCES.stats().keys, 0);
    let allow = |source: &str| SOURCES.get(source).try_acquire().is_ok();
    assert_eq!((0..5).filter(|_| allow("https://a")).count(), 3);
    assert!(allow("https://b"));
    let start = tokio::time::Instant::now();
    SOURCES.get("https://a").acquire_many(2).await.unwrap().success();
    assert_eq!(start.elapsed(), ms(200));
    let stats = SOURCES.stats_of("https://a").unwrap();
    assert_eq!((stats.tokens, stats.admitted, stats.rejected), (0, 4, 2));
    assert!(SOURCES.stats_of("https://c").is_none());
    assert_eq!(SOURCES.all().len(), 2);
    SOURCES.reset_all();
    assert_eq!(SOURCES.stats_of("https://a").unwrap().tokens, 3);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_not_full_is_kept_for_its_key() {
    static SLOW: Keyed<u32, RateLimiter> =
        Keyed::new(RateLimiterConfig::new(Rate::per_day(1))).max_keys(4).idle(ms(10));

    assert!(SLOW.get(&1).try_acquire().is_ok());
    advance(ms(20)).await;
    for key in 10..30 {
        let _ = SLOW.get(&key);
    }
    assert!(SLOW.get(&1).try_acquire().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_plain_limit_by_key_is_a_table_of_buckets() {
    #[rate_limited(2/s, burst = 4, cost = cost, key = (user, region), max_keys = 1_000)]
    async fn ask(user: u64, region: &str, cost: usize) -> Result<u64, Fault> {
        Ok(user)
    }

    assert!(ask(1, "eu", 3).await.is_ok());
    assert!(ask(1, "us", 3).await.is_ok());
    let refused = ask(1, "eu", 3).await.unwrap_err();
    assert_eq!(refused.ours().retry_after(), Some(ms(1000)));
    match refused.ours() {
        resilient::Error::RateLimited { limit, remaining, .. } => assert_eq!((*limit, *remaining), (4, 1)),
        other => panic!("{other}"),
    }
    let table = resilient::registry().rate_slots("keys::ask").unwrap();
    assert_eq!((table.stats().keys, table.stats().rejected), (2, 1));
    assert_eq!(table.stats_of(&(1_u64, "eu")).tokens, 1);
    table.reset_all();
    assert!(ask(1, "eu", 4).await.is_ok());
    let text = resilient::registry().site("keys::ask").unwrap().to_string();
    assert!(text.contains("rate_limited (one for each key)"), "{text}");
}
