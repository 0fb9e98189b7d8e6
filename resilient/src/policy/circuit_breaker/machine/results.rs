//! What the ends of calls lead to.

use super::Machine;
use crate::{
    cause::Cause,
    outcome::Ending,
    policy::{
        circuit_breaker::{
            change::Changes,
            state::{Probe, State, Ticket},
            window::{Position, Successes, Totals, Verdict, Window},
        },
        mode::Mode,
    },
    ratio::Ratio,
    time::Nanos,
};

/// How a result was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Taken {
    Counted,
    /// It came from an earlier generation.
    Late,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct End {
    pub(in super::super) ending: Ending,
    /// It took longer than `slow_call`.
    pub(in super::super) slow: bool,
    /// It has been counted already, as a slow one.
    pub(in super::super) counted: Option<Position>,
    /// So many calls that were admitted together, of which `counted` is one.
    pub(in super::super) calls: u32,
}

impl End {
    pub(in super::super) const fn fast(ending: Ending) -> Self {
        Self { ending, slow: false, counted: None, calls: 1 }
    }
}

impl Machine {
    pub(in super::super) fn settle(
        &mut self,
        ticket: Ticket,
        end: End,
        now: Nanos,
        successes: &impl Successes,
        changes: &mut Changes,
    ) -> Taken {
        self.advance(now, changes);
        if ticket.generation != self.generation {
            if !matches!(end.ending, Ending::Ignored | Ending::Cancelled) {
                self.tally.late += u64::from(end.calls);
            }
            return Taken::Late;
        }
        if self.is_recording() {
            self.record(end, now, successes, changes);
        } else if let (State::HalfOpen { probes, .. }, false) = (&mut self.state, self.rules.mode == Mode::Off) {
            if let Some(index) = probes.iter().position(|probe| probe.place == ticket.place) {
                let probe = probes.swap_remove(index);
                self.judge_probe(probe, end.ending, now, changes);
            }
        }
        Taken::Counted
    }

    /// Whether its thread counts it before it is settled.
    pub(in super::super) fn counts_elsewhere(&self, ticket: Ticket, end: End) -> bool {
        ticket.generation == self.generation && self.is_recording() && self.is_left_to_threads(end)
    }

    /// A fast success of a time window.
    fn is_left_to_threads(&self, end: End) -> bool {
        matches!(self.window, Window::Time(_)) && end.ending == Ending::Success && !end.slow
    }

    fn judge_probe(&mut self, probe: Probe, ending: Ending, now: Nanos, changes: &mut Changes) {
        let taken = now.saturating_sub(probe.started);
        let is_slow = self.rules.slow.is_some_and(|slow| taken > slow.after);
        if ending.is_failure() || ending == Ending::Success {
            self.probe_time = match self.probe_time {
                0 => taken.max(1),
                average => average - average / 4 + taken / 4,
            };
        }
        let calls = probe.calls;
        self.tally.slow += if is_slow { calls.into() } else { 0 };
        if ending.is_failure() {
            self.count_failures(ending, calls);
            return self.open(now, Cause::ProbeFailed, Totals::default(), changes);
        }
        let State::HalfOpen { successes, slow, .. } = &mut self.state else { return };
        if ending == Ending::Success {
            self.tally.successes += u64::from(calls);
            *successes += calls;
            *slow += if is_slow { calls } else { 0 };
        }
        if *successes < self.rules.successes {
            return;
        }
        let (slow, of) = (u64::from(*slow), u64::from(*successes));
        if slow > 0 && self.rules.slow.is_some_and(|rule| rule.rate.reached_by(slow, of)) {
            self.open(now, Cause::ProbesSlow, Totals { calls: of, slow, ..Totals::default() }, changes);
        } else {
            self.recover(now, Cause::ProbesSucceeded, changes);
        }
    }

    fn count_failures(&mut self, ending: Ending, calls: u32) {
        let calls = u64::from(calls);
        self.tally.failures += calls;
        self.tally.panics += if ending == Ending::Panicked { calls } else { 0 };
    }

    fn record(&mut self, end: End, now: Nanos, successes: &impl Successes, changes: &mut Changes) {
        let failed = end.ending.is_failure();
        if !failed && end.ending != Ending::Success {
            return;
        }
        let is_left_to_threads = self.is_left_to_threads(end);
        if failed {
            self.count_failures(end.ending, end.calls);
        } else if !is_left_to_threads {
            self.tally.successes += u64::from(end.calls);
        }
        if let (Some(position), true) = (end.counted, failed) {
            self.window.fail(position);
        }
        let rest = end.calls - u32::from(end.counted.is_some());
        if rest == 0 && !failed {
            return;
        }
        if !is_left_to_threads {
            for _ in 0..rest {
                self.window.record(Verdict { failed, slow: end.slow }, now);
            }
        }
        self.tally.slow += if end.slow { rest.into() } else { 0 };
        self.judge(now, successes, changes);
    }

    /// A call in flight has become slow: it counts from now on.
    pub(in super::super) fn overdue(
        &mut self,
        at: Nanos,
        successes: &impl Successes,
        changes: &mut Changes,
    ) -> Option<Position> {
        if !self.is_recording() {
            return None;
        }
        self.tally.slow += 1;
        let position = self.window.record(Verdict { failed: false, slow: true }, at);
        self.judge(at, successes, changes);
        Some(position)
    }

    fn judge(&mut self, now: Nanos, successes: &impl Successes, changes: &mut Changes) {
        if !self.is_judging() {
            return;
        }
        let totals = self.window.totals(now, successes);
        match self.verdict(totals) {
            Some(cause) => self.open(now, cause, totals, changes),
            None if self.rules.adaptive && matches!(self.state, State::Closed) => {
                let limit = self.rules.rate.unwrap_or(Ratio::percent(100));
                self.baseline.learn(self.window.progress(now), totals, self.rules.min_calls, limit);
            }
            None => {}
        }
    }

    /// Why the circuit must open, if it must.
    fn verdict(&self, totals: Totals) -> Option<Cause> {
        let Totals { calls, failures, slow, .. } = totals;
        if calls < self.rules.min_calls.into() {
            return None;
        }
        if failures > 0 && self.rules.rate.is_some_and(|rate| rate.reached_by(failures, calls)) {
            return Some(match self.window {
                Window::Streak(_) => Cause::Failures { failures },
                _ => Cause::FailureRate { failures, calls },
            });
        }
        if slow > 0 && self.rules.slow.is_some_and(|rule| rule.rate.reached_by(slow, calls)) {
            return Some(Cause::SlowRate { slow, calls });
        }
        let baseline = self.baseline.rate().filter(|_| self.rules.adaptive && self.baseline.is_exceeded(totals))?;
        Some(Cause::AboveBaseline { failures, calls, baseline })
    }
}
