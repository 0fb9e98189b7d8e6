//! Lets so many calls pass per period.

mod bucket;
mod cells;
mod config;
mod control;
mod headers;
mod health;
mod instance;
mod keyed;
mod ledger;
mod line;
mod live;
mod locked;
mod log;
mod meter;
#[cfg(test)]
mod oracle;
mod purse;
mod rate_slots;
mod sharded;
mod slots;
mod stats;
mod window;

pub use config::{Algorithm, RateLimiterConfig};
pub use headers::Standing;
pub use keyed::{KeyedRateLimiter, KeyedRateLimiterStats, KeyedTokens};
pub use rate_slots::RateSlots;
pub use slots::SlotKey;
pub use stats::RateLimiterStats;

use super::permit::{Admit, Permit, sealed::Sealed};
use crate::sync::{
    Mutex,
    atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};
use crate::{
    error::Error,
    event::{self, Caller},
    mark,
    outcome::Ending,
    policy::{keyed::Identity, mode::Mode},
    priority::Priority,
    time::{Nanos, TICK, coarse, precise},
};
use bucket::{Bucket, Full, Take};
use cells::Cells;
use ledger::{Ledger, config_gate, gate};
use live::Live;
use stats::{Counts, Refusal};
use std::{fmt, time::Duration};

pub(crate) use line::Waiting;

/// Lets so many calls pass per period.
///
/// By default a token bucket in one atomic word: a call takes its tokens without a lock. Windows, and several quotas that
/// decide together, are counted under a short lock: see [`Algorithm`] and [`RateLimiterConfig::and`].
///
/// A refused call costs nothing and learns when to come back. Instants are exact, but for buckets that take at least a
/// second to fill: these may give up to a hundredth of their burst beyond it, the price of a clock that costs nothing.
/// With [`wait`](RateLimiterConfig::wait), calls wait their turn: the more urgent first, and of these who came first. A
/// wait that would exceed its limit is refused at once, and a dropped one gives its turn to the next.
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
    name: &'static str,
    /// Tokens at the first call.
    initial: u32,
    /// What must not be decided without the lock.
    gate: AtomicU32,
    /// The bucket's word.
    full: AtomicU64,
    live: Live,
    cells: Cells,
    ledger: Mutex<Ledger>,
    counts: Counts,
    /// Which of a keyed limiter's instances it is.
    identity: Identity,
}

/// The word before the first call.
const UNUSED: Full = 0;

/// Whether calls of this class leave the reserve alone.
#[inline]
fn is_reserved(class: Priority) -> bool {
    class < Priority::High
}

