//! Where a limiter's tokens are: in its word, or in several meters that decide together.

use super::{
    RateLimiter,
    bucket::{Bucket, Full, Take},
    ledger::gate,
    meter::Meter,
};
use crate::{sync::atomic::Ordering::AcqRel, time::Nanos};

/// What the holder of the lock may take from. Other threads may take from the word meanwhile.
pub(super) enum Purse<'a> {
    /// With what is owed.
    Word(&'a RateLimiter, &'a mut u64),
    Meters(&'a mut [Meter]),
}

impl Purse<'_> {
    /// The most that can be had at once, where `reserved` tokens stay for more urgent calls.
    pub(super) fn most(&self, reserved: bool) -> u64 {
        match self {
            Self::Word(limiter, _) => (limiter.live.burst() - limiter.live.floor(reserved)).into(),
            Self::Meters(meters) => meters.iter().map(|meter| meter.most(reserved)).min().unwrap_or(0),
        }
    }

    /// What is owed, after what has come has paid for it.
    pub(super) fn owed(&mut self, now: Nanos) -> u64 {
        match self {
            Self::Word(limiter, owed) => {
                while **owed > 0 {
                    let mut paid = 0;
                    limiter.replace(|bucket, full| {
                        let (part, next) = bucket.repaid(full, now, **owed);
                        paid = part;
                        next
                    });
                    **owed -= paid;
                    if paid == 0 {
                        break;
                    }
                }
                **owed
            }
            Self::Meters(meters) => meters.iter_mut().map(|meter| meter.owed(now)).max().unwrap_or(0),
        }
    }

    /// Tokens are spent, whether they are there or not.
    pub(super) fn charge(&mut self, now: Nanos, tokens: u64) {
        if let Self::Meters(meters) = self {
            return meters.iter_mut().for_each(|meter| meter.charge(now, tokens));
        }
        let there = loop {
            let there = self.available(now, false).min(tokens);
            if self.take(now, there) {
                break there;
            }
        };
        if let Self::Word(_, owed) = self {
            **owed = owed.saturating_add(tokens - there);
        }
    }

    /// What can be had now.
    pub(super) fn available(&mut self, now: Nanos, reserved: bool) -> u64 {
        let owed = self.owed(now);
        match self {
            Self::Word(limiter, _) => {
                if owed > 0 {
                    return 0;
                }
                let held = limiter.bucket().tokens(limiter.anchored(now), now);
                held.saturating_sub(limiter.live.floor(reserved)).into()
            }
            Self::Meters(meters) => {
                let held = meters.iter_mut().map(|meter| meter.available(now).saturating_sub(meter.floor(reserved)));
                held.min().unwrap_or(0)
            }
        }
    }

    /// Takes what was found available; `false` where another thread was faster.
    pub(super) fn take(&mut self, now: Nanos, tokens: u64) -> bool {
        match self {
            Self::Word(limiter, _) => {
                let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
                limiter.update(|bucket, full| match bucket.take(full, now, tokens) {
                    Take::Taken { full, .. } => Some(full),
                    Take::Lacking { .. } => None,
                })
            }
            Self::Meters(meters) => {
                meters.iter_mut().for_each(|meter| meter.take(now, tokens));
                true
            }
        }
    }

    pub(super) fn put_back(&mut self, now: Nanos, tokens: u64) {
        match self {
            Self::Word(limiter, owed) => {
                let back = tokens.min(**owed);
                **owed -= back;
                limiter.replace(|bucket, full| bucket.put_back(full, now, tokens - back));
            }
            Self::Meters(meters) => meters.iter_mut().for_each(|meter| meter.put_back(now, tokens)),
        }
    }

    /// How long until so many have come after those that are owed, one after the other, and what is `reserved` besides.
    pub(super) fn time_for(&mut self, now: Nanos, tokens: u64, reserved: bool) -> Nanos {
        let owed = self.owed(now);
        match self {
            Self::Word(limiter, _) => {
                let tokens = tokens.saturating_add(limiter.live.floor(reserved).into()).saturating_add(owed);
                limiter.bucket().time_for(limiter.full(), now, tokens)
            }
            Self::Meters(meters) => {
                let times = meters.iter_mut().map(|meter| {
                    let tokens = tokens.saturating_add(meter.floor(reserved));
                    meter.time_for(now, tokens)
                });
                times.max().unwrap_or(0)
            }
        }
    }

    /// The same, from when it begins anew.
    pub(super) fn time_from_restart(&self, now: Nanos, tokens: u64, reserved: bool) -> Nanos {
        match self {
            Self::Word(limiter, owed) => {
                let (bucket, floor) = (limiter.bucket(), limiter.live.floor(reserved));
                let tokens = tokens.saturating_add(floor.into()).saturating_add(**owed);
                bucket.time_for(bucket.holding(now, 1), now, tokens)
            }
            Self::Meters(meters) => {
                let times = meters.iter().map(|meter| {
                    let mut meter = meter.clone();
                    meter.restart(now);
                    meter.time_for(now, tokens.saturating_add(meter.floor(reserved)))
                });
                times.max().unwrap_or(0)
            }
        }
    }

    /// Begins anew at that instant: a bucket with one token, a window with all.
    pub(super) fn restart(&mut self, at: Nanos) {
        match self {
            Self::Word(limiter, _) => limiter.replace(|bucket, _| bucket.holding(at, 1)),
            Self::Meters(meters) => meters.iter_mut().for_each(|meter| meter.restart(at)),
        }
    }

    pub(super) fn fill(&mut self, now: Nanos) {
        match self {
            Self::Word(limiter, owed) => {
                **owed = 0;
                limiter.hold(now, limiter.live.burst());
            }
            Self::Meters(meters) => meters.iter_mut().for_each(|meter| meter.fill(now)),
        }
    }

    /// Goes on at this share of the rate; `nominal`: the word's bucket at all of it.
    pub(super) fn pace(&mut self, now: Nanos, nominal: Bucket, factor: f64) {
        match self {
            Self::Word(limiter, _) => limiter.pace(now, nominal, factor),
            Self::Meters(meters) => meters.iter_mut().for_each(|meter| meter.pace(now, factor)),
        }
    }
}

