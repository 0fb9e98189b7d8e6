//! What is done to a limiter from outside, and what its calls report.

use super::{RateLimiter, RateLimiterConfig, Taken, is_reserved, stats::Refusal};
use crate::{
    error::{ConfigError, Error},
    event::{self, Caller, EventKind},
    mark,
    policy::mode::Mode,
    priority::Priority,
    time::{Nanos, nanos},
};
use std::time::Duration;

impl RateLimiter {
    /// Fills the bucket, or begins a new window; nothing is owed any more, and it is open again.
    pub fn reset(&self) {
        let mut locked = self.lock();
        let now = locked.now();
        locked.gather();
        locked.with(|ledger, purse| {
            ledger.open();
            purse.fill(now);
        });
        locked.call_front();
    }

    /// Takes tokens that have been spent already, for what a call turned out to cost: the next that come pay for those that
    /// are not there, and calls wait for as long or are refused.
    ///
    /// ```
    /// # use resilient::{Rate, RateLimiter, RateLimiterConfig};
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let bytes = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(100)));
    /// bytes.try_acquire().unwrap().success();
    /// bytes.charge(299);
    /// assert_eq!(bytes.try_acquire().unwrap_err().retry_after(), Some(Duration::from_millis(2010)));
    /// # }
    /// ```
    pub fn charge(&self, tokens: u32) {
        let mut locked = self.lock();
        let now = locked.now();
        locked.with(|_, purse| purse.charge(now, tokens.into()));
    }

    /// Gives tokens back that were not needed after all. It never holds more than its burst.
    pub fn refund(&self, tokens: u32) {
        let mut locked = self.lock();
        let now = locked.now();
        locked.with(|_, purse| purse.put_back(now, tokens.into()));
        locked.call_front();
    }

    /// Takes tokens that will be there within `longest`, and tells after which time they are: whoever books goes on then,
    /// without asking again. What is booked is never refused; give it back with [`refund`](Self::refund) if it is not
    /// wanted any more. Those in line go before.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where that would take longer, [`Error::CostExceedsBurst`] where there never will be so many
    /// at once; then nothing is taken.
    pub fn book(&self, tokens: u32, longest: Duration) -> Result<Duration, Error> {
        let mut locked = self.lock();
        let now = locked.now();
        if locked.config.mode == Mode::Off {
            return Ok(Duration::ZERO);
        }
        let class = Priority::Normal;
        let why = if u64::from(tokens) > locked.most(is_reserved(class)) {
            Taken::Never
        } else {
            let ahead = locked.line.weight();
            let after = locked.time_for(ahead + u64::from(tokens), is_reserved(class));
            if after <= nanos(longest) {
                locked.with(|_, purse| purse.charge(now, tokens.into()));
                drop(locked);
                self.counts.admit();
                return Ok(Duration::from_nanos(after));
            }
            Taken::After(after)
        };
        drop(locked);
        self.refuse(Caller::BY_HAND, tokens, why, Refusal::AtOnce).map(|()| Duration::ZERO).map_err(mark::refused)
    }

    /// Charges or refunds what a call cost other than it said.
    pub(crate) fn correct(&self, said: u32, cost: u32) {
        if cost > said {
            self.charge(cost - said);
        } else if cost < said {
            self.refund(said - cost);
        }
    }

    /// Gives nobody a token for so long, as a server's `Retry-After` asks: it is empty until then. After that a bucket begins
    /// to fill, with one token at once, and a window begins anew. Of several such times the latest counts; at most a year.
    pub fn hold_for(&self, time: Duration) {
        const YEAR: Nanos = 366 * 24 * 3600 * 1_000_000_000;
        let mut locked = self.lock();
        let now = locked.now();
        locked.close(now, nanos(time).min(YEAR));
    }

    /// Goes on at the share of the rate that the dependency's health allows, from 0.0 (down) to 1.0 (well).
    ///
    /// Bad news is followed at once, by half of the way with each report; good news over time, from nothing to the whole
    /// rate in 10 seconds. A tenth of the rate always stays, so that somebody sees when the dependency is well again. With
    /// [`adaptive`](crate::RateLimiterConfig::adaptive) calls report by themselves. What lies outside of the range counts as
    /// its end, and what is not a number says nothing.
    pub fn adjust(&self, health: f64) {
        self.adjust_for(Caller::BY_HAND, health);
    }

    fn adjust_for(&self, caller: Caller, health: f64) {
        let mut locked = self.lock();
        let now = locked.now();
        let before = locked.health.pace();
        locked.health.report(health, now);
        locked.with(|ledger, purse| ledger.follow_health(purse, now));
        let after = locked.health.pace();
        locked.call_front();
        if after < before {
            let share = crate::Ratio::new(after).unwrap_or(crate::Ratio::percent(100));
            event::emit_of(caller, self.name, self.identity.label(), EventKind::Slowed { share });
        }
    }

    pub(crate) fn is_adaptive(&self) -> bool {
        self.live.is_adaptive()
    }

    /// An attempt has ended.
    pub(crate) fn record(&self, caller: Caller, failed: bool, took: Nanos) {
        let mut locked = self.lock();
        let now = locked.now();
        let judged = locked.health.record(failed, took, now);
        drop(locked);
        if let Some(health) = judged {
            self.adjust_for(caller, health);
        }
    }

    /// Whether it acts, only reports, or does nothing from now on. Calls in line keep their turn.
    pub fn set_mode(&self, mode: Mode) {
        let mut locked = self.lock();
        locked.config = locked.config.mode(mode);
        locked.call_front();
    }

    /// Goes by another configuration from now on, but for its name. It holds as many tokens as before, though no more than
    /// the new burst; calls in line keep their place, and their limit.
    ///
    /// # Errors
    /// When a number can not work; then nothing changes.
    pub fn reconfigure(&self, config: RateLimiterConfig) -> Result<(), ConfigError> {
        config.check()?;
        // A stock for each of some threads was made for good.
        let config = config.name(self.name).shards(self.cells.count());
        config.check()?;
        // In use from now on, whatever its word says.
        self.full();
        let mut locked = self.lock();
        let held = locked.empty();
        locked.config = config;
        locked.obey(held);
        locked.call_front();
        Ok(())
    }
}
