//! Which of many breakers are kept, and which are not.

use super::{
    calls,
    keyed::{BRITTLE, hosts},
};
use crate::support::ms;
use resilient::{CircuitBreaker, CircuitState, Keyed, subscribe};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tokio::time::{advance, sleep};

/// Nobody calls it, so that nobody but the map hears the news.
#[tokio::test(start_paused = true)]
async fn a_good_answer_that_no_call_has_heard_of_pins_no_longer() {
    let hosts = hosts().max_keys(1).health_check(|_| Box::pin(async { true }));
    calls(&hosts.get("a"), "F").await;
    hosts.get("b");
    assert!(hosts.find("a").is_some() && hosts.find("b").is_none());
    sleep(ms(6000)).await;
    hosts.get("b");
    assert!(hosts.find("a").is_none() && hosts.find("b").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_pins_no_longer_than_it_may_take() {
    let hosts = hosts().max_keys(1);
    calls(&hosts.get("a"), "F").await;
    advance(ms(1000)).await;
    let probe = hosts.try_acquire("a").unwrap();
    advance(ms(999)).await;
    hosts.get("b");
    assert!(hosts.find("a").is_some());
    // It counts as failed, and what that opens is over too.
    advance(ms(1001)).await;
    hosts.get("b");
    assert!(hosts.find("a").is_none());
    drop(probe);
}

/// The check never succeeds: until its idleness it is kept, and then its task ends with it.
#[tokio::test(start_paused = true)]
async fn the_health_check_of_a_dead_host_ends_with_its_eviction() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let config = BRITTLE.health_every(ms(100)).checked();
    let hosts: Keyed<str, CircuitBreaker> = Keyed::new(config).idle(ms(5000)).health_check(|host| {
        assert_eq!(host, "dead");
        ASKED.fetch_add(1, Relaxed);
        Box::pin(async { false })
    });
    // Even if somebody holds it.
    let held = hosts.get("dead");
    calls(&held, "F").await;
    sleep(ms(4900)).await;
    hosts.get("other");
    assert!(hosts.find("dead").is_some() && ASKED.load(Relaxed) > 3);
    sleep(ms(2600)).await;
    hosts.get("another");
    assert!(hosts.find("dead").is_none());
    let asked = ASKED.load(Relaxed);
    sleep(ms(60_000)).await;
    assert_eq!(ASKED.load(Relaxed), asked);
    // Time and probes decide from now on.
    assert_eq!(held.state(), CircuitState::HalfOpen);
}

/// Whoever hears of a circuit may look for others of its kind.
#[tokio::test(start_paused = true)]
async fn no_lock_is_held_while_somebody_hears_what_became_of_one_that_is_looked_at() {
    static HOSTS: Keyed<str, CircuitBreaker> = Keyed::new(BRITTLE.name("overheard").checked()).max_keys(1).displayed();
    static HEARD: AtomicU32 = AtomicU32::new(0);
    let subscription = subscribe(|event| {
        if event.policy == "overheard" && event.key.as_deref() == Some("a") {
            HEARD.fetch_add(1, Relaxed);
            HOSTS.get("c");
            let _ = (HOSTS.stats(), HOSTS.totals(), HOSTS.force_open("c").is_ok(), HOSTS.reset("c"));
        }
    });
    calls(&HOSTS.get("a"), "F").await;
    advance(ms(1000)).await;
    let probe = HOSTS.try_acquire("a");
    advance(ms(5000)).await;
    let heard = HEARD.load(Relaxed);
    HOSTS.get("b");
    assert!(heard > 0 && HOSTS.stats().keys == 1);
    drop((probe, subscription));
}
