//! A bounded map of instances.
//!
//! Finding one costs no lock and no allocation. Making one takes a lock for a moment.

use super::{
    Birth, Instance, Keep,
    error::KeyError,
    fingerprint::{AsIs, Fingerprint},
    key_type,
    limits::{KeyedStats, Limits},
    ring::{LOOKS, Ring},
    room::Goal,
};
use crate::time::{Nanos, coarse, precise};
use papaya::{HashMap, HashMapRef, LocalGuard};
use std::{
    hash::{BuildHasherDefault, Hash},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

type Pinned<'m, P> = HashMapRef<'m, Fingerprint, Entry<P>, BuildHasherDefault<AsIs>, LocalGuard<'m>>;
pub(super) type Map<P> = HashMap<Fingerprint, Entry<P>, BuildHasherDefault<AsIs>>;

#[derive(Debug)]
pub(super) struct Entry<P> {
    pub(super) instance: Arc<P>,
    label: Arc<str>,
    /// When it was last used, with [`UNNAMED`] above where that stands.
    used: AtomicU64,
}

/// Made by hand, which could not tell what it is called: its first call does.
const UNNAMED: u64 = 1 << 63;

impl<P> Entry<P> {
    pub(super) fn used(&self) -> Nanos {
        self.used.load(Relaxed) & !UNNAMED
    }

    fn is_unnamed(&self) -> bool {
        self.used.load(Relaxed) & UNNAMED != 0
    }
}

pub(super) struct Instances<P: Instance> {
    pub(super) limits: Limits,
    first_config: P::Config,
    site: &'static str,
    map: OnceLock<Map<P>>,
    growth: Mutex<Growth<P::Config>>,
}

/// What the lock guards. The map changes only under it.
pub(super) struct Growth<C> {
    pub(super) ring: Ring,
    /// What somebody has set for all.
    config: Option<C>,
    /// The types of the keys that were hashed: a generic fn may have several.
    types: Vec<&'static str>,
    pub(super) evicted: u64,
    unstored: u64,
}

/// A key that has no instance, as far as is known.
pub(super) struct New {
    key: Fingerprint,
    key_type: &'static str,
    birth: Birth,
    is_named: bool,
}

/// A call looks so often for one that may go, each time at [`LOOKS`] others.
const SEARCHES: usize = 2;

/// A hand's order may find its instance evicted before it was told, so often.
const ATTEMPTS: usize = 16;

impl<P: Instance> Instances<P> {
    pub(super) const fn new(config: P::Config, site: &'static str) -> Self {
        let growth = Growth { ring: Ring::new(), config: None, types: Vec::new(), evicted: 0, unstored: 0 };
        Self { limits: Limits::DEFAULT, first_config: config, site, map: OnceLock::new(), growth: Mutex::new(growth) }
    }

    pub(super) fn map(&self) -> &Map<P> {
        self.map.get_or_init(|| HashMap::with_hasher(BuildHasherDefault::default()))
    }

    pub(super) fn growth(&self) -> MutexGuard<'_, Growth<P::Config>> {
        self.growth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn first_config(&self) -> P::Config {
        self.first_config
    }

    pub(super) fn config(&self) -> P::Config {
        self.growth().config.unwrap_or(self.first_config)
    }

    /// Finds an instance and notes its use, or makes one.
    #[inline]
    pub(super) fn get_or<K: Hash + ?Sized>(&self, key: &K, birth: impl FnOnce() -> Birth) -> Arc<P> {
        let (key, key_type) = (Fingerprint::of(key), std::any::type_name::<K>());
        let now = coarse();
        if let Some(entry) = self.map().pin().get(&key) {
            let used = entry.used.load(Relaxed);
            // Not so if it is unnamed.
            if now.wrapping_sub(used) <= self.limits.idle {
                if used != now {
                    entry.used.store(now, Relaxed);
                }
                return Arc::clone(&entry.instance);
            }
        }
        self.get_or_make(key, key_type, now, birth)
    }

    #[cold]
    fn get_or_make(
        &self,
        key: Fingerprint,
        key_type: &'static str,
        now: Nanos,
        birth: impl FnOnce() -> Birth,
    ) -> Arc<P> {
        if let Some(entry) = self.map().pin().get(&key) {
            // Used since by another thread, whose clock was read later.
            if !entry.is_unnamed() && now.saturating_sub(entry.used()) <= self.limits.idle {
                return Arc::clone(&entry.instance);
            }
            entry.instance.catch_up(precise());
        }
        // What it runs of the user's, a label and a clone, runs before the lock is taken.
        let new = New { key, key_type, birth: birth(), is_named: true };
        self.store(&new, now, Goal::Call).unwrap_or_else(|| {
            let mut growth = self.growth();
            growth.unstored += 1;
            let config = growth.config.unwrap_or(self.first_config);
            drop(growth);
            Arc::new(self.born(config, &new).0)
        })
    }

    /// Has a hand's order obeyed by an instance that stays.
    pub(super) fn order<K: Hash + ?Sized>(
        &self,
        key: &K,
        birth: Option<Birth>,
        order: impl Fn(&P),
    ) -> Result<(), KeyError> {
        let (key, key_type, is_named) = (Fingerprint::of(key), std::any::type_name::<K>(), birth.is_some());
        let new = New { key, key_type, birth: birth.unwrap_or_default(), is_named };
        for _ in 0..ATTEMPTS {
            let Some(instance) = self.store(&new, coarse(), Goal::Hand) else { break };
            order(&instance);
            // Whoever evicts looks again under this lock: from now on it is kept.
            let growth = self.growth();
            let is_kept = self.find(key).is_some_and(|found| Arc::ptr_eq(&found, &instance));
            drop(growth);
            if is_kept {
                return Ok(());
            }
        }
        Err(KeyError::NoRoom { max_keys: self.limits.max })
    }

    /// The instance of the key, put into the map if there is room.
    fn store(&self, new: &New, now: Nanos, goal: Goal) -> Option<Arc<P>> {
        let mut growth = self.growth();
        if let Some((instance, idle)) = self.take_place(&mut growth, new, now, goal) {
            let looks = growth.ring.sweep(now, self.limits.idle);
            drop(growth);
            idle.inspect(|idle| idle.evicted());
            if looks > 0 {
                self.evict(looks, now, Goal::Idle, None);
            }
            return Some(instance);
        }
        if goal == Goal::Call && growth.ring.rests(precise()) {
            return None;
        }
        let count = growth.ring.len();
        drop(growth);
        let looks = if goal == Goal::Hand { count } else { LOOKS };
        let mut in_vain = 0;
        // Where another thread takes what it finds, it goes on for a while.
        for _ in 0..4 * SEARCHES {
            let (was_in_vain, instance) = self.evict(looks, now, goal, Some(new));
            in_vain += usize::from(was_in_vain);
            if instance.is_some() || in_vain * looks >= count.min(SEARCHES * looks) {
                return instance;
            }
        }
        None
    }

    /// With the idle one whose place it took.
    pub(super) fn take_place(
        &self,
        growth: &mut Growth<P::Config>,
        new: &New,
        now: Nanos,
        goal: Goal,
    ) -> Option<(Arc<P>, Option<Arc<P>>)> {
        let map = self.map().pin();
        if !growth.types.contains(&new.key_type) {
            growth.types.push(new.key_type);
        }
        let found = map.get(&new.key);
        if let Some(entry) = found {
            let unused = now.saturating_sub(entry.used());
            let is_idle =
                unused > self.limits.idle && entry.instance.keep(precise(), unused, self.limits.idle) == Keep::No;
            if !is_idle || goal == Goal::Hand {
                return Some((Self::greet(&map, entry, new, now), None));
            }
        } else if growth.ring.len() >= self.limits.max {
            return None;
        }
        let (instance, label) = self.born(growth.config.unwrap_or(self.first_config), new);
        let instance = Arc::new(instance);
        let idle = found.map(|entry| Arc::clone(&entry.instance));
        if idle.is_some() {
            growth.evicted += 1;
        } else {
            growth.ring.add(new.key);
        }
        let used = AtomicU64::new(if new.is_named { now } else { now | UNNAMED });
        map.insert(new.key, Entry { instance: Arc::clone(&instance), label, used });
        Some((instance, idle))
    }

    /// One that is there already. If a hand made it, it learns what it is called.
    fn greet(map: &Pinned<'_, P>, entry: &Entry<P>, new: &New, now: Nanos) -> Arc<P> {
        let instance = Arc::clone(&entry.instance);
        if !entry.is_unnamed() {
            entry.used.store(now, Relaxed);
        } else if new.is_named {
            let (birth, label) = Self::named(new);
            instance.learn(birth);
            map.insert(new.key, Entry { instance: Arc::clone(&instance), label, used: AtomicU64::new(now) });
        } else {
            entry.used.store(now | UNNAMED, Relaxed);
        }
        instance
    }

    fn named(new: &New) -> (Birth, Arc<str>) {
        let mut birth = new.birth.clone();
        let label = birth.label.get_or_insert_with(|| format!("{:032x}", new.key.0).into());
        let label = Arc::clone(label);
        (birth, label)
    }

    fn born(&self, config: P::Config, new: &New) -> (P, Arc<str>) {
        let (birth, label) = Self::named(new);
        (P::born(config, self.site, birth), label)
    }

    pub(super) fn find(&self, key: Fingerprint) -> Option<Arc<P>> {
        self.map.get()?.pin().get(&key).map(|entry| Arc::clone(&entry.instance))
    }

    /// Whether a key of this type may be one of those that were hashed.
    pub(super) fn knows(&self, key_type: &'static str) -> Result<(), KeyError> {
        let growth = self.growth();
        match growth.types.first() {
            Some(known) if !growth.types.iter().any(|known| key_type::are_alike(known, key_type)) => {
                Err(KeyError::WrongType { asked: key_type, known })
            }
            _ => Ok(()),
        }
    }

    /// Changes the configuration of all, those of the future too; the present ones are told after that.
    pub(super) fn configure<E>(
        &self,
        next: impl FnOnce(P::Config) -> Result<P::Config, E>,
        tell: impl Fn(&P),
    ) -> Result<(), E> {
        let mut growth = self.growth();
        growth.config = Some(next(growth.config.unwrap_or(self.first_config))?);
        // Whoever is born from now on goes by it already.
        drop(growth);
        self.all().iter().for_each(|(_, instance)| tell(instance));
        Ok(())
    }

    pub(super) fn all(&self) -> Vec<(Arc<str>, Arc<P>)> {
        let Some(map) = self.map.get() else { return Vec::new() };
        let entries = map.pin();
        entries.iter().map(|(_, entry)| (Arc::clone(&entry.label), Arc::clone(&entry.instance))).collect()
    }

    pub(super) fn stats(&self) -> KeyedStats {
        let growth = self.growth();
        KeyedStats { keys: growth.ring.len(), evicted: growth.evicted, unstored: growth.unstored }
    }
}
