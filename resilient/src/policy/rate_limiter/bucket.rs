//! A token bucket in one word, by the generic cell rate algorithm (ITU-T I.371, annex A): the word is the instant at
//! which the bucket will be full. Pure: time comes in as an argument.

use crate::{rate::Rate, time::Nanos};

/// An instant in units of `2^-shift` nanoseconds; it may wrap around, so instants are compared by their difference.
pub(super) type Full = u64;

/// What taking tokens came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// The word from now on. What a full bucket gives is dated now: were it full by a clock that does not lag, a grant
    /// that is `dated` by one that does would let it gain the lag as credit.
    Taken { full: Full, dated: bool },
    /// They will be there after so many units.
    Lacking { after: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Units until one token has come.
    interval: u64,
    /// Units until an empty bucket is full.
    capacity: u64,
    /// Fine units where a nanosecond is too coarse for the rate.
    shift: u32,
    /// Units that a lagging clock may be wrong by, where that is more than a hundredth of the bucket; else none.
    lag: u64,
}

impl Bucket {
    /// `tick`: how far the clock that is read first may lag.
    pub(super) const fn new(rate: Rate, burst: u32, tick: Nanos) -> Self {
        let (interval, capacity, shift) = Self::exact(rate, burst);
        let (interval, capacity) = (clamp(interval), clamp(capacity));
        let lag = if capacity / 100 < tick << shift { tick << shift } else { 0 };
        Self { interval, capacity, shift, lag }
    }

    /// Interval, capacity, shift and lag.
    pub(super) const fn parts(self) -> (u64, u64, u32, u64) {
        (self.interval, self.capacity, self.shift, self.lag)
    }

    #[inline]
    pub(super) const fn of_parts(interval: u64, capacity: u64, shift: u32, lag: u64) -> Self {
        Self { interval, capacity, shift, lag }
    }

    /// The same tokens at this share of the rate.
    pub(super) fn paced(self, burst: u32, factor: f64) -> Self {
        #[expect(clippy::cast_sign_loss, reason = "a share of a rate is positive")]
        let interval = ((self.interval as f64 / factor).round() as u64).clamp(1, MOST);
        if interval == self.interval {
            return self;
        }
        Self { interval, capacity: clamp(u128::from(interval) * u128::from(burst)), ..self }
    }

    /// The word of a bucket that lacks as many tokens as with `full` at another pace.
    pub(super) const fn repaced(&self, before: &Self, full: Full, now: Nanos) -> Full {
        let lack = before.lack(full, now) as u128 * self.interval as u128 / before.interval as u128;
        let lack = clamp(lack);
        self.units(now).wrapping_add(if lack > self.capacity { self.capacity } else { lack })
    }

    /// The word after tokens that are there were taken.
    pub(super) const fn spent(&self, full: Full, now: Nanos, tokens: u64) -> Full {
        let lack = self.lack(full, now).saturating_add(self.cost(tokens));
        self.units(now).wrapping_add(if lack > self.capacity { self.capacity } else { lack })
    }

    /// How many of the tokens that are owed have come since it was empty, and the word after that. While it owes it never
    /// fills, so that it may have been empty for longer than it takes to fill.
    pub(super) const fn repaid(&self, full: Full, now: Nanos, owed: u64) -> (u64, Full) {
        let since_empty = self.units(now).wrapping_sub(full.wrapping_sub(self.capacity));
        // Before that instant the clock has stepped back, or there is nothing yet.
        let come = if since_empty > u64::MAX / 2 { 0 } else { since_empty / self.interval };
        let paid = if come < owed { come } else { owed };
        (paid, full.wrapping_add(paid * self.interval))
    }

    /// The word after some tokens were given back.
    pub(super) const fn put_back(&self, full: Full, now: Nanos, tokens: u64) -> Full {
        let lack = self.lack(full, now).saturating_sub(self.cost(tokens));
        self.units(now).wrapping_add(lack)
    }

    /// Whether instants can be told apart for as long as it takes to fill the bucket.
    pub(super) const fn fits(rate: Rate, burst: u32) -> bool {
        Self::exact(rate, burst).1 < MOST as u128
    }

    const fn exact(rate: Rate, burst: u32) -> (u128, u128, u32) {
        let period = rate.period().as_nanos();
        let limit = rate.limit() as u128;
        // An interval of at least 2^14 units is off by less than 1e-4; seven bits leave four years before wrapping.
        let mut shift = 0;
        while shift < 7 && (period << shift) / limit < 1 << 14 {
            shift += 1;
        }
        let interval = ((period << shift) + limit / 2) / limit;
        (interval, interval * burst as u128, shift)
    }

    #[inline]
    pub(super) const fn units(&self, now: Nanos) -> u64 {
        now << self.shift
    }

