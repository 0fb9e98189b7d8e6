//! One bulkhead for each key.

use crate::support::{Act, Dependency, Fault, Heard, ms, poll_once, site};
use resilient::{Bulkhead, BulkheadConfig, Keyed, Mode, bulkhead, registry};
use tokio::time::advance;

const fn hosts() -> Keyed<str, Bulkhead> {
    Keyed::new(BulkheadConfig::new(1).checked()).displayed()
}

#[tokio::test(start_paused = true)]
async fn a_key_has_places_of_its_own() {
    let hosts = hosts();
    let dependency = Dependency::new([Act::Slow(10)]);
    let (a, b, c) = tokio::join!(
        biased;
        hosts.call("a", dependency.run()),
        hosts.call("a", dependency.run()),
        hosts.call("b", dependency.run())
    );
    assert!(a.is_ok() && b.unwrap_err().ours().is_bulkhead_full() && c.is_ok());
    assert_eq!((hosts.stats_of("a").unwrap().rejected, hosts.stats_of("b").unwrap().rejected), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_annotated_fn_has_one_for_each_value_of_an_expression() {
    #[bulkhead(1, key = host, max_keys = 2, idle = 1s, name = "of_host")]
    async fn of_host(host: &str, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("of_host");
    let dependency = Dependency::new([Act::Slow(10)]);
    let (a, b, c) = tokio::join!(
        biased;
        of_host("a", &dependency),
        of_host("a", &dependency),
        of_host("b", &dependency)
    );
    assert!(a.is_ok() && b.is_err() && c.is_ok());
    assert_eq!(heard.take(), ["of_host of a: rejected: all of 1 place taken"]);
    let keys = registry().keyed_bulkhead("of_host").unwrap();
    assert_eq!(keys.stats_of("a").unwrap().unwrap().full, 1);
    assert_eq!(site("keyed::of_host").keyed_bulkhead().unwrap().stats().keys, 2);
    assert!(site("keyed::of_host").to_string().ends_with("of_host (one for each key)"));
    assert!(registry().bulkhead("of_host").is_err());
}

#[tokio::test(start_paused = true)]
async fn one_with_somebody_inside_or_in_line_is_not_forgotten() {
    let hosts: Keyed<str, Bulkhead> =
        Keyed::new(BulkheadConfig::new(1).wait_unbounded()).displayed().max_keys(2).idle(ms(1000));
    let a = hosts.get("a");
    let inside = a.try_acquire().unwrap();
    let mut waits = Box::pin(a.acquire());
    assert!(poll_once(&mut waits).is_pending());
    for number in 0..20 {
        advance(ms(1500)).await;
        hosts.get(&format!("other {number}"));
    }
    assert!(hosts.get("a").try_acquire().is_err());
    drop(inside);
    drop(waits.await.unwrap());
    advance(ms(1500)).await;
    hosts.get("one more");
    assert!(hosts.find("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_said_of_a_key_outlives_its_idleness() {
    let hosts = hosts().idle(ms(1000));
    hosts.get("a").set_max(5).unwrap();
    hosts.get("b").set_mode(Mode::Off);
    advance(ms(5000)).await;
    hosts.get("c");
    assert_eq!(hosts.get("a").stats().max, 5);
    assert_eq!(hosts.get("b").stats().mode, Mode::Off);
    hosts.reset_all();
    assert_eq!((hosts.get("a").stats().max, hosts.get("b").stats().mode), (1, Mode::On));
    advance(ms(5000)).await;
    hosts.get("c");
    assert_eq!(hosts.stats().keys, 1);
}
