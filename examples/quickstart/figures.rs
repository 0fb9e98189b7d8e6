//! Quantiles and shares.

use std::{fmt, time::Duration};

#[expect(clippy::cast_precision_loss, reason = "the counts of a run are far below 2^52")]
pub fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The time that a share `percent` of `sorted` did not exceed.
pub fn quantile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

/// A time as text, in milliseconds.
pub struct Millis(pub Option<Duration>);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) if time < Duration::from_millis(10) => f.pad(&format!("{:.2} ms", time.as_secs_f64() * 1e3)),
            Some(time) => f.pad(&format!("{} ms", time.as_millis())),
            None => f.pad("-"),
        }
    }
}
