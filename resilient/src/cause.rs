//! Why circuits open and close.

use crate::{brief::Count, ratio::Ratio};
use std::fmt;

/// Why a circuit breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// So many calls in a row failed.
    #[non_exhaustive]
    Failures {
        /// How many.
        failures: u64,
    },
    /// Too large a share of the calls failed.
    #[non_exhaustive]
    FailureRate {
        /// Failures in the window.
        failures: u64,
        /// Calls in the window.
        calls: u64,
    },
    /// Significantly more calls failed than usual.
    #[non_exhaustive]
    AboveBaseline {
        /// Failures in the window.
        failures: u64,
        /// Calls in the window.
        calls: u64,
        /// The share of calls that usually fails.
        baseline: Ratio,
    },
    /// Too large a share of the calls was slow.
    #[non_exhaustive]
    SlowRate {
        /// Slow calls in the window.
        slow: u64,
        /// Calls in the window.
        calls: u64,
    },
    /// A probe failed.
    ProbeFailed,
    /// A probe neither ended nor was dropped in its time.
    ProbeTimedOut,
    /// The probes succeeded, but too large a share of them was slow.
    ProbesSlow,
    /// The time that it stays open is over.
    TimeOver,
    /// Enough probes succeeded.
    ProbesSucceeded,
    /// All calls pass again.
    Ramped,
    /// The health check succeeded.
    Healthy,
    /// Somebody said so.
    ByHand,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Failures { failures } => write!(f, "{} in a row", Count(failures, "failure")),
            Self::FailureRate { failures, calls } => {
                write!(f, "{} in {}", Count(failures, "failure"), Count(calls, "call"))
            }
            Self::AboveBaseline { failures, calls, baseline } => {
                let percent = baseline.as_f64() * 100.0;
                let (failures, calls) = (Count(failures, "failure"), Count(calls, "call"));
                write!(f, "{failures} in {calls}, of which {percent:.1}% usually fail")
            }
            Self::SlowRate { slow, calls } => write!(f, "{} in {}", Count(slow, "slow call"), Count(calls, "call")),
            Self::ProbeFailed => f.write_str("a probe failed"),
            Self::ProbeTimedOut => f.write_str("a probe timed out"),
            Self::ProbesSlow => f.write_str("the probes were slow"),
            Self::TimeOver => f.write_str("the time is over"),
            Self::ProbesSucceeded => f.write_str("the probes succeeded"),
            Self::Ramped => f.write_str("all calls pass again"),
            Self::Healthy => f.write_str("the health check succeeded"),
            Self::ByHand => f.write_str("by hand"),
        }
    }
}
