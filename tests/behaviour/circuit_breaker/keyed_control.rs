//! What people do with the breaker of a key, and with those of all.

use super::{
    calls,
    keyed::{BRITTLE, hosts},
    refused,
};
use crate::support::{Act, Dependency, Fault, ms};
use resilient::{CircuitBreaker, CircuitState, KeyError, Keyed, Mode, circuit_breaker, registry};
use std::sync::Mutex;
use tokio::time::{advance, sleep};

/// `&7` is an `i32` where nothing says otherwise, and hashed to another circuit without a word.
#[tokio::test(start_paused = true)]
async fn a_key_of_another_type_finds_no_other_circuit() {
    let shards: Keyed<u64, CircuitBreaker> = Keyed::new(BRITTLE);
    calls(&shards.get(&7), "F").await;
    assert_eq!(shards.state(&7), CircuitState::Open);
    assert!(shards.find(&7).is_some() && shards.stats_of(&7).is_some() && shards.reset(&7));
    let lists: Keyed<[u32], CircuitBreaker> = Keyed::new(BRITTLE);
    calls(&lists.get(&[1, 2]), "F").await;
    assert_eq!((lists.state(&[1, 2]), lists.state(&vec![1, 2])), (CircuitState::Open, CircuitState::Open));
}

#[circuit_breaker(failures = 1, open_for = 1s, key = shard, name = "shards")]
async fn shard(shard: u64, act: Act) -> Result<u32, Fault> {
    let _ = shard;
    Dependency::new([act]).run().await
}

