use super::RateLimiter;
use crate::{
    policy::mode::Mode,
    ratio::Ratio,
    stats::{Histogram, Latency, Slots},
    time::Nanos,
};
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// A limiter at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RateLimiterStats {
    /// Whole tokens that can be had; of several quotas, in the one that has least.
    pub tokens: u32,
    /// The most that it holds.
    pub burst: u32,
    /// Tokens that were spent without being there, and that the next ones pay for.
    pub debt: u64,
    /// For how long nobody gets a token: see [`hold_for`](RateLimiter::hold_for).
    pub held_for: Option<Duration>,
    /// The share of the rate that it goes on at: see [`adjust`](RateLimiter::adjust).
    pub pace: Ratio,
    /// Whether it acts.
    pub mode: Mode,
    /// Calls that wait their turn.
    pub waiting: usize,
    /// Calls that got their tokens.
    pub admitted: u64,
    /// Calls that were refused.
    pub rejected: u64,
    /// How many of these had waited: others were more urgent.
    pub rejected_late: u64,
    /// How many of these asked for more than there ever is.
    pub rejected_for_ever: u64,
    /// How long those waited who got their turn.
    pub waited: Latency,
}

impl RateLimiterStats {
    /// The share of the calls that got their tokens; absent before the first call.
    #[must_use]
    pub fn acceptance_rate(&self) -> Option<Ratio> {
        let calls = self.admitted + self.rejected;
        (calls > 0).then(|| Ratio::new(self.admitted as f64 / calls as f64).ok()).flatten()
    }
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    AtOnce,
    Waited,
    Impossible,
}

#[derive(Debug)]
pub(super) struct Counts {
    lines: Slots<Line>,
    waited: OnceLock<Box<Histogram>>,
}

/// What one thread's calls came to.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line {
    admitted: AtomicU64,
    refused: [AtomicU64; 3],
}

impl Line {
    fn count(&self, refused: Option<Refusal>) -> &AtomicU64 {
        refused.map_or(&self.admitted, |why| &self.refused[why as usize])
    }
}

impl Counts {
    pub(super) const fn new() -> Self {
        Self { lines: Slots::new(), waited: OnceLock::new() }
    }

    #[inline]
    pub(super) fn admit(&self) {
        match self.lines.get() {
            Some((line, true)) => line.admitted.store(line.admitted.load(Relaxed) + 1, Relaxed),
            _ => self.count(None),
        }
    }

    pub(super) fn refuse(&self, why: Refusal) {
        self.count(Some(why));
    }

    #[cold]
    fn count(&self, refused: Option<Refusal>) {
        let (line, is_own) = self.lines.local();
        let count = line.count(refused);
        if is_own {
            count.store(count.load(Relaxed) + 1, Relaxed);
        } else {
            count.fetch_add(1, Relaxed);
        }
    }

    fn sum(&self, refused: Option<Refusal>) -> u64 {
        self.lines.iter().map(|line| line.count(refused).load(Relaxed)).sum()
    }

    pub(super) fn waited(&self, time: Nanos) {
        self.waited.get_or_init(Box::default).record(time);
    }
}

impl RateLimiter {
    pub(super) fn tokens(&self) -> u32 {
        self.lock().tokens()
    }

    /// What it holds now, and what it did.
    #[must_use]
    pub fn stats(&self) -> RateLimiterStats {
        let mut locked = self.lock();
        let now = locked.now();
        let tokens = locked.tokens();
        let (debt, held_for) = locked.with(|ledger, purse| (purse.owed(now), ledger.closed_for(purse, now)));
        let (pace, mode, waiting) = (locked.health.pace(), locked.config.mode, locked.line.len());
        drop(locked);
        let refused = |why: Refusal| self.counts.sum(Some(why));
        let (late, for_ever) = (refused(Refusal::Waited), refused(Refusal::Impossible));
        RateLimiterStats {
            tokens,
            burst: self.live.burst(),
            debt,
            held_for: held_for.map(Duration::from_nanos),
            pace: Ratio::new(pace).unwrap_or(Ratio::percent(100)),
            mode,
            waiting,
            admitted: self.counts.sum(None),
            rejected: refused(Refusal::AtOnce) + late + for_ever,
            rejected_late: late,
            rejected_for_ever: for_ever,
            waited: self.counts.waited.get().map(|waited| waited.read()).unwrap_or_default(),
        }
    }
}
