use super::{bucket::Bucket, meter::Quota};
use crate::{
    check,
    error::{ConfigError, demand},
    policy::mode::Mode,
    rate::Rate,
    ratio::Ratio,
    time::TICK,
};
use std::time::Duration;

/// How a [`RateLimiter`](super::RateLimiter) counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Tokens come one by one, and so many are saved up as the burst: the smoothest, and the fastest.
    #[default]
    TokenBucket,
    /// Never more than the limit in *any* time as long as the period. Up to a limit of 256 it is exact; above that a token
    /// comes back late by up to a 256th of the period, and never early.
    SlidingWindow,
    /// So many in each period, counted from the first call on: up to twice the limit around the end of one.
    FixedWindow,
}

/// How many quotas one limiter may have.
pub(super) const QUOTAS: usize = 4;

/// How often a [`RateLimiter`](super::RateLimiter) lets calls pass.
///
/// ```
/// use resilient::{Rate, RateLimiter, RateLimiterConfig};
/// use std::time::Duration;
///
/// static VENDOR: RateLimiter = RateLimiter::new(
///     RateLimiterConfig::new(Rate::per_second(100)).burst(20).wait(Duration::from_millis(500)).name("vendor"),
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RateLimiterConfig {
    pub(super) name: &'static str,
    pub(super) rate: Rate,
    burst: Option<u32>,
    initial: Option<u32>,
    pub(super) wait: Option<Duration>,
    pub(super) algorithm: Algorithm,
    reserve: Option<Ratio>,
    adaptive: bool,
    pub(super) mode: Mode,
    pub(super) shards: u32,
    /// Those that decide together with the first.
    others: [Option<Rate>; QUOTAS - 1],
    too_many: bool,
}

impl RateLimiterConfig {
    /// This rate; a burst of one period's worth, a full bucket at the start, and refusal at once.
    pub const fn new(rate: Rate) -> Self {
        Self {
            name: "rate_limited",
            rate,
            burst: None,
            initial: None,
            wait: None,
            algorithm: Algorithm::TokenBucket,
            reserve: None,
            adaptive: false,
            mode: Mode::On,
            shards: 0,
            others: [None; QUOTAS - 1],
            too_many: false,
        }
    }

    /// The rate is each key's own.
    #[doc(hidden)]
    pub const fn per_key() -> Self {
        Self::new(Rate::per_second(1_000_000))
    }

    pub(super) const fn with_rate(self, rate: Rate) -> Self {
        Self { rate, ..self }
    }

