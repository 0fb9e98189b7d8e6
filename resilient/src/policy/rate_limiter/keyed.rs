//! One bucket for each key.

use super::{RateLimiterConfig, rate_slots::RateSlots};
use crate::{
    error::{ConfigError, Error},
    event::Caller,
    mark,
};
use std::{fmt, hash::Hash, marker::PhantomData};

/// Lets so many calls pass per period for each key: by user, address or tenant, up to millions of them.
///
/// It has a token bucket for each key, as [`RateLimiter`](super::RateLimiter) has one, and keeps nothing else of a key: 24
/// bytes for each of [`max_keys`](Self::max_keys), allocated at the first call and (but for 64 bytes for each thread that
/// has refused a call) no more after that, so that a flood of new keys costs no memory. A decision takes no lock. A key whose bucket is full again is forgotten, which changes
/// nothing, as keys begin with a full bucket. So what counts as in use is a key whose bucket is not full: one that has
/// called within the time in which it fills.
///
/// Where more keys than fit are in use at once, a new key takes the place of one in use: among the sixteen that share
/// places with it, of the one whose bucket lacks the least. That key has a full bucket again, so it gets no more than
/// each of the other fifteen is lacking, and [`stats`](Self::stats) counts it as evicted. With two thirds of `max_keys` in
/// use that befalls one key in a thousand, with all of them one in a hundred.
///
/// Instants are exact, but for buckets that take at least a second to fill: these may give up to a hundredth of their burst
/// beyond it, the price of a clock that costs nothing.
///
/// Keys are hashed with a secret of the process, and not stored: borrowed and owned forms that hash alike (`str` and
/// `String`) are the same key. There is a chance of 2^-25 that some two of a million keys in use share a bucket, which nobody
/// outside can raise. For limits that wait, have statistics or can be changed by key, use `Keyed<K, RateLimiter>`.
///
/// ```
/// # use resilient::{KeyedRateLimiter, Rate, RateLimiterConfig};
/// static CLIENTS: KeyedRateLimiter<str> =
///     KeyedRateLimiter::new(RateLimiterConfig::new(Rate::per_second(2)).name("clients")).max_keys(100_000);
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert!(CLIENTS.try_acquire_many("10.0.0.1", 2).is_ok());
/// let error = CLIENTS.try_acquire("10.0.0.1").unwrap_err();
/// assert!(error.retry_after().unwrap().as_millis() <= 500);
/// assert!(CLIENTS.try_acquire("10.0.0.2").is_ok());
/// assert_eq!(CLIENTS.stats().keys, 2);
/// # }
/// ```
pub struct KeyedRateLimiter<K: ?Sized> {
    slots: RateSlots,
    key: PhantomData<fn(&K)>,
}

impl<K: Hash + ?Sized> KeyedRateLimiter<K> {
    /// A limit for each key.
    ///
    /// ```compile_fail,E0080
    /// # use resilient::{KeyedRateLimiter, Rate, RateLimiterConfig};
    /// # use std::time::Duration;
    /// static CLIENTS: KeyedRateLimiter<str> =
    ///     KeyedRateLimiter::new(RateLimiterConfig::new(Rate::per_second(2)).wait(Duration::from_secs(1)));
    /// ```
    ///
    /// # Panics
    /// Where [`check`](Self::check) refuses the configuration; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: RateLimiterConfig) -> Self {
        Self { slots: RateSlots::new(config), key: PhantomData }
    }

    /// What expansions work with: the type of a key they can not name.
    pub(crate) const fn slots(&self) -> &RateSlots {
        &self.slots
    }

    /// Checks every number, and that nothing but `rate`, `burst` and `name` is set.
    ///
    /// # Errors
    /// The first thing that can not work.
    pub const fn check(config: &RateLimiterConfig) -> Result<(), ConfigError> {
        RateSlots::check(config)
    }

    /// How many keys it has room for (1 to 100 000 000; default 10 000), at 24 bytes each: 240 kB by default.
    ///
    /// # Panics
    /// Outside that range; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.slots.make_room_for(max_keys);
        self
    }

    /// The configuration.
    pub const fn config(&self) -> RateLimiterConfig {
        self.slots.config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.slots.config.name
    }

    /// Takes a token of the key's, or refuses at once.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when it has none.
    #[inline]
    pub fn try_acquire(&self, key: &K) -> Result<(), Error> {
        self.try_acquire_many(key, 1)
    }

    /// Takes `tokens` of the key's at once, or none of them.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when it has not so many, [`Error::CostExceedsBurst`] when it never will.
    #[inline]
    pub fn try_acquire_many(&self, key: &K, tokens: u32) -> Result<(), Error> {
        self.slots.take(Caller::BY_HAND, RateSlots::key(key), tokens).map_err(mark::refused)
    }

    /// What the key has now; one that never called has a full bucket.
    #[must_use]
    pub fn stats_of(&self, key: &K) -> KeyedTokens {
        self.slots.stats_of(key)
    }

    /// How many keys are in use, and what became of others. Looks at every place: a million of them take about a
    /// millisecond.
    #[must_use]
    pub fn stats(&self) -> KeyedRateLimiterStats {
        self.slots.stats()
    }

    /// Fills the key's bucket.
    pub fn reset(&self, key: &K) {
        self.slots.reset(key);
    }

    /// Fills all buckets.
    pub fn reset_all(&self) {
        self.slots.reset_all();
    }
}

impl<K: ?Sized> fmt::Debug for KeyedRateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedRateLimiter")
            .field("config", &self.slots.config)
            .field("stats", &self.slots.stats())
            .finish_non_exhaustive()
    }
}

/// The bucket of one key at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedTokens {
    /// Whole tokens in it.
    pub tokens: u32,
    /// The most that it holds.
    pub burst: u32,
}

/// The keys of a limiter at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedRateLimiterStats {
    /// Keys in use: those whose bucket is not full.
    pub keys: usize,
    /// How many it has room for.
    pub max_keys: u32,
    /// Keys in use that a new one took the place of, so that their bucket is full again.
    pub evicted: u64,
    /// Calls that were refused.
    pub rejected: u64,
}