/// Whether neither the lag of the coarse clock nor one that stepped back could be why tokens are lacking.
#[inline]
fn is_certain(bucket: &Bucket, full: Full, now: Nanos, after: u64) -> bool {
    bucket.nanos(after) > TICK && bucket.anchored(full, now, TICK).is_none()
}

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
            name: config.name,
            initial: config.first_tokens(),
            gate: AtomicU32::new(config_gate(&config)),
            full: AtomicU64::new(UNUSED),
            live: Live::new(&config, config.bucket()),
            cells: Cells::new(config.shards),
            ledger: Mutex::new(Ledger::new(config)),
            counts: Counts::new(),
            identity: Identity::none(),
        }
    }

    /// The configuration.
    pub fn config(&self) -> RateLimiterConfig {
        self.lock().config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
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
        self.try_acquire_as(Priority::Normal, tokens)
    }

    /// Takes `tokens` at once, or none of them, for a call of this class.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there are not so many for this class, [`Error::CostExceedsBurst`] when there never
    /// will be.
    pub fn try_acquire_as(&self, class: Priority, tokens: u32) -> Result<Permit<'_, Self>, Error> {
        match self.take(class, tokens) {
            Taken::Now => {}
            refused => self.refuse(Caller::BY_HAND, tokens, refused, Refusal::AtOnce).map_err(mark::refused)?,
        }
        Ok(Permit::new(self, ()))
    }

    /// Takes tokens if they are there and nobody goes before.
    #[inline(always)]
    fn take(&self, class: Priority, tokens: u32) -> Taken {
        let taken = self.try_take(class, tokens);
        if taken == Taken::Now {
            self.counts.admit();
        }
        taken
    }

    #[inline(always)]
    fn try_take(&self, class: Priority, tokens: u32) -> Taken {
        match self.gate.load(Acquire) {
            0 => self.take_from_word(class, tokens),
            gate => self.take_elsewhere(gate, class, tokens),
        }
    }

    #[inline(never)]
    fn take_elsewhere(&self, gate: u32, class: Priority, tokens: u32) -> Taken {
        if gate == gate::SHARDED { self.take_from_stock(class, tokens) } else { self.take_gated(class, tokens) }
    }

    #[inline(always)]
    fn take_from_word(&self, class: Priority, tokens: u32) -> Taken {
        // One try with the coarse clock. It lags: a full bucket would gain the lag, and what it refuses is right only
        // where the lag could not change it.
        let (full, now) = (self.full.load(Acquire), coarse());
        let (bucket, ceiling) = (self.bucket(), self.live.ceiling(is_reserved(class)));
        match bucket.take_within(full, now, tokens, ceiling) {
            // What was read belongs together where nothing has begun to change, and the word is still the same.
            Take::Taken { full: next, dated: false } if self.is_free() && self.swap(full, next).is_ok() => {
                return Taken::Now;
            }
            Take::Lacking { after } if is_certain(&bucket, full, now, after) && self.may_have(class, tokens) => {
                return Taken::After(bucket.nanos(after));
            }
            _ => {}
        }
        self.take_precisely(class, tokens)
    }

    /// Whether a full bucket would be enough, and an empty one too little.
    #[inline]
    fn may_have(&self, class: Priority, tokens: u32) -> bool {
        tokens <= self.live.burst() - self.live.floor(is_reserved(class)) && !self.may_owe(class)
    }

    #[inline]
    fn may_owe(&self, class: Priority) -> bool {
        class == Priority::Critical && self.live.floor(true) > 0
    }

    /// Takes tokens by the precise clock.
    #[inline(never)]
    fn take_precisely(&self, class: Priority, tokens: u32) -> Taken {
        if self.may_owe(class) {
            return self.take_gated(class, tokens);
        }
        let mut full = self.full();
        loop {
            // The clock after the word: another thread's grant is not from the future.
            let (bucket, ceiling, now) = (self.bucket(), self.live.ceiling(is_reserved(class)), precise());
            let take = bucket.take_within(full, now, tokens, ceiling);
            if !self.is_free() {
                return self.take_gated(class, tokens);
            }
            match take {
                Take::Taken { full: next, .. } => match self.swap(full, next) {
                    Ok(()) => return Taken::Now,
                    Err(found) => full = found,
                },
                Take::Lacking { .. } if !self.may_have(class, tokens) => return Taken::Never,
                Take::Lacking { after } => {
                    if let Some(anchored) = bucket.anchored(full, now, TICK) {
                        // Where this fails another call has taken tokens, and anchored it thereby.
                        let _ = self.swap(full, anchored);
                    }
                    return Taken::After(bucket.nanos(after));
                }
            }
        }
    }

    /// Takes tokens under the lock, behind those who go before.
    #[cold]
    #[inline(never)]
    fn take_gated(&self, class: Priority, tokens: u32) -> Taken {
        let mut locked = self.lock();
        if locked.config.mode == Mode::Off {
            return Taken::Now;
        }
        locked.gather();
        let reserved = is_reserved(class);
        if u64::from(tokens) > locked.most(reserved) {
            return Taken::Never;
        }
        let now = locked.now();
        match locked.line.weight_ahead_of_new(class, now) {
            0 => locked.decide(class, tokens, reserved),
            ahead => Taken::After(locked.time_for(ahead + u64::from(tokens), reserved).max(1)),
        }
    }

    /// Whether nothing needs the lock.
    #[inline]
    fn is_free(&self) -> bool {
        self.gate.load(Acquire) & !gate::SHARDED == 0
    }

    /// The bucket at its present pace.
    #[inline]
    fn bucket(&self) -> Bucket {
        self.live.bucket()
    }

    /// Whether a new one would do the same.
    fn is_as_new(&self) -> bool {
        let full = self.full.load(Acquire);
        if self.gate.load(Acquire) == 0 {
            return full == UNUSED || self.bucket().tokens(full, coarse()) >= self.live.burst();
        }
        self.lock().is_as_new()
    }

    /// The bucket's word; it begins to fill at the first call.
    fn full(&self) -> Full {
        let full = self.full.load(Acquire);
        if full != UNUSED {
            return full;
        }
        let first = self.bucket().holding(precise(), self.initial);
        match self.swap(UNUSED, first) {
            Ok(()) => first,
            Err(found) => found,
        }
    }

    #[inline]
    fn swap(&self, full: Full, next: Full) -> Result<(), Full> {
        self.full.compare_exchange(full, next, AcqRel, Acquire).map(drop)
    }

    /// Whether calls wait for their turn now.
    fn may_wait(&self) -> bool {
        self.gate.load(Relaxed) & (gate::SHADOW | gate::OFF) == 0
    }

    /// Says no; in the shadow it is only said.
    ///
    /// Made twice where somebody hears of it: an error that is made at once where the caller has it is not copied.
    #[inline(never)]
    fn refuse(&self, caller: Caller, tokens: u32, why: Taken, when: Refusal) -> Result<(), Error> {
        let is_possible = matches!(why, Taken::After(_));
        self.counts.refuse(if is_possible { when } else { Refusal::Impossible });
        let remaining = if is_possible { self.remaining(tokens) } else { 0 };
        let shadow = self.gate.load(Relaxed) & gate::SHADOW != 0;
        if event::heard() {
            event::refused(&self.error(caller, tokens, why, remaining), self.identity.label(), shadow);
        }
        if shadow { Ok(()) } else { Err(self.error(caller, tokens, why, remaining)) }
    }

    #[inline(always)]
    fn error(&self, caller: Caller, tokens: u32, why: Taken, remaining: u32) -> Error {
        let (policy, site, limit) = (caller.policy(self.name), caller.site, self.live.burst());
        match why {
            Taken::Now | Taken::Never => Error::CostExceedsBurst { policy, site, cost: tokens, burst: limit },
            Taken::After(nanos) => {
                Error::RateLimited { policy, site, retry_after: Duration::from_nanos(nanos), limit, remaining }
            }
        }
    }

    /// What could be had, though not `tokens`.
    fn remaining(&self, tokens: u32) -> u32 {
        if tokens == 1 && self.live.floor(true) == 0 {
            return 0;
        }
        match self.gate.load(Acquire) {
            0 => self.bucket().tokens(self.full(), coarse()),
            _ => self.tokens(),
        }
    }

    /// A call has waited for its turn, and got it.
    fn waited(&self, time: Nanos) {
        self.counts.admit();
        self.counts.waited(time);
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("config", &self.config())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Sealed for RateLimiter {}

impl Admit for RateLimiter {
    type Ticket = ();

    const HOLDS: bool = false;

    /// Tokens are spent by the attempt, whatever becomes of it.
    fn settle(&self, (): (), _: Ending) {}
}