    pub(crate) const fn own_name(&self) -> &'static str {
        self.name
    }

    /// Another quota (4 in all): a call takes from all of them, or from none where one refuses. `burst` and `initial` are
    /// about the first; the others hold one period's worth, and begin with all of it.
    pub const fn and(mut self, rate: Rate) -> Self {
        let mut index = 0;
        while index < self.others.len() {
            if self.others[index].is_none() {
                self.others[index] = Some(rate);
                return self;
            }
            index += 1;
        }
        self.too_many = true;
        self
    }

    /// How it counts (default: a token bucket). In a window, the limit of the rate is all there is: no `burst`.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// A share of the burst that only [`Priority::High`](crate::Priority) and `Critical` calls may use. `Critical` ones may
    /// besides owe as much again, which the next tokens pay for.
    pub const fn reserve(mut self, share: Ratio) -> Self {
        self.reserve = Some(share);
        self
    }

    /// Goes on at a share of the rate while calls fail, or take more than twice as long as usual: see
    /// [`adjust`](super::RateLimiter::adjust), which the calls' own results then do.
    pub const fn adaptive(mut self) -> Self {
        self.adaptive = true;
        self
    }

    /// For a limiter that many threads use at once: as many stocks of tokens (2 to 64), each for some of the threads, so
    /// that they do not meet at one word. All stocks together hold up to a 16th of the burst. They never give more than
    /// the bucket does, but for a 16th of the burst after a pause, and a call is refused only where none of them has enough
    /// for it. Only for one token bucket, with a burst of at least 32 for each.
    pub const fn shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// Tokens of a stock.
    pub(super) const fn batch(&self) -> u32 {
        if self.shards == 0 { 0 } else { self.capacity() / (16 * self.shards) }
    }

    /// Whether it acts, only reports, or does nothing.
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The tokens that the bucket holds (at least 1; default: one period's worth, so that up to twice the rate can pass
    /// in one period).
    pub const fn burst(mut self, tokens: u32) -> Self {
        self.burst = Some(tokens);
        self
    }

    /// The tokens in the bucket at the first call (default: all).
    pub const fn initial(mut self, tokens: u32) -> Self {
        self.initial = Some(tokens);
        self
    }

    /// A call without a token waits its turn for up to so long: the more urgent first, and of these who came first.
    pub const fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// A call without a token waits its turn up to the timeout around it, or for as long as it takes.
    pub const fn wait_unbounded(self) -> Self {
        self.wait(Duration::MAX)
    }

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) const fn capacity(&self) -> u32 {
        match self.burst {
            Some(tokens) => tokens,
            None => self.rate.limit(),
        }
    }

    pub(super) const fn first_tokens(&self) -> u32 {
        match self.initial {
            Some(tokens) => tokens,
            None => self.capacity(),
        }
    }

    /// The first quota, as a bucket at its whole rate.
    pub(super) const fn bucket(&self) -> Bucket {
        Bucket::new(self.rate, self.capacity(), TICK)
    }

    /// Whether it has nothing but a rate and a burst.
    pub(super) const fn is_plain(&self) -> bool {
        let is_bare = self.reserve.is_none() && !self.adaptive && self.shards == 0;
        self.is_word() && is_bare && matches!(self.mode, Mode::On)
    }

    /// Whether one word holds all of it.
    pub(super) const fn is_word(&self) -> bool {
        matches!(self.algorithm, Algorithm::TokenBucket) && self.others[0].is_none()
    }

    /// What stays of the first quota for more urgent calls.
    pub(super) const fn floor(&self) -> u32 {
        self.reserved(self.capacity())
    }

    const fn reserved(&self, burst: u32) -> u32 {
        match self.reserve {
            // Rounded up.
            Some(share) => ((burst as u64 * share.ppb() as u64).div_ceil(1_000_000_000)) as u32,
            None => 0,
        }
    }

    pub(crate) const fn is_adaptive(&self) -> bool {
        self.adaptive
    }

    /// What a call may ask for at most.
    pub(super) const fn most(&self) -> u32 {
        let (mut most, mut index) = (self.capacity(), 0);
        while index < self.others.len() {
            if let Some(rate) = self.others[index] {
                if rate.limit() < most {
                    most = rate.limit();
                }
            }
            index += 1;
        }
        most
    }

    /// All of them, the first with the initial tokens.
    pub(super) fn quotas(&self) -> impl Iterator<Item = Quota> {
        let quota = |rate: Rate, burst| Quota { rate, burst, reserve: self.reserved(burst) };
        let first = quota(self.rate, self.capacity());
        std::iter::once(first).chain(self.others.into_iter().flatten().map(move |rate| quota(rate, rate.limit())))
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that can not work.
    pub const fn check(&self) -> Result<(), ConfigError> {
        if let Err(error) = check::rate(self.rate) {
            return Err(error);
        }
        if let Err(error) = check::burst(self.capacity()) {
            return Err(error);
        }
        if self.first_tokens() > self.capacity() {
            return Err(ConfigError::new("`initial` is more than the bucket holds: it is at most the `burst`"));
        }
        if !Bucket::fits(self.rate, self.capacity()) {
            return Err(ConfigError::new(
                "a `burst` that takes more than a century to come back is none: write a smaller one",
            ));
        }
        if self.shards > 0 {
            if let Err(error) = check::shards(self.shards) {
                return Err(error);
            }
        }
        if let Some(share) = self.reserve {
            if let Err(error) = check::reserve(share) {
                return Err(error);
            }
        }
        if let Some(error) = self.first_contradiction() {
            return Err(error);
        }
        let mut index = 0;
        while index < self.others.len() {
            if let Some(rate) = self.others[index] {
                if let Err(error) = check::rate(rate) {
                    return Err(error);
                }
            }
            index += 1;
        }
        match self.wait {
            Some(limit) if limit.as_secs() != Duration::MAX.as_secs() => check::wait(limit),
            _ => Ok(()),
        }
    }

    const fn first_contradiction(&self) -> Option<ConfigError> {
        let is_bucket = matches!(self.algorithm, Algorithm::TokenBucket);
        let message = if self.too_many {
            "a rate limiter has at most 4 quotas"
        } else if self.shards > 0 && !self.is_word() {
            "`shards` are those of one token bucket: windows and several quotas are counted in one place"
        } else if self.shards > 0 && self.batch() < 2 {
            "`shards` need a larger `burst`: at least 32 for each"
        } else if !is_bucket && self.burst.is_some() {
            "a `burst` belongs to the token bucket: in a window, the limit of the rate is all there is"
        } else if self.reserve.is_some() && self.reserved(self.capacity()) >= self.capacity() {
            "a `reserve` leaves something for the other calls: write a smaller share, or a larger `burst`"
        } else {
            return None;
        };
        Some(ConfigError::new(message))
    }

    /// The same configuration, [`check`](Self::check)ed: for a `const` or a `static`.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn checked(self) -> Self {
        demand(self.check());
        self
    }

    /// [`check`](Self::check)s in a const context.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn assert(&self) {
        demand(self.check());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused() {
        let new = || RateLimiterConfig::new(Rate::per_second(10));
        assert_eq!(new().check(), Ok(()));
        assert_eq!(new().wait_unbounded().initial(0).check(), Ok(()));
        for config in [
            RateLimiterConfig::new(Rate::per_second(0)),
            RateLimiterConfig::new(Rate::new(1, Duration::ZERO)),
            RateLimiterConfig::new(Rate::new(1001, Duration::from_micros(1))),
            new().burst(0),
            RateLimiterConfig::new(Rate::per_day(1)).burst(100_000),
            new().initial(11),
            new().wait(Duration::ZERO),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
