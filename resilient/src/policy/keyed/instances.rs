//! A bounded map of instances.
//!
//! Finding one costs no lock and no allocation. Making one takes a lock, under which all are looked at and the oldest
//! eighth goes when the map is full: so each new key pays for a few others, unless most are to be kept.

use super::fingerprint::{AsIs, Fingerprint};
use crate::{
    check,
    error::demand,
    time::{Nanos, coarse, nanos},
};
use papaya::HashMap;
use std::{
    hash::BuildHasherDefault,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

type Map<P> = HashMap<Fingerprint, Entry<P>, BuildHasherDefault<AsIs>>;

#[derive(Debug)]
struct Entry<P> {
    instance: Arc<P>,
    label: Arc<str>,
    used: AtomicU64,
}

pub(super) struct Instances<P> {
    map: OnceLock<Map<P>>,
    growth: Mutex<Growth>,
}

/// What the lock guards.
struct Growth {
    evicted: u64,
    unstored: u64,
    /// Until then it is not worth looking for something to evict.
    full_until: Nanos,
    /// When idle ones will be looked for.
    sweep_at: Nanos,
}

/// How many instances may be kept, and for how long unused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max: usize,
    pub(super) idle: Nanos,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self { max: 10_000, idle: nanos(Duration::from_secs(600)) };

    #[track_caller]
    pub(super) const fn max_keys(self, max_keys: u32) -> Self {
        demand(check::max_keys(max_keys));
        Self { max: max_keys as usize, ..self }
    }

    #[track_caller]
    pub(super) const fn idle(self, idle: Duration) -> Self {
        demand(check::idle(idle));
        Self { idle: nanos(idle), ..self }
    }
}

/// How many instances there are, and what became of others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedStats {
    /// Instances.
    pub keys: usize,
    /// How many were evicted, idle or to make room.
    pub evicted: u64,
    /// How many calls had an instance to themselves, for lack of room.
    pub unstored: u64,
}

/// After nothing could be evicted, so long nothing is looked for.
const BREATHER: Nanos = 100_000_000;

impl<P: super::Instance> Instances<P> {
    pub(super) const fn new() -> Self {
        let growth = Growth { evicted: 0, unstored: 0, full_until: 0, sweep_at: 0 };
        Self { map: OnceLock::new(), growth: Mutex::new(growth) }
    }

    fn map(&self) -> &Map<P> {
        self.map.get_or_init(|| HashMap::with_hasher(BuildHasherDefault::default()))
    }

    /// Finds an instance and notes its use.
    #[inline]
    pub(super) fn get_or(&self, key: Fingerprint, limits: Limits, make: impl FnOnce() -> (P, Arc<str>)) -> Arc<P> {
        let now = coarse();
        let map = self.map();
        if let Some(entry) = map.pin().get(&key) {
            let used = entry.used.load(Relaxed);
            if now.saturating_sub(used) <= limits.idle {
                if used != now {
                    entry.used.store(now, Relaxed);
                }
                return Arc::clone(&entry.instance);
            }
        }
        self.make(key, limits, now, make)
    }

    #[cold]
    fn make(&self, key: Fingerprint, limits: Limits, now: Nanos, make: impl FnOnce() -> (P, Arc<str>)) -> Arc<P> {
        // What it runs of the user's, a label and a clone, runs before the lock is taken.
        let (instance, label) = make();
        let entry = Entry { instance: Arc::new(instance), label, used: AtomicU64::new(now) };
        let map = self.map().pin();
        let mut growth = self.growth.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = map.get(&key) {
            let idle = now.saturating_sub(found.used.load(Relaxed)) > limits.idle;
            if !idle || found.instance.is_pinned() {
                found.used.store(now, Relaxed);
                return Arc::clone(&found.instance);
            }
            map.remove(&key);
            growth.evicted += 1;
        }
        self.make_room(&mut growth, limits, now);
        let first = Arc::clone(&entry.instance);
        if map.len() < limits.max {
            map.insert(key, entry);
        } else {
            growth.unstored += 1;
        }
        first
    }

