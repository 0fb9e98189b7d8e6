//! The breaker's state machine. Pure: no clock, lock, event or await.

use super::{
    config::{CircuitBreakerConfig, Trip},
    window::{Successes, Totals, Window},
};
use crate::{
    outcome::Ending,
    time::{Nanos, nanos},
};
use std::fmt;

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls pass and are judged.
    Closed,
    /// Calls are refused until the time is over.
    Open,
    /// A few probes pass, and decide.
    HalfOpen,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen,
    /// Calls pass and are recorded, but nothing opens it until somebody says otherwise.
    ForcedClosed,
    /// Calls pass and are not recorded.
    Disabled,
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::ForcedClosed => "forced closed",
            Self::Disabled => "disabled",
        })
    }
}

#[derive(Debug)]
enum State {
    Closed,
    Open { until: Nanos },
    HalfOpen { probes: Vec<Probe>, successes: u32 },
    Forced(CircuitState),
}

/// A probe in flight.
#[derive(Clone, Copy, Debug)]
struct Probe {
    id: u32,
    started: Nanos,
}

/// A change of state, to be reported once no lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    Opened(Totals),
    HalfOpened,
    Closed,
    Forced(CircuitState),
}

/// The changes that one step made: an expired probe can re-open and time can half-open in the same step.
pub(super) type Transitions = [Option<Transition>; 3];

/// What an admitted call must show when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) generation: u32,
    /// Which probe it is, while half-open.
    pub(super) probe: u32,
}

impl Ticket {
    /// That of a call which has not been admitted.
    pub(crate) const NONE: Self = Self { generation: 0, probe: 0 };
}

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

/// What a call may do without asking the machine, until its next step.
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of one word")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shortcuts {
    /// It is admitted.
    pub(super) admit: bool,
    /// Its success changes nothing.
    pub(super) absorb: bool,
    /// Its success is counted by its thread; unless it is the first in a bucket while the window holds failures.
    pub(super) count: bool,
    /// The window holds failures: as old results leave it, a success may be what opens the circuit.
    pub(super) failures_held: bool,
}

#[derive(Debug)]
pub(super) struct Machine {
    state: State,
    /// Counts the states entered: a result of an earlier one never decides.
    generation: u32,
    since: Option<Nanos>,
    window: Window,
    trip: Trip,
    open_for: Nanos,
    max_probes: u32,
    successes: u32,
    probe_timeout: Nanos,
    next_probe: u32,
    opened: u64,
}

impl Machine {
    pub(super) const fn new(config: &CircuitBreakerConfig) -> Self {
        let trip = config.trip();
        Self {
            state: State::Closed,
            generation: 0,
            since: None,
            window: Window::new(trip.span),
            trip,
            open_for: nanos(config.open_for),
            max_probes: config.probes,
            successes: config.successes,
            probe_timeout: config.probe_timeout_nanos(),
            next_probe: 0,
            opened: 0,
        }
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// When the present state began, unless it is the first.
    pub(super) fn since(&self) -> Option<Nanos> {
        self.since
    }

    /// How often it opened.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    pub(super) fn state(&self) -> CircuitState {
        match &self.state {
            State::Closed => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen { .. } => CircuitState::HalfOpen,
            State::Forced(state) => *state,
        }
    }

    /// When it will half-open, while open.
    pub(super) fn until(&self) -> Option<Nanos> {
        match self.state {
            State::Open { until } => Some(until),
            _ => None,
        }
    }

    pub(super) fn probes_in_flight(&self) -> usize {
        match &self.state {
            State::HalfOpen { probes, .. } => probes.len(),
            _ => 0,
        }
    }

    pub(super) fn totals(&self, now: Nanos, successes: &impl Successes) -> Totals {
        self.window.totals(now, successes)
    }

    pub(super) fn shortcuts(&self, now: Nanos, successes: &impl Successes) -> Shortcuts {
        let recorded = match self.state {
            State::Closed | State::Forced(CircuitState::ForcedClosed) => true,
            State::Forced(CircuitState::Disabled) => false,
            _ => return Shortcuts::default(),
        };
        if !recorded {
            return Shortcuts { admit: true, absorb: true, ..Shortcuts::default() };
        }
        let Totals { failures, calls } = self.totals(now, successes);
        let judged = matches!(self.state, State::Closed) && failures > 0;
        Shortcuts {
            admit: true,
            absorb: self.window.absorbs_successes(),
            // The success that completes `min_calls` may open the circuit.
            count: matches!(self.window, Window::Time(_)) && !(judged && calls < self.trip.min_calls.into()),
            failures_held: judged,
        }
    }

