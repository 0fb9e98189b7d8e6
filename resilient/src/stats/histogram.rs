//! Durations in logarithmic buckets: eight to each doubling, so a quantile is at most 12.5% too high.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Buckets begin at 2^10 ns (about a microsecond) and end near 20 minutes.
const FIRST: u32 = 10;
const DOUBLINGS: u32 = 30;
const STEPS: u32 = 8;
const BUCKETS: usize = (DOUBLINGS * STEPS) as usize;

pub(crate) struct Histogram([AtomicU64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Histogram").field(&self.read()).finish()
    }
}

impl Histogram {
    pub(crate) fn record(&self, nanos: u64) {
        self.0[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Latency {
        Latency { counts: self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect() }
    }
}

fn bucket(nanos: u64) -> usize {
    let exponent = nanos.max(1).ilog2();
    if exponent < FIRST {
        return 0;
    }
    let step = (nanos >> (exponent - 3)) & 7;
    (((exponent - FIRST) * STEPS) as usize + step as usize).min(BUCKETS - 1)
}

/// The longest duration that falls into a bucket.
fn upper(bucket: usize) -> u64 {
    let (exponent, step) = (FIRST + bucket as u32 / STEPS, bucket as u64 % u64::from(STEPS));
    (1 << exponent) + ((step + 1) << (exponent - 3)) - 1
}

/// How long calls took that did not end at their first poll.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Latency {
    counts: Vec<u64>,
}

impl std::fmt::Debug for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Latency");
        debug.field("count", &self.count());
        for (name, q) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            if let Some(time) = self.quantile(q) {
                debug.field(name, &time);
            }
        }
        debug.finish()
    }
}

impl Latency {
    /// The calls measured since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = earlier.counts.iter().chain(std::iter::repeat(&0));
        Self { counts: self.counts.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect() }
    }

    /// How many calls were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The duration that a share `q` (0.0 to 1.0) of the calls did not exceed, at most 12.5% too high.
    /// Absent before the first call.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        #[expect(clippy::cast_sign_loss, reason = "a rank is within 1..=count")]
        let rank = ((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_nanos(upper(bucket)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_falls_into_a_bucket_that_holds_it() {
        for nanos in (0..40).flat_map(|e| [(1_u64 << e) - 1, 1 << e, (1 << e) + (1 << e) / 3]) {
            let index = bucket(nanos);
            assert!(upper(index) >= nanos || index == BUCKETS - 1, "{nanos}");
            assert!(index == 0 || upper(index - 1) < nanos, "{nanos}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_close() {
        let histogram = Histogram::default();
        (1..=1000).for_each(|ms| histogram.record(ms * 1_000_000));
        let latency = histogram.read();
        assert_eq!(latency.count(), 1000);
        for (q, ms) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = latency.quantile(q).unwrap().as_secs_f64() * 1e3;
            assert!((ms..=ms * 1.126).contains(&found), "{q}: {found}");
        }
        assert_eq!(Latency::default().quantile(0.5), None);
        histogram.record(1_000_000);
        let since = histogram.read().since(&latency);
        assert_eq!((since.count(), histogram.read().since(&Latency::default()).count()), (1, 1001));
        assert!(since.quantile(0.99).unwrap().as_millis() <= 1);
    }
}
