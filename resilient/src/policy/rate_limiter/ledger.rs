//! What the lock guards, and what is decided under it: who goes first, what is owed, and how fast tokens come.
//!
//! Debt is paid before anybody else gets a token. Pure but for the purse that it is given.

use super::{Taken, config::RateLimiterConfig, health::Health, meter::Meter, purse::Purse};
use crate::{
    policy::mode::Mode,
    priority::Priority,
    queue::{Order, Queue},
    time::Nanos,
};

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) line: Queue,
    /// Tokens of the word that were spent without being there.
    pub(super) debt: u64,
    /// Since when and until when nobody gets any.
    closed: Option<(Nanos, Nanos)>,
    /// None where the limiter's word is the only one.
    pub(super) meters: Vec<Meter>,
    pub(super) health: Health,
    pub(super) config: RateLimiterConfig,
}

/// What calls must not decide without the lock.
pub(super) mod gate {
    pub(in super::super) const LINE: u32 = 1;
    pub(in super::super) const DEBT: u32 = 1 << 1;
    pub(in super::super) const CLOSED: u32 = 1 << 2;
    pub(in super::super) const PACE: u32 = 1 << 3;
    pub(in super::super) const SHADOW: u32 = 1 << 4;
    pub(in super::super) const OFF: u32 = 1 << 5;
    /// The word's bucket is changing at this very moment.
    pub(in super::super) const CHANGING: u32 = 1 << 7;
    /// Threads have stocks of their own.
    pub(in super::super) const SHARDED: u32 = 1 << 8;
    /// There is no word.
    pub(in super::super) const METERS: u32 = 1 << 6;
}

impl Ledger {
    pub(super) const fn new(config: RateLimiterConfig) -> Self {
        Self {
            line: Queue::new(Order::Priority),
            debt: 0,
            closed: None,
            meters: Vec::new(),
            health: Health::new(),
            config,
        }
    }

    /// What follows for those who do not hold the lock.
    pub(super) fn gate(&self) -> u32 {
        let flag = |holds: bool, flag: u32| if holds { flag } else { 0 };
        flag(self.line.len() > 0, gate::LINE)
            | flag(self.debt > 0, gate::DEBT)
            | flag(self.closed.is_some(), gate::CLOSED)
            | flag(self.health.is_moving(), gate::PACE)
            | config_gate(&self.config)
    }

    /// Nobody gets a token for so long.
    pub(super) fn close(&mut self, now: Nanos, time: Nanos) {
        let until = now.saturating_add(time);
        let until = self.closed.map_or(until, |(_, other)| until.max(other));
        self.closed = Some((now, until));
    }

    pub(super) fn open(&mut self) {
        self.closed = None;
    }

    /// Whether nothing would be lost with it but what the meters hold.
    pub(super) fn is_clear(&self) -> bool {
        let is_whole = self.health.pace() >= 1.0;
        self.line.len() == 0 && self.debt == 0 && self.closed.is_none() && is_whole
    }

    /// How long it is still closed. When that is over it begins anew.
    pub(super) fn closed_for(&mut self, purse: &mut Purse<'_>, now: Nanos) -> Option<Nanos> {
        let (since, until) = self.closed?;
        if now < since {
            // The clock stepped back: that lengthens nothing beyond the time itself.
            self.closed = Some((now, now.saturating_add(until - since)));
            return Some(until - since);
        }
        if now < until {
            return Some(until - now);
        }
        self.closed = None;
        purse.restart(until);
        None
    }

    /// Takes tokens for a call that nobody goes before. `overdraft`: so many may be owed by critical calls.
    pub(super) fn decide(
        &mut self,
        purse: &mut Purse<'_>,
        now: Nanos,
        class: Priority,
        tokens: u64,
        reserved: bool,
        overdraft: u64,
    ) -> Taken {
        if let Some(time) = self.closed_for(purse, now) {
            let after = purse.time_from_restart(now, tokens, reserved);
            return Taken::After(time.saturating_add(after).max(1));
        }
        self.follow_health(purse, now);
        // At a slower pace the most may be less than one call asks for: it takes all, and owes the rest.
        let part = tokens.min(purse.most(reserved));
        loop {
            let owed = purse.owed(now);
            if owed == 0 && purse.available(now, reserved) >= part {
                if purse.take(now, part) {
                    purse.charge(now, tokens - part);
                    return Taken::Now;
                }
                continue;
            }
            let missing = owed + tokens.saturating_sub(purse.available(now, false));
            if class == Priority::Critical && missing <= overdraft {
                purse.charge(now, tokens);
                return Taken::Now;
            }
            return Taken::After(purse.time_for(now, tokens, reserved).max(1));
        }
    }

    /// Goes on at the pace that health allows.
    pub(super) fn follow_health(&mut self, purse: &mut Purse<'_>, now: Nanos) {
        if let Some(factor) = self.health.follow(now) {
            purse.pace(now, self.config.bucket(), factor);
        }
    }
}

pub(super) const fn config_gate(config: &RateLimiterConfig) -> u32 {
    let mode = match config.mode {
        Mode::On => 0,
        Mode::Shadow => gate::SHADOW,
        Mode::Off => gate::OFF,
    };
    let is_sharded = config.shards > 0;
    mode | if config.is_word() { 0 } else { gate::METERS } | if is_sharded { gate::SHARDED } else { 0 }
}
