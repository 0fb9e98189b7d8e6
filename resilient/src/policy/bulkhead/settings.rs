//! What may be changed at run time.

use super::{BulkheadConfig, limit::Range, word::MOST_WAITERS};
use crate::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Relaxed, Release},
};
use crate::time::{NEVER, Nanos, nanos};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Settings {
    max: AtomicU32,
    /// Where the limit is found by measurement, the least that it may be; else 0.
    least: AtomicU32,
    /// 0 where nobody waits.
    wait: AtomicU64,
    /// 0 for as many as `max`.
    queue: AtomicU32,
    /// Something was set by hand.
    by_hand: AtomicBool,
}

const fn wait_of(config: &BulkheadConfig) -> Nanos {
    match config.wait {
        Some(wait) => nanos(wait),
        None => 0,
    }
}

const fn or_none(number: Option<u32>) -> u32 {
    match number {
        Some(number) => number,
        None => 0,
    }
}

impl Settings {
    pub(super) const fn new(config: &BulkheadConfig) -> Self {
        Self {
            max: AtomicU32::new(config.max),
            least: AtomicU32::new(or_none(config.least)),
            wait: AtomicU64::new(wait_of(config)),
            queue: AtomicU32::new(or_none(config.queue)),
            by_hand: AtomicBool::new(false),
        }
    }

    pub(super) fn obey(&self, config: &BulkheadConfig, by_hand: bool) {
        self.max.store(config.max, Relaxed);
        self.wait.store(wait_of(config), Relaxed);
        self.queue.store(or_none(config.queue), Relaxed);
        self.least.store(or_none(config.least), Release);
        self.by_hand.store(by_hand, Relaxed);
    }

    pub(super) fn touch(&self) {
        self.by_hand.store(true, Relaxed);
    }

    pub(super) fn is_by_hand(&self) -> bool {
        self.by_hand.load(Relaxed)
    }

    pub(super) fn max(&self) -> u32 {
        self.max.load(Relaxed)
    }

    /// For how long a call waits, where it does.
    pub(super) fn wait(&self) -> Option<Nanos> {
        match self.wait.load(Relaxed) {
            0 => None,
            wait => Some(wait),
        }
    }

    /// How many may wait.
    pub(super) fn queue(&self) -> usize {
        let queue = match self.queue.load(Relaxed) {
            0 => self.max(),
            queue => queue,
        };
        queue.min(MOST_WAITERS) as usize
    }

    #[inline(always)]
    pub(super) fn is_adaptive(&self) -> bool {
        self.least.load(Relaxed) != 0
    }

    pub(super) fn range(&self) -> Option<Range> {
        let least = self.least.load(Relaxed);
        (least != 0).then(|| Range { least, most: self.max() })
    }

    /// What is obeyed now, of a bulkhead made from `born`.
    pub(super) fn config(&self, born: BulkheadConfig) -> BulkheadConfig {
        let some = |number| (number != 0).then_some(number);
        let wait = self.wait().map(|wait| if wait == NEVER { Duration::MAX } else { Duration::from_nanos(wait) });
        BulkheadConfig {
            max: self.max(),
            least: some(self.least.load(Relaxed)),
            wait,
            queue: some(self.queue.load(Relaxed)),
            ..born
        }
    }
}
