//! A fixed window: so many in each period, counted from the first call on. Pure: time comes in as an argument.

use crate::time::Nanos;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FixedWindow {
    period: Nanos,
    limit: u64,
    /// When the window began.
    began: Nanos,
    used: u64,
}

impl FixedWindow {
    /// A window that begins now, with so many left.
    pub(super) fn new(period: Nanos, limit: u64, left: u64, now: Nanos) -> Self {
        Self { period, limit, began: now, used: limit.saturating_sub(left) }
    }

    /// Windows follow each other without gaps, also while nobody looks.
    fn roll(&mut self, now: Nanos) {
        if now < self.began {
            // The clock stepped back: that lengthens nothing beyond one period.
            self.began = now;
        }
        let windows = (now - self.began) / self.period;
        if windows > 0 {
            self.began += windows * self.period;
            self.used = 0;
        }
    }

    pub(super) fn available(&mut self, now: Nanos) -> u64 {
        self.roll(now);
        self.limit.saturating_sub(self.used)
    }

    pub(super) fn take(&mut self, now: Nanos, tokens: u64) {
        self.roll(now);
        self.used += tokens;
    }

    /// How many of the tokens that are owed have come since.
    pub(super) fn repay(&mut self, now: Nanos, owed: u64) -> u64 {
        let before = self.began;
        let left = self.available(now);
        // All that was left of the windows since then, and what there is of this one.
        let passed = ((self.began - before.min(self.began)) / self.period).saturating_sub(1).saturating_mul(self.limit);
        let paid = owed.min(passed.saturating_add(left));
        self.used += paid.saturating_sub(passed);
        paid
    }

    pub(super) fn put_back(&mut self, now: Nanos, tokens: u64) {
        self.roll(now);
        self.used = self.used.saturating_sub(tokens);
    }

    /// How long until `tokens`, which may be more than one window holds, have been available one after the other.
    pub(super) fn time_for(&mut self, now: Nanos, tokens: u64) -> Nanos {
        let missing = tokens.saturating_sub(self.available(now));
        let windows = missing.div_ceil(self.limit.max(1));
        windows.saturating_mul(self.period).saturating_sub(if windows > 0 { now - self.began } else { 0 })
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// A new window begins at that instant.
    pub(super) fn restart(&mut self, at: Nanos) {
        (self.began, self.used) = (at, 0);
    }
}
