//! A configuration as the state machine reads it.

use super::{
    config::{CircuitBreakerConfig, Window},
    window::BUCKETS,
};
use crate::{
    policy::mode::Mode,
    ratio::Ratio,
    time::{NEVER, Nanos, nanos},
};
use std::time::Duration;

/// What a breaker remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Everything since the last success.
    Streak,
    Calls(u32),
    Time(Nanos),
}

/// When a call is slow, and how many slow ones are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slow {
    pub(super) after: Nanos,
    pub(super) rate: Ratio,
}

/// How long a circuit stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenFor {
    pub(super) first: Nanos,
    pub(super) longest: Nanos,
    pub(super) jitter: Ratio,
}

impl OpenFor {
    /// After so many failed recoveries in a row. `random` shortens what has grown.
    pub(super) fn time(self, failed_recoveries: u32, random: u32) -> Nanos {
        let grown = 1_u64.checked_shl(failed_recoveries).map_or(Nanos::MAX, |factor| self.first.saturating_mul(factor));
        let time = grown.min(self.longest);
        let parts = u128::from(self.jitter.ppb()) * u128::from(random);
        let shorter = u128::from(time) * parts / (u128::from(u32::MAX) * 1_000_000_000);
        #[expect(clippy::cast_possible_truncation, reason = "a share of a `u64`")]
        let shorter = shorter as Nanos;
        (time - shorter).max(self.first)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) span: Span,
    /// The failure rate that always opens; none where the breaker only sheds.
    pub(super) rate: Option<Ratio>,
    pub(super) min_calls: u32,
    pub(super) slow: Option<Slow>,
    pub(super) open_for: OpenFor,
    pub(super) probes: u32,
    pub(super) successes: u32,
    pub(super) probe_timeout: Nanos,
    pub(super) ramp: bool,
    pub(super) adaptive: bool,
    /// In thousandths.
    pub(super) shed: Option<u32>,
    pub(super) mode: Mode,
}

const DEFAULT_WINDOW: Duration = Duration::from_secs(30);
const DEFAULT_MIN_CALLS: u32 = 20;

impl Rules {
    pub(super) const fn new(config: &CircuitBreakerConfig) -> Self {
        let first = nanos(config.open_for);
        Self {
            span: span(config),
            rate: rate(config),
            min_calls: min_calls(config),
            slow: match (config.slow_call, config.slow_rate) {
                (Some(after), Some(rate)) => Some(Slow { after: nanos(after), rate }),
                (Some(after), None) => Some(Slow { after: nanos(after), rate: Ratio::percent(100) }),
                (None, _) => None,
            },
            open_for: OpenFor {
                first,
                longest: match config.open_for_at_most {
                    Some(longest) => nanos(longest),
                    None => first,
                },
                jitter: config.open_jitter,
            },
            probes: config.probes,
            successes: config.successes,
            probe_timeout: match config.probe_timeout {
                Some(time) => nanos(time),
                None => first,
            },
            ramp: config.ramp,
            adaptive: config.adaptive,
            shed: config.shed,
            mode: config.mode,
        }
    }
}

impl Rules {
    /// The width of a time window's bucket.
    pub(super) const fn bucket_width(&self) -> Nanos {
        match self.span {
            Span::Time(time) => time / BUCKETS,
            Span::Streak | Span::Calls(_) => 1,
        }
    }

    /// Above this a call is slow.
    pub(super) const fn slow_after(&self) -> Nanos {
        match self.slow {
            Some(slow) => slow.after,
            None => NEVER,
        }
    }
}

const fn span(config: &CircuitBreakerConfig) -> Span {
    match (config.failures, config.window) {
        (Some(_), _) => Span::Streak,
        (None, Some(Window::Calls(calls))) => Span::Calls(calls),
        (None, Some(Window::Time(time))) => Span::Time(nanos(time)),
        (None, None) => Span::Time(nanos(DEFAULT_WINDOW)),
    }
}

const fn rate(config: &CircuitBreakerConfig) -> Option<Ratio> {
    match config.failure_rate {
        None if config.failures.is_some() => Some(Ratio::percent(100)),
        None if config.shed.is_some() && !config.adaptive => None,
        None => Some(Ratio::percent(50)),
        rate => rate,
    }
}

const fn min_calls(config: &CircuitBreakerConfig) -> u32 {
    match (config.failures, config.min_calls, config.window) {
        (Some(failures), ..) => failures,
        (_, Some(min), _) => min,
        (_, None, Some(Window::Calls(calls))) if calls < DEFAULT_MIN_CALLS => calls,
        _ => DEFAULT_MIN_CALLS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn min_calls_follows_a_small_window() {
        assert_eq!(CircuitBreakerConfig::new().window_calls(5).rules().min_calls, 5);
        assert_eq!(CircuitBreakerConfig::new().window_calls(50).rules().min_calls, 20);
    }

    #[test]
    fn the_open_time_doubles_up_to_its_limit_and_is_shortened_only_where_it_has_grown() {
        let open_for = OpenFor { first: 100, longest: 750, jitter: Ratio::percent(10) };
        let times = |random| [0, 1, 2, 3, 63, 64, u32::MAX].map(|reopened| open_for.time(reopened, random));
        assert_eq!(times(0), [100, 200, 400, 750, 750, 750, 750]);
        assert_eq!(times(u32::MAX), [100, 180, 360, 675, 675, 675, 675]);
        let fixed = OpenFor { first: 100, longest: 100, jitter: Ratio::percent(10) };
        assert_eq!(fixed.time(3, u32::MAX), 100);
    }
}
