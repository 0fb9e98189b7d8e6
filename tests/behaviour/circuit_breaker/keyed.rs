//! One breaker for each key.

use super::*;
use resilient::{Keyed, subscribe};
use std::sync::Arc;

type Hosts = Keyed<str, CircuitBreaker>;

fn hosts() -> Hosts {
    Keyed::new(CONFIG.failures(1).checked()).displayed()
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_disturb_each_other() {
    let hosts = hosts();
    calls(&hosts.get("a"), "F").await;
    calls(&hosts.get("b"), "S").await;
    assert!(refused(&hosts.get(&String::from("a"))).await.is_some());
    assert_eq!([hosts.state("a"), hosts.state("b")], [CircuitState::Open, CircuitState::Closed]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_closed_and_stays_unknown() {
    let hosts = hosts();
    assert_eq!((hosts.state("nobody"), hosts.stats_of("nobody")), (CircuitState::Closed, None));
    assert!(!hosts.reset("nobody"));
    assert_eq!(hosts.stats().keys, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_are_reset_one_by_one_or_all() {
    let hosts = hosts();
    for host in ["a", "b", "c"] {
        calls(&hosts.get(host), "F").await;
    }
    assert!(hosts.reset("a"));
    assert_eq!(["a", "b"].map(|host| hosts.state(host)), [CircuitState::Closed, CircuitState::Open]);
    hosts.reset_all();
    assert!(hosts.all().iter().all(|(_, stats)| stats.state == CircuitState::Closed));
    let mut labels: Vec<_> = hosts.all().into_iter().map(|(label, _)| label).collect();
    labels.sort();
    assert_eq!(labels, ["a", "b", "c"].map(Arc::from));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_said_of_a_key_is_kept_however_idle_it_is() {
    let hosts = hosts().idle(ms(1000)).max_keys(2);
    hosts.force_open("a");
    for round in 0..100 {
        advance(ms(1500)).await;
        calls(&hosts.get(&round.to_string()), "S").await;
    }
    assert_eq!(refused(&hosts.get("a")).await, None);
    assert_eq!(hosts.stats().keys, 2);
    assert!(hosts.all().iter().any(|(label, _)| &**label == "a"));
    let answer: Result<u32, Fault> = hosts.call("a", async { Ok(1) }).await;
    assert!(answer.unwrap_err().ours().is_circuit_open());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_keys_stays_within_the_bound() {
    let hosts: Keyed<u32, CircuitBreaker> = Keyed::new(CONFIG.failures(1)).max_keys(1000);
    for key in 0..50_000 {
        hosts.get(&key).try_acquire().unwrap().success();
        assert!(hosts.stats().keys <= 1000);
    }
    let stats = hosts.stats();
    assert_eq!((stats.keys as u64 + stats.evicted, stats.unstored), (50_000, 0));
}

#[tokio::test(start_paused = true)]
async fn first_calls_of_many_threads_share_one_breaker() {
    let hosts = hosts();
    let barrier = Barrier::new(8);
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads = (0..8).map(|_| {
            scope.spawn(|| {
                barrier.wait();
                hosts.get("a")
            })
        });
        threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    opened[0].try_acquire().unwrap().failure();
    assert!(opened.iter().all(|breaker| breaker.try_acquire().is_err()));
    assert_eq!(hosts.stats().keys, 1);
}

#[tokio::test(start_paused = true)]
async fn events_tell_the_key() {
    let hosts: Hosts = Keyed::new(CONFIG.failures(1).name("hosts told").checked()).displayed();
    let texts = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = texts.clone();
    let _subscription = subscribe(move |event| {
        if event.policy == "hosts told" {
            heard.lock().unwrap().push((event.key.clone(), event.to_string()));
        }
    });
    calls(&hosts.get("a"), "F").await;
    refused(&hosts.get("a")).await;
    let texts = texts.lock().unwrap();
    assert!(texts.iter().all(|(key, _)| key.as_deref() == Some("a")));
    assert_eq!(texts[0].1, "hosts told of a: opened for 1s: 1 failure in a row");
}
