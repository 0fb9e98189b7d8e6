//! The protected client beside the bare one.

use crate::{
    figures::{Millis, quantile, share},
    server::Shop,
    traffic::{Call, CallResult, Log, PLANNED},
};
use std::{fmt, time::Duration};
use tokio::time::Instant;

/// So many live answers in a row show that a client has recovered.
const STEADY: usize = 20;
const WIDTH: usize = 76;

pub struct Report {
    pub protected: Side,
    pub bare: Side,
}

/// What one client did to its callers and to its server.
pub struct Side {
    made: u64,
    live: u64,
    substituted: u64,
    failed: u64,
    median: Option<Duration>,
    p99: Option<Duration>,
    silence: Duration,
    load: u64,
    recovery: Option<Duration>,
}

impl Side {
    pub fn new(log: &Log, shop: &Shop, start: Instant, recovered: Instant) -> Self {
        let calls = log.read();
        let mut times: Vec<_> = calls.iter().map(|call| call.took).collect();
        times.sort_unstable();
        let count = |result| calls.iter().filter(|call| call.result == result).count() as u64;
        Self {
            made: calls.len() as u64,
            live: count(CallResult::Live),
            substituted: count(CallResult::FellBack),
            failed: count(CallResult::Failed),
            median: quantile(&times, 50),
            p99: quantile(&times, 99),
            silence: silence(&calls, start),
            load: shop.load(),
            recovery: recovery(&calls, recovered),
        }
    }
}

/// The longest time in which no caller got an answer.
fn silence(calls: &[Call], start: Instant) -> Duration {
    let answered = calls.iter().filter(|call| call.result != CallResult::Failed).map(|call| call.ended);
    let ends: Vec<_> = [start].into_iter().chain(answered).chain(calls.last().map(|call| call.ended)).collect();
    ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// From the server's recovery to the first of [`STEADY`] live answers in a row.
fn recovery(calls: &[Call], recovered: Instant) -> Option<Duration> {
    let since: Vec<_> = calls.iter().filter(|call| call.ended >= recovered).collect();
    let steady = since.windows(STEADY).find(|calls| calls.iter().all(|call| call.result == CallResult::Live))?;
    Some(steady[0].ended - recovered)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = "-".repeat(WIDTH);
        let scope = "over the whole run, unless a phase is named";
        writeln!(f, "{rule}\n{scope:<46}{:>15}{:>15}\n{rule}", "protected", "unprotected")?;
        let mut row = |name: &str, cell: fn(&Side) -> String| {
            writeln!(f, "{name:<46}{:>15}{:>15}", cell(&self.protected), cell(&self.bare))
        };
        row(&format!("calls made, of {PLANNED} planned"), |side| side.made.to_string())?;
        row("answered calls", |side| side.part(side.live + side.substituted))?;
        row("  by the server", |side| side.part(side.live))?;
        row("  by a fallback", |side| side.part(side.substituted))?;
        row("errors seen by callers", |side| side.part(side.failed))?;
        row("latency, p50", |side| Millis(side.median).to_string())?;
        row("latency, p99", |side| Millis(side.p99).to_string())?;
        row("longest time without any answer", |side| Millis(Some(side.silence)).to_string())?;
        row("requests to the server while it struggled", |side| side.load.to_string())?;
        row("time to live answers only after recovery", |side| Millis(side.recovery).to_string())?;
        write!(
            f,
            "{rule}\nAn open circuit asks again when its `open_for` is over: recovery takes up to that much longer,\n\
            and the server is spared until then."
        )
    }
}

impl Side {
    fn part(&self, calls: u64) -> String {
        format!("{calls} ({:.0}%)", share(calls, self.made) * 100.0)
    }
}
