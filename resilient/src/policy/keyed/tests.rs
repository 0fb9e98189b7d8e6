//! Of the map.

use super::{Birth, KeyedStats, instances::Instances};
use crate::{CircuitBreaker, CircuitBreakerConfig, HealthCheck, policy::keyed::fingerprint::Fingerprint};
use std::{sync::Arc, time::Duration};
use tokio::time::advance;

const BRITTLE: CircuitBreakerConfig = CircuitBreakerConfig::new().failures(1);

/// At most so many, which may be idle for a minute.
fn at_most(max: u32, config: CircuitBreakerConfig) -> Instances<CircuitBreaker> {
    let mut instances = Instances::new(config, "");
    instances.limits = instances.limits.max_keys(max).idle(Duration::from_secs(60));
    instances
}

fn ten() -> Instances<CircuitBreaker> {
    at_most(10, BRITTLE)
}

fn get(instances: &Instances<CircuitBreaker>, key: u32) -> Arc<CircuitBreaker> {
    instances.get_or(&key, Birth::default)
}

fn find(instances: &Instances<CircuitBreaker>, key: u32) -> Option<Arc<CircuitBreaker>> {
    instances.find(Fingerprint::of(&key))
}

fn fail(instances: &Instances<CircuitBreaker>, key: u32) {
    get(instances, key).try_acquire().unwrap().failure();
}

#[test]
fn there_are_never_more_than_allowed_and_the_oldest_go_first() {
    let instances = ten();
    for key in 0..1000 {
        get(&instances, key);
        assert!(instances.stats().keys <= 10);
    }
    assert!(find(&instances, 999).is_some());
    assert_eq!(instances.stats().evicted + instances.stats().keys as u64, 1000);
}

#[tokio::test(start_paused = true)]
async fn the_one_unused_for_longest_goes_where_all_are_looked_at() {
    let instances = ten();
    for key in 0..10 {
        get(&instances, key);
        advance(Duration::from_secs(1)).await;
    }
    get(&instances, 0);
    get(&instances, 10);
    assert!(find(&instances, 0).is_some() && find(&instances, 1).is_none());
}

/// Of a thousand, a new key has 64 looked at: what goes is old, if not the oldest.
#[tokio::test(start_paused = true)]
async fn approximately_the_oldest_go_where_there_are_many() {
    let instances = at_most(1000, BRITTLE);
    let mut all = Vec::new();
    for key in 0..1000 {
        get(&instances, key);
        all.push(key);
    }
    advance(Duration::from_secs(1)).await;
    // In no order of the map's.
    let recent: Vec<u32> = (0..1000).filter(|key| key % 2 == 0).collect();
    for key in &recent {
        get(&instances, *key);
    }
    advance(Duration::from_secs(1)).await;
    for key in 1000..1400 {
        get(&instances, key);
    }
    assert!(recent.iter().all(|key| find(&instances, *key).is_some()));
    assert_eq!((instances.stats().unstored, instances.stats().keys <= 1000), (0, true));
}

#[test]
fn an_open_one_stays_and_where_all_do_a_new_key_is_not_kept() {
    let instances = ten();
    (0..10).for_each(|key| fail(&instances, key));
    for key in 10..20 {
        assert!(get(&instances, key).try_acquire().is_ok());
    }
    assert!((0..10).all(|key| find(&instances, key).is_some()));
    assert_eq!(instances.stats(), KeyedStats { keys: 10, evicted: 0, unstored: 10 });
}

#[test]
fn first_calls_that_race_get_one_instance() {
    let instances = ten();
    let found: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| get(&instances, 7))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(found.iter().all(|one| Arc::ptr_eq(one, &found[0])));
}

/// Room that one thread makes, another may take.
#[test]
fn new_keys_that_race_for_room_are_all_kept() {
    let instances = at_most(64, BRITTLE);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let instances = &instances;
            scope.spawn(move || (0..2000).for_each(|key| drop(get(instances, thread * 2000 + key))));
        }
    });
    let KeyedStats { keys, evicted, unstored } = instances.stats();
    assert!(keys <= 64);
    assert_eq!((keys as u64 + evicted, unstored), (8000, 0));
}