    /// Evicts the idle ones from time to time, and the oldest eighth where there is no room for another.
    fn make_room(&self, growth: &mut Growth, limits: Limits, now: Nanos) {
        let map = self.map().pin();
        let is_full = map.len() >= limits.max;
        // A clock that stepped back puts nothing off for longer than these.
        let waits = |until: Nanos, at_most: Nanos| now < until && until - now <= at_most;
        if is_full && waits(growth.full_until, BREATHER) || !is_full && waits(growth.sweep_at, limits.idle / 2) {
            return;
        }
        let mut evictable: Vec<_> = map
            .iter()
            .filter(|(_, entry)| !entry.instance.is_pinned())
            .map(|(key, entry)| (entry.used.load(Relaxed), *key))
            .collect();
        let is_idle = |used: Nanos| now.saturating_sub(used) > limits.idle;
        let idle = evictable.iter().filter(|(used, _)| is_idle(*used)).count();
        let excess = if is_full { map.len() + 1 - limits.max } else { 0 };
        let least = if is_full { excess.max(limits.max / 8) } else { 0 };
        let count = idle.max(least).min(evictable.len());
        if count > 0 && count < evictable.len() {
            evictable.select_nth_unstable_by_key(count - 1, |(used, _)| *used);
        }
        for (_, key) in &evictable[..count] {
            map.remove(key);
        }
        growth.evicted += count as u64;
        growth.sweep_at = now.saturating_add(limits.idle / 2);
        if is_full && count == 0 {
            growth.full_until = now.saturating_add(BREATHER);
        }
    }

    pub(super) fn find(&self, key: Fingerprint) -> Option<Arc<P>> {
        self.map.get()?.pin().get(&key).map(|entry| Arc::clone(&entry.instance))
    }

    pub(super) fn all(&self) -> Vec<(Arc<str>, Arc<P>)> {
        let Some(map) = self.map.get() else { return Vec::new() };
        let entries = map.pin();
        entries.iter().map(|(_, entry)| (Arc::clone(&entry.label), Arc::clone(&entry.instance))).collect()
    }

    pub(super) fn stats(&self) -> KeyedStats {
        let growth = self.growth.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = self.map.get().map_or(0, |map| map.pin().len());
        KeyedStats { keys, evicted: growth.evicted, unstored: growth.unstored }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CircuitBreaker, CircuitBreakerConfig,
        policy::keyed::{Birth, Instance},
    };

    fn get(instances: &Instances<CircuitBreaker>, key: u128, limits: Limits) -> Arc<CircuitBreaker> {
        instances.get_or(Fingerprint(key), limits, || {
            let config = CircuitBreakerConfig::new().failures(1);
            (CircuitBreaker::born(config, "", Birth::default()), key.to_string().into())
        })
    }

    const TEN: Limits = Limits { max: 10, idle: 60_000_000_000 };

    #[test]
    fn there_are_never_more_than_allowed_and_the_oldest_go_first() {
        let instances = Instances::new();
        for key in 0..1000 {
            get(&instances, key, TEN);
            assert!(instances.stats().keys <= 10);
        }
        assert!(instances.find(Fingerprint(999)).is_some());
        assert_eq!(instances.stats().evicted + instances.stats().keys as u64, 1000);
    }

    #[test]
    fn an_open_one_stays_and_where_all_do_a_new_key_is_not_kept() {
        let instances = Instances::new();
        for key in 0..10 {
            get(&instances, key, TEN).try_acquire().unwrap().failure();
        }
        for key in 10..20 {
            assert!(get(&instances, key, TEN).try_acquire().is_ok());
        }
        assert!((0..10).all(|key| instances.find(Fingerprint(key)).is_some()));
        assert_eq!(instances.stats(), KeyedStats { keys: 10, evicted: 0, unstored: 10 });
    }

    #[test]
    fn first_calls_that_race_get_one_instance() {
        let instances = Instances::new();
        let found: Vec<_> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| get(&instances, 7, TEN))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert!(found.iter().all(|one| Arc::ptr_eq(one, &found[0])));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_one_is_forgotten_unless_it_was_set_by_hand() {
        let instances = Instances::new();
        let limits = Limits { max: 10, idle: 60_000_000_000 };
        let idle = get(&instances, 1, limits);
        get(&instances, 2, limits).force_open();
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        assert!(!Arc::ptr_eq(&idle, &get(&instances, 1, limits)));
        assert!(get(&instances, 2, limits).try_acquire().is_err());
        // And found so when another key is new.
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        get(&instances, 3, limits);
        assert_eq!(instances.stats().keys, 2);
    }
}