    fn enter(&mut self, state: State, at: Nanos) {
        self.state = state;
        self.generation = self.generation.wrapping_add(1);
        self.since = Some(at);
        self.window.clear();
    }

    fn open(&mut self, at: Nanos, totals: Totals) -> Transition {
        self.enter(State::Open { until: at.saturating_add(self.open_for) }, at);
        self.opened += 1;
        Transition::Opened(totals)
    }

    /// Lets time act: a hung probe re-opens, dated at the instant it expired; an open circuit half-opens.
    pub(super) fn advance(&mut self, now: Nanos) -> Transitions {
        // A clock that stepped back (a paused runtime's, say) must not lengthen a wait beyond one period.
        match &mut self.state {
            State::Open { until } => *until = (*until).min(now.saturating_add(self.open_for)),
            State::HalfOpen { probes, .. } => {
                for probe in probes {
                    probe.started = probe.started.min(now);
                }
            }
            _ => {}
        }
        let mut transitions = Transitions::default();
        let expiry = self.first_expiry().filter(|expiry| *expiry <= now);
        transitions[0] = expiry.map(|expiry| self.open(expiry, Totals { failures: 1, calls: 1 }));
        if matches!(self.state, State::Open { until } if now >= until) {
            self.enter(State::HalfOpen { probes: Vec::new(), successes: 0 }, now);
            transitions[1] = Some(Transition::HalfOpened);
        }
        transitions
    }

    /// When the oldest probe counts as failed.
    fn first_expiry(&self) -> Option<Nanos> {
        let State::HalfOpen { probes, .. } = &self.state else {
            return None;
        };
        probes.iter().map(|probe| probe.started.saturating_add(self.probe_timeout)).min()
    }

    pub(super) fn admit(&mut self, now: Nanos) -> (Admission, Transitions) {
        let transitions = self.advance(now);
        let expiry = self.first_expiry();
        let mut ticket = Ticket { generation: self.generation, probe: 0 };
        let admission = match &mut self.state {
            State::Open { until } => Admission::Refused { retry_at: Some(*until) },
            State::Forced(CircuitState::ForcedOpen) => Admission::Refused { retry_at: None },
            State::HalfOpen { probes, successes }
                // No more probes either than may still be needed.
                if probes.len() >= self.max_probes as usize
                    || probes.len() + *successes as usize >= self.max_probes.max(self.successes) as usize =>
            {
                // When the oldest probe expires the circuit re-opens; nothing is known of the time before.
                Admission::Refused { retry_at: expiry.map(|expiry| expiry.saturating_add(self.open_for)) }
            }
            State::HalfOpen { probes, .. } => {
                self.next_probe = self.next_probe.wrapping_add(1);
                ticket.probe = self.next_probe;
                probes.push(Probe { id: self.next_probe, started: now });
                Admission::Admitted(ticket)
            }
            State::Closed | State::Forced(_) => Admission::Admitted(ticket),
        };
        (admission, transitions)
    }

    pub(super) fn settle(
        &mut self,
        ticket: Ticket,
        ending: Ending,
        now: Nanos,
        successes: &impl Successes,
    ) -> (Taken, Transitions) {
        let mut transitions = self.advance(now);
        if ticket.generation != self.generation {
            return (Taken::Late, transitions);
        }
        transitions[2] = match &mut self.state {
            State::Closed | State::Forced(CircuitState::ForcedClosed) => self.record(ending, now, successes),
            State::HalfOpen { probes, .. } => {
                probes.retain(|probe| probe.id != ticket.probe);
                self.judge_probe(ending, now)
            }
            State::Open { .. } | State::Forced(_) => None,
        };
        (Taken::Counted, transitions)
    }

    fn judge_probe(&mut self, ending: Ending, now: Nanos) -> Option<Transition> {
        let State::HalfOpen { successes, .. } = &mut self.state else {
            return None;
        };
        if ending.is_failure() {
            return Some(self.open(now, Totals { failures: 1, calls: 1 }));
        }
        *successes += u32::from(ending == Ending::Success);
        (*successes >= self.successes).then(|| {
            self.enter(State::Closed, now);
            Transition::Closed
        })
    }

