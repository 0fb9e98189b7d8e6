//! The machine against an oracle, a log of results and a match, over random scripts. `SCRIPTS` in the environment says
//! how many of each kind.

use super::{
    change::{Change, Changes},
    config::{CircuitBreakerConfig, Window},
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

    fn admit(&mut self, call: usize, now: Nanos) -> Expected {
        self.time_passes(now);
        if self.config.mode == Mode::Off {
            return Expected::Admitted;
        }
        let (timeout, next) = (self.probe_timeout(), self.open_for(self.failed_recoveries + 1));
        match &mut self.phase {
            Phase::Open { until: NEVER } | Phase::Manual(CircuitState::ForcedOpen) => Expected::Refused(None),
            Phase::Open { until } => Expected::Refused(Some(*until)),
            Phase::HalfOpen { probes, good, .. } => {
                let at_once = match (self.config.ramp, *good) {
                    (true, 0) => 1,
                    _ => self.config.probes.min(self.config.probes.max(self.config.successes) - *good),
                };
                if probes.len() < at_once as usize {
                    probes.push((call, now));
                    return Expected::Admitted;
                }
                Expected::Refused(probes.iter().map(|(_, started)| started + timeout + next).min())
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

    fn settle(&mut self, call: usize, era: u32, ending: Ending, slow: bool, counted: bool, now: Nanos) -> bool {
        self.time_passes(now);
        let failed = matches!(ending, Ending::Failure | Ending::Panicked);
        let is_result = failed || ending == Ending::Success;
        if era != self.era {
            self.late += u64::from(is_result);
            return true;
        }
        if self.config.mode == Mode::Off {
            return false;
        }
        if let Phase::HalfOpen { probes, .. } = &mut self.phase {
            let index = probes.iter().position(|(probe, _)| *probe == call).unwrap();
            let (_, started) = probes.swap_remove(index);
            let slow = self.config.slow_call.is_some_and(|time| now - started > nanos(time));
            self.probed(ending, slow, now);
        } else if self.is_recording() && is_result {
            self.failures += u64::from(failed);
            match self.log.iter_mut().find(|result| result.call == call) {
                Some(result) => result.failed = failed,
                None if counted => {}
                None => {
                    self.slow += u64::from(slow);
                    self.log.push_back(Result { call, at: now, failed, slow });
                }
            }
            if failed || !counted {
                self.judge(now);
            }
        }
        false
    }

    fn probed(&mut self, ending: Ending, is_slow: bool, now: Nanos) {
        self.slow += u64::from(is_slow);
        let Phase::HalfOpen { good, slow, .. } = &mut self.phase else { return };
        match ending {
            Ending::Failure | Ending::Panicked => {
                self.failures += 1;
                return self.open(now, Cause::ProbeFailed);
            }
            Ending::Success => {
                *good += 1;
                *slow += u32::from(is_slow);
            }
            _ => return,
        }
        let (good, slow) = (*good, *slow);
        if good == self.config.successes {
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

#[derive(Clone, Debug)]
enum Step {
    Wait(Nanos),
    /// To just before, at, or just after the end of the open time, ...
    ToUntil(u64),
    /// ... the time-out of a probe, ...
    ToExpiry(u64),
    /// ... the instant at which a call becomes slow, ...
    ToSlow(u64),
    /// ... or the beginning of a bucket.
    ToBucket(u64, u64),
    /// From here on the clock is no monotonic one, and only the weaker statements hold.
    Back(Nanos),
    Admit {
        /// Its time is not watched: it counts as slow when it ends.
        unnoted: bool,
    },
    End(usize, Ending),
    Look,
    Force(CircuitState),
    Mode(Mode),
    Obey(CircuitBreakerConfig),
    Watched(bool),
    Healthy(bool),
    Unwatched(bool),
}

fn config() -> impl Strategy<Value = CircuitBreakerConfig> {
    let ms = Duration::from_millis;
    let rate = prop::sample::select(vec![1, 10, 25, 50, 60, 75, 99, 100]).prop_map(Ratio::percent);
    let window =
        (0..4_u8, 1..=LARGEST_WINDOW, 100..400_u64, prop::option::of(1..8_u32), prop::option::of(rate.clone()));
    let slow = prop::option::of((1..40_u64, prop::option::of(rate)));
    let open_for = (1..50_u64, prop::option::of(1..200_u64));
    let probes = (1..5_u32, 1..5_u32, prop::option::of(1..60_u64), any::<bool>());
    let mode = prop::sample::select(vec![Mode::On, Mode::On, Mode::On, Mode::On, Mode::Shadow, Mode::Off]);
    (window, slow, open_for, probes, mode).prop_map(move |(window, slow, (open_for, longer), probes, mode)| {
        let mut config = CircuitBreakerConfig::new().open_for(ms(open_for)).open_jitter(Ratio::percent(0)).mode(mode);
        if let Some(longer) = longer {
            config = config.open_for_range(ms(open_for)..=ms(open_for + longer));
        }
        let (kind, size, time, min_calls, rate) = window;
        if kind == 0 {
            config = config.failures(size);
        } else {
            config = if kind == 1 { config.window_calls(size) } else { config.window_time(ms(time)) };
            if let Some(min) = min_calls {
                config = config.min_calls(if kind == 1 { min.min(size) } else { min });
            }
            config.failure_rate = rate;
            config.slow_call = slow.map(|(after, _)| ms(after));
            config.slow_rate = slow.and_then(|(_, rate)| rate);
        }
        let (at_once, successes, timeout, ramp) = probes;
        config.probe_timeout = timeout.map(ms);
        config.ramp = ramp;
        config.probes(at_once).successes(successes)
    })
}

fn step(back: bool) -> impl Strategy<Value = Step> {
    let ending = prop::sample::select(vec![
        Ending::Success,
        Ending::Success,
        Ending::Failure,
        Ending::Failure,
        Ending::Ignored,
        Ending::Cancelled,
        Ending::Panicked,
    ]);
    let by_hand = prop::sample::select(vec![
        CircuitState::Closed,
        CircuitState::Closed,
        CircuitState::ForcedOpen,
        CircuitState::ForcedClosed,
        CircuitState::Disabled,
    ]);
    prop_oneof![
        4 => (0..5 * MS).prop_map(Step::Wait),
        2 => (0..60 * MS).prop_map(Step::Wait),
        1 => (0..5000 * MS).prop_map(Step::Wait),
        3 => (0..3_u64).prop_map(Step::ToUntil),
        1 => (0..3_u64).prop_map(Step::ToExpiry),
        2 => (0..3_u64).prop_map(Step::ToSlow),
        1 => (0..35_u64, 0..2_u64).prop_map(|(buckets, before)| Step::ToBucket(buckets, before)),
        1 => (0..3000 * MS).prop_map(if back { Step::Back } else { Step::Wait }),
        14 => prop::bool::weighted(0.1).prop_map(|unnoted| Step::Admit { unnoted }),
        14 => (any::<usize>(), ending).prop_map(|(call, ending)| Step::End(call, ending)),
        1 => Just(Step::Look),
        1 => by_hand.prop_map(Step::Force),
        1 => prop::sample::select(vec![Mode::On, Mode::On, Mode::Shadow, Mode::Off]).prop_map(Step::Mode),
        1 => config().prop_map(Step::Obey),
        1 => prop::bool::weighted(0.9).prop_map(Step::Watched),
        1 => prop::bool::weighted(0.9).prop_map(Step::Healthy),
        1 => prop::bool::weighted(0.9).prop_map(Step::Unwatched),
    ]
}

struct Flight {
    call: usize,
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
            Step::Admit { unnoted } => self.admit(unnoted),
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

    fn admit(&mut self, unnoted: bool) {
        let (call, now) = (self.calls, self.now);
        self.calls += 1;
        let successes = Within(&self.successes, self.machine.generation());
        let admission = self.machine.admit(now, &successes, &mut Changes::default());
        if let Some(oracle) = &mut self.oracle {
            match (oracle.admit(call, now), admission) {
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
                self.flights.push(Flight { call, ticket, era, began: now, unnoted, counted: None });
            }
            Admission::Refused { retry_at: Some(at) } => {
                let rules = self.machine.rules;
                let longest = match self.machine.state() {
                    CircuitState::HalfOpen => rules.probe_timeout + rules.open_for.longest,
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
        let end = End { ending, slow, counted: flight.counted };
        let generation = flight.ticket.generation;
        let before = (self.machine.generation(), self.machine.totals(now, &Within(&self.successes, generation)));
        let counts_elsewhere = self.machine.counts_elsewhere(flight.ticket, end);
        let bucket = (generation, now / self.machine.rules.bucket_width());
        let first = !self.successes.0.contains(&bucket);
        if counts_elsewhere {
            self.successes.0.push(bucket);
        }
        let successes = Within(&self.successes, generation);
        let taken = self.machine.settle(flight.ticket, end, now, &successes, &mut Changes::default());
        let after = (self.machine.generation(), self.machine.totals(now, &successes));
        if taken == Taken::Late {
            assert_ne!(generation, after.0);
        }
        // That a ramp is over, or the open time of one switched off, the next who asks may see.
        let by_time = |change: &Change| matches!(change.cause, Cause::Ramped | Cause::TimeOver);
        let timed = after.0 != before.0 && self.machine.tally.last_change.as_ref().is_some_and(by_time);
        if generation == before.0 && ending == Ending::Success && !slow && !timed {
            let Shortcuts { absorb, count, evidence_held, .. } = self.shortcuts;
            if absorb {
                assert_eq!(before, after, "an absorbed success changes something");
            } else if count && !(first && evidence_held) && self.oracle.is_some() {
                assert!(counts_elsewhere && before.0 == after.0, "a success counted without a look decides");
            }
        }
        if let Some(oracle) = &mut self.oracle {
            let is_late = oracle.settle(flight.call, flight.era, ending, slow, flight.counted.is_some(), now);
            assert_eq!(taken == Taken::Late, is_late);
        }
    }

    fn compare(&self) {
        let (machine, now) = (&self.machine, self.now);
        let totals = machine.totals(now, &Within(&self.successes, machine.generation()));
        assert!(totals.failures <= totals.calls && totals.slow <= totals.calls, "{totals:?}");
        assert!(machine.probes_in_flight() <= machine.rules.probes as usize);
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
            (tally.opened, tally.failures, tally.slow, tally.late),
            (oracle.opened, oracle.failures, oracle.slow, oracle.late)
        );
        let last_change = tally.last_change.map(|change| (change.from, change.to, change.cause, change.at));
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
            self.admit(true);
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