    /// The word of a bucket that holds `tokens` of `burst`.
    pub(super) const fn holding(&self, now: Nanos, tokens: u32) -> Full {
        let missing = self.capacity.saturating_sub(self.cost(tokens as u64));
        self.units(now).wrapping_add(missing)
    }

    #[inline]
    const fn cost(&self, tokens: u64) -> u64 {
        let cost = self.interval.saturating_mul(tokens);
        if cost > MOST { MOST } else { cost }
    }

    /// Units until it is full, as the word has it: one in the past differs by more than half of all there are.
    #[inline]
    const fn ahead(&self, full: Full, now: Nanos) -> u64 {
        let ahead = full.wrapping_sub(self.units(now));
        if ahead > u64::MAX / 2 { 0 } else { ahead }
    }

    /// Units that the bucket lacks.
    #[inline]
    const fn lack(&self, full: Full, now: Nanos) -> u64 {
        let ahead = self.ahead(full, now);
        // Only a clock that stepped back leaves more than an empty bucket: it lengthens nothing beyond one filling.
        if ahead > self.capacity { self.capacity } else { ahead }
    }

    /// Takes tokens, if they are there.
    #[inline]
    pub(super) const fn take(&self, full: Full, now: Nanos, tokens: u32) -> Take {
        self.take_within(full, now, tokens, self.capacity)
    }

    /// Takes tokens, if they are there and it then lacks no more than `ceiling`.
    #[inline]
    pub(super) const fn take_within(&self, full: Full, now: Nanos, tokens: u32, ceiling: u64) -> Take {
        let before = self.lack(full, now);
        let lack = before + self.cost(tokens as u64);
        if lack <= ceiling {
            Take::Taken { full: self.units(now).wrapping_add(lack), dated: before <= self.lag }
        } else {
            Take::Lacking { after: lack - ceiling }
        }
    }

    /// What it lacks when no more than so many tokens are left.
    pub(super) const fn ceiling(&self, floor: u32) -> u64 {
        self.capacity.saturating_sub(self.cost(floor as u64))
    }

    /// The word of an empty bucket, where `full` is farther off than that by more than `slack`: the clock has stepped
    /// back, and without a new anchor nothing would fill the bucket until it had caught up.
    #[inline]
    pub(super) const fn anchored(&self, full: Full, now: Nanos, slack: Nanos) -> Option<Full> {
        let most = self.capacity.saturating_add(self.units(slack));
        if self.ahead(full, now) > most { Some(self.units(now).wrapping_add(self.capacity)) } else { None }
    }

    /// How long until `tokens`, which may be more than the bucket holds, have come one after the other.
    pub(super) const fn time_for(&self, full: Full, now: Nanos, tokens: u64) -> Nanos {
        let lack = self.lack(full, now).saturating_add(self.cost(tokens));
        self.nanos(lack.saturating_sub(self.capacity))
    }

    /// How long so many take to come.
    pub(super) const fn time_of(&self, tokens: u32) -> Nanos {
        self.nanos(self.cost(tokens as u64))
    }

    /// Whole tokens in it.
    pub(super) const fn tokens(&self, full: Full, now: Nanos) -> u32 {
        let held = (self.capacity - self.lack(full, now)) / self.interval;
        if held > u32::MAX as u64 { u32::MAX } else { held as u32 }
    }

    #[inline]
    pub(super) const fn nanos(&self, units: u64) -> Nanos {
        // Rounded up; the units of any wait are far below the word's end.
        (units + ((1 << self.shift) - 1)) >> self.shift
    }
}

/// Differences of instants stay well below half of a word.
const MOST: u64 = u64::MAX / 4;

