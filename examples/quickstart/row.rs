//! One line of the view: what a site did, or the bare client.

use crate::{
    figures::{Millis, quantile, share},
    traffic::{CallResult, Log},
};
use resilient::{CircuitBreaker, CircuitState, Site};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::Duration,
};
use tokio::time::Instant;

pub struct Row {
    name: &'static str,
    state: &'static str,
    per_second: f64,
    success: Option<f64>,
    rejected: u64,
    retries: u64,
    fallbacks: u64,
    p50: Option<Duration>,
    p99: Option<Duration>,
}

impl Row {
    pub fn of_site(site: &Site, rates: &mut Rates) -> Self {
        let stats = site.stats();
        let counts = Counts { ended: stats.calls - stats.in_flight, succeeded: stats.succeeded };
        let (per_second, success) = rates.update(site.name(), counts);
        Self {
            name: site.name(),
            state: match site.circuit_breaker().map(CircuitBreaker::state) {
                Some(CircuitState::Closed) => "closed",
                Some(CircuitState::Open) => "OPEN",
                Some(CircuitState::HalfOpen) => "half-open",
                Some(_) => "by hand",
                None => "-",
            },
            per_second,
            success,
            rejected: stats.refusals,
            retries: stats.retries,
            fallbacks: stats.fallbacks,
            p50: stats.latency.quantile(0.5),
            p99: stats.latency.quantile(0.99),
        }
    }

    pub fn of_bare(log: &Log, rates: &mut Rates) -> Self {
        let (mut times, succeeded): (Vec<_>, usize) = {
            let calls = log.read();
            let times = calls.iter().map(|call| call.took).collect();
            (times, calls.iter().filter(|call| call.result != CallResult::Failed).count())
        };
        times.sort_unstable();
        let counts = Counts { ended: times.len() as u64, succeeded: succeeded as u64 };
        let (per_second, success) = rates.update("unprotected", counts);
        Self {
            name: "unprotected",
            state: "-",
            per_second,
            success,
            rejected: 0,
            retries: 0,
            fallbacks: 0,
            p50: quantile(&times, 50),
            p99: quantile(&times, 99),
        }
    }
}

pub const HEADINGS: [&str; 2] = [
    "                      - last second - ------------ since the start ------------",
    "site        state     calls/s success rejected retries fallback     p50     p99",
];

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let success = self.success.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0));
        write!(
            f,
            "{:<11} {:<9} {:>7.0} {:>7} {:>8} {:>7} {:>8} {:>7} {:>7}",
            self.name,
            self.state,
            self.per_second,
            success,
            self.rejected,
            self.retries,
            self.fallbacks,
            Millis(self.p50),
            Millis(self.p99)
        )
    }
}

#[derive(Clone, Copy, Default)]
struct Counts {
    ended: u64,
    succeeded: u64,
}

/// Less than a second, so that ticks of a second that come a little early do not double it.
const WINDOW: Duration = Duration::from_millis(900);

/// Rates over about the last second, from counters that only grow.
pub struct Rates {
    start: Instant,
    past: HashMap<&'static str, VecDeque<(Instant, Counts)>>,
}

impl Rates {
    pub fn since(start: Instant) -> Self {
        Self { start, past: HashMap::new() }
    }

    /// Calls per second, and the share of them that succeeded.
    fn update(&mut self, name: &'static str, counts: Counts) -> (f64, Option<f64>) {
        let now = Instant::now();
        let past = self.past.entry(name).or_insert_with(|| VecDeque::from([(self.start, Counts::default())]));
        while past.get(1).is_some_and(|(then, _)| now - *then >= WINDOW) {
            past.pop_front();
        }
        let (then, old) = past.front().copied().unwrap_or((now, counts));
        past.push_back((now, counts));
        let ended = counts.ended.saturating_sub(old.ended);
        let success = (ended > 0).then(|| share(counts.succeeded.saturating_sub(old.succeeded), ended).min(1.0));
        (share(ended, 1) / (now - then).as_secs_f64().max(0.2), success)
    }
}
