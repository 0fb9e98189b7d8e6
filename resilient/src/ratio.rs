//! A share, compared exactly.

use crate::error::ConfigError;

/// A share between 0% and 100%, held in parts per billion so that thresholds compare without rounding.
///
/// ```
/// use resilient::Ratio;
/// const HALF: Ratio = Ratio::percent(50);
/// assert!(HALF.reached_by(1, 2) && !HALF.reached_by(499, 1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

const WHOLE: u32 = 1_000_000_000;

impl Ratio {
    /// `percent` hundredths.
    ///
    /// # Panics
    /// Above 100; in a `const` this is a compile error.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        assert!(percent <= 100, "a ratio is at most 100%");
        Self(percent * (WHOLE / 100))
    }

    /// Parts per billion.
    ///
    /// # Panics
    /// Above a billion; in a `const` this is a compile error.
    #[must_use]
    pub const fn from_ppb(parts: u32) -> Self {
        assert!(parts <= WHOLE, "a ratio is at most 1_000_000_000 parts per billion");
        Self(parts)
    }

    /// A ratio from `0.0..=1.0`, rounded to a billionth.
    ///
    /// # Errors
    /// Outside that range, or not a number.
    pub fn new(ratio: f64) -> Result<Self, ConfigError> {
        if (0.0..=1.0).contains(&ratio) {
            #[expect(clippy::cast_sign_loss, reason = "within 0..=1e9")]
            let parts = (ratio * f64::from(WHOLE)).round() as u32;
            Ok(Self(parts))
        } else {
            Err(ConfigError::new("a ratio lies between 0.0 and 1.0"))
        }
    }

    /// Parts per billion.
    #[must_use]
    pub const fn ppb(self) -> u32 {
        self.0
    }

    /// The ratio as a number between 0 and 1.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// Whether `part` of `whole` is at least this ratio, exactly.
    #[must_use]
    pub const fn reached_by(self, part: u64, whole: u64) -> bool {
        part as u128 * WHOLE as u128 >= whole as u128 * self.0 as u128
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.as_f64() * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_exact() {
        let third = Ratio::new(1.0 / 3.0).unwrap();
        assert!(third.reached_by(1, 3));
        assert!(!Ratio::from_ppb(333_333_334).reached_by(1, 3));
        assert!(Ratio::percent(100).reached_by(u64::MAX, u64::MAX));
        assert_eq!(
            (Ratio::percent(50).to_string(), Ratio::from_ppb(5_000_000).to_string()),
            ("50%".into(), "0.5%".into())
        );
        assert!(Ratio::new(1.1).is_err() && Ratio::new(f64::NAN).is_err());
    }
}
