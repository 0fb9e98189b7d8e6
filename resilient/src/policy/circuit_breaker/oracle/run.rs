//! The machine and the oracle through one script.

use super::{
    scripts::{Step, config, step},
    *,
};

struct Flight {
    call: usize,
    calls: u32,
    ticket: Ticket,
    era: u32,
    began: Nanos,
    unnoted: bool,
    counted: Option<Position>,
}

/// The successes that threads would have counted, by generation and bucket.
#[derive(Default)]
struct Counted(Vec<(u32, u64)>);

struct Within<'a>(&'a Counted, u32);

impl Successes for Within<'_> {
    fn within(&self, first: u64, last: u64) -> u64 {
        self.0.0.iter().filter(|(of, bucket)| *of == self.1 && (first..=last).contains(bucket)).count() as u64
    }
}

/// The machine, and around it what the breaker does.
struct Run {
    machine: Machine,
    /// None once the clock has stepped back.
    oracle: Option<Oracle>,
    successes: Counted,
    /// As the last step published them.
    shortcuts: Shortcuts,
    flights: Vec<Flight>,
    calls: usize,
    now: Nanos,
    latest: Nanos,
    began: Nanos,
}

impl Run {
    fn new(config: CircuitBreakerConfig) -> Self {
        config.assert();
        let began = 1_000_000 * MS;
        let mut machine = Machine::new(config.rules());
        machine.advance(began, &mut Changes::default());
        Self {
            machine,
            oracle: Some(Oracle::new(config)),
            successes: Counted::default(),
            shortcuts: Shortcuts::default(),
            flights: Vec::new(),
            calls: 0,
            now: began,
            latest: began,
            began,
        }
    }

    fn step(&mut self, step: &Step) {
        self.let_time_pass(step);
        self.sweep();
        let (generation, now, mut changes) = (self.machine.generation(), self.now, Changes::default());
        let told = |present: bool| generation.wrapping_sub(u32::from(!present));
        match *step {
            Step::Admit { unnoted, calls } => self.admit(unnoted, calls),
            Step::End(index, ending) => {
                if !self.flights.is_empty() {
                    let flight = self.flights.swap_remove(index % self.flights.len());
                    self.end(&flight, ending);
                }
            }
            Step::Look => {
                self.machine.advance(now, &mut changes);
                self.oracle.iter_mut().for_each(|oracle| oracle.time_passes(now));
            }
            Step::Force(state) => {
                self.machine.force(state, now, &mut changes);
                self.oracle.iter_mut().for_each(|oracle| oracle.force(state, now));
            }
            Step::Mode(mode) => {
                self.machine.set_mode(mode, now, &mut changes);
                self.oracle.iter_mut().for_each(|oracle| oracle.set_mode(mode, now));
            }
            Step::Obey(config) => {
                config.assert();
                self.machine.obey(config.rules(), now);
                self.oracle.iter_mut().for_each(|oracle| oracle.obey(config, now));
            }
            Step::Watched(present) => {
                let watched = self.machine.watched(told(present));
                let is_so = |oracle: &mut Oracle| oracle.watched(told(present)) == watched;
                assert!(self.oracle.as_mut().is_none_or(is_so));
            }
            Step::Healthy(present) => {
                self.machine.healthy(told(present), now, &mut changes);
                self.oracle.iter_mut().for_each(|oracle| oracle.healthy(told(present), now));
            }
            Step::Unwatched(present) => {
                self.machine.unwatched(told(present));
                self.oracle.iter_mut().for_each(|oracle| oracle.unwatched(told(present)));
            }
            Step::Wait(_)
            | Step::ToUntil(_)
            | Step::ToExpiry(_)
            | Step::ToSlow(_)
            | Step::ToBucket(..)
            | Step::Back(_) => {}
        }
        self.publish();
        self.compare();
    }

    fn publish(&mut self) {
        let successes = Within(&self.successes, self.machine.generation());
        self.shortcuts = self.machine.shortcuts(self.now, &successes);
    }

