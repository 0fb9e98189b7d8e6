//! The machine against an oracle, a log of results and a match, over random scripts. `SCRIPTS` in the environment says
//! how many of each kind.

mod run;
mod scripts;

use super::{
    change::Changes,
    config::{CircuitBreakerConfig, Window},
    history::Entry,
    machine::{Admission, End, Machine, Taken},
    shortcuts::Shortcuts,
    state::{CircuitState, Place, Ticket},
    window::{Position, Successes, Totals},
};
use crate::{
    cause::Cause,
    outcome::Ending,
    policy::mode::Mode,
    ratio::Ratio,
    time::{NEVER, Nanos, nanos},
};
use proptest::prelude::*;
use std::{collections::VecDeque, time::Duration};

const MS: Nanos = 1_000_000;
const LARGEST_WINDOW: u32 = 12;
const LARGEST_GROUP: u32 = 5;

pub(super) fn scripts() -> ProptestConfig {
    let cases = std::env::var("SCRIPTS").ok().and_then(|number| number.parse().ok()).unwrap_or(400);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A result that counts.
struct Result {
    call: usize,
    at: Nanos,
    failed: bool,
    slow: bool,
}

enum Phase {
    Closed,
    Open { until: Nanos },
    HalfOpen { probes: Vec<(usize, Nanos)>, good: u32, slow: u32 },
    Ramp { began: Nanos, shares: f64, passed: f64 },
    Manual(CircuitState),
}

struct Oracle {
    config: CircuitBreakerConfig,
    phase: Phase,
    /// How many states were entered: a call belongs to the one that it began in.
    era: u32,
    since: Nanos,
    log: VecDeque<Result>,
    failed_recoveries: u32,
    opened: u64,
    failures: u64,
    panics: u64,
    successes: u64,
    /// How long probes took that had a result.
    probed: Vec<Nanos>,
    slow: u64,
    late: u64,
    last_change: Option<(CircuitState, CircuitState, Cause, Nanos)>,
}

#[derive(Debug, PartialEq)]
enum Expected {
    Admitted,
    Refused(Option<Nanos>),
    /// A ramp lets a share pass.
    Either,
}

impl Oracle {
    fn new(config: CircuitBreakerConfig) -> Self {
        Self {
            config,
            phase: Phase::Closed,
            era: 0,
            since: 0,
            log: VecDeque::new(),
            failed_recoveries: 0,
            opened: 0,
            failures: 0,
            panics: 0,
            successes: 0,
            probed: Vec::new(),
            slow: 0,
            late: 0,
            last_change: None,
        }
    }

    fn state(&self) -> CircuitState {
        match &self.phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open { .. } => CircuitState::Open,
            Phase::HalfOpen { .. } | Phase::Ramp { .. } => CircuitState::HalfOpen,
            Phase::Manual(state) => *state,
        }
    }

    fn open_for(&self, failed_recoveries: u32) -> Nanos {
        let (mut time, longest) =
            (nanos(self.config.open_for), nanos(self.config.open_for_at_most.unwrap_or(self.config.open_for)));
        for _ in 0..failed_recoveries {
            time = time.saturating_mul(2).min(longest);
        }
        time
    }

    fn probe_timeout(&self) -> Nanos {
        nanos(self.config.probe_timeout.unwrap_or(self.config.open_for))
    }

    fn enter(&mut self, phase: Phase, at: Nanos, cause: Cause) {
        let from = self.state();
        self.phase = phase;
        self.era += 1;
        self.since = at;
        self.log.clear();
        let to = self.state();
        if to == CircuitState::Closed {
            self.failed_recoveries = 0;
        }
        self.last_change = Some((from, to, cause, at));
    }

    fn open(&mut self, at: Nanos, cause: Cause) {
        if self.state() == CircuitState::HalfOpen {
            self.failed_recoveries += 1;
        }
        self.opened += 1;
        let until = at + self.open_for(self.failed_recoveries);
        self.enter(Phase::Open { until }, at, cause);
    }

    fn recover(&mut self, at: Nanos, cause: Cause) {
        let phase = if self.config.ramp { Phase::Ramp { began: at, shares: 0.0, passed: 0.0 } } else { Phase::Closed };
        self.enter(phase, at, cause);
    }

    fn time_passes(&mut self, now: Nanos) {
        if let Phase::HalfOpen { probes, .. } = &self.phase {
            let expiry = probes.iter().map(|(_, started)| started + self.probe_timeout()).min();
            if let Some(expiry) = expiry.filter(|expiry| *expiry <= now) {
                self.open(expiry, Cause::ProbeTimedOut);
            }
        }
        match self.phase {
            Phase::Open { until } if now >= until => {
                self.enter(Phase::HalfOpen { probes: Vec::new(), good: 0, slow: 0 }, now, Cause::TimeOver);
            }
            Phase::Ramp { began, .. } if now - began >= nanos(self.config.open_for) => {
                self.enter(Phase::Closed, now, Cause::Ramped);
            }
            _ => {}
        }
    }

    fn admit(&mut self, call: usize, calls: u32, now: Nanos) -> Expected {
        self.time_passes(now);
        if self.config.mode == Mode::Off {
            return Expected::Admitted;
        }
        let timeout = self.probe_timeout();
        let average = self.probed.iter().fold(None, |average: Option<Nanos>, time| {
            Some(average.map_or((*time).max(1), |average| average - average / 4 + time / 4))
        });
        match &mut self.phase {
            Phase::Open { until: NEVER } | Phase::Manual(CircuitState::ForcedOpen) => Expected::Refused(None),
            Phase::Open { until } => Expected::Refused(Some(*until)),
            Phase::HalfOpen { probes, good, .. } => {
                let at_once = match (self.config.ramp, *good) {
                    (true, 0) => 1,
                    _ => self.config.probes.min(self.config.probes.max(self.config.successes) - *good),
                };
                let free = (at_once as usize).saturating_sub(probes.len());
                if free >= calls as usize || (probes.is_empty() && calls >= at_once) {
                    probes.extend((0..calls).map(|_| (call, now)));
                    return Expected::Admitted;
                }
                let oldest = probes.iter().map(|(_, started)| *started).min().unwrap();
                let taken = now - oldest;
                let rest = average.map(|average| if taken < average { average - taken } else { taken });
                Expected::Refused(rest.map(|rest| (now + rest.max(MS)).min(oldest + timeout)))
            }
            Phase::Ramp { .. } => Expected::Either,
            Phase::Closed | Phase::Manual(_) => Expected::Admitted,
        }
    }

    /// The first call of a ramp passes, and then never more or fewer than the shares add up to.
    fn ramped(&mut self, admitted: bool, now: Nanos) {
        let open_for = nanos(self.config.open_for);
        let Phase::Ramp { began, shares, passed } = &mut self.phase else { panic!("no ramp") };
        *shares += 0.1 + 0.9 * (now - *began) as f64 / open_for as f64;
        *passed += f64::from(u8::from(admitted));
        let credit = *shares + 0.9 - *passed;
        assert!((-0.001..1.001).contains(&credit), "{passed} passed where the shares add up to {shares}");
    }

    fn is_recording(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Ramp { .. } | Phase::Manual(CircuitState::ForcedClosed))
    }

    fn overdue(&mut self, call: usize, era: u32, at: Nanos) {
        if era == self.era && self.config.mode != Mode::Off && self.is_recording() {
            self.slow += 1;
            self.log.push_back(Result { call, at, failed: false, slow: true });
            self.judge(at);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of a call")]
    fn settle(
        &mut self,
        call: usize,
        calls: u32,
        era: u32,
        ending: Ending,
        slow: bool,
        counted: bool,
        now: Nanos,
    ) -> bool {
        self.time_passes(now);
        let failed = matches!(ending, Ending::Failure | Ending::Panicked);
        let is_result = failed || ending == Ending::Success;
        if era != self.era {
            self.late += if is_result { calls.into() } else { 0 };
            return true;
        }
        if self.config.mode == Mode::Off {
            return false;
        }
        if let Phase::HalfOpen { probes, .. } = &mut self.phase {
            let (_, started) = *probes.iter().find(|(probe, _)| *probe == call).unwrap();
            probes.retain(|(probe, _)| *probe != call);
            let slow = self.config.slow_call.is_some_and(|time| now - started > nanos(time));
            self.probed.extend(is_result.then_some(now - started));
            self.probed(ending, calls, slow, now);
        } else if self.is_recording() && is_result {
            let rest = calls - u32::from(counted);
            self.failures += if failed { calls.into() } else { 0 };
            self.successes += if failed { 0 } else { calls.into() };
            self.panics += if ending == Ending::Panicked { calls.into() } else { 0 };
            self.slow += if slow { rest.into() } else { 0 };
            if let Some(result) = self.log.iter_mut().find(|result| result.call == call) {
                result.failed = failed;
            }
            self.log.extend((0..rest).map(|_| Result { call, at: now, failed, slow }));
            if failed || rest > 0 {
                self.judge(now);
            }
        }
        false
    }

    fn probed(&mut self, ending: Ending, calls: u32, is_slow: bool, now: Nanos) {
        self.slow += if is_slow { calls.into() } else { 0 };
        let Phase::HalfOpen { good, slow, .. } = &mut self.phase else { return };
        match ending {
            Ending::Failure | Ending::Panicked => {
                self.failures += u64::from(calls);
                self.panics += if ending == Ending::Panicked { calls.into() } else { 0 };
                return self.open(now, Cause::ProbeFailed);
            }
            Ending::Success => {
                self.successes += u64::from(calls);
                *good += calls;
                *slow += if is_slow { calls } else { 0 };
            }
            _ => return,
        }
        let (good, slow) = (*good, *slow);
        if good >= self.config.successes {
            if slow > 0 && self.too_many_slow(slow.into(), good.into()) {
                self.open(now, Cause::ProbesSlow);
            } else {
                self.recover(now, Cause::ProbesSucceeded);
            }
        }
    }

    fn too_many_slow(&self, slow: u64, calls: u64) -> bool {
        let rate = self.config.slow_rate.unwrap_or(Ratio::percent(100));
        self.config.slow_call.is_some()
            && u128::from(slow) * 1_000_000_000 >= u128::from(calls) * u128::from(rate.ppb())
    }

    fn totals(&self, now: Nanos) -> Totals {
        let results: Vec<_> = match (self.config.failures, self.config.window) {
            (Some(_), _) => self.log.iter().rev().take_while(|result| result.failed).collect(),
            (None, Some(Window::Calls(size))) => self.log.iter().rev().take(size as usize).collect(),
            (None, window) => {
                let Some(Window::Time(time)) = window.or(Some(Window::Time(Duration::from_secs(30)))) else { panic!() };
                let bucket = |at: Nanos| at / (nanos(time) / 30);
                let held = |at: Nanos| bucket(at) <= bucket(now) && bucket(at) + 30 > bucket(now);
                self.log.iter().filter(|result| held(result.at)).collect()
            }
        };
        let count = |of: fn(&Result) -> bool| results.iter().filter(|result| of(result)).count() as u64;
        Totals { calls: count(|_| true), failures: count(|r| r.failed), slow: count(|r| r.slow), shed: 0 }
    }

    fn judge(&mut self, now: Nanos) {
        if !matches!(self.phase, Phase::Closed | Phase::Ramp { .. }) {
            return;
        }
        let Totals { calls, failures, slow, .. } = self.totals(now);
        if let Some(limit) = self.config.failures {
            if failures >= limit.into() {
                self.open(now, Cause::Failures { failures });
            }
            return;
        }
        let min_calls = match (self.config.min_calls, self.config.window) {
            (Some(min), _) => min,
            (None, Some(Window::Calls(size))) => size.min(20),
            (None, _) => 20,
        };
        if calls < min_calls.into() {
            return;
        }
        let rate = self.config.failure_rate.unwrap_or(Ratio::percent(50)).ppb();
        if failures > 0 && u128::from(failures) * 1_000_000_000 >= u128::from(calls) * u128::from(rate) {
            self.open(now, Cause::FailureRate { failures, calls });
        } else if slow > 0 && self.too_many_slow(slow, calls) {
            self.open(now, Cause::SlowRate { slow, calls });
        }
    }

    fn force(&mut self, state: CircuitState, now: Nanos) {
        let phase = if state == CircuitState::Closed { Phase::Closed } else { Phase::Manual(state) };
        self.enter(phase, now, Cause::ByHand);
    }

    fn set_mode(&mut self, mode: Mode, now: Nanos) {
        let was = std::mem::replace(&mut self.config.mode, mode);
        if (was == Mode::Off) != (mode == Mode::Off) && !self.state().is_manual() {
            self.enter(Phase::Closed, now, Cause::ByHand);
        }
    }

    fn obey(&mut self, config: CircuitBreakerConfig, now: Nanos) {
        self.config = config;
        self.era += 1;
        self.log.clear();
        let longest = nanos(config.open_for_at_most.unwrap_or(config.open_for));
        match &mut self.phase {
            Phase::Open { until } if *until != NEVER => *until = (*until).min(now + longest),
            Phase::HalfOpen { probes, good, slow } => {
                probes.clear();
                (*good, *slow) = (0, 0);
            }
            _ => {}
        }
    }

    fn watched(&mut self, era: u32) -> bool {
        let Phase::Open { until } = &mut self.phase else { return false };
        if era == self.era {
            *until = NEVER;
        }
        era == self.era
    }

    fn healthy(&mut self, era: u32, now: Nanos) {
        if era == self.era && self.state() == CircuitState::Open {
            self.recover(now, Cause::Healthy);
        }
    }

    fn unwatched(&mut self, era: u32) {
        let until = self.since + self.open_for(self.failed_recoveries);
        if let (Phase::Open { until: held @ NEVER }, true) = (&mut self.phase, era == self.era) {
            *held = until;
        }
    }
}