#[tokio::test(start_paused = true)]
async fn the_registry_tells_a_key_of_another_type_from_one_that_is_unknown() {
    shard(7, Act::Fail).await.unwrap_err();
    let shards = registry().keyed_circuit_breaker("shards").unwrap();
    assert_eq!((shards.state(&7_u64), shards.state(&8_u64)), (Ok(CircuitState::Open), Ok(CircuitState::Closed)));
    let error = shards.state(&7).unwrap_err();
    assert!(matches!(error, KeyError::WrongType { asked: "i32", known: "u64", .. }), "{error}");
    assert_eq!(error.to_string(), "the keys are of type `u64`, and this one is a `i32`, which stands for none of them");
    assert!(shards.find(&7).is_err() && shards.stats_of(&7).is_err() && shards.reset(&7).is_err());
    assert!(shards.force_open("7").is_err() && shards.disable(&()).is_err() && shards.force_closed(&7_u8).is_err());
    assert_eq!((shards.stats().keys, shards.reset(&&7_u64)), (1, Ok(true)));
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_lost_where_the_map_is_full() {
    let hosts = hosts().max_keys(2);
    calls(&hosts.get("a"), "F").await;
    calls(&hosts.get("b"), "F").await;
    hosts.force_open("c").unwrap();
    hosts.force_open("d").unwrap();
    advance(ms(5000)).await;
    assert_eq!((hosts.state("c"), hosts.state("d")), (CircuitState::ForcedOpen, CircuitState::ForcedOpen));
    let error = hosts.force_open("e").unwrap_err();
    assert!(matches!(error, KeyError::NoRoom { max_keys: 2, .. }), "{error}");
    assert_eq!(hosts.stats().keys, 2);
    // The others may be called all the same.
    calls(&hosts.get("e"), "S").await;
    assert!(hosts.reset("c"));
    hosts.force_open("e").unwrap();
}

#[circuit_breaker(failures = 1, open_for = 1s, key = host, name = "forced", health_check = pong, health_every = 100ms)]
async fn forced(host: &str, act: Act) -> Result<u32, Fault> {
    let _ = host;
    Dependency::new([act]).run().await
}

async fn pong(host: String) -> Result<(), Fault> {
    tokio::task::yield_now().await;
    PONGS.lock().unwrap().push(host);
    Ok(())
}

static PONGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::test(start_paused = true)]
async fn one_that_a_hand_made_takes_its_label_and_check_from_its_first_call() {
    forced("known", Act::Succeed).await.unwrap();
    let breakers = registry().keyed_circuit_breaker("forced").unwrap();
    breakers.force_open("a.example").unwrap();
    let labels = || breakers.all().into_iter().map(|(label, _)| label.to_string()).collect::<Vec<_>>();
    assert!(!labels().contains(&"a.example".to_owned()) && labels().len() == 2, "{:?}", labels());
    forced("a.example", Act::Succeed).await.unwrap_err();
    assert!(labels().contains(&"a.example".to_owned()) && labels().len() == 2, "{:?}", labels());
    assert_eq!(breakers.reset("a.example"), Ok(true));
    forced("a.example", Act::Fail).await.unwrap_err();
    assert_eq!(breakers.state("a.example"), Ok(CircuitState::Open));
    sleep(ms(200)).await;
    assert_eq!(breakers.state("a.example"), Ok(CircuitState::Closed));
    assert_eq!(*PONGS.lock().unwrap(), ["a.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_mode_and_a_configuration_for_all_are_those_of_new_ones_too() {
    let hosts = hosts().idle(ms(1000));
    hosts.get("a");
    hosts.set_mode(Mode::Shadow);
    let modes = |hosts: &Keyed<str, CircuitBreaker>| ["a", "b"].map(|host| hosts.get(host).stats().mode);
    assert_eq!(modes(&hosts), [Mode::Shadow; 2]);
    // They are no orders for single ones, which would be kept.
    advance(ms(1500)).await;
    hosts.get("c");
    assert!(hosts.find("a").is_none());
    assert_eq!((modes(&hosts), hosts.config()), ([Mode::Shadow; 2], BRITTLE.mode(Mode::Shadow)));
    hosts.reconfigure(BRITTLE.failures(3)).unwrap();
    assert_eq!(["a", "d"].map(|host| hosts.get(host).config()), [BRITTLE.failures(3); 2]);
    assert!(hosts.reconfigure(BRITTLE.probes(0)).is_err());
    assert_eq!(hosts.get("e").config(), BRITTLE.failures(3));
    calls(&hosts.get("a"), "FF").await;
    assert_eq!(hosts.state("a"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_mode_of_one_key_is_kept_until_it_is_that_of_all() {
    let hosts = hosts().idle(ms(1000));
    hosts.set_mode_of("a", Mode::Off).unwrap();
    advance(ms(1500)).await;
    hosts.get("b");
    assert_eq!(hosts.find("a").unwrap().stats().mode, Mode::Off);
    hosts.set_mode_of("a", Mode::On).unwrap();
    advance(ms(1500)).await;
    hosts.get("c");
    assert!(hosts.find("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn all_instances_are_at_hand_and_added_up() {
    let hosts = hosts();
    for (host, acts) in [("a", "F"), ("b", "S"), ("c", "S")] {
        calls(&hosts.get(host), acts).await;
    }
    refused(&hosts.get("a")).await;
    hosts.disable("c").unwrap();
    let totals = hosts.totals();
    assert_eq!((totals.keys, totals.closed, totals.open, totals.half_open, totals.manual), (3, 1, 1, 0, 1));
    assert_eq!((totals.opened, totals.rejected, totals.total_failures), (1, 1, 1));
    let mut names: Vec<_> = hosts.instances().iter().map(|(label, one)| (label.to_string(), one.state())).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(names[1], ("b".to_owned(), CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_permit_of_a_key_holds_its_circuit() {
    let hosts = hosts().max_keys(1);
    let permit = hosts.try_acquire("a").unwrap();
    hosts.get("b");
    assert!(hosts.find("a").is_none());
    tokio::spawn(async move { permit.failure() }).await.unwrap();
    hosts.try_acquire("c").unwrap().failure();
    assert!(hosts.try_acquire("c").unwrap_err().is_circuit_open());
    advance(ms(1000)).await;
    // Dropped, a probe gives its place back; a result is recorded once.
    drop(hosts.try_acquire("c").unwrap());
    hosts.try_acquire("c").unwrap().record(&Ok::<_, Fault>(1));
    assert_eq!(hosts.state("c"), CircuitState::Closed);
    hosts.try_acquire("c").unwrap().ignore();
    let stats = hosts.stats_of("c").unwrap();
    assert_eq!((stats.cancelled, stats.ignored), (1, 1));
}
