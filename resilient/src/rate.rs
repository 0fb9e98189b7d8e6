//! So many per period.

use std::time::Duration;

/// A number of calls per period, as in `100/s` or `10/250ms`.
///
/// ```
/// use resilient::Rate;
/// use std::time::Duration;
/// const LIMIT: Rate = Rate::new(10, Duration::from_millis(250));
/// assert_eq!(LIMIT.limit(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    limit: u32,
    period: Duration,
}

impl Rate {
    /// `limit` per `period`. A policy's configuration refuses a zero in either.
    #[must_use]
    pub const fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period }
    }

    /// `limit` per second.
    #[must_use]
    pub const fn per_second(limit: u32) -> Self {
        Self::new(limit, Duration::from_secs(1))
    }

    /// `limit` per minute.
    #[must_use]
    pub const fn per_minute(limit: u32) -> Self {
        Self::new(limit, Duration::from_secs(60))
    }

    /// `limit` per hour.
    #[must_use]
    pub const fn per_hour(limit: u32) -> Self {
        Self::new(limit, Duration::from_secs(3600))
    }

    /// `limit` per day of 24 hours.
    #[must_use]
    pub const fn per_day(limit: u32) -> Self {
        Self::new(limit, Duration::from_secs(24 * 3600))
    }

    /// How many.
    #[must_use]
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// In how long.
    #[must_use]
    pub const fn period(self) -> Duration {
        self.period
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = [(1, "s"), (60, "min"), (3600, "h"), (86_400, "d")]
            .into_iter()
            .find_map(|(seconds, unit)| (self.period == Duration::from_secs(seconds)).then_some(unit));
        match unit {
            Some(unit) => write!(f, "{}/{unit}", self.limit),
            None => write!(f, "{}/{:?}", self.limit, self.period),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_as_in_attributes() {
        assert_eq!(Rate::per_second(30).to_string(), "30/s");
        assert_eq!(Rate::per_day(1).to_string(), "1/d");
        assert_eq!(Rate::new(10, Duration::from_millis(250)).to_string(), "10/250ms");
    }
}
