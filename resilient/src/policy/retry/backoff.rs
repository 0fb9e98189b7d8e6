//! How long to pause before the next attempt. Pure: chance comes in as an argument.

use crate::{
    check,
    error::ConfigError,
    ratio::Ratio,
    time::{Nanos, nanos},
};
use std::time::Duration;

/// The pauses between attempts, before [`Jitter`].
///
/// ```
/// use resilient::Backoff;
/// use std::time::Duration;
/// const GENTLE: Backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)).factor(3.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Backoff {
    first: Duration,
    /// A constant pause has none but its own length.
    cap: Duration,
    /// None for a constant pause.
    factor: Option<f64>,
}

impl Backoff {
    /// Always the same pause (0 to a year).
    pub const fn constant(pause: Duration) -> Self {
        Self { first: pause, cap: pause, factor: None }
    }

    /// `first` (above 0), then twice as long each time, and never more than `cap` (up to a year), jitter included.
    pub const fn exponential(first: Duration, cap: Duration) -> Self {
        Self { first, cap, factor: Some(2.0) }
    }

    /// The growth from pause to pause (above 1, up to 1000) instead of 2.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    pub(super) const fn is_constant(&self) -> bool {
        self.factor.is_none()
    }

    pub(super) const fn check(&self) -> Result<(), ConfigError> {
        if let Err(error) = check::backoff(self.first) {
            return Err(error);
        }
        if let Err(error) = check::backoff(self.cap) {
            return Err(error);
        }
        if self.first.as_nanos() > self.cap.as_nanos() {
            return Err(ConfigError::new("a `backoff` begins at its shorter end: the first pause exceeds the cap"));
        }
        match self.factor {
            Some(_) if self.first.is_zero() => {
                Err(ConfigError::new("a `backoff` of nothing never grows: begin above 0, or make it constant"))
            }
            Some(factor) => check::factor(factor),
            None => Ok(()),
        }
    }

    /// The pause before attempt `attempt + 1`, before jitter.
    fn plain(&self, attempt: u32) -> Nanos {
        let (first, cap) = (nanos(self.first), nanos(self.cap));
        let Some(factor) = self.factor else { return cap };
        let grown = first as f64 * factor.powf(f64::from(attempt.saturating_sub(1)));
        // Casts saturate: no attempt count overflows.
        #[expect(clippy::cast_sign_loss, reason = "it is not negative")]
        let grown = grown as Nanos;
        grown.min(cap)
    }
}

/// Chance in the pauses, so that callers who failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Anywhere between nothing and the whole pause.
    Full,
    /// Anywhere between half of the pause and the whole.
    Equal,
    /// Anywhere between the first pause and three times the one before. Only for a backoff that grows.
    Decorrelated,
    /// The pause, shorter or longer by up to this share.
    Proportional(Ratio),
    /// The pause as it is.
    None,
}

impl Jitter {
    pub(crate) const fn check(self) -> Result<(), ConfigError> {
        match self {
            Self::Proportional(share) => check::jitter(share),
            _ => Ok(()),
        }
    }
}

/// The pause after failed attempt number `attempt` (from 1), where the pause before was `previous`.
///
/// `chance(a, b)` picks a number within `a..=b`. The formulas of full, equal and decorrelated jitter are those of
/// "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
pub(super) fn pause(
    backoff: &Backoff,
    jitter: Jitter,
    attempt: u32,
    previous: Nanos,
    chance: impl FnOnce(Nanos, Nanos) -> Nanos,
) -> Nanos {
    let cap = nanos(backoff.cap);
    let plain = backoff.plain(attempt);
    let pause = match jitter {
        Jitter::Full => chance(0, plain),
        Jitter::Equal => chance(plain / 2, plain),
        Jitter::Decorrelated => {
            let first = nanos(backoff.first);
            chance(first, previous.max(first).saturating_mul(3))
        }
        Jitter::Proportional(share) => {
            let part = u128::from(plain) * u128::from(share.ppb()) / 1_000_000_000;
            let part = Nanos::try_from(part).unwrap_or(plain);
            chance(plain - part, plain.saturating_add(part))
        }
        Jitter::None => plain,
    };
    // What is written as one pause may be longer by its jitter; what has a cap may not.
    if backoff.factor.is_some() { pause.min(cap) } else { pause }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;
    const EXPONENTIAL: Backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1));

    fn least(a: Nanos, _: Nanos) -> Nanos {
        a
    }

    fn most(_: Nanos, b: Nanos) -> Nanos {
        b
    }

    #[test]
    fn exponential_pauses_double_up_to_the_cap_at_any_attempt() {
        let pauses = [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (64, 1000), (u32::MAX, 1000)];
        for (attempt, ms) in pauses {
            assert_eq!(pause(&EXPONENTIAL, Jitter::None, attempt, 0, most), ms * MS, "{attempt}");
        }
        assert_eq!(pause(&EXPONENTIAL.factor(3.0), Jitter::None, 3, 0, most), 900 * MS);
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_under_the_cap() {
        for (jitter, attempt, previous, low, high) in [
            (Jitter::Full, 2, 0, 0, 200),
            (Jitter::Equal, 2, 0, 100, 200),
            (Jitter::Decorrelated, 1, 0, 100, 300),
            (Jitter::Decorrelated, 2, 150 * MS, 100, 450),
            (Jitter::Decorrelated, 9, 900 * MS, 100, 1000),
            (Jitter::Proportional(Ratio::percent(10)), 2, 0, 180, 220),
            (Jitter::Proportional(Ratio::percent(10)), 9, 0, 900, 1000),
        ] {
            assert_eq!(pause(&EXPONENTIAL, jitter, attempt, previous, least), low * MS, "{jitter:?}");
            assert_eq!(pause(&EXPONENTIAL, jitter, attempt, previous, most), high * MS, "{jitter:?}");
        }
    }

    #[test]
    fn a_constant_pause_may_be_nothing() {
        let nothing = Backoff::constant(Duration::ZERO);
        assert_eq!(nothing.check(), Ok(()));
        assert_eq!(pause(&nothing, Jitter::Full, 7, 0, most), 0);
        let second = Backoff::constant(Duration::from_secs(1));
        assert_eq!(pause(&second, Jitter::Proportional(Ratio::percent(10)), 7, 0, most), 1100 * MS);
    }
}
