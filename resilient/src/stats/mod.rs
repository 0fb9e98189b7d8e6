//! Counters that cost next to nothing while a call succeeds, and are summed when read.

mod histogram;
pub(crate) mod slots;

pub use histogram::Latency;

pub(crate) use histogram::Histogram;
use slots::Slots;
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// What a site counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Succeeded,
    Failed,
    Rejected,
    Cancelled,
    Panicked,
    Retries,
    Fallbacks,
    /// A rejection by a site inside.
    RejectedInside,
    /// A refusal by a policy of the site that did not end the call: a fallback answered, say.
    Refused,
    /// A call that was not ready at its first poll.
    Suspended,
    /// Such a call that has ended since.
    Resumed,
}

const COUNTS: usize = 16;

/// One thread's counters, alone on their cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([AtomicU64; COUNTS]);

#[derive(Debug)]
pub(crate) struct SiteCounters {
    lines: Slots<Line>,
    latency: OnceLock<Box<Histogram>>,
}

impl SiteCounters {
    pub(crate) const fn new() -> Self {
        Self { lines: Slots::new(), latency: OnceLock::new() }
    }

    /// Counts; tells whether this thread has counted here before.
    #[inline(always)]
    pub(crate) fn add(&self, count: Count) -> bool {
        match self.lines.get() {
            // No other thread writes here, so no read-modify-write is needed.
            Some((line, true)) => {
                let counter = &line.0[count as usize];
                counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// Counts where this thread has not counted before, or has no line of its own.
    #[cold]
    pub(crate) fn add_first(&self, count: Count) {
        let (line, _) = self.lines.local();
        line.0[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    #[cold]
    pub(crate) fn took(&self, nanos: u64) {
        self.latency.get_or_init(Box::default).record(nanos);
    }

    pub(crate) fn read(&self) -> SiteStats {
        let sum = |count: Count| self.lines.iter().map(|line| line.0[count as usize].load(Ordering::Relaxed)).sum();
        // Endings are read before beginnings: a call that ends in between is seen as in flight, never as negative.
        let resumed: u64 = sum(Count::Resumed);
        let in_flight = sum(Count::Suspended).saturating_sub(resumed);
        let (succeeded, failed) = (sum(Count::Succeeded), sum(Count::Failed));
        let refused: u64 = sum(Count::Rejected);
        let rejected = refused + sum(Count::RejectedInside);
        let (cancelled, panicked) = (sum(Count::Cancelled), sum(Count::Panicked));
        let (retries, fallbacks, refusals) =
            (sum(Count::Retries), sum(Count::Fallbacks), refused + sum(Count::Refused));
        SiteStats {
            calls: succeeded + failed + rejected + cancelled + panicked + in_flight,
            succeeded,
            failed,
            rejected,
            cancelled,
            panicked,
            retries,
            fallbacks,
            refusals,
            in_flight,
            latency: self.latency.get().map(|latency| latency.read()).unwrap_or_default(),
        }
    }
}

/// What the calls of one annotated function did, since the process started.
///
/// Every call that ended is in exactly one of `succeeded`, `failed`, `rejected`, `cancelled` and `panicked`:
/// it is the final result, after retries and fallbacks, that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SiteStats {
    /// Calls begun.
    pub calls: u64,
    /// Calls whose caller got a value (for a fn that returns no `Result`: any value).
    pub succeeded: u64,
    /// Calls whose caller got an error of the function, or a time-out.
    pub failed: u64,
    /// Calls whose caller got a rejection by a policy: see `refusals` for those that a fallback answered for.
    pub rejected: u64,
    /// Calls whose future was dropped before its end.
    pub cancelled: u64,
    /// Calls that ended in a panic.
    pub panicked: u64,
    /// Attempts beyond each call's first.
    pub retries: u64,
    /// Calls that a fallback answered.
    pub fallbacks: u64,
    /// Refusals by the policies of this function, also those that a fallback answered for.
    pub refusals: u64,
    /// Calls begun that wait for something.
    pub in_flight: u64,
    /// How long calls took, pauses and waits included. Calls that ended at their first poll are not measured:
    /// reading a precise clock would cost them more than all policies together.
    pub latency: Latency,
}

impl SiteStats {
    /// What happened since `earlier`, a reading of the same site. `in_flight` is as it is now.
    ///
    /// ```
    /// # use resilient::registry;
    /// for site in registry() {
    ///     let before = site.stats();
    ///     // a second later
    ///     println!("{}: {} calls/s", site.name(), site.stats().since(&before).calls);
    /// }
    /// ```
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            succeeded: self.succeeded.saturating_sub(earlier.succeeded),
            failed: self.failed.saturating_sub(earlier.failed),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            cancelled: self.cancelled.saturating_sub(earlier.cancelled),
            panicked: self.panicked.saturating_sub(earlier.panicked),
            retries: self.retries.saturating_sub(earlier.retries),
            fallbacks: self.fallbacks.saturating_sub(earlier.fallbacks),
            refusals: self.refusals.saturating_sub(earlier.refusals),
            in_flight: self.in_flight,
            latency: self.latency.since(&earlier.latency),
        }
    }
}
