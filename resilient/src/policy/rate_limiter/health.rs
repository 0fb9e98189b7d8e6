//! At which share of its rate a limiter goes on, by how well the dependency is. Pure: time comes in as an argument.
//!
//! Bad news is followed at once, by half of the way; good news over time. So one bad report does not stop everything, a
//! bad minute does nearly, and what has just recovered is not run over.

use crate::time::Nanos;

const SECOND: Nanos = 1_000_000_000;

/// So much of the rate always stays: without calls nobody would see that the dependency is well again.
pub(super) const FLOOR: f64 = 0.1;

/// From nothing to the whole rate it takes so long.
const RESTORED_IN: Nanos = 10 * SECOND;

/// Below this a new pace is not worth its while, unless it is the last.
const STEP: f64 = 0.01;

/// Results are judged so often, at the earliest ...
const PERIOD: Nanos = SECOND;
/// ... and so many together.
const RESULTS: u32 = 10;

/// Weight of a period in the usual latency.
const WEIGHT: f64 = 0.05;

/// Up to this many times the usual latency is healthy.
const SLOW: f64 = 2.0;

#[derive(Debug)]
pub(super) struct Health {
    /// What the last report allows.
    target: f64,
    factor: f64,
    /// When `factor` was that.
    at: Nanos,
    /// The factor that the limiter goes on at.
    followed: f64,
    measured: Measured,
}

/// Results since the last judgement.
#[derive(Debug)]
struct Measured {
    since: Nanos,
    results: u32,
    failures: u32,
    took: u64,
    /// Nanoseconds; 0 before the first judgement.
    usual: f64,
}

impl Health {
    pub(super) const fn new() -> Self {
        let measured = Measured { since: 0, results: 0, failures: 0, took: 0, usual: 0.0 };
        Self { target: 1.0, factor: 1.0, at: 0, followed: 1.0, measured }
    }

    /// The share of the rate that calls get.
    pub(super) fn pace(&self) -> f64 {
        self.followed
    }

    /// Whether the pace changes with time.
    pub(super) fn is_moving(&self) -> bool {
        self.factor < self.target || self.followed < self.target
    }

    /// `health` from 0 to 1. What is not a number says nothing.
    pub(super) fn report(&mut self, health: f64, now: Nanos) {
        if health.is_nan() {
            return;
        }
        self.restore(now);
        self.target = health.clamp(FLOOR, 1.0);
        if self.target < self.factor {
            self.factor = (self.factor - (self.factor - self.target) / 2.0).max(FLOOR);
            if self.factor - self.target < STEP {
                self.factor = self.target;
            }
            // What is left of the way is taken by the next report, not by time.
            self.target = self.factor;
        }
    }

    fn restore(&mut self, now: Nanos) {
        let gained = now.saturating_sub(self.at) as f64 / RESTORED_IN as f64;
        self.at = now;
        if self.factor < self.target {
            self.factor = (self.factor + gained).min(self.target);
        }
    }

    /// The pace to go on at, where it is another.
    pub(super) fn follow(&mut self, now: Nanos) -> Option<f64> {
        self.restore(now);
        let change = (self.factor - self.followed).abs();
        let is_last = self.factor >= self.target && change > f64::EPSILON;
        if change < STEP && !is_last {
            return None;
        }
        self.followed = self.factor;
        Some(self.factor)
    }

    /// An attempt has ended; the health of all since the last time, where it is time to judge.
    pub(super) fn record(&mut self, failed: bool, took: Nanos, now: Nanos) -> Option<f64> {
        let measured = &mut self.measured;
        if measured.results == 0 {
            measured.since = now;
        }
        measured.results += 1;
        measured.failures += u32::from(failed);
        measured.took = measured.took.saturating_add(took);
        if measured.results < RESULTS || now.saturating_sub(measured.since) < PERIOD {
            return None;
        }
        let mean = measured.took as f64 / f64::from(measured.results);
        let success = 1.0 - f64::from(measured.failures) / f64::from(measured.results);
        let speed = if measured.usual > 0.0 && mean > 0.0 { (SLOW * measured.usual / mean).min(1.0) } else { 1.0 };
        // Slower by little is what time brings; slower by much is what this is about, and is learnt only slowly.
        measured.usual = if measured.usual > 0.0 {
            measured.usual + WEIGHT * (mean.min(SLOW * measured.usual) - measured.usual)
        } else {
            mean
        };
        (measured.results, measured.failures, measured.took) = (0, 0, 0);
        Some(success * speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_news_is_followed_at_once_and_good_news_over_time() {
        let mut health = Health::new();
        health.report(0.5, 0);
        assert_eq!(health.follow(0), Some(0.75));
        health.report(0.5, 0);
        assert_eq!(health.follow(0), Some(0.625));
        assert!(!health.is_moving());
        health.report(1.0, SECOND);
        assert!(health.is_moving());
        assert_eq!(health.follow(SECOND), None);
        assert!((health.follow(2 * SECOND).unwrap() - 0.725).abs() < 1e-9);
        assert_eq!(health.follow(10 * SECOND), Some(1.0));
        assert!(!health.is_moving());
    }

    #[test]
    fn some_of_the_rate_always_stays() {
        let mut health = Health::new();
        for now in 0..100 {
            health.report(-3.0, now * SECOND);
            health.report(f64::NAN, now * SECOND);
            health.follow(now * SECOND);
        }
        assert!((health.pace() - FLOOR).abs() < 1e-9);
    }

    #[test]
    fn failures_and_latency_are_measured() {
        let mut health = Health::new();
        let mut judge = |failures: u32, took: Nanos, second: u64| {
            let judged: Vec<f64> = (0..=20)
                .filter_map(|call| {
                    health.record(call < failures, took, second * 2 * SECOND + u64::from(call) * SECOND / 20)
                })
                .collect();
            judged.first().copied()
        };
        assert_eq!(judge(0, 1_000_000, 0), Some(1.0));
        assert!((judge(5, 1_000_000, 1).unwrap() - (1.0 - 5.0 / 21.0)).abs() < 1e-9);
        // Twice the usual is healthy, four times is half as well.
        assert_eq!(judge(0, 2_000_000, 2), Some(1.0));
        assert!((judge(0, 4_000_000, 3).unwrap() - 0.525).abs() < 0.03);
    }
}
