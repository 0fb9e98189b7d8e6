//! What share of the calls fails when all is well. Pure.

use super::window::Totals;
use crate::ratio::Ratio;

/// A slow moving average of the failure rates of whole windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Baseline {
    rate: f64,
    /// The variance of the windows' rates: failures that come in bursts vary by more than chance.
    spread: f64,
    /// How many windows it has seen, up to [`SLOWEST`].
    windows: u8,
    /// How far the window had moved when the last was learnt.
    learnt_at: u64,
}

/// A window moves the average by no less than one in so many.
const SLOWEST: u8 = 16;

/// Below this the baseline is no matter: five failures more are.
const NEXT_TO_NOTHING: f64 = 0.0001;

/// So many standard deviations, and so many failures, above the baseline are no coincidence.
const SIGNIFICANT: f64 = 5.0;

impl Baseline {
    pub(super) const UNKNOWN: Self = Self { rate: 0.0, spread: 0.0, windows: 0, learnt_at: 0 };

    pub(super) fn rate(&self) -> Option<Ratio> {
        (self.windows > 0).then(|| Ratio::new(self.rate).ok()).flatten()
    }

    /// Whether more windows without a failure would change nothing of note.
    pub(super) fn is_settled(&self) -> bool {
        self.windows == SLOWEST && self.rate < NEXT_TO_NOTHING
    }

    /// The next window begins here.
    pub(super) fn begin(&mut self, progress: u64) {
        self.learnt_at = progress;
    }

    /// Learns a window, where it is a whole one; never more than half of what always opens.
    pub(super) fn learn(&mut self, (progress, length): (u64, u64), totals: Totals, min_calls: u32, limit: Ratio) {
        // A clock that stepped back begins anew.
        let begun = self.learnt_at.min(progress);
        if progress - begun < length || totals.calls < min_calls.into() {
            self.learnt_at = begun;
            return;
        }
        self.learnt_at = progress;
        self.windows = (self.windows + 1).min(SLOWEST);
        let (seen, weight) = (totals.failures as f64 / totals.calls as f64, 1.0 / f64::from(self.windows));
        let step = (seen - self.rate) * weight;
        // Welford's, "Note on a method for calculating corrected sums of squares and products" (1962), with a weight that
        // ends its decline.
        self.spread = (1.0 - weight) * (self.spread + (seen - self.rate) * step);
        self.rate = (self.rate + step).min(limit.as_f64() / 2.0);
    }

    /// How many failures of so many calls are more than chance explains.
    pub(super) fn too_many(&self, calls: u64) -> f64 {
        let (calls, rate) = (calls as f64, self.rate);
        let deviation = (rate * (1.0 - rate) / calls + self.spread).sqrt();
        calls * (rate + SIGNIFICANT * deviation) + SIGNIFICANT
    }

    pub(super) fn is_exceeded(&self, totals: Totals) -> bool {
        self.windows > 0 && totals.failures as f64 >= self.too_many(totals.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Ratio = Ratio::percent(50);

    fn totals(failures: u64, calls: u64) -> Totals {
        Totals { calls, failures, ..Totals::default() }
    }

    fn learnt(rates: impl IntoIterator<Item = u64>) -> Baseline {
        let mut baseline = Baseline::UNKNOWN;
        for (window, failures) in (1..).zip(rates) {
            baseline.learn((100 * window, 100), totals(failures, 1000), 20, HALF);
        }
        baseline
    }

    #[test]
    fn it_averages_whole_windows_and_is_bounded() {
        assert_eq!(learnt([]).rate(), None);
        assert_eq!(learnt([10, 30]).rate(), Some(Ratio::percent(2)));
        assert_eq!(learnt([1000; 99]).rate(), Some(Ratio::percent(25)));
        let mut baseline = learnt([10]);
        for (progress, calls) in [(199, 1000), (300, 19)] {
            baseline.learn((progress, 100), totals(calls, calls), 20, HALF);
            assert_eq!(baseline.rate(), Some(Ratio::percent(1)));
        }
        // A sixteenth of the difference, in the end.
        let mut baseline = learnt([0; 99]);
        baseline.learn((10_000, 100), totals(160, 1000), 20, HALF);
        assert_eq!(baseline.rate(), Some(Ratio::percent(1)));
    }

    #[test]
    fn windows_that_vary_by_themselves_need_more() {
        let steady = learnt([50; 40]);
        let varying = learnt([10, 90].into_iter().cycle().take(40));
        assert_eq!(
            steady.rate().map(|rate| rate.ppb() / 10_000_000),
            varying.rate().map(|rate| rate.ppb() / 10_000_000)
        );
        assert!(steady.is_exceeded(totals(100, 1000)) && !varying.is_exceeded(totals(200, 1000)));
        assert!(varying.is_exceeded(totals(300, 1000)));
    }

    #[test]
    fn five_deviations_and_five_failures_more_than_usual_exceed_it() {
        let noisy = learnt([50; 20]);
        assert!(!noisy.is_exceeded(totals(20, 100)) && noisy.is_exceeded(totals(21, 100)));
        let healthy = learnt([1; 20]);
        assert!(!healthy.is_exceeded(totals(5, 20)) && healthy.is_exceeded(totals(6, 20)));
        assert!(!Baseline::UNKNOWN.is_exceeded(totals(20, 20)));
    }
}