/// The word, as those see it who hold the lock.
impl RateLimiter {
    /// The word, with a new anchor where the clock has stepped back.
    fn anchored(&self, now: Nanos) -> Full {
        self.replace(|bucket, full| bucket.anchored(full, now, crate::time::TICK).unwrap_or(full));
        self.full()
    }

    /// Nobody takes from the word without the lock until it is let go of.
    pub(super) fn change_bucket(&self, bucket: Bucket) {
        self.gate.fetch_or(gate::CHANGING, AcqRel);
        self.live.set_bucket(bucket);
    }

    /// Some were not needed after all.
    pub(super) fn put_back(&self, now: Nanos, tokens: u32) {
        self.replace(|bucket, full| bucket.put_back(full, now, tokens.into()));
    }

    /// Takes all tokens of the word.
    pub(super) fn empty(&self, now: Nanos) -> u32 {
        self.gate.fetch_or(gate::CHANGING, AcqRel);
        let mut held = 0;
        self.replace(|bucket, full| {
            held = bucket.tokens(full, now);
            // Another word even where there was nothing to take.
            bucket.holding(now, 0).wrapping_add(u64::from(bucket.holding(now, 0) == full))
        });
        held
    }

    /// Holds so many tokens from now on.
    pub(super) fn hold(&self, now: Nanos, tokens: u32) {
        self.replace(|bucket, _| bucket.holding(now, tokens));
    }

    fn replace(&self, mut next: impl FnMut(&Bucket, Full) -> Full) {
        self.update(|bucket, full| Some(next(bucket, full)));
    }

    fn update(&self, mut next: impl FnMut(&Bucket, Full) -> Option<Full>) -> bool {
        let mut full = self.full();
        let bucket = self.bucket();
        while let Some(wanted) = next(&bucket, full) {
            match self.swap(full, wanted) {
                Ok(()) => return true,
                Err(found) => full = found,
            }
        }
        false
    }

    fn pace(&self, now: Nanos, nominal: Bucket, factor: f64) {
        let (before, after) = (self.bucket(), nominal.paced(self.live.burst(), factor));
        if before == after {
            return;
        }
        self.change_bucket(after);
        // Who took tokens at the former pace in this very moment has paid a little more or less for them.
        self.replace(|_, full| after.repaced(&before, full, now));
    }
}
