//! A limiter, held.

use super::{
    RateLimiter, Taken,
    ledger::{Ledger, gate},
    meter::Meter,
    purse::Purse,
};
use crate::{
    priority::Priority,
    sync::{MutexGuard, atomic::Ordering::Release},
    time::Nanos,
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
    pub(super) fn lock(&self, now: Nanos) -> Locked<'_> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.config.is_word() && ledger.meters.is_empty() {
            let initial = self.config.first_tokens();
            let meter = |(index, quota): (usize, super::meter::Quota)| {
                let initial = if index == 0 { initial } else { quota.burst };
                Meter::new(quota, self.config.algorithm, initial, now)
            };
            ledger.meters = self.config.quotas().enumerate().map(meter).collect();
        }
        Locked { ledger, limiter: self, now }
    }
}

impl Locked<'_> {
    fn parts(&mut self) -> (&mut Ledger, Purse<'_>, Vec<Meter>) {
        let ledger = &mut *self.ledger;
        // Lent for as long as the purse is open.
        let meters = std::mem::take(&mut ledger.meters);
        (ledger, Purse::Word(self.limiter), meters)
    }

    /// Runs with the tokens at hand.
    pub(super) fn with<R>(&mut self, run: impl FnOnce(&mut Ledger, &mut Purse<'_>) -> R) -> R {
        let (ledger, word, mut meters) = self.parts();
        let mut purse = if meters.is_empty() { word } else { Purse::Meters(&mut meters) };
        let result = run(ledger, &mut purse);
        drop(purse);
        ledger.meters = meters;
        result
    }

    /// Takes tokens for a call that nobody goes before.
    pub(super) fn decide(&mut self, class: Priority, tokens: u32, reserved: bool) -> Taken {
        let (now, overdraft) = (self.now, self.limiter.overdraft());
        self.with(|ledger, purse| ledger.decide(purse, now, class, tokens.into(), reserved, overdraft))
    }

    /// The front of the line takes from the reserve too, where it keeps more urgent calls waiting that it would be for.
    pub(super) fn decide_for_front(&mut self, class: Priority, tokens: u32) -> Taken {
        let waits = |class| self.line.len_of(class) > 0;
        let keeps_waiting = waits(Priority::Critical) || waits(Priority::High);
        let reserved = self.limiter.is_reserved(class) && !keeps_waiting;
        self.decide(class, tokens, reserved)
    }

    /// How long until so many have come after those that are owed.
    pub(super) fn time_for(&mut self, now: Nanos, tokens: u64, reserved: bool) -> Nanos {
        self.with(|ledger, purse| {
            let tokens = tokens.saturating_add(ledger.debt);
            match ledger.closed_for(purse, now) {
                Some(closed) => closed.saturating_add(purse.time_from_restart(now, tokens, reserved)),
                None => purse.time_for(now, tokens, reserved),
            }
        })
    }

    /// What can be had now.
    pub(super) fn tokens(&mut self) -> u32 {
        let now = self.now;
        let tokens = self.with(|ledger, purse| {
            let is_held = ledger.closed_for(purse, now).is_some() || ledger.debt > 0;
            if is_held { 0 } else { purse.available(now, false) }
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
        let meters = if self.limiter.config.is_word() { 0 } else { gate::METERS };
        self.limiter.gate.store(self.ledger.gate() | meters, Release);
    }
}
