use super::*;
use crate::policy::circuit_breaker::window::Position;
use crate::{CircuitBreakerConfig, outcome::Ending, ratio::Ratio};

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
    let end = End { slow: true, counted, ..End::fast(ending) };
    machine.settle(ticket, end, now, &Nobody, &mut Changes::default());
}

#[test]
fn slow_calls_open_it_whatever_their_result() {
    let mut machine = timed(CircuitBreakerConfig::new().slow_rate(Ratio::percent(80)));
    (0..3).for_each(|_| settle_slow(&mut machine, 0, None, Ending::Success));
    assert_eq!(machine.state(), CircuitState::Closed);
    settle_slow(&mut machine, 0, None, Ending::Success);
    assert_eq!(machine.state(), CircuitState::Open);
    assert!(matches!(machine.history.last().unwrap().cause, Cause::SlowRate { slow: 4, calls: 4 }));
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
    assert_eq!(machine.history.last().unwrap().cause, Cause::ProbesSlow);
}

#[test]
fn the_open_time_grows_with_failed_recoveries_and_begins_anew_after_one_that_succeeds() {
    let times = Duration::from_secs(1)..=Duration::from_secs(3);
    let config = CircuitBreakerConfig::new().failures(1).open_for_range(times).open_jitter(Ratio::percent(0));
    let (mut machine, mut now) = (machine(config), 0);
    for (ending, seconds) in
        [(Ending::Failure, 1), (Ending::Failure, 2), (Ending::Failure, 3), (Ending::Failure, 3), (Ending::Success, 0)]
    {
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
    let passed =
        |machine: &mut Machine, now| (0..100).filter(|_| matches!(admit(machine, now), Admission::Admitted(_))).count();
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
        let ticket = std::iter::repeat_with(|| admit(&mut machine, 1000 * MS)).find_map(|admission| match admission {
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
