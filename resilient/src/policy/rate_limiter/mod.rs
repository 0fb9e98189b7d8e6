//! Lets so many calls pass per period.

mod bucket;
mod config;
mod keyed;
mod line;
mod rate_slots;
mod slots;

pub use config::RateLimiterConfig;
pub use keyed::{KeyedRateLimiter, KeyedRateLimiterStats, KeyedTokens};
pub use rate_slots::RateSlots;
pub use slots::SlotKey;

use super::permit::{Admit, Permit, sealed::Sealed};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use crate::{
    error::Error,
    event::{self, Caller},
    outcome::Ending,
    time::{Nanos, TICK, coarse, precise},
};
use bucket::{Bucket, Full, Take};
use line::Line;
use std::{fmt, time::Duration};

pub(crate) use line::Waiting;

/// Lets so many calls pass per period: a token bucket in one atomic word.
///
/// A refused call costs nothing and learns when to come back. Instants are exact, but for buckets that take at least a
/// second to fill: these may give up to a hundredth of their burst beyond it, the price of a clock that costs nothing.
/// With [`wait`](RateLimiterConfig::wait), calls wait their turn in the order in which they came; a wait that would exceed
/// its limit is refused at once, and a dropped one gives its turn to the next.
///
/// ```
/// # use resilient::{Rate, RateLimiter, RateLimiterConfig};
/// static VENDOR: RateLimiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(2)));
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert!(VENDOR.try_acquire_many(2).is_ok());
/// let error = VENDOR.try_acquire().unwrap_err();
/// assert!(error.retry_after().unwrap().as_millis() <= 500);
/// # }
/// ```
pub struct RateLimiter {
    config: RateLimiterConfig,
    bucket: Bucket,
    /// The bucket's word.
    full: AtomicU64,
    line: Line,
    rejected: AtomicU64,
}

/// The word before the first call.
const UNUSED: Full = 0;

/// How many tokens, and what it takes to have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Now,
    /// After so long, if nobody else takes them.
    After(Nanos),
    Never,
}

impl RateLimiter {
    /// A limiter with its initial tokens.
    ///
    /// # Panics
    /// When a number of the configuration can not work; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: RateLimiterConfig) -> Self {
        config.assert();
        Self {
            bucket: Bucket::new(config.rate, config.capacity(), TICK),
            config,
            full: AtomicU64::new(UNUSED),
            line: Line::new(),
            rejected: AtomicU64::new(0),
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

    /// Takes a token, or refuses at once.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there is none, or others wait for theirs.
    pub fn try_acquire(&self) -> Result<Permit<'_, Self>, Error> {
        self.try_acquire_many(1)
    }