    fn record(&mut self, ending: Ending, now: Nanos, successes: &impl Successes) -> Option<Transition> {
        if ending.is_failure() {
            self.window.failure(now);
        } else if ending == Ending::Success {
            self.window.success();
        } else {
            return None;
        }
        let totals = self.window.totals(now, successes);
        let trips = matches!(self.state, State::Closed)
            && totals.failures > 0
            && totals.calls >= self.trip.min_calls.into()
            && self.trip.rate.reached_by(totals.failures, totals.calls);
        trips.then(|| self.open(now, totals))
    }

    pub(super) fn force(&mut self, state: CircuitState, now: Nanos) -> Transition {
        if state == CircuitState::Closed {
            self.enter(State::Closed, now);
            return Transition::Closed;
        }
        self.enter(State::Forced(state), now);
        Transition::Forced(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio::Ratio;
    use std::time::Duration;

    const MS: Nanos = 1_000_000;

    fn machine(config: CircuitBreakerConfig) -> Machine {
        config.assert();
        Machine::new(&config)
    }

    fn admitted(machine: &mut Machine, now: Nanos) -> Ticket {
        match machine.admit(now).0 {
            Admission::Admitted(ticket) => ticket,
            refused @ Admission::Refused { .. } => panic!("{refused:?}"),
        }
    }

    struct Nobody;

    impl Successes for Nobody {
        fn within(&self, _: u64, _: u64) -> u64 {
            0
        }
    }

    fn call(machine: &mut Machine, now: Nanos, ending: Ending) {
        let ticket = admitted(machine, now);
        assert_eq!(settle(machine, ticket, ending, now), Taken::Counted);
    }

    fn settle(machine: &mut Machine, ticket: Ticket, ending: Ending, now: Nanos) -> Taken {
        machine.settle(ticket, ending, now, &Nobody).0
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
        assert_eq!(machine.admit(1000 * MS - 1).0, Admission::Refused { retry_at: Some(1000 * MS) });
        admitted(&mut machine, 1000 * MS);
        assert_eq!(machine.state(), CircuitState::HalfOpen);
    }

    #[test]
    fn half_open_admits_no_more_than_its_probes_and_a_cancelled_one_gives_its_place_back() {
        let mut machine = opened_at(0);
        let first = admitted(&mut machine, 1000 * MS);
        admitted(&mut machine, 1001 * MS);
        assert!(matches!(machine.admit(1002 * MS).0, Admission::Refused { .. }));
        settle(&mut machine, first, Ending::Cancelled, 1003 * MS);
        admitted(&mut machine, 1003 * MS);
        assert_eq!(machine.probes_in_flight(), 2);
    }

    #[test]
    fn a_hung_probe_reopens_dated_at_its_expiry() {
        let mut machine = opened_at(0);
        let hung = admitted(&mut machine, 1000 * MS);
        let (admission, transitions) = machine.admit(1600 * MS);
        assert_eq!(admission, Admission::Refused { retry_at: Some(2500 * MS) });
        assert!(matches!(transitions[0], Some(Transition::Opened { .. })));
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
        machine.force(CircuitState::ForcedOpen, MS);
        assert_eq!(machine.admit(u64::MAX / 2).0, Admission::Refused { retry_at: None });
        machine.force(CircuitState::ForcedClosed, MS);
        (0..9).for_each(|_| call(&mut machine, MS, Ending::Failure));
        assert_eq!(machine.state(), CircuitState::ForcedClosed);
        machine.force(CircuitState::Closed, MS);
        call(&mut machine, MS, Ending::Failure);
        assert_eq!(machine.state(), CircuitState::Open);
    }

    #[test]
    fn a_clock_that_steps_back_lengthens_the_open_time_by_no_more_than_one_period() {
        let mut machine = opened_at(1_000_000);
        assert_eq!(machine.admit(0).0, Admission::Refused { retry_at: Some(1000 * MS) });
        admitted(&mut machine, 1000 * MS);
        // And back again, with a probe in flight.
        assert!(matches!(machine.admit(0).0, Admission::Admitted(_)));
        assert!(matches!(machine.admit(500 * MS).0, Admission::Refused { .. }));
        assert_eq!(machine.state(), CircuitState::Open);
    }
}
