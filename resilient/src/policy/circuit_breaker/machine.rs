//! The breaker's state machine. Pure: no clock, lock, event or await; even its chance is a seed.

use super::{
    baseline::Baseline,
    change::{Change, Changes},
    rules::Rules,
    shed,
    state::{CircuitState, Place, Probe, State, Ticket},
    window::{Position, Successes, Totals, Verdict, Window},
};
use crate::{
    cause::Cause,
    outcome::Ending,
    policy::mode::Mode,
    ratio::Ratio,
    time::{NEVER, Nanos},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted(Ticket),
    /// And when it may be worth coming back, where time decides.
    Refused {
        retry_at: Option<Nanos>,
    },
}

/// How a result was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Counted,
    /// It came from an earlier generation.
    Late,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) ending: Ending,
    /// It took longer than `slow_call`.
    pub(super) slow: bool,
    /// It has been counted already, as a slow one.
    pub(super) counted: Option<Position>,
}

impl End {
    pub(super) const fn fast(ending: Ending) -> Self {
        Self { ending, slow: false, counted: None }
    }
}

/// What a call may do without asking the machine, until its next step.
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of one word")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shortcuts {
    /// It is admitted.
    pub(super) admit: bool,
    /// Its fast success changes nothing.
    pub(super) absorb: bool,
    /// Its fast success is counted by its thread; unless it is the first in a bucket while the window holds evidence.
    pub(super) count: bool,
    /// The window holds failures or slow calls: as old results leave it, a success may be what opens the circuit.
    pub(super) evidence_held: bool,
    /// Its time is watched.
    pub(super) watch: bool,
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) rules: Rules,
    state: State,
    /// Counts the states entered: a result of an earlier one never decides.
    generation: u32,
    since: Option<Nanos>,
    window: Window,
    baseline: Baseline,
    next_probe: u32,
    /// How many recoveries in a row have failed.
    failed_recoveries: u32,
    random: u64,
    pub(super) tally: Tally,
}

/// What the machine has seen since it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    pub(super) opened: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
    pub(super) late: u64,
    pub(super) shed: u64,
    pub(super) last_change: Option<Change>,
    /// Since when times are counted: its first step.
    began: Option<Nanos>,
    time_in: [Nanos; CircuitState::COUNT],
}

impl Tally {
    const NEW: Self = Self {
        opened: 0,
        failures: 0,
        slow: 0,
        late: 0,
        shed: 0,
        last_change: None,
        began: None,
        time_in: [0; CircuitState::COUNT],
    };
}

/// One call in ten passes when a ramp begins.
const FIRST_SHARE: u64 = 100_000;
const WHOLE: u64 = 1_000_000;

