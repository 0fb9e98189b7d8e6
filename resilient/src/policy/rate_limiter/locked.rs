//! A limiter, held.

use super::{
    RateLimiter, Taken,
    config::RateLimiterConfig,
    is_reserved,
    ledger::Ledger,
    meter::{Meter, Quota},
    purse::Purse,
};
use crate::{
    priority::Priority,
    sync::{MutexGuard, atomic::Ordering::Release},
    time::{Nanos, precise},
};
use std::{
    ops::{Deref, DerefMut},
    sync::PoisonError,
    task::Waker,
};

/// The lock, with what the holder may do. When it is let go of, everybody sees what needs it from then on.
pub(super) struct Locked<'a> {
    ledger: MutexGuard<'a, Ledger>,
    limiter: &'a RateLimiter,
    now: Nanos,
}

impl RateLimiter {
    pub(super) fn lock(&self) -> Locked<'_> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock after the lock: what others did before is not from the future.
        let now = precise();
        if !ledger.config.is_word() && ledger.meters.is_empty() {
            ledger.meters = meters(&ledger.config, ledger.config.first_tokens(), now);
        }
        Locked { ledger, limiter: self, now }
    }
}

/// All full, but for the first.
pub(super) fn meters(config: &RateLimiterConfig, first: u32, now: Nanos) -> Vec<Meter> {
    let meter = |(index, quota): (usize, Quota)| {
        Meter::new(quota, config.algorithm, if index == 0 { first } else { quota.burst }, now)
    };
    config.quotas().enumerate().map(meter).collect()
}

impl Locked<'_> {
    pub(super) fn now(&self) -> Nanos {
        self.now
    }

    /// What lies in stocks comes back to the word.
    pub(super) fn gather(&mut self) {
        let (now, limiter) = (self.now, self.limiter);
        if limiter.cells.count() > 0 {
            let stocks = limiter.cells.drain(now);
            self.with(|_, purse| purse.put_back(now, stocks.into()));
        }
    }

    /// Runs with the tokens at hand.
    pub(super) fn with<R>(&mut self, run: impl FnOnce(&mut Ledger, &mut Purse<'_>) -> R) -> R {
        // Lent for as long as the purse is open.
        let (mut meters, mut debt) = (std::mem::take(&mut self.ledger.meters), self.ledger.debt);
        let mut purse =
            if meters.is_empty() { Purse::Word(self.limiter, &mut debt) } else { Purse::Meters(&mut meters) };
        let result = run(&mut self.ledger, &mut purse);
        self.ledger.meters = meters;
        self.ledger.debt = debt;
        result
    }

    /// Takes tokens for a call that nobody goes before.
    pub(super) fn decide(&mut self, class: Priority, tokens: u32, reserved: bool) -> Taken {
        let (now, overdraft) = (self.now, self.config.floor().into());
        self.with(|ledger, purse| ledger.decide(purse, now, class, tokens.into(), reserved, overdraft))
    }

    /// The front of the line takes from the reserve too, where it keeps more urgent calls waiting that it would be for.
    pub(super) fn decide_for_front(&mut self, class: Priority, tokens: u32) -> Taken {
        let waits = |class| self.line.len_of(class) > 0;
        let keeps_waiting = waits(Priority::Critical) || waits(Priority::High);
        let reserved = is_reserved(class) && !keeps_waiting;
        self.decide(class, tokens, reserved)
    }

    /// How long until so many have come after those that are owed.
    pub(super) fn time_for(&mut self, tokens: u64, reserved: bool) -> Nanos {
        let now = self.now;
        self.with(|ledger, purse| match ledger.closed_for(purse, now) {
            Some(closed) => closed.saturating_add(purse.time_from_restart(now, tokens, reserved)),
            None => purse.time_for(now, tokens, reserved),
        })
    }

    /// What a call may ask for at most.
    pub(super) fn most(&self, reserved: bool) -> u64 {
        let config = &self.config;
        let quotas = config.quotas().map(|quota| quota.burst - if reserved { quota.reserve } else { 0 });
        quotas.min().unwrap_or(0).into()
    }

    /// Whether a new one would do the same.
    pub(super) fn is_as_new(&mut self) -> bool {
        let now = self.now;
        let is_full = if self.meters.is_empty() {
            self.tokens() >= self.limiter.live.burst()
        } else {
            self.meters.iter_mut().all(|meter| meter.is_full(now))
        };
        is_full && self.is_clear()
    }

    /// Takes all that there is, so that nobody else does.
    pub(super) fn empty(&mut self) -> u32 {
        let (now, limiter) = (self.now, self.limiter);
        self.gather();
        if self.meters.is_empty() {
            return limiter.empty(now);
        }
        let held = self.with(|_, purse| purse.available(now, false));
        u32::try_from(held).unwrap_or(u32::MAX)
    }

    /// Goes by its configuration, holding so many tokens.
    pub(super) fn obey(&mut self, held: u32) {
        let (config, now, limiter) = (self.config, self.now, self.limiter);
        limiter.live.obey(&config);
        let first = held.min(config.capacity());
        if config.is_word() {
            self.meters.clear();
            let paced = config.bucket().paced(config.capacity(), self.health.pace());
            limiter.change_bucket(paced);
            limiter.hold(now, first);
            return;
        }
        let before = std::mem::replace(&mut self.meters, meters(&config, first, now));
        // A quota that stays goes on.
        for meter in &mut self.meters {
            if let Some(same) = before.iter().find(|same| same.is_like(meter)) {
                *meter = same.clone();
            }
        }
        let factor = self.health.pace();
        self.meters.iter_mut().for_each(|meter| meter.pace(now, factor));
    }

    /// What can be had now.
    pub(super) fn tokens(&mut self) -> u32 {
        let now = self.now;
        let (stocks, burst) = (self.limiter.cells.tokens(now), self.limiter.live.burst());
        let tokens = self.with(|ledger, purse| match ledger.closed_for(purse, now) {
            Some(_) => 0,
            None => (purse.available(now, false) + u64::from(stocks)).min(burst.into()),
        });
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }

    /// Lets go, and calls who stands in front: more may have come for it.
    pub(super) fn call_front(mut self) {
        let front = self.line.front_waker();
        drop(self);
        front.into_iter().for_each(Waker::wake);
    }
}

impl Deref for Locked<'_> {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.limiter.gate.store(self.ledger.gate(), Release);
    }
}
