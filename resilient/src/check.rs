//! The rules that single arguments obey: by hand, in a `const`, and as constant expressions in an attribute.

use crate::{
    error::{ConfigError, demand},
    rate::Rate,
    ratio::Ratio,
};
use std::time::Duration;

/// A generous year.
const YEAR: u64 = 366 * 24 * 3600;

const fn sensible(time: Duration) -> bool {
    time.as_millis() >= 1 && time.as_secs() <= YEAR
}

const fn fast_enough(rate: Rate) -> bool {
    let period = rate.period();
    rate.limit() >= 1 && !period.is_zero() && period.as_secs() <= YEAR && rate.limit() as u128 <= period.as_nanos()
}

macro_rules! rules {
    ($($argument:ident($value:ident: $type:ty) $holds:expr, $message:literal;)*) => {
        $(pub(crate) const fn $argument($value: $type) -> Result<(), ConfigError> {
            if $holds { Ok(()) } else { Err(ConfigError::new($message)) }
        })*

        /// The same rules for expansions: a panic in a const context is an error at the user's token.
        #[allow(dead_code, unreachable_pub, missing_docs, reason = "for `__private` alone, which has its own `jitter`")]
        pub mod demanded {
            use super::*;

            $(#[doc(hidden)] #[track_caller] pub const fn $argument($value: $type) {
                demand(super::$argument($value));
            })*
        }
    };
}

rules! {
    failures(n: u32) 1 <= n && n <= 1_000_000,
        "`failures` of a circuit breaker lies between 1 and 1_000_000";
    failure_rate(rate: Ratio) rate.ppb() > 0,
        "a `failure_rate` of 0% would open the circuit without any failure";
    window_calls(n: u32) 1 <= n && n <= 1_000_000, "a `window` of calls lies between 1 and 1_000_000";
    window_time(time: Duration) time.as_millis() >= 100 && time.as_secs() <= YEAR,
        "a `window` of time lies between 100 ms and a year";
    min_calls(n: u32) n >= 1, "`min_calls` of a circuit breaker is at least 1";
    slow_call(time: Duration) sensible(time), "`slow_call` of a circuit breaker lies between 1 ms and a year";
    slow_rate(rate: Ratio) rate.ppb() > 0, "a `slow_rate` of 0% would open the circuit without any slow call";
    open_for(time: Duration) sensible(time), "`open_for` of a circuit breaker lies between 1 ms and a year";
    probes(n: u32) 1 <= n && n <= 1000,
        "`probes` of a circuit breaker lies between 1 and 1000: without probes it could never close";
    successes(n: u32) n >= 1, "`successes` of a circuit breaker is at least 1";
    probe_timeout(time: Duration) sensible(time), "`probe_timeout` of a circuit breaker lies between 1 ms and a year";
    // In thousandths.
    shed(k: f64) k >= 1.001 && k <= 100.0,
        "`shed` lies between 1.001 and 100: `2.0` lets twice as many calls through as succeed";
    health_every(time: Duration) sensible(time), "`health_every` of a circuit breaker lies between 1 ms and a year";
    max_keys(n: u32) 1 <= n && n <= 100_000_000, "`max_keys` lies between 1 and 100_000_000";
    idle(time: Duration) sensible(time), "`idle` lies between 1 ms and a year";
    rate(rate: Rate) fast_enough(rate),
        "a rate is at least 1 per period, at most one per nanosecond, and its period at most a year";
    burst(n: u32) n >= 1, "a `burst` of 0 would refuse every call";
    shards(n: u32) 2 <= n && n <= 64, "`shards` lie between 2 and 64";
    reserve(share: Ratio) share.ppb() > 0 && share.ppb() < 1_000_000_000,
        "a `reserve` lies between 0% and 100%: it leaves something for the other calls";
    wait(time: Duration) !time.is_zero() && time.as_secs() <= YEAR,
        "a `wait` lies above 0 and below a year: leave it out to refuse at once";
    attempts(n: u32) n >= 2, "`attempts` counts the first run too: fewer than 2 retry nothing";
    backoff(time: Duration) time.as_secs() <= YEAR, "a `backoff` is at most a year";
    factor(factor: f64) factor > 1.0 && factor <= 1000.0, "the `factor` of a backoff lies above 1 and up to 1000";
    jitter(share: Ratio) share.ppb() > 0, "a `jitter` of 0% is written `none`";
    max_duration(time: Duration) sensible(time), "`max_duration` of a retry lies between 1 ms and a year";
    timeout(time: Duration) !time.is_zero() && time.as_secs() <= YEAR,
        "a timeout lies above 0 and below a year: 0 would end every call that waits";
    max(n: u32) 1 <= n && n <= 1_000_000, "a bulkhead has between 1 and 1_000_000 places";
    adaptive(limits: [u32; 2]) 1 <= limits[0] && limits[0] < limits[1] && limits[1] <= 1_000_000,
        "the limits of an `adaptive` bulkhead lie between 1 and 1_000_000, the lower one first";
    queue(n: u32) n >= 1, "a `queue` of 0 lets nobody wait: leave `wait` out instead";
}
