//! Durations and counts for people.

use std::{fmt, time::Duration};

/// A duration to three digits: what follows is noise.
pub(crate) struct Brief(pub(crate) Duration);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let mut unit = 1;
        while nanos / unit >= 1000 {
            unit *= 10;
        }
        // A year of nanoseconds is far below the end of 64 bits; a longer one stays as it is.
        let rounded = (nanos + unit / 2) / unit * unit;
        match u64::try_from(rounded) {
            Ok(nanos) => write!(f, "{:?}", Duration::from_nanos(nanos)),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

/// `1 call`, `2 calls`.
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        for (nanos, text) in [
            (0, "0ns"),
            (999, "999ns"),
            (99_946_140, "99.9ms"),
            (29_999_532_566, "30s"),
            (2_000_000_000, "2s"),
            (5_400_000_000_000, "5400s"),
        ] {
            assert_eq!(Brief(Duration::from_nanos(nanos)).to_string(), text);
        }
        assert_eq!(Brief(Duration::MAX).to_string(), format!("{:?}", Duration::MAX));
        assert_eq!((Count(1, "call").to_string(), Count(0, "call").to_string()), ("1 call".into(), "0 calls".into()));
    }
}