impl Machine {
    pub(super) const fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Closed,
            generation: 0,
            since: None,
            window: Window::new(&rules),
            baseline: Baseline::UNKNOWN,
            next_probe: 0,
            failed_recoveries: 0,
            random: 0,
            tally: Tally::NEW,
        }
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// When the present state began, unless it is the first.
    pub(super) fn since(&self) -> Option<Nanos> {
        self.since
    }

    pub(super) fn state(&self) -> CircuitState {
        match &self.state {
            State::Closed => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen { .. } | State::Ramp { .. } => CircuitState::HalfOpen,
            State::Manual(state) => *state,
        }
    }

    /// When it will half-open, while open: `NEVER` while a health check decides.
    pub(super) fn until(&self) -> Option<Nanos> {
        match self.state {
            State::Open { until } => Some(until),
            _ => None,
        }
    }

    /// Whether to forget it would let calls pass that it refuses, or undo what somebody said.
    pub(super) fn is_pinned(&self, now: Nanos) -> bool {
        match &self.state {
            State::Open { until } => now < *until,
            State::HalfOpen { probes, .. } => !probes.is_empty(),
            State::Ramp { .. } => self.share(now) != Some(WHOLE),
            State::Manual(_) => true,
            State::Closed => false,
        }
    }

    pub(super) fn probes_in_flight(&self) -> usize {
        match &self.state {
            State::HalfOpen { probes, .. } => probes.len(),
            _ => 0,
        }
    }

    pub(super) fn baseline(&self) -> Option<Ratio> {
        self.baseline.rate()
    }

    /// What it compares failures with, where it learns that.
    #[cfg(test)]
    pub(super) fn usual(&self) -> Baseline {
        self.baseline
    }

    pub(super) fn totals(&self, now: Nanos, successes: &impl Successes) -> Totals {
        self.window.totals(now, successes)
    }

    /// The share of calls that pass, in millionths, where a ramp decides.
    pub(super) fn share(&self, now: Nanos) -> Option<u64> {
        let State::Ramp { began, .. } = self.state else { return None };
        let (passed, length) = (u128::from(now.saturating_sub(began)), u128::from(self.rules.open_for.first.max(1)));
        let grown = u128::from(WHOLE - FIRST_SHARE) * passed / length;
        u64::try_from(grown).ok().map(|grown| (FIRST_SHARE + grown).min(WHOLE))
    }

    /// How long it has been in each state since its first step.
    pub(super) fn time_in(&self, now: Nanos) -> [Nanos; CircuitState::COUNT] {
        let mut times = self.tally.time_in;
        times[self.state() as usize] += self.in_state(now);
        times
    }

    fn in_state(&self, now: Nanos) -> Nanos {
        self.since.or(self.tally.began).map_or(0, |since| now.saturating_sub(since))
    }

    pub(super) fn shortcuts(&self, now: Nanos, successes: &impl Successes) -> Shortcuts {
        let passes = Shortcuts { admit: true, absorb: true, ..Shortcuts::default() };
        let watch = self.rules.slow.is_some();
        let judged = match self.state {
            _ if self.rules.mode == Mode::Off => return passes,
            State::Manual(CircuitState::Disabled) => return passes,
            State::Closed | State::Ramp { .. } => true,
            State::Manual(CircuitState::ForcedClosed) => false,
            _ => return Shortcuts::default(),
        };
        let totals = self.totals(now, successes);
        let evidence_held = judged && totals.failures + totals.slow > 0;
        Shortcuts {
            admit: !matches!(self.state, State::Ramp { .. }) && (!judged || self.shed_probability(totals) == 0),
            absorb: self.window.absorbs_successes(),
            // The success that completes `min_calls` may open the circuit.
            count: matches!(self.window, Window::Time(_))
                && !(evidence_held && totals.calls < self.rules.min_calls.into()),
            evidence_held,
            watch,
        }
    }

    /// Whether a call is refused to take load off the dependency.
    fn sheds(&mut self, now: Nanos, successes: &impl Successes) -> bool {
        if self.rules.shed.is_none() || !matches!(self.state, State::Closed) {
            return false;
        }
        let probability = self.shed_probability(self.totals(now, successes));
        shed::refuses(probability, self.random())
    }

    fn shed_probability(&self, totals: Totals) -> u32 {
        self.rules.shed.map_or(0, |k| shed::probability(totals, k, self.rules.min_calls))
    }

    /// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    fn random(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 32) as u32
    }

    /// Where its chance begins, unless it has begun.
    pub(super) fn seed(&mut self, seed: impl FnOnce() -> u64) {
        if self.random == 0 {
            self.random = seed();
        }
    }

    fn enter(&mut self, state: State, at: Nanos, cause: Cause, totals: Totals, changes: &mut Changes) {
        let from = self.state();
        self.tally.time_in[from as usize] += self.in_state(at);
        self.state = state;
        self.generation = self.generation.wrapping_add(1);
        self.since = Some(at);
        self.window.clear();
        self.baseline.begin(self.window.progress(at).0);
        let to = self.state();
        if to == CircuitState::Closed {
            self.failed_recoveries = 0;
        }
        let change = Change { from, to, cause, totals, at, until: self.until(), generation: self.generation };
        self.tally.last_change = Some(change);
        if from != to || cause == Cause::ByHand {
            changes.push(change);
        }
    }

    fn open(&mut self, at: Nanos, cause: Cause, totals: Totals, changes: &mut Changes) {
        if self.state() == CircuitState::HalfOpen {
            self.failed_recoveries = self.failed_recoveries.saturating_add(1);
        }
        let random = self.random();
        let until = at.saturating_add(self.rules.open_for.time(self.failed_recoveries, random));
        self.tally.opened += 1;
        self.enter(State::Open { until }, at, cause, totals, changes);
    }

    fn close(&mut self, at: Nanos, cause: Cause, changes: &mut Changes) {
        self.enter(State::Closed, at, cause, Totals::default(), changes);
    }

    /// The dependency is well again.
    fn recover(&mut self, at: Nanos, cause: Cause, changes: &mut Changes) {
        if !self.rules.ramp {
            return self.close(at, cause, changes);
        }
        // The first call passes.
        #[expect(clippy::cast_possible_truncation, reason = "below a million")]
        let credit = (WHOLE - FIRST_SHARE) as u32;
        self.enter(State::Ramp { began: at, credit }, at, cause, Totals::default(), changes);
    }

    /// Lets time act: a hung probe re-opens, dated at the instant it expired; an open circuit half-opens; a ramp ends.
    pub(super) fn advance(&mut self, now: Nanos, changes: &mut Changes) {
        self.tally.began.get_or_insert(now);
        // A clock that stepped back (a paused runtime's, say) must not lengthen a wait beyond one period.
        match &mut self.state {
            State::Open { until } if *until != NEVER => {
                *until = (*until).min(now.saturating_add(self.rules.open_for.longest));
            }
            State::HalfOpen { probes, .. } => {
                for probe in probes {
                    probe.started = probe.started.min(now);
                }
            }
            State::Ramp { began, .. } => *began = (*began).min(now),
            _ => {}
        }
        if let Some(expiry) = self.first_expiry().filter(|expiry| *expiry <= now) {
            self.open(expiry, Cause::ProbeTimedOut, Totals::default(), changes);
        }
        if matches!(self.state, State::Open { until } if now >= until) {
            let state = State::HalfOpen { probes: Vec::new(), successes: 0, slow: 0 };
            self.enter(state, now, Cause::TimeOver, Totals::default(), changes);
        }
        if self.share(now) == Some(WHOLE) {
            self.close(now, Cause::Ramped, changes);
        }
    }

    /// When the oldest probe counts as failed.
    fn first_expiry(&self) -> Option<Nanos> {
        let State::HalfOpen { probes, .. } = &self.state else {
            return None;
        };
        probes.iter().map(|probe| probe.started.saturating_add(self.rules.probe_timeout)).min()
    }

    pub(super) fn admit(&mut self, now: Nanos, successes: &impl Successes, changes: &mut Changes) -> Admission {
        self.advance(now, changes);
        if self.rules.mode == Mode::Off {
            return self.admitted(Place::NONE);
        }
        let (expiry, share) = (self.first_expiry(), self.share(now));
        if self.sheds(now, successes) {
            self.window.shed(now);
            self.tally.shed += 1;
            return Admission::Refused { retry_at: None };
        }
        match &mut self.state {
            State::Open { until } => Admission::Refused { retry_at: (*until != NEVER).then_some(*until) },
            State::Manual(CircuitState::ForcedOpen) => Admission::Refused { retry_at: None },
            State::HalfOpen { probes, successes, .. } => {
                // A ramp begins with one; and there are no more than may still be needed.
                let at_once = if self.rules.ramp && *successes == 0 { 1 } else { self.rules.probes };
                let needed = self.rules.probes.max(self.rules.successes) - *successes;
                if probes.len() >= at_once.min(needed) as usize {
                    // When the oldest probe expires the circuit re-opens; nothing is known of the time before.
                    let open_for = self.rules.open_for.time(self.failed_recoveries.saturating_add(1), 0);
                    return Admission::Refused { retry_at: expiry.map(|expiry| expiry.saturating_add(open_for)) };
                }
                self.next_probe = self.next_probe.wrapping_add(1);
                let place = Place::probe(self.next_probe);
                probes.push(Probe { place, started: now });
                self.admitted(place)
            }
            State::Ramp { credit, .. } => {
                let share = share.unwrap_or(WHOLE);
                let gathered = u64::from(*credit) + share;
                let passes = gathered >= WHOLE;
                let rest = if passes { gathered - WHOLE } else { gathered };
                *credit = u32::try_from(rest).unwrap_or(0);
                if passes { self.admitted(Place::NONE) } else { Admission::Refused { retry_at: None } }
            }
            State::Closed | State::Manual(_) => self.admitted(Place::NONE),
        }
    }

    fn admitted(&self, place: Place) -> Admission {
        Admission::Admitted(Ticket { generation: self.generation, place })
    }

    pub(super) fn settle(
        &mut self,
        ticket: Ticket,
        end: End,
        now: Nanos,
        successes: &impl Successes,
        changes: &mut Changes,
    ) -> Taken {
        self.advance(now, changes);
        if ticket.generation != self.generation {
            self.tally.late += u64::from(!matches!(end.ending, Ending::Ignored | Ending::Cancelled));
            return Taken::Late;
        }
        if self.rules.mode == Mode::Off {
            return Taken::Counted;
        }
        match &mut self.state {
            State::Closed | State::Ramp { .. } | State::Manual(CircuitState::ForcedClosed) => {
                self.record(end, now, successes, changes);
            }
            State::HalfOpen { probes, .. } => {
                let started = probes.iter().position(|probe| probe.place == ticket.place);
                if let Some(index) = started {
                    let probe = probes.swap_remove(index);
                    self.judge_probe(probe, end.ending, now, changes);
                }
            }
            State::Open { .. } | State::Manual(_) => {}
        }
        Taken::Counted
    }

    /// Whether its thread counts it before it is settled: a fast success of a time window.
    pub(super) fn counts_elsewhere(&self, ticket: Ticket, end: End) -> bool {
        ticket.generation == self.generation
            && self.is_recording()
            && matches!(self.window, Window::Time(_))
            && end.ending == Ending::Success
            && !end.slow
    }

    fn is_recording(&self) -> bool {
        self.rules.mode != Mode::Off
            && matches!(self.state, State::Closed | State::Ramp { .. } | State::Manual(CircuitState::ForcedClosed))
    }

    fn judge_probe(&mut self, probe: Probe, ending: Ending, now: Nanos, changes: &mut Changes) {
        let is_slow = self.rules.slow.is_some_and(|slow| now.saturating_sub(probe.started) > slow.after);
        self.tally.slow += u64::from(is_slow);
        if ending.is_failure() {
            self.tally.failures += 1;
            return self.open(now, Cause::ProbeFailed, Totals::default(), changes);
        }
        let State::HalfOpen { successes, slow, .. } = &mut self.state else { return };
        if ending == Ending::Success {
            *successes += 1;
            *slow += u32::from(is_slow);
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

    fn record(&mut self, end: End, now: Nanos, successes: &impl Successes, changes: &mut Changes) {
        let failed = end.ending.is_failure();
        if !failed && end.ending != Ending::Success {
            return;
        }
        self.tally.failures += u64::from(failed);
        match end.counted {
            Some(position) if failed => self.window.fail(position),
            Some(_) => return,
            None => {
                let is_counted_elsewhere = matches!(self.window, Window::Time(_)) && !failed && !end.slow;
                if !is_counted_elsewhere {
                    self.window.record(Verdict { failed, slow: end.slow }, now);
                }
                self.tally.slow += u64::from(end.slow);
            }
        }
        self.judge(now, successes, changes);
    }

    /// A call in flight has become slow: it counts from now on.
    pub(super) fn overdue(&mut self, at: Nanos, successes: &impl Successes, changes: &mut Changes) -> Option<Position> {
        if !self.is_recording() {
            return None;
        }
        self.tally.slow += 1;
        let position = self.window.record(Verdict { failed: false, slow: true }, at);
        self.judge(at, successes, changes);
        Some(position)
    }

    fn judge(&mut self, now: Nanos, successes: &impl Successes, changes: &mut Changes) {
        if !matches!(self.state, State::Closed | State::Ramp { .. }) {
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

    /// Somebody says what it is to do.
    pub(super) fn force(&mut self, state: CircuitState, now: Nanos, changes: &mut Changes) {
        let state = if state == CircuitState::Closed { State::Closed } else { State::Manual(state) };
        self.enter(state, now, Cause::ByHand, Totals::default(), changes);
    }

    /// From now on a health check decides when an open circuit closes.
    pub(super) fn watched(&mut self, generation: u32) -> bool {
        let is_present = generation == self.generation;
        if let (State::Open { until }, true) = (&mut self.state, is_present) {
            *until = NEVER;
        }
        is_present && self.until().is_some()
    }

    /// The health check succeeded.
    pub(super) fn healthy(&mut self, generation: u32, now: Nanos, changes: &mut Changes) {
        if generation == self.generation && self.until().is_some() {
            self.recover(now, Cause::Healthy, changes);
        }
    }

    /// The health check runs no longer: time decides again, and it has run since the circuit opened. Tells whether that
    /// is news.
    pub(super) fn unwatched(&mut self, generation: u32) -> bool {
        let since = self.since.unwrap_or(0);
        let State::Open { until: until @ NEVER } = &mut self.state else { return false };
        if generation != self.generation {
            return false;
        }
        *until = since.saturating_add(self.rules.open_for.time(self.failed_recoveries, 0));
        true
    }

    /// Goes by other rules from now on: with an empty window, and in the state that it is in.
    pub(super) fn obey(&mut self, rules: Rules, now: Nanos) {
        self.rules = rules;
        self.window = Window::new(&rules);
        self.baseline = Baseline::UNKNOWN;
        self.baseline.begin(self.window.progress(now).0);
        // What is in flight was admitted by the old ones.
        self.generation = self.generation.wrapping_add(1);
        match &mut self.state {
            State::HalfOpen { probes, successes, slow } => {
                probes.clear();
                (*successes, *slow) = (0, 0);
            }
            State::Open { until } if *until != NEVER => {
                *until = (*until).min(now.saturating_add(rules.open_for.longest));
            }
            _ => {}
        }
    }

    /// Acts, only reports, or does nothing.
    pub(super) fn set_mode(&mut self, mode: Mode, now: Nanos, changes: &mut Changes) {
        let was = std::mem::replace(&mut self.rules.mode, mode);
        let turns = (was == Mode::Off) != (mode == Mode::Off);
        // What it knew is of no use after a while in which it saw nothing.
        if turns && !matches!(self.state, State::Manual(_)) {
            self.enter(State::Closed, now, Cause::ByHand, Totals::default(), changes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CircuitBreakerConfig, ratio::Ratio};
    use std::time::Duration;

    const MS: Nanos = 1_000_000;

    fn machine(config: CircuitBreakerConfig) -> Machine {
        config.assert();
        Machine::new(config.rules())
    }

    struct Nobody;

    impl Successes for Nobody {
        fn within(&self, _: u64, _: u64) -> u64 {
            0
        }
    }

    fn admit(machine: &mut Machine, now: Nanos) -> Admission {
        machine.admit(now, &Nobody, &mut Changes::default())
    }

    fn admitted(machine: &mut Machine, now: Nanos) -> Ticket {
        match admit(machine, now) {
            Admission::Admitted(ticket) => ticket,
            refused @ Admission::Refused { .. } => panic!("{refused:?}"),
        }
    }

    fn call(machine: &mut Machine, now: Nanos, ending: Ending) {
        let ticket = admitted(machine, now);
        assert_eq!(settle(machine, ticket, ending, now), Taken::Counted);
    }

    fn settle(machine: &mut Machine, ticket: Ticket, ending: Ending, now: Nanos) -> Taken {
        machine.settle(ticket, End::fast(ending), now, &Nobody, &mut Changes::default())
    }

    fn force(machine: &mut Machine, state: CircuitState) {
        machine.force(state, MS, &mut Changes::default());
    }

    fn opened_at(ms: Nanos) -> Machine {
        let config = CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(1));
        let mut machine = machine(config.probes(2).successes(2).probe_timeout(Duration::from_millis(500)));
        call(&mut machine, ms * MS, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
        machine
    }

    #[test]
    fn consecutive_failures_open_and_a_success_in_between_resets() {
        let mut machine = machine(CircuitBreakerConfig::new().failures(3));
        for ending in [Ending::Failure, Ending::Failure, Ending::Success, Ending::Failure, Ending::Failure] {
            call(&mut machine, 0, ending);
        }
        assert_eq!(machine.state(), CircuitState::Closed);
        call(&mut machine, 0, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn a_success_that_completes_the_window_is_judged() {
        let mut machine = machine(CircuitBreakerConfig::new().window_calls(4).failure_rate(Ratio::percent(75)));
        (0..3).for_each(|_| call(&mut machine, 0, Ending::Failure));
        call(&mut machine, 0, Ending::Success);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn open_ends_exactly_at_open_for() {
        let mut machine = opened_at(0);
        assert_eq!(admit(&mut machine, 1000 * MS - 1), Admission::Refused { retry_at: Some(1000 * MS) });
        admitted(&mut machine, 1000 * MS);
        assert_eq!(machine.state(), CircuitState::HalfOpen);
    }

    #[test]
    fn half_open_admits_no_more_than_its_probes_and_a_cancelled_one_gives_its_place_back() {
        let mut machine = opened_at(0);
        let first = admitted(&mut machine, 1000 * MS);
        admitted(&mut machine, 1001 * MS);
        assert!(matches!(admit(&mut machine, 1002 * MS), Admission::Refused { .. }));
        settle(&mut machine, first, Ending::Cancelled, 1003 * MS);
        admitted(&mut machine, 1003 * MS);
        assert_eq!(machine.probes_in_flight(), 2);
    }

    #[test]
    fn a_hung_probe_reopens_dated_at_its_expiry() {
        let mut machine = opened_at(0);
        let hung = admitted(&mut machine, 1000 * MS);
        let mut changes = Changes::default();
        let admission = machine.admit(1600 * MS, &Nobody, &mut changes);
        assert_eq!(admission, Admission::Refused { retry_at: Some(2500 * MS) });
        let reopened = changes.iter().next().unwrap();
        assert_eq!((reopened.cause, reopened.at), (Cause::ProbeTimedOut, 1500 * MS));
        assert_eq!(settle(&mut machine, hung, Ending::Success, 1700 * MS), Taken::Late);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn a_late_success_from_the_closed_era_does_not_close_half_open() {
        let mut machine = machine(CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(1)));
        let slow = admitted(&mut machine, 0);
        call(&mut machine, 0, Ending::Failure);
        admitted(&mut machine, 1000 * MS);
        assert_eq!(settle(&mut machine, slow, Ending::Success, 1001 * MS), Taken::Late);
        assert_eq!(machine.state(), CircuitState::HalfOpen);
        assert_eq!(settle(&mut machine, slow, Ending::Failure, 1001 * MS), Taken::Late);
        assert_eq!(machine.state(), CircuitState::HalfOpen);
    }

    #[test]
    fn forced_states_stay() {
        let mut machine = opened_at(0);
        force(&mut machine, CircuitState::ForcedOpen);
        assert_eq!(admit(&mut machine, u64::MAX / 2), Admission::Refused { retry_at: None });
        force(&mut machine, CircuitState::ForcedClosed);
        (0..9).for_each(|_| call(&mut machine, MS, Ending::Failure));
        assert_eq!(machine.state(), CircuitState::ForcedClosed);
        force(&mut machine, CircuitState::Closed);
        call(&mut machine, MS, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    fn timed(config: CircuitBreakerConfig) -> Machine {
        machine(config.window_time(Duration::from_secs(30)).min_calls(4).slow_call(Duration::from_secs(2)))
    }

    fn settle_slow(machine: &mut Machine, now: Nanos, counted: Option<Position>, ending: Ending) {
        let ticket = admitted(machine, now);
        let end = End { ending, slow: true, counted };
        machine.settle(ticket, end, now, &Nobody, &mut Changes::default());
    }

    #[test]
    fn slow_calls_open_it_whatever_their_result() {
        let mut machine = timed(CircuitBreakerConfig::new().slow_rate(Ratio::percent(80)));
        (0..3).for_each(|_| settle_slow(&mut machine, 0, None, Ending::Success));
        assert_eq!(machine.state(), CircuitState::Closed);
        settle_slow(&mut machine, 0, None, Ending::Success);
        assert_eq!(machine.state(), CircuitState::Open);
        assert!(matches!(machine.tally.last_change.unwrap().cause, Cause::SlowRate { slow: 4, calls: 4 }));
    }

    #[test]
    fn a_call_that_became_slow_in_flight_counts_once_and_its_failure_too() {
        let mut machine = timed(CircuitBreakerConfig::new().slow_rate(Ratio::percent(100)));
        call(&mut machine, 0, Ending::Failure);
        let positions: Vec<_> = (0..2).map(|_| machine.overdue(0, &Nobody, &mut Changes::default())).collect();
        assert_eq!(machine.totals(0, &Nobody), Totals { calls: 3, failures: 1, slow: 2, shed: 0 });
        settle_slow(&mut machine, MS, positions[0], Ending::Success);
        settle_slow(&mut machine, MS, positions[1], Ending::Failure);
        assert_eq!(machine.totals(MS, &Nobody), Totals { calls: 3, failures: 2, slow: 2, shed: 0 });
        call(&mut machine, MS, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn probes_that_are_all_slow_reopen() {
        let mut machine = timed(CircuitBreakerConfig::new().successes(2).open_for(Duration::from_secs(9)));
        (0..4).for_each(|_| call(&mut machine, 0, Ending::Failure));
        for slow in [true, false, true, true] {
            let now = machine.until().map_or(9000 * MS, |until| until.max(9000 * MS));
            let probe = admitted(&mut machine, now);
            settle(&mut machine, probe, Ending::Success, now + if slow { 2001 * MS } else { 2000 * MS });
            if !slow {
                assert_eq!(machine.state(), CircuitState::Closed);
                (0..4).for_each(|_| call(&mut machine, 0, Ending::Failure));
            }
        }
        assert_eq!(machine.tally.last_change.unwrap().cause, Cause::ProbesSlow);
    }

    #[test]
    fn the_open_time_grows_with_failed_recoveries_and_begins_anew_after_one_that_succeeds() {
        let times = Duration::from_secs(1)..=Duration::from_secs(3);
        let config = CircuitBreakerConfig::new().failures(1).open_for_range(times).open_jitter(Ratio::percent(0));
        let (mut machine, mut now) = (machine(config), 0);
        for (ending, seconds) in [
            (Ending::Failure, 1),
            (Ending::Failure, 2),
            (Ending::Failure, 3),
            (Ending::Failure, 3),
            (Ending::Success, 0),
        ] {
            call(&mut machine, now, ending);
            if seconds > 0 {
                assert_eq!(machine.until(), Some(now + seconds * 1000 * MS));
            }
            now += seconds * 1000 * MS;
        }
        call(&mut machine, now, Ending::Failure);
        assert_eq!(machine.until(), Some(now + 1000 * MS));
    }

    #[test]
    fn a_ramp_admits_one_then_more_then_a_growing_share() {
        let config = CircuitBreakerConfig::new().failures(3).open_for(Duration::from_secs(9)).probes(3).successes(3);
        let mut machine = machine(config.ramp());
        (0..3).for_each(|_| call(&mut machine, 0, Ending::Failure));
        let now = 9000 * MS;
        let first = admitted(&mut machine, now);
        assert!(matches!(admit(&mut machine, now), Admission::Refused { .. }));
        settle(&mut machine, first, Ending::Success, now);
        let rest: Vec<_> = (0..2).map(|_| admitted(&mut machine, now)).collect();
        assert!(matches!(admit(&mut machine, now), Admission::Refused { .. }));
        for probe in rest {
            settle(&mut machine, probe, Ending::Success, now);
        }
        assert_eq!(machine.state(), CircuitState::HalfOpen);
        let passed = |machine: &mut Machine, now| {
            (0..100).filter(|_| matches!(admit(machine, now), Admission::Admitted(_))).count()
        };
        assert_eq!([0, 1, 5].map(|second| passed(&mut machine, now + second * 1000 * MS)), [10, 20, 60]);
        assert_eq!(machine.share(now + 5000 * MS), Some(600_000));
        assert_eq!(passed(&mut machine, now + 9000 * MS), 100);
        assert_eq!(machine.state(), CircuitState::Closed);
    }

    #[test]
    fn failures_in_a_ramp_reopen_for_longer() {
        let times = Duration::from_secs(1)..=Duration::from_secs(8);
        let config = CircuitBreakerConfig::new().failures(2).open_for_range(times).open_jitter(Ratio::percent(0));
        let mut machine = machine(config.ramp());
        (0..2).for_each(|_| call(&mut machine, 0, Ending::Failure));
        call(&mut machine, 1000 * MS, Ending::Success);
        for _ in 0..2 {
            let ticket =
                std::iter::repeat_with(|| admit(&mut machine, 1000 * MS)).find_map(|admission| match admission {
                    Admission::Admitted(ticket) => Some(ticket),
                    Admission::Refused { .. } => None,
                });
            settle(&mut machine, ticket.unwrap(), Ending::Failure, 1000 * MS);
        }
        assert_eq!((machine.state(), machine.until()), (CircuitState::Open, Some(3000 * MS)));
    }

    #[test]
    fn shedding_refuses_what_exceeds_twice_the_successes_and_never_opens() {
        let mut machine = machine(CircuitBreakerConfig::new().shed(2.0).min_calls(10));
        let mut admitted = 0;
        for now in 0..2000 {
            if let Admission::Admitted(ticket) = admit(&mut machine, now * 10 * MS) {
                admitted += 1;
                settle(&mut machine, ticket, Ending::Failure, now * 10 * MS);
            }
        }
        assert_eq!(machine.state(), CircuitState::Closed);
        assert!((150..400).contains(&admitted), "{admitted}");
        assert_eq!(machine.tally.shed, 2000 - admitted);
    }

    #[test]
    fn a_health_check_alone_decides_while_it_runs() {
        let mut machine = opened_at(0);
        let generation = machine.generation();
        assert!(machine.watched(generation));
        assert_eq!(admit(&mut machine, u64::MAX / 2), Admission::Refused { retry_at: None });
        machine.unwatched(generation);
        assert_eq!(machine.until(), Some(1000 * MS));
        assert!(machine.watched(generation));
        machine.healthy(generation.wrapping_sub(1), MS, &mut Changes::default());
        assert_eq!(machine.state(), CircuitState::Open);
        machine.healthy(generation, MS, &mut Changes::default());
        assert_eq!(machine.state(), CircuitState::Closed);
        assert!(!machine.watched(machine.generation()));
    }

    #[test]
    fn switched_off_it_records_nothing_and_begins_anew() {
        let mut machine = machine(CircuitBreakerConfig::new().failures(2));
        call(&mut machine, 0, Ending::Failure);
        machine.set_mode(Mode::Off, 0, &mut Changes::default());
        (0..9).for_each(|_| call(&mut machine, 0, Ending::Failure));
        machine.set_mode(Mode::On, 0, &mut Changes::default());
        call(&mut machine, 0, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Closed);
        call(&mut machine, 0, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn other_rules_apply_from_then_on_and_late_results_of_the_old_ones_do_not_count() {
        let mut machine = machine(CircuitBreakerConfig::new().failures(1));
        let early = admitted(&mut machine, 0);
        machine.obey(CircuitBreakerConfig::new().failures(2).rules(), 0);
        assert_eq!(settle(&mut machine, early, Ending::Failure, 0), Taken::Late);
        call(&mut machine, 0, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Closed);
        call(&mut machine, 0, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn times_are_summed_by_state() {
        let mut machine = machine(CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(1)));
        call(&mut machine, 0, Ending::Success);
        call(&mut machine, 500 * MS, Ending::Failure);
        call(&mut machine, 1700 * MS, Ending::Success);
        assert_eq!(machine.time_in(1800 * MS)[..3], [600 * MS, 1200 * MS, 0]);
    }

    #[test]
    fn a_clock_that_steps_back_lengthens_the_open_time_by_no_more_than_one_period() {
        let mut machine = opened_at(1_000_000);
        assert_eq!(admit(&mut machine, 0), Admission::Refused { retry_at: Some(1000 * MS) });
        admitted(&mut machine, 1000 * MS);
        // And back again, with a probe in flight.
        assert!(matches!(admit(&mut machine, 0), Admission::Admitted(_)));
        assert!(matches!(admit(&mut machine, 500 * MS), Admission::Refused { .. }));
        assert_eq!(machine.state(), CircuitState::Open);
    }
}
