use super::{Bulkhead, measure::Measure};
use crate::{
    policy::mode::Mode,
    ratio::Ratio,
    stats::{Histogram, Latency},
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Relaxed},
    },
    time::Nanos,
};
use std::{sync::OnceLock, time::Duration};

/// Why a call got no place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Full,
    QueueFull,
    WaitedTooLong,
    TooMany,
    /// It was dropped in line.
    GaveUp,
}

/// What is counted off the hot path.
#[derive(Debug)]
pub(super) struct Counters {
    refused: [AtomicU64; 5],
    waits: OnceLock<Box<Histogram>>,
    /// The limit that was reported last; 0 before.
    reported: AtomicU32,
}

impl Counters {
    pub(super) const fn new() -> Self {
        Self { refused: [const { AtomicU64::new(0) }; 5], waits: OnceLock::new(), reported: AtomicU32::new(0) }
    }

    pub(super) fn refused(&self, reason: Reason) {
        self.refused[reason as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn waited(&self, time: Nanos) {
        self.waits.get_or_init(Box::default).record(time);
    }

    fn of(&self, reason: Reason) -> u64 {
        self.refused[reason as usize].load(Relaxed)
    }

    /// Whether the limit has moved by a fifth since it was last reported: from where.
    pub(super) fn limit_is_news(&self, limit: u32, first: u32) -> Option<u32> {
        let reported = self.reported.load(Relaxed);
        let from = if reported == 0 { first } else { reported };
        let is_news = limit.abs_diff(from) * 5 >= from;
        (is_news && self.reported.compare_exchange(reported, limit, AcqRel, Relaxed).is_ok()).then_some(from)
    }
}

/// A bulkhead at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadStats {
    /// The most places that there may be.
    pub max: u32,
    /// The places that there are: less than `max` where that is found by measurement.
    pub limit: u32,
    /// Places taken: more than `limit` for a while after that has come down.
    pub in_use: u32,
    /// Free places; none while others wait for one.
    pub available: u32,
    /// Calls that wait for a place.
    pub waiting: u32,
    /// Whether it acts.
    pub mode: Mode,
    /// Calls that were let in, those included that waited.
    pub admitted: u64,
    /// Calls that were refused, for all of the following reasons.
    pub rejected: u64,
    /// Calls that found no place, where nobody waits.
    pub full: u64,
    /// Calls that found too many waiting, or had to make room for others while they waited.
    pub queue_full: u64,
    /// Calls that waited as long as they may.
    pub waited_too_long: u64,
    /// Calls that asked for more places than there may be.
    pub too_many: u64,
    /// Calls that were dropped while they waited. They were not refused.
    pub gave_up: u64,
    /// How long calls waited that were let in after that. Those that did not wait are not among them.
    pub waits: Latency,
    /// How long calls take without load, where the limit is found by measurement.
    pub unloaded: Option<Duration>,
}

impl BulkheadStats {
    /// The share of the calls that were let in, of all that were let in or refused; absent before the first.
    #[must_use]
    pub fn acceptance_rate(&self) -> Option<Ratio> {
        let all = self.admitted + self.rejected;
        (all > 0).then(|| Ratio::new(self.admitted as f64 / all as f64).ok()).flatten()
    }
}

impl Bulkhead {
    /// What it holds now, and what became of calls since it was made.
    #[must_use]
    pub fn stats(&self) -> BulkheadStats {
        let (word, limit) = (self.places.word(), self.places.limit());
        let reasons = [Reason::Full, Reason::QueueFull, Reason::WaitedTooLong, Reason::TooMany];
        let [full, queue_full, waited_too_long, too_many] = reasons.map(|reason| self.counters.of(reason));
        let (in_use, waiting) = (word.taken(), word.waiters());
        BulkheadStats {
            max: self.settings.max(),
            limit,
            in_use,
            available: if waiting > 0 { 0 } else { limit.saturating_sub(in_use) },
            waiting,
            mode: word.mode(),
            admitted: self.places.admitted(),
            rejected: full + queue_full + waited_too_long + too_many,
            full,
            queue_full,
            waited_too_long,
            too_many,
            gave_up: self.counters.of(Reason::GaveUp),
            waits: self.counters.waits.get().map(|waits| waits.read()).unwrap_or_default(),
            unloaded: self.measured().and_then(Measure::unloaded).map(Duration::from_nanos),
        }
    }

    fn measured(&self) -> Option<&Measure> {
        self.measure.get().map(AsRef::as_ref).filter(|_| self.settings.is_adaptive())
    }
}