    /// Takes `tokens` at once, or none of them.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there are not so many, [`Error::CostExceedsBurst`] when there never will be.
    pub fn try_acquire_many(&self, tokens: u32) -> Result<Permit<'_, Self>, Error> {
        match self.take(tokens) {
            Taken::Now => Ok(Permit::new(self, ())),
            refused => Err(self.refuse(Caller::BY_HAND, tokens, refused)),
        }
    }

    /// Takes tokens if they are there and nobody waits for them.
    #[inline(always)]
    fn take(&self, tokens: u32) -> Taken {
        if !self.line.is_empty() {
            return self.take_behind(tokens);
        }
        // One try with the coarse clock. It lags: a full bucket would gain the lag, and what it refuses is right only
        // where the lag could not change it.
        let (full, now) = (self.full.load(Acquire), coarse());
        match self.bucket.take(full, now, tokens) {
            Take::Taken { full: next, dated: false }
                if self.full.compare_exchange(full, next, AcqRel, Relaxed).is_ok() =>
            {
                return Taken::Now;
            }
            Take::Lacking { after } if self.is_certain(full, now, after) && tokens <= self.config.capacity() => {
                return Taken::After(self.bucket.nanos(after));
            }
            _ => {}
        }
        self.take_ahead(tokens)
    }

    /// Whether neither the lag of the coarse clock nor one that stepped back could be why tokens are lacking.
    #[inline]
    fn is_certain(&self, full: Full, now: Nanos, after: u64) -> bool {
        self.bucket.nanos(after) > TICK && self.bucket.anchored(full, now, TICK).is_none()
    }

    /// Those in line come first.
    #[cold]
    fn take_behind(&self, tokens: u32) -> Taken {
        let now = precise();
        let ahead = self.line.lock().weight();
        if tokens > self.config.capacity() {
            Taken::Never
        } else if ahead == 0 {
            self.take_ahead(tokens)
        } else {
            Taken::After(self.bucket.time_for(self.full(), now, ahead + u64::from(tokens)).max(1))
        }
    }

    /// Takes tokens by the precise clock, whoever may wait.
    #[inline(never)]
    fn take_ahead(&self, tokens: u32) -> Taken {
        let mut full = self.full();
        let now = precise();
        loop {
            match self.bucket.take(full, now, tokens) {
                Take::Taken { full: next, .. } => match self.full.compare_exchange_weak(full, next, AcqRel, Acquire) {
                    Ok(_) => return Taken::Now,
                    Err(found) => full = found,
                },
                Take::Lacking { .. } if tokens > self.config.capacity() => return Taken::Never,
                Take::Lacking { after } => {
                    if let Some(anchored) = self.bucket.anchored(full, now, TICK) {
                        // Where this fails another call has taken tokens, and anchored it thereby.
                        let _ = self.full.compare_exchange(full, anchored, AcqRel, Relaxed);
                    }
                    return Taken::After(self.bucket.nanos(after));
                }
            }
        }
    }

    /// The bucket's word; it begins to fill at the first call.
    fn full(&self) -> Full {
        let full = self.full.load(Acquire);
        if full != UNUSED {
            return full;
        }
        let first = self.bucket.holding(precise(), self.config.first_tokens());
        match self.full.compare_exchange(UNUSED, first, AcqRel, Acquire) {
            Ok(_) => first,
            Err(found) => found,
        }
    }

    #[cold]
    fn refuse(&self, caller: Caller, tokens: u32, why: Taken) -> Error {
        self.rejected.fetch_add(1, Relaxed);
        let (policy, site) = (caller.policy(self.config.name), caller.site);
        let error = match why {
            Taken::Now | Taken::Never => {
                Error::CostExceedsBurst { policy, site, cost: tokens, burst: self.config.capacity() }
            }
            Taken::After(nanos) => Error::RateLimited { policy, site, retry_after: Duration::from_nanos(nanos) },
        };
        event::rejected(&error);
        error
    }

    /// What it holds now.
    #[must_use]
    pub fn stats(&self) -> RateLimiterStats {
        RateLimiterStats {
            tokens: self.bucket.tokens(self.full(), precise()),
            burst: self.config.capacity(),
            waiting: self.line.lock().len(),
            rejected: self.rejected.load(Relaxed),
        }
    }

    /// Fills the bucket.
    pub fn reset(&self) {
        let full = self.bucket.holding(precise(), self.config.capacity());
        let mut queue = self.line.lock();
        self.full.store(full, Release);
        let front = queue.front_waker();
        drop(queue);
        front.into_iter().for_each(std::task::Waker::wake);
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("config", &self.config)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Sealed for RateLimiter {}

impl Admit for RateLimiter {
    type Ticket = ();

    /// Tokens are spent by the attempt, whatever becomes of it.
    fn settle(&self, (): (), _: Ending) {}
}

/// A limiter at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimiterStats {
    /// Whole tokens in the bucket.
    pub tokens: u32,
    /// The most that it holds.
    pub burst: u32,
    /// Calls that wait their turn.
    pub waiting: usize,
    /// Calls that were refused.
    pub rejected: u64,
}