    fn let_time_pass(&mut self, step: &Step) {
        let rules = self.machine.rules;
        let near = |instant: Option<Nanos>, offset: u64| instant.map(|at| (at + offset).saturating_sub(1));
        let to = match *step {
            Step::Wait(time) => Some(self.now + time),
            Step::ToUntil(offset) => near(self.machine.until().filter(|until| *until != NEVER), offset),
            Step::ToExpiry(offset) => {
                let probes = self.flights.iter().filter(|flight| flight.ticket.place != Place::NONE);
                near(probes.map(|flight| flight.began + rules.probe_timeout).min(), offset)
            }
            Step::ToSlow(offset) => {
                let due = self.flights.iter().map(|flight| flight.began + rules.slow.map_or(0, |slow| slow.after));
                near(due.filter(|due| *due > self.now).min(), offset)
            }
            Step::ToBucket(buckets, before) => {
                let width = rules.bucket_width().max(2);
                Some((self.now / width + buckets) * width - before)
            }
            Step::Back(time) => {
                self.oracle = None;
                self.now -= time.min(self.now);
                None
            }
            _ => None,
        };
        self.now = self.now.max(to.unwrap_or(0));
        self.latest = self.latest.max(self.now);
    }

    /// Counts the calls in flight that have become slow, as each step of the breaker begins.
    fn sweep(&mut self) {
        let Some(slow) = self.machine.rules.slow else { return };
        let generation = self.machine.generation();
        self.flights.sort_by_key(|flight| flight.began);
        for flight in &mut self.flights {
            let at = flight.began + slow.after;
            let is_watched = flight.ticket.place == Place::NONE && flight.counted.is_none() && !flight.unnoted;
            if !is_watched || at >= self.now || flight.ticket.generation != generation {
                continue;
            }
            if generation == self.machine.generation() {
                let successes = Within(&self.successes, generation);
                flight.counted = self.machine.overdue(at, &successes, &mut Changes::default());
                self.oracle.iter_mut().for_each(|oracle| oracle.overdue(flight.call, flight.era, at));
            }
        }
    }

    fn admit(&mut self, unnoted: bool, calls: u32) {
        let (call, now) = (self.calls, self.now);
        self.calls += 1;
        let successes = Within(&self.successes, self.machine.generation());
        let admission = self.machine.admit_many(now, calls, &successes, &mut Changes::default());
        if let Some(oracle) = &mut self.oracle {
            match (oracle.admit(call, calls, now), admission) {
                (Expected::Admitted, Admission::Admitted(_)) => {}
                (Expected::Refused(expected), Admission::Refused { retry_at }) => assert_eq!(retry_at, expected),
                (Expected::Either, _) => oracle.ramped(matches!(admission, Admission::Admitted(_)), now),
                (expected, found) => panic!("{expected:?}, but {found:?}"),
            }
        }
        if self.shortcuts.admit {
            let is_admitted = matches!(admission, Admission::Admitted(Ticket { place: Place::NONE, .. }));
            assert!(is_admitted, "a shortcut admits what the machine does not: {admission:?}");
        }
        match admission {
            Admission::Admitted(ticket) => {
                let era = self.oracle.as_ref().map_or(0, |oracle| oracle.era);
                // The breaker watches no call that began under rules without `slow_call`.
                let unnoted = unnoted || self.machine.rules.slow.is_none();
                self.flights.push(Flight { call, calls, ticket, era, began: now, unnoted, counted: None });
            }
            Admission::Refused { retry_at: Some(at) } => {
                let rules = self.machine.rules;
                let longest = match self.machine.state() {
                    CircuitState::HalfOpen => rules.probe_timeout,
                    _ => rules.open_for.longest,
                };
                assert!(at > now && at <= now + longest, "{at} is too far from {now}");
            }
            Admission::Refused { retry_at: None } => {}
        }
    }

