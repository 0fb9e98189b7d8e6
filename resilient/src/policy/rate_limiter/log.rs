//! A sliding window: never more than the limit in any period. Pure: time comes in as an argument.

use crate::time::Nanos;
use std::collections::VecDeque;

/// As many grants are kept one by one. Beyond that those of one [`SLOTS`]th of the period are kept together, dated at its
/// end: their tokens come back by so much late, and never early.
const SLOTS: u64 = 256;

#[derive(Clone, Debug)]
pub(super) struct SlidingLog {
    period: Nanos,
    /// Within which grants are kept together; 0 where each is kept for itself.
    slot: Nanos,
    limit: u64,
    /// When tokens were taken, and how many: in order.
    grants: VecDeque<(Nanos, u64)>,
    used: u64,
}

impl SlidingLog {
    /// With so many left.
    pub(super) fn new(period: Nanos, limit: u64, left: u64, now: Nanos) -> Self {
        let slot = if limit <= SLOTS { 0 } else { (period / SLOTS).max(1) };
        let mut log = Self { period, slot, limit, grants: VecDeque::new(), used: 0 };
        log.take(now, limit.saturating_sub(left));
        log
    }

    /// Lets go of what is older than a period.
    fn expire(&mut self, now: Nanos) {
        let latest = now.saturating_add(self.slot);
        if self.grants.back().is_some_and(|(at, _)| *at > latest) {
            // The clock stepped back: that lengthens nothing beyond one period.
            self.grants.iter_mut().for_each(|(at, _)| *at = (*at).min(latest));
        }
        while let Some((at, tokens)) = self.grants.front() {
            if now < at.saturating_add(self.period) {
                break;
            }
            self.used -= tokens;
            self.grants.pop_front();
        }
    }

    pub(super) fn available(&mut self, now: Nanos) -> u64 {
        self.expire(now);
        self.limit.saturating_sub(self.used)
    }

    pub(super) fn take(&mut self, now: Nanos, tokens: u64) {
        if tokens == 0 {
            return;
        }
        self.used += tokens;
        let at = now.checked_div(self.slot).map_or(now, |slot| (slot + 1).saturating_mul(self.slot));
        match self.grants.back_mut() {
            Some((last, together)) if *last >= at => *together += tokens,
            _ => self.grants.push_back((at, tokens)),
        }
    }

    /// How many of the tokens that are owed have come since: all that there were have been taken before.
    pub(super) fn repay(&mut self, now: Nanos, owed: u64) -> u64 {
        let Some((last, _)) = self.grants.back().copied() else { return self.repay_now(now, owed) };
        let periods = now.saturating_sub(last) / self.period;
        if periods == 0 {
            return self.repay_now(now, owed);
        }
        // Each period that is over has had its tokens, and let them go again.
        let passed = owed.min((periods - 1).saturating_mul(self.limit));
        self.clear();
        let paid = (owed - passed).min(self.limit);
        self.take(last + periods * self.period, paid);
        passed + paid
    }

    fn repay_now(&mut self, now: Nanos, owed: u64) -> u64 {
        let paid = self.available(now).min(owed);
        self.take(now, paid);
        paid
    }

    /// The latest grants come back first.
    pub(super) fn put_back(&mut self, now: Nanos, mut tokens: u64) {
        self.expire(now);
        while let (Some((_, last)), true) = (self.grants.back_mut(), tokens > 0) {
            let back = tokens.min(*last);
            (*last, self.used, tokens) = (*last - back, self.used - back, tokens - back);
            if *last == 0 {
                self.grants.pop_back();
            }
        }
    }

    /// How long until `tokens`, which may be more than a window holds, have been available one after the other.
    pub(super) fn time_for(&mut self, now: Nanos, tokens: u64) -> Nanos {
        let available = self.available(now);
        if tokens <= available {
            return 0;
        }
        // Beyond one window all that is taken meanwhile has to go as well.
        let windows = (tokens - 1) / self.limit.max(1);
        let mut missing = (tokens - windows * self.limit).saturating_sub(available);
        let mut leaves = now;
        for (at, tokens) in &self.grants {
            if missing == 0 {
                break;
            }
            leaves = at.saturating_add(self.period);
            missing = missing.saturating_sub(*tokens);
        }
        (leaves - now).saturating_add(windows.saturating_mul(self.period))
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    pub(super) fn clear(&mut self) {
        self.grants.clear();
        self.used = 0;
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.grants.len()
    }
}
