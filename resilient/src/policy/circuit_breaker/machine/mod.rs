//! The breaker's state machine. Pure: no clock, lock, event or await; even its chance is a seed.

mod results;
#[cfg(test)]
mod tests;

pub(super) use results::{End, Taken};

use super::{
    baseline::Baseline,
    change::{Change, Changes},
    history::History,
    rules::Rules,
    shed,
    shortcuts::Shortcuts,
    state::{CircuitState, Place, Probe, State, Ticket},
    tally::Tally,
    window::{Successes, Totals, Window},
};
use crate::{
    cause::Cause,
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
    /// How long a probe takes on average; 0 before the first.
    probe_time: Nanos,
    pub(super) tally: Tally,
    pub(super) history: History,
}

/// One call in ten passes when a ramp begins.
const FIRST_SHARE: u64 = 100_000;
const WHOLE: u64 = 1_000_000;

/// Nobody has to come back earlier than after that.
const SOON: Nanos = 1_000_000;

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
            probe_time: 0,
            tally: Tally::NEW,
            history: History::new(),
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

    /// Whether to forget it, unused for so long, would let calls pass that it refuses, or undo what somebody said. Where a
    /// health check decides, which may never succeed, it is remembered for as long as time alone could keep it open, and
    /// for `idle`.
    pub(super) fn is_pinned(&self, now: Nanos, unused: Nanos, idle: Nanos) -> bool {
        match &self.state {
            State::Open { until: NEVER } => {
                let open_for = self.since.map_or(0, |since| now.saturating_sub(since));
                open_for < self.rules.open_for.longest || unused <= idle
            }
            State::Open { until } => now < *until,
            State::HalfOpen { probes, .. } => !probes.is_empty(),
            State::Ramp { .. } => self.share(now) != Some(WHOLE),
            State::Manual(_) => true,
            State::Closed => false,
        }
    }

    /// Whether time would change what [`is_pinned`](Self::is_pinned) says: a probe hangs, or the clock has stepped back.
    pub(super) fn is_overdue(&self, now: Nanos) -> bool {
        match self.state {
            State::Open { until } => until != NEVER && until > now.saturating_add(self.rules.open_for.longest),
            State::HalfOpen { .. } => self.first_expiry().is_some_and(|expiry| expiry <= now),
            State::Ramp { began, .. } => began > now,
            _ => false,
        }
    }

    pub(super) fn probes_in_flight(&self) -> usize {
        match &self.state {
            State::HalfOpen { probes, .. } => probes.iter().map(|probe| probe.calls as usize).sum(),
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

    /// Whether it lets everything pass and records nothing.
    fn is_deaf(&self) -> bool {
        self.rules.mode == Mode::Off || matches!(self.state, State::Manual(CircuitState::Disabled))
    }

    fn is_recording(&self) -> bool {
        self.rules.mode != Mode::Off
            && (self.is_judging() || matches!(self.state, State::Manual(CircuitState::ForcedClosed)))
    }

    /// Whether what the window holds may open the circuit.
    fn is_judging(&self) -> bool {
        matches!(self.state, State::Closed | State::Ramp { .. })
    }

    /// Whether calls that it admits are to have their time watched.
    pub(super) fn watches(&self) -> bool {
        self.rules.slow.is_some() && self.is_recording()
    }

    pub(super) fn shortcuts(&self, now: Nanos, successes: &impl Successes) -> Shortcuts {
        let none = Shortcuts { shadow: self.rules.mode == Mode::Shadow, ..Shortcuts::default() };
        if self.is_deaf() {
            return Shortcuts { admit: true, absorb: true, deaf: true, ..none };
        }
        if !self.is_recording() {
            return none;
        }
        let (judged, totals) = (self.is_judging(), self.totals(now, successes));
        let evidence_held = judged && totals.failures + totals.slow > 0;
        // Good times are learnt too, and bad ones forgotten.
        let learns = self.rules.adaptive && matches!(self.state, State::Closed) && !self.baseline.is_settled();
        Shortcuts {
            admit: !matches!(self.state, State::Ramp { .. }) && (!judged || self.shed_probability(totals) == 0),
            absorb: self.window.absorbs_successes() && !learns,
            // The success that completes `min_calls` may open the circuit.
            count: matches!(self.window, Window::Time(_))
                && !(evidence_held && totals.calls < self.rules.min_calls.into()),
            evidence_held: evidence_held || learns,
            watch: self.watches(),
            ..none
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
        self.history.push(&change);
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
        if self.tally.began.is_none() {
            self.tally.began = Some(now);
            // No clock was at hand when the machine was made.
            self.baseline.begin(self.window.progress(now).0);
        }
        // A clock that stepped back (a paused runtime's, say) must not lengthen a wait beyond one period.
        self.bound_open_time(now);
        match &mut self.state {
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

    /// It stays open for no longer than the rules allow.
    fn bound_open_time(&mut self, now: Nanos) {
        match &mut self.state {
            State::Open { until } if *until != NEVER => {
                *until = (*until).min(now.saturating_add(self.rules.open_for.longest));
            }
            _ => {}
        }
    }

    /// When the oldest probe counts as failed.
    fn first_expiry(&self) -> Option<Nanos> {
        let State::HalfOpen { probes, .. } = &self.state else {
            return None;
        };
        probes.iter().map(|probe| probe.started.saturating_add(self.rules.probe_timeout)).min()
    }

    /// When a place may be free: the oldest probe takes as long as probes do on average or, once it has, as long again
    /// as it has taken; and it expires. Nothing is known before the first has ended.
    fn probe_end(&self, now: Nanos) -> Option<Nanos> {
        let State::HalfOpen { probes, .. } = &self.state else { return None };
        let oldest = probes.iter().map(|probe| probe.started).min().filter(|_| self.probe_time > 0)?;
        let taken = now.saturating_sub(oldest);
        let rest = if taken < self.probe_time { self.probe_time - taken } else { taken };
        let expiry = oldest.saturating_add(self.rules.probe_timeout);
        Some(now.saturating_add(rest.max(SOON)).min(expiry))
    }

    #[cfg(test)]
    pub(super) fn admit(&mut self, now: Nanos, successes: &impl Successes, changes: &mut Changes) -> Admission {
        self.admit_many(now, 1, successes, changes)
    }

    /// Admits so many calls together, or none of them.
    pub(super) fn admit_many(
        &mut self,
        now: Nanos,
        calls: u32,
        successes: &impl Successes,
        changes: &mut Changes,
    ) -> Admission {
        self.advance(now, changes);
        if self.rules.mode == Mode::Off {
            return self.admitted(Place::NONE);
        }
        let share = self.share(now);
        if self.sheds(now, successes) {
            (0..calls).for_each(|_| self.window.shed(now));
            self.tally.shed += u64::from(calls);
            return Admission::Refused { retry_at: None };
        }
        match &mut self.state {
            State::Open { until } => Admission::Refused { retry_at: (*until != NEVER).then_some(*until) },
            State::Manual(CircuitState::ForcedOpen) => Admission::Refused { retry_at: None },
            State::HalfOpen { probes, successes, .. } => {
                // A ramp begins with one; and there are no more than may still be needed.
                let at_once = if self.rules.ramp && *successes == 0 { 1 } else { self.rules.probes };
                let needed = self.rules.probes.max(self.rules.successes) - *successes;
                let (places, taken) = (at_once.min(needed), probes.iter().map(|probe| probe.calls).sum::<u32>());
                // Those that are more than all places together take them all.
                if taken + calls.min(places) > places {
                    return Admission::Refused { retry_at: self.probe_end(now) };
                }
                self.next_probe = self.next_probe.wrapping_add(1);
                let place = Place::probe(self.next_probe);
                probes.push(Probe { place, started: now, calls });
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
        self.bound_open_time(now);
        if let State::HalfOpen { probes, successes, slow } = &mut self.state {
            probes.clear();
            (*successes, *slow) = (0, 0);
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