    fn end(&mut self, flight: &Flight, ending: Ending) {
        let now = self.now;
        let is_slow = self.machine.rules.slow.is_some_and(|slow| now.saturating_sub(flight.began) > slow.after);
        let slow = flight.counted.is_some() || (is_slow && flight.ticket.place == Place::NONE);
        let end = End { slow, counted: flight.counted, calls: flight.calls, ..End::fast(ending) };
        let generation = flight.ticket.generation;
        let before = (self.machine.generation(), self.machine.totals(now, &Within(&self.successes, generation)));
        self.machine.advance(now, &mut Changes::default());
        let counts_elsewhere = self.machine.counts_elsewhere(flight.ticket, end);
        let bucket = (generation, now / self.machine.rules.bucket_width());
        let first = !self.successes.0.contains(&bucket);
        if counts_elsewhere {
            self.successes.0.extend((0..flight.calls).map(|_| bucket));
        }
        let successes = Within(&self.successes, generation);
        let taken = self.machine.settle(flight.ticket, end, now, &successes, &mut Changes::default());
        let after = (self.machine.generation(), self.machine.totals(now, &successes));
        if taken == Taken::Late {
            assert_ne!(generation, after.0);
        }
        // That a ramp is over, or the open time of one switched off, the next who asks may see.
        let by_time = |change: &Entry| matches!(change.cause, Cause::Ramped | Cause::TimeOver);
        let timed = after.0 != before.0 && self.machine.history.last().is_some_and(by_time);
        if generation == before.0 && ending == Ending::Success && !slow && !timed {
            let Shortcuts { absorb, count, evidence_held, .. } = self.shortcuts;
            if absorb {
                assert_eq!(before, after, "an absorbed success changes something");
            } else if count && !(first && evidence_held) && self.oracle.is_some() {
                assert!(counts_elsewhere && before.0 == after.0, "a success counted without a look decides");
            }
        }
        if let Some(oracle) = &mut self.oracle {
            let is_late =
                oracle.settle(flight.call, flight.calls, flight.era, ending, slow, flight.counted.is_some(), now);
            assert_eq!(taken == Taken::Late, is_late);
        }
    }

    fn compare(&self) {
        let (machine, now) = (&self.machine, self.now);
        let totals = machine.totals(now, &Within(&self.successes, machine.generation()));
        assert!(totals.failures <= totals.calls && totals.slow <= totals.calls, "{totals:?}");
        assert!(machine.probes_in_flight() <= machine.rules.probes.max(LARGEST_GROUP) as usize);
        let Some(oracle) = &self.oracle else { return };
        assert_eq!(machine.state(), oracle.state());
        assert_eq!(machine.generation(), oracle.era);
        assert_eq!(totals, oracle.totals(now));
        match &oracle.phase {
            Phase::Open { until } => assert_eq!(machine.until(), Some(*until)),
            Phase::HalfOpen { probes, .. } => assert_eq!(machine.probes_in_flight(), probes.len()),
            _ => assert_eq!((machine.until(), machine.probes_in_flight()), (None, 0)),
        }
        let tally = machine.tally;
        assert_eq!(
            (tally.opened, tally.failures, tally.panics, tally.slow, tally.late),
            (oracle.opened, oracle.failures, oracle.panics, oracle.slow, oracle.late)
        );
        assert_eq!(tally.successes + self.successes.0.len() as u64, oracle.successes);
        let last_change = machine.history.last().map(|change| (change.from, change.to, change.cause, change.at));
        assert_eq!(last_change, oracle.last_change);
        assert_eq!(machine.time_in(now).iter().sum::<Nanos>(), now - self.began);
    }

    /// Once all is well it closes, whatever has happened.
    fn it_closes_again(mut self) {
        let rules = self.machine.rules;
        let mut changes = Changes::default();
        if self.machine.until() == Some(NEVER) {
            self.machine.unwatched(self.machine.generation());
        }
        if rules.mode == Mode::Off || self.machine.state().is_manual() {
            return;
        }
        self.oracle = None;
        while let Some(flight) = self.flights.pop() {
            self.end(&flight, Ending::Cancelled);
            self.publish();
        }
        // Old results leave the window, and may open it once more; then so many probes, and the ramp.
        self.now = self.latest + 1000 * MS;
        for _ in 0..LARGEST_WINDOW + rules.successes + 3 {
            self.now += rules.open_for.longest;
            self.machine.advance(self.now, &mut changes);
            self.publish();
            self.admit(true, 1);
            self.publish();
            if let Some(flight) = self.flights.pop() {
                self.end(&flight, Ending::Success);
            }
        }
        assert_eq!(self.machine.state(), CircuitState::Closed);
    }
}

fn play(config: CircuitBreakerConfig, steps: &[Step]) {
    let mut run = Run::new(config);
    for step in steps {
        run.step(step);
    }
    run.it_closes_again();
}

proptest! {
    #![proptest_config(scripts())]

    #[test]
    fn the_machine_does_what_the_oracle_does(config in config(), steps in prop::collection::vec(step(false), 0..120)) {
        play(config, &steps);
    }

    #[test]
    fn nothing_wedges_where_the_clock_steps_back(config in config(), steps in prop::collection::vec(step(true), 0..120)) {
        play(config, &steps);
    }
}