const fn clamp(units: u128) -> u64 {
    if units > MOST as u128 { MOST } else { units as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Nanos = 1_000_000_000;

    /// The word after taking tokens, or how long until they are there.
    fn take(bucket: &Bucket, full: Full, now: Nanos, tokens: u32) -> Result<Full, Nanos> {
        match bucket.take(full, now, tokens) {
            Take::Taken { full, .. } => Ok(full),
            Take::Lacking { after } => Err(bucket.nanos(after)),
        }
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_one_token_an_interval() {
        let bucket = Bucket::new(Rate::per_second(10), 5, 0);
        let mut full = bucket.holding(SECOND, 5);
        for _ in 0..5 {
            full = take(&bucket, full, SECOND, 1).unwrap();
        }
        assert_eq!(take(&bucket, full, SECOND, 1), Err(SECOND / 10));
        assert!(take(&bucket, full, SECOND + SECOND / 10 - 1, 1).is_err());
        assert!(take(&bucket, full, SECOND + SECOND / 10, 1).is_ok());
        assert_eq!(bucket.time_for(full, SECOND, 12), SECOND * 12 / 10);
    }

    /// Whole tokens arrive at the multiples of the interval; the oracle counts in exact fractions.
    #[test]
    fn admitted_counts_agree_with_exact_fractions_for_random_arrivals() {
        for (limit, period) in [(1, 86_400 * SECOND), (3, SECOND), (100, SECOND), (7, SECOND / 4)] {
            for burst in [1, 2, 50] {
                let bucket = Bucket::new(Rate::new(limit, Duration::from_nanos(period)), burst, 0);
                let mut now = 1 << 50;
                let mut full = bucket.holding(now, burst);
                // In units of 1 / period tokens.
                let (mut tokens, mut last) = (u128::from(burst) * u128::from(period), now);
                let mean = period / u64::from(limit);
                for _ in 0..2000 {
                    now += fastrand::u64(0..=2 * mean);
                    let cost = fastrand::u32(1..=burst.min(3));
                    tokens += u128::from(now - last) * u128::from(limit);
                    tokens = tokens.min(u128::from(burst) * u128::from(period));
                    last = now;
                    let needed = u128::from(cost) * u128::from(period);
                    let admitted = take(&bucket, full, now, cost);
                    // Rounding an interval to a unit shifts instants by less than a unit for each token.
                    let slack = u128::from(limit) * 4000;
                    assert!(admitted.is_ok() || tokens < needed + slack, "{limit}/{period} {burst}");
                    assert!(admitted.is_err() || tokens + slack >= needed, "{limit}/{period} {burst}");
                    if let Ok(next) = admitted {
                        full = next;
                        tokens = tokens.saturating_sub(needed);
                    }
                }
            }
        }
    }

    #[test]
    fn fast_rates_are_exact_to_a_ten_thousandth() {
        for limit in [10_000_000, 9_999_999, 3_000_000, 333_333] {
            let bucket = Bucket::new(Rate::per_second(limit), 1, 0);
            let exact = (1_u64 << bucket.shift) as f64 * 1e9 / f64::from(limit);
            assert!((bucket.interval as f64 / exact - 1.0).abs() < 1e-4, "{limit}");
        }
    }

    #[test]
    fn instants_may_wrap_around() {
        let bucket = Bucket::new(Rate::per_second(10_000_000), 10, 0);
        let now = (u64::MAX >> bucket.shift) - 100;
        let mut full = bucket.holding(now, 0);
        assert_eq!(take(&bucket, full, now, 1), Err(100));
        full = take(&bucket, full, now + 200, 1).unwrap();
        assert_eq!(bucket.tokens(full, now + 200), 1);
    }

    #[test]
    fn a_clock_that_steps_back_costs_one_filling_at_most() {
        let bucket = Bucket::new(Rate::per_second(1), 2, 0);
        let full = bucket.holding(1000 * SECOND, 0);
        assert_eq!(take(&bucket, full, 0, 1), Err(SECOND));
        assert_eq!(bucket.time_for(full, 0, 2), 2 * SECOND);
    }

    #[test]
    fn a_clock_that_stepped_back_anchors_a_drained_bucket_anew() {
        let bucket = Bucket::new(Rate::per_second(10), 10, 0);
        let (late, now) = (7_200_000_000_000, 3_600_000_000_000);
        let drained = bucket.holding(late, 0);
        assert_eq!(bucket.anchored(drained, late, 0), None);
        assert_eq!(bucket.anchored(drained, now, 0), Some(bucket.holding(now, 0)));
        // A coarse clock that lags is not one that stepped back.
        assert_eq!(bucket.anchored(drained, late - 10, 10), None);
    }

    #[test]
    fn a_lagging_clock_is_not_believed_where_its_lag_is_more_than_a_hundredth_of_the_bucket() {
        let tick = 10_000_000;
        let dated = |bucket: &Bucket, held, tokens| {
            let full = bucket.holding(SECOND, held);
            matches!(bucket.take(full, SECOND, tokens), Take::Taken { dated: true, .. })
        };
        // 2 ms to fill: half full by a clock that lags up to 10 ms, it may well be full.
        let small = Bucket::new(Rate::per_second(100_000), 200, tick);
        assert!(dated(&small, 200, 1) && dated(&small, 100, 1));
        // A second to fill: the lag is worth a hundredth of it.
        let large = Bucket::new(Rate::per_second(100_000), 100_000, tick);
        assert!(dated(&large, 100_000, 1) && !dated(&large, 99_999, 1));
        // A clock that does not lag is wrong only about what is full.
        let exact = Bucket::new(Rate::per_second(100_000), 200, 0);
        assert!(dated(&exact, 200, 1) && !dated(&exact, 199, 1));
    }
}