#[tokio::test(start_paused = true)]
async fn an_idle_one_is_forgotten_unless_it_was_set_by_hand() {
    let instances = ten();
    let idle = get(&instances, 1);
    get(&instances, 2).force_open();
    advance(Duration::from_secs(61)).await;
    assert!(!Arc::ptr_eq(&idle, &get(&instances, 1)));
    assert!(get(&instances, 2).try_acquire().is_err());
    // And found so when another key is new.
    advance(Duration::from_secs(61)).await;
    get(&instances, 3);
    assert_eq!(instances.stats().keys, 2);
}

#[tokio::test(start_paused = true)]
async fn idle_ones_of_many_are_found_a_few_at_a_time() {
    let instances = at_most(1000, BRITTLE);
    (0..500).for_each(|key| drop(get(&instances, key)));
    advance(Duration::from_secs(61)).await;
    (500..510).for_each(|key| drop(get(&instances, key)));
    assert_eq!((instances.stats().keys, instances.stats().evicted), (10, 500));
}

#[tokio::test(start_paused = true)]
async fn however_many_keys_come_they_never_exceed_the_bound() {
    let instances = at_most(2000, BRITTLE);
    for key in 0..50_000 {
        get(&instances, key);
        if key % 10_007 == 0 {
            assert!(instances.stats().keys <= 2000);
        }
    }
    let KeyedStats { keys, evicted, unstored } = instances.stats();
    assert!(keys <= 2000);
    assert_eq!((keys as u64 + evicted, unstored), (50_000, 0));
}

/// The health check's circuits are kept by nothing but their check, which never answers well.
fn dead() -> CircuitBreakerConfig {
    BRITTLE.open_for(Duration::from_secs(100)).health_check(HealthCheck::new(|| Box::pin(async { false })))
}

#[tokio::test(start_paused = true)]
async fn a_dead_dependency_whose_health_is_checked_is_forgotten_once_idle() {
    let instances = at_most(1, dead());
    fail(&instances, 1);
    advance(Duration::from_secs(99)).await;
    get(&instances, 2);
    assert!(find(&instances, 1).is_some(), "time alone could still keep it open");
    advance(Duration::from_secs(2)).await;
    get(&instances, 2);
    assert!(find(&instances, 1).is_none() && find(&instances, 2).is_some());
    // One that is in use is no idle one, however long it has been open.
    fail(&instances, 2);
    for _ in 0..10 {
        advance(Duration::from_secs(59)).await;
        assert!(get(&instances, 2).try_acquire().is_err());
    }
    get(&instances, 3);
    assert!(find(&instances, 2).is_some());
}

#[test]
fn an_order_takes_the_place_of_the_least_important() {
    let instances = at_most(2, BRITTLE);
    fail(&instances, 1);
    instances.order(&2, None, CircuitBreaker::force_open).unwrap();
    // The open one goes, and not the one that was set by hand.
    instances.order(&3, None, CircuitBreaker::disable).unwrap();
    assert!(find(&instances, 1).is_none() && find(&instances, 2).is_some() && find(&instances, 3).is_some());
    let error = instances.order(&4, None, CircuitBreaker::force_open).unwrap_err();
    assert_eq!(error.to_string(), "all 2 keys are set by hand: reset one, or allow more with `max_keys`");
    assert_eq!(instances.stats().keys, 2);
    // One that is there can be told, full or not.
    instances.order(&2, None, CircuitBreaker::force_closed).unwrap();
}

#[test]
fn an_order_among_evictions_is_kept() {
    let instances = at_most(8, BRITTLE);
    std::thread::scope(|scope| {
        let instances = &instances;
        scope.spawn(move || (1000..6000).for_each(|key| drop(get(instances, key))));
        for key in 0..4 {
            instances.order(&key, None, CircuitBreaker::force_open).unwrap();
        }
    });
    assert!((0..4).all(|key| get(&instances, key).try_acquire().is_err()));
}
