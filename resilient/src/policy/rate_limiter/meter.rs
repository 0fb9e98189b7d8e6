//! One quota of several, or one that is no token bucket. Pure: time comes in as an argument.

use super::{
    bucket::{Bucket, Full},
    config::Algorithm,
    log::SlidingLog,
    window::FixedWindow,
};
use crate::{
    rate::Rate,
    time::{Nanos, nanos},
};

/// What it holds at most, and how it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) rate: Rate,
    pub(super) burst: u32,
    /// Tokens that only more urgent calls may take.
    pub(super) reserve: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Meter {
    quota: Quota,
    kind: Kind,
    /// Tokens that were spent without being there.
    owed: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Bucket { nominal: Bucket, bucket: Bucket, full: Full },
    Window(FixedWindow),
    Log(SlidingLog),
}

impl Meter {
    pub(super) fn new(quota: Quota, algorithm: Algorithm, initial: u32, now: Nanos) -> Self {
        let (period, limit) = (nanos(quota.rate.period()), u64::from(quota.burst));
        let kind = match algorithm {
            Algorithm::TokenBucket => {
                let bucket = Bucket::new(quota.rate, quota.burst, 0);
                Kind::Bucket { nominal: bucket, bucket, full: bucket.holding(now, initial) }
            }
            Algorithm::FixedWindow => Kind::Window(FixedWindow::new(period, limit, initial.into(), now)),
            Algorithm::SlidingWindow => Kind::Log(SlidingLog::new(period, limit, initial.into(), now)),
        };
        Self { quota, kind, owed: 0 }
    }

    /// Whether both are of one quota, counted alike.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.quota == other.quota && std::mem::discriminant(&self.kind) == std::mem::discriminant(&other.kind)
    }

    /// Whether it is like new.
    pub(super) fn is_full(&mut self, now: Nanos) -> bool {
        self.available(now) >= u64::from(self.quota.burst)
    }

    /// The most that it holds at its present pace, where `reserved` tokens stay for more urgent calls.
    pub(super) fn most(&self, reserved: bool) -> u64 {
        self.limit().saturating_sub(self.floor(reserved))
    }

    fn limit(&self) -> u64 {
        match &self.kind {
            Kind::Bucket { .. } => self.quota.burst.into(),
            Kind::Window(window) => window.limit(),
            Kind::Log(log) => log.limit(),
        }
    }

    /// What stays for more urgent calls.
    pub(super) fn floor(&self, reserved: bool) -> u64 {
        let share =
            if reserved { u64::from(self.quota.reserve) * self.limit() / u64::from(self.quota.burst) } else { 0 };
        share.min(self.limit() - 1)
    }

    /// What is owed, after what has come has paid for it.
    pub(super) fn owed(&mut self, now: Nanos) -> u64 {
        if self.owed > 0 {
            self.owed -= match &mut self.kind {
                Kind::Bucket { bucket, full, .. } => {
                    let (paid, next) = bucket.repaid(*full, now, self.owed);
                    *full = next;
                    paid
                }
                Kind::Window(window) => window.repay(now, self.owed),
                Kind::Log(log) => log.repay(now, self.owed),
            };
        }
        self.owed
    }

    /// Tokens are spent, whether they are there or not.
    pub(super) fn charge(&mut self, now: Nanos, tokens: u64) {
        let there = self.available(now).min(tokens);
        self.take(now, there);
        self.owed = self.owed.saturating_add(tokens - there);
    }

    pub(super) fn available(&mut self, now: Nanos) -> u64 {
        if self.owed(now) > 0 {
            return 0;
        }
        match &mut self.kind {
            Kind::Bucket { bucket, full, .. } => {
                if let Some(anchored) = bucket.anchored(*full, now, 0) {
                    *full = anchored;
                }
                bucket.tokens(*full, now).into()
            }
            Kind::Window(window) => window.available(now),
            Kind::Log(log) => log.available(now),
        }
    }

    /// Takes what is available.
    pub(super) fn take(&mut self, now: Nanos, tokens: u64) {
        match &mut self.kind {
            Kind::Bucket { bucket, full, .. } => *full = bucket.spent(*full, now, tokens),
            Kind::Window(window) => window.take(now, tokens),
            Kind::Log(log) => log.take(now, tokens),
        }
    }

    /// Tokens come back: first to those that are owed.
    pub(super) fn put_back(&mut self, now: Nanos, tokens: u64) {
        let owed = tokens.min(self.owed(now));
        self.owed -= owed;
        let tokens = tokens - owed;
        match &mut self.kind {
            Kind::Bucket { bucket, full, .. } => *full = bucket.put_back(*full, now, tokens),
            Kind::Window(window) => window.put_back(now, tokens),
            Kind::Log(log) => log.put_back(now, tokens),
        }
    }

    pub(super) fn time_for(&mut self, now: Nanos, tokens: u64) -> Nanos {
        let tokens = tokens.saturating_add(self.owed(now));
        match &mut self.kind {
            Kind::Bucket { bucket, full, .. } => bucket.time_for(*full, now, tokens),
            Kind::Window(window) => window.time_for(now, tokens),
            Kind::Log(log) => log.time_for(now, tokens),
        }
    }

    /// Goes on at this share of its rate.
    pub(super) fn pace(&mut self, now: Nanos, factor: f64) {
        #[expect(clippy::cast_sign_loss, reason = "a share of a limit is positive")]
        let limit = ((f64::from(self.quota.burst) * factor) as u64).max(1);
        match &mut self.kind {
            Kind::Bucket { nominal, bucket, full } => {
                let paced = nominal.paced(self.quota.burst, factor);
                *full = paced.repaced(bucket, *full, now);
                *bucket = paced;
            }
            Kind::Window(window) => window.set_limit(limit),
            Kind::Log(log) => log.set_limit(limit),
        }
    }

    /// Begins anew at that instant: a bucket with one token, a window with all.
    pub(super) fn restart(&mut self, at: Nanos) {
        match &mut self.kind {
            Kind::Bucket { bucket, full, .. } => *full = bucket.holding(at, 1),
            Kind::Window(window) => window.restart(at),
            Kind::Log(log) => log.clear(),
        }
    }

    pub(super) fn fill(&mut self, now: Nanos) {
        self.owed = 0;
        match &mut self.kind {
            Kind::Bucket { bucket, full, .. } => *full = bucket.holding(now, self.quota.burst),
            Kind::Window(window) => window.restart(now),
            Kind::Log(log) => log.clear(),
        }
    }
}
