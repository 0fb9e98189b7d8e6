//! Buckets of keys, whatever the keys' type.

use super::{
    RateLimiterConfig,
    keyed::{KeyedRateLimiterStats, KeyedTokens},
    slots::{Lack, SlotKey, Slots},
};
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::{
    check,
    error::{ConfigError, Error, demand},
    event::{self, Caller},
    stats::slots::Slots as Lines,
    time::{TICK, coarse, precise},
};
use std::{fmt, hash::Hash, task::Poll, time::Duration};

/// A rate limit for each key, whatever the keys' type: what [`KeyedRateLimiter`](super::KeyedRateLimiter) is made of.
pub struct RateSlots {
    pub(super) config: RateLimiterConfig,
    slots: Slots,
    rejected: Lines<Line>,
}

/// Refused calls of one thread.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl RateSlots {
    /// No key has called yet.
    ///
    /// # Panics
    /// Where a number of the configuration can not work, or it asks for more than a rate and a burst.
    #[must_use]
    #[track_caller]
    pub const fn new(config: RateLimiterConfig) -> Self {
        demand(Self::check(&config));
        Self { slots: Slots::new(config.rate, config.capacity(), TICK), config, rejected: Lines::new() }
    }

    /// Only what the keys of a table can have.
    pub(super) const fn check(config: &RateLimiterConfig) -> Result<(), ConfigError> {
        if config.wait.is_some() {
            return Err(ConfigError::new(
                "a `KeyedRateLimiter` refuses at once: for a `wait` use `Keyed<K, RateLimiter>`, which has one limiter for each key",
            ));
        }
        if config.first_tokens() != config.capacity() {
            return Err(ConfigError::new(
                "the buckets of a `KeyedRateLimiter` start full: for an `initial` use `Keyed<K, RateLimiter>`, which has one limiter for each key",
            ));
        }
        if !config.is_plain() {
            return Err(ConfigError::new(
                "a `KeyedRateLimiter` has a rate and a burst: for more use `Keyed<K, RateLimiter>`, which has one limiter for each key",
            ));
        }
        config.check()
    }

    /// See [`KeyedRateLimiter::max_keys`](super::KeyedRateLimiter::max_keys).
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.make_room_for(max_keys);
        self
    }

    #[track_caller]
    pub(super) const fn make_room_for(&mut self, max_keys: u32) {
        demand(check::max_keys(max_keys));
        self.slots.max_keys = max_keys;
    }

    /// What stands for a key.
    #[inline]
    pub fn key(key: &(impl Hash + ?Sized)) -> SlotKey {
        SlotKey::of(key)
    }

    /// Takes tokens without waiting: never `Pending`.
    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller, key: SlotKey, tokens: u32) -> Poll<Result<(), Error>> {
        Poll::Ready(self.take(caller, key, tokens))
    }

    #[inline(always)]
    pub(super) fn take(&self, caller: Caller, key: SlotKey, tokens: u32) -> Result<(), Error> {
        match self.ask(key, tokens) {
            Ok(()) => Ok(()),
            Err(lack) => self.refuse(caller, key, tokens, lack),
        }
    }

    /// Compiled once, not for each type of key.
    #[inline(never)]
    fn ask(&self, key: SlotKey, tokens: u32) -> Result<(), Lack> {
        self.slots.take(key, tokens, coarse, precise)
    }

    /// Made twice where somebody hears of it: an error that is made at once where the caller has it is not copied, which
    /// would take longer than the decision.
    #[inline(never)]
    fn refuse(&self, caller: Caller, key: SlotKey, tokens: u32, lack: Lack) -> Result<(), Error> {
        self.count();
        let remaining = if tokens == 1 { 0 } else { self.slots.tokens(key, precise()) };
        if event::heard() {
            event::rejected(&self.error(caller, tokens, lack, remaining));
        }
        Err(self.error(caller, tokens, lack, remaining))
    }

    #[inline(always)]
    fn error(&self, caller: Caller, tokens: u32, lack: Lack, remaining: u32) -> Error {
        let (policy, site, limit) = (caller.policy(self.config.name), caller.site, self.config.capacity());
        match lack {
            Lack::For(nanos) => {
                Error::RateLimited { policy, site, retry_after: Duration::from_nanos(nanos), limit, remaining }
            }
            Lack::ForEver => Error::CostExceedsBurst { policy, site, cost: tokens, burst: self.config.capacity() },
        }
    }

    fn count(&self) {
        let (Line(rejected), owned) = self.rejected.local();
        if owned {
            rejected.store(rejected.load(Relaxed) + 1, Relaxed);
        } else {
            rejected.fetch_add(1, Relaxed);
        }
    }

    /// The configuration.
    pub const fn config(&self) -> RateLimiterConfig {
        self.config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.config.name
    }

    /// What the key has now; one that never called has a full bucket, and so has a value of another type.
    #[must_use]
    pub fn stats_of(&self, key: &(impl Hash + ?Sized)) -> KeyedTokens {
        KeyedTokens { tokens: self.slots.tokens(Self::key(key), precise()), burst: self.config.capacity() }
    }

    /// Fills the key's bucket.
    pub fn reset(&self, key: &(impl Hash + ?Sized)) {
        self.slots.fill(Self::key(key), precise());
    }

    /// Fills all buckets.
    pub fn reset_all(&self) {
        self.slots.fill_all(precise());
    }

    /// How many keys are in use, and what became of others. Looks at every place: a million of them take about a
    /// millisecond.
    #[must_use]
    pub fn stats(&self) -> KeyedRateLimiterStats {
        let (keys, evicted) = self.slots.counts(precise());
        let rejected = self.rejected.iter().map(|Line(rejected)| rejected.load(Relaxed)).sum();
        KeyedRateLimiterStats { keys, max_keys: self.slots.max_keys, evicted, rejected }
    }
}

impl fmt::Debug for RateSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateSlots").field("config", &self.config).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
