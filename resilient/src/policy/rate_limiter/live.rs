//! The configuration as those read it who do not hold the lock.

use super::{bucket::Bucket, config::RateLimiterConfig};
use crate::{
    sync::atomic::{
        AtomicBool, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::{Nanos, nanos},
};

/// A bucket changes while the gate says so: who has read a part of the new one sees the gate closed, and who has read all
/// of the old one finds another word if he comes too late.
#[derive(Debug)]
pub(super) struct Live {
    interval: AtomicU64,
    capacity: AtomicU64,
    lag: AtomicU64,
    shift: AtomicU32,
    /// What the bucket may lack where the reserve stays.
    ceiling: AtomicU64,
    /// The most that can be had.
    burst: AtomicU32,
    /// What stays for more urgent calls.
    floor: AtomicU32,
    /// Tokens of a stock.
    batch: AtomicU32,
    /// How long calls wait; 0 where they do not.
    wait: AtomicU64,
    adaptive: AtomicBool,
}

impl Live {
    pub(super) const fn new(config: &RateLimiterConfig, bucket: Bucket) -> Self {
        let (interval, capacity, shift, lag) = bucket.parts();
        Self {
            interval: AtomicU64::new(interval),
            capacity: AtomicU64::new(capacity),
            lag: AtomicU64::new(lag),
            shift: AtomicU32::new(shift),
            ceiling: AtomicU64::new(bucket.ceiling(config.floor())),
            burst: AtomicU32::new(config.most()),
            floor: AtomicU32::new(config.floor()),
            batch: AtomicU32::new(config.batch()),
            wait: AtomicU64::new(Self::wait_of(config)),
            adaptive: AtomicBool::new(config.is_adaptive()),
        }
    }

    const fn wait_of(config: &RateLimiterConfig) -> Nanos {
        match config.wait {
            Some(wait) => nanos(wait),
            None => 0,
        }
    }

    #[inline]
    pub(super) fn bucket(&self) -> Bucket {
        let (interval, capacity) = (self.interval.load(Acquire), self.capacity.load(Acquire));
        Bucket::of_parts(interval, capacity, self.shift.load(Acquire), self.lag.load(Acquire))
    }

    #[inline]
    pub(super) fn ceiling(&self, reserved: bool) -> u64 {
        if reserved { self.ceiling.load(Acquire) } else { self.capacity.load(Acquire) }
    }

    #[inline]
    pub(super) fn burst(&self) -> u32 {
        self.burst.load(Relaxed)
    }

    #[inline]
    pub(super) fn floor(&self, reserved: bool) -> u32 {
        if reserved { self.floor.load(Relaxed) } else { 0 }
    }

    pub(super) fn batch(&self) -> u32 {
        self.batch.load(Relaxed)
    }

    pub(super) fn wait(&self) -> Option<Nanos> {
        Some(self.wait.load(Relaxed)).filter(|wait| *wait > 0)
    }

    pub(super) fn is_adaptive(&self) -> bool {
        self.adaptive.load(Relaxed)
    }

    /// Only under the lock.
    pub(super) fn obey(&self, config: &RateLimiterConfig) {
        self.burst.store(config.most(), Relaxed);
        self.floor.store(config.floor(), Relaxed);
        self.batch.store(config.batch(), Relaxed);
        self.wait.store(Self::wait_of(config), Relaxed);
        self.adaptive.store(config.is_adaptive(), Relaxed);
    }

    /// Only under the lock.
    pub(super) fn set_bucket(&self, bucket: Bucket) {
        self.ceiling.store(bucket.ceiling(self.floor(true)), Release);
        let (interval, capacity, shift, lag) = bucket.parts();
        self.interval.store(interval, Release);
        self.capacity.store(capacity, Release);
        self.shift.store(shift, Release);
        self.lag.store(lag, Release);
    }
}
