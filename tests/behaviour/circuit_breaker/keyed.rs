//! One breaker for each key.

use super::{calls, refused};
use crate::support::{Fault, ms};
use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, Keyed};
use std::{
    sync::{Arc, Barrier},
    time::Duration,
};
use tokio::time::advance;

pub(super) const BRITTLE: CircuitBreakerConfig =
    CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(1));

pub(super) const fn hosts() -> Keyed<str, CircuitBreaker> {
    Keyed::new(BRITTLE.checked()).displayed()
}

#[tokio::test(start_paused = true)]
async fn a_key_has_a_circuit_of_its_own() {
    let hosts = hosts();
    calls(&hosts.get("a"), "F").await;
    refused(&hosts.get("a")).await;
    calls(&hosts.get("b"), "S").await;
    assert_eq!((hosts.state("a"), hosts.state("b")), (CircuitState::Open, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_closed_and_looking_does_not_make_it() {
    let hosts = hosts();
    assert_eq!(hosts.state("a"), CircuitState::Closed);
    assert!(hosts.find("a").is_none() && hosts.stats_of("a").is_none() && !hosts.reset("a"));
    hosts.reset_all();
    assert!(hosts.all().is_empty());
    assert_eq!((hosts.stats().keys, hosts.stats().evicted, hosts.stats().unstored), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn borrowed_and_owned_forms_are_the_same_key() {
    let hosts = hosts();
    calls(&hosts.get("a.example"), "F").await;
    assert_eq!(hosts.state(&String::from("a.example")), CircuitState::Open);
    assert!(Arc::ptr_eq(&hosts.get("a.example"), &hosts.get(&String::from("a.example"))));
    let numbers: Keyed<Vec<u32>, CircuitBreaker> = Keyed::new(BRITTLE);
    calls(&numbers.get(&vec![1, 2]), "F").await;
    assert_eq!(numbers.state(&[1_u32, 2][..]), CircuitState::Open);
    assert_eq!(numbers.state(&[1_u32, 2, 3][..]), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_reset_alone_or_with_all() {
    let hosts = hosts();
    for host in ["a", "b", "c"] {
        calls(&hosts.get(host), "F").await;
    }
    assert!(hosts.reset("a"));
    let states = || ["a", "b", "c"].map(|host| hosts.state(host));
    assert_eq!(states(), [CircuitState::Closed, CircuitState::Open, CircuitState::Open]);
    hosts.reset_all();
    assert_eq!(states(), [CircuitState::Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_said_of_a_key_outlives_its_idleness() {
    let hosts = hosts().idle(ms(1000)).max_keys(8);
    hosts.force_open("a").unwrap();
    for number in 0..100 {
        advance(ms(1500)).await;
        calls(&hosts.get(&format!("other {number}")), "S").await;
    }
    assert_eq!(hosts.state("a"), CircuitState::ForcedOpen);
    assert_eq!(refused(&hosts.get("a")).await, None);
    hosts.force_closed("b").unwrap();
    hosts.disable("c").unwrap();
    advance(ms(5000)).await;
    hosts.get("d");
    assert_eq!((hosts.state("b"), hosts.state("c")), (CircuitState::ForcedClosed, CircuitState::Disabled));
    // Once it is reset it may be forgotten.
    assert!(hosts.reset("a"));
    advance(ms(1500)).await;
    hosts.get("e");
    assert!(hosts.find("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_kept_until_its_time_is_over() {
    let hosts = hosts().idle(ms(1)).max_keys(4);
    calls(&hosts.get("a"), "F").await;
    for number in 0..50 {
        advance(ms(10)).await;
        hosts.get(&number.to_string());
    }
    assert_eq!(hosts.state("a"), CircuitState::Open);
    advance(ms(1000)).await;
    hosts.get("b");
    assert!(hosts.find("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_idle_key_begins_anew() {
    let hosts = Keyed::<str, _>::new(BRITTLE.failures(2)).idle(ms(1000));
    calls(&hosts.get("a"), "F").await;
    advance(ms(1000)).await;
    calls(&hosts.get("a"), "S").await;
    calls(&hosts.get("a"), "F").await;
    advance(ms(1001)).await;
    calls(&hosts.get("a"), "F").await;
    assert_eq!((hosts.state("a"), hosts.stats().evicted), (CircuitState::Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_keys_never_exceeds_the_bound() {
    let keyed: Keyed<u32, CircuitBreaker> = Keyed::new(BRITTLE.checked()).max_keys(1000);
    for key in 0..50_000 {
        keyed.get(&key).try_acquire().unwrap().success();
        if key % 97 == 0 {
            assert!(keyed.stats().keys <= 1000);
        }
    }
    let stats = keyed.stats();
    assert!(stats.keys <= 1000 && keyed.find(&49_999_u32).is_some());
    assert_eq!((stats.keys as u64 + stats.evicted, stats.unstored), (50_000, 0));
}

/// Calls that fail are kept, for they refuse; but there is room for no more than allowed.
#[tokio::test(start_paused = true)]
async fn a_flood_of_failing_keys_never_exceeds_the_bound_either() {
    let keyed: Keyed<u32, CircuitBreaker> = Keyed::new(BRITTLE.checked()).max_keys(100);
    for key in 0..5000 {
        keyed.get(&key).try_acquire().unwrap().failure();
    }
    let stats = keyed.stats();
    assert_eq!((stats.keys, stats.evicted, stats.unstored), (100, 0, 4900));
    assert!((0..100_u32).all(|key| keyed.state(&key) == CircuitState::Open));
    advance(ms(1100)).await;
    keyed.get(&5000);
    assert!(keyed.find(&5000_u32).is_some());
}

#[test]
fn first_calls_that_race_share_one_circuit() {
    for round in 0..50 {
        let keyed: Keyed<u32, CircuitBreaker> = Keyed::new(BRITTLE.failures(8));
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    keyed.get(&round).try_acquire().unwrap().failure();
                });
            }
        });
        assert_eq!((keyed.state(&round), keyed.stats().keys), (CircuitState::Open, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_are_of_one_key_or_of_all_by_their_labels() {
    let hosts = Keyed::<str, _>::new(BRITTLE.failures(5)).label(|host: &str| format!("<{host}>"));
    calls(&hosts.get("a"), "FF").await;
    calls(&hosts.get("b"), "F").await;
    assert_eq!(hosts.stats_of("a").unwrap().failures, 2);
    assert_eq!(hosts.stats_of("c"), None);
    let mut all: Vec<_> = hosts.all().into_iter().map(|(label, stats)| (label.to_string(), stats.failures)).collect();
    all.sort();
    assert_eq!(all, [("<a>".to_owned(), 2), ("<b>".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn without_a_label_a_key_is_called_by_its_fingerprint() {
    let secrets: Keyed<str, CircuitBreaker> = Keyed::new(BRITTLE);
    secrets.get("token");
    secrets.force_open("other").unwrap();
    for (label, _) in secrets.all() {
        assert!(label.len() == 32 && label.chars().all(|digit| digit.is_ascii_hexdigit()), "{label}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_made_to_be_forced_open_has_its_label_and_refuses_calls() {
    let hosts = hosts();
    hosts.force_open("a.example").unwrap();
    assert_eq!(&*hosts.all()[0].0, "a.example");
    let answer: Result<u32, Fault> = hosts.call("a.example", async { Ok(1) }).await;
    assert!(answer.unwrap_err().ours().is_circuit_open());
}

#[tokio::test(start_paused = true)]
async fn a_circuit_in_use_outlives_its_eviction() {
    let hosts = hosts().max_keys(1);
    let held = hosts.get("a");
    let permit = held.try_acquire().unwrap();
    hosts.get("b");
    assert!(hosts.find("a").is_none());
    permit.failure();
    assert_eq!((held.state(), hosts.state("a")), (CircuitState::Open, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "could never close")]
async fn a_configuration_that_can_not_work_panics_at_the_first_call() {
    let hosts: Keyed<str, CircuitBreaker> = Keyed::new(BRITTLE.probes(0));
    hosts.get("a");
}
