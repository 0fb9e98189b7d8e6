//! What shows only over many calls: shedding, and the learnt baseline.

use super::{
    change::{Change, Changes},
    config::CircuitBreakerConfig,
    machine::{Admission, End, Machine},
    state::CircuitState,
    window::{Successes, Totals},
};
use crate::{
    cause::Cause,
    outcome::Ending,
    ratio::Ratio,
    time::{Nanos, nanos},
};
use fastrand::Rng;
use proptest::prelude::*;
use std::{cell::RefCell, collections::VecDeque, time::Duration};

const MS: Nanos = 1_000_000;
const SECOND: Nanos = 1000 * MS;

/// How many successes each bucket holds; of one generation.
#[derive(Default)]
struct Counted(RefCell<VecDeque<(u64, u64)>>);

impl Counted {
    fn add(&self, bucket: u64) {
        let mut buckets = self.0.borrow_mut();
        match buckets.back_mut() {
            Some((index, count)) if *index == bucket => *count += 1,
            _ => buckets.push_back((bucket, 1)),
        }
        if buckets.len() > 40 {
            buckets.pop_front();
        }
    }
}

impl Successes for Counted {
    fn within(&self, first: u64, last: u64) -> u64 {
        self.0.borrow().iter().filter(|(index, _)| (first..=last).contains(index)).map(|(_, count)| count).sum()
    }
}

/// A breaker whose calls take no time.
struct Breaker {
    machine: Machine,
    successes: Counted,
    generation: u32,
    last: Option<Change>,
}

impl Breaker {
    fn new(config: CircuitBreakerConfig) -> Self {
        config.assert();
        let mut machine = Machine::new(config.rules());
        machine.seed(|| 7);
        Self { machine, successes: Counted::default(), generation: 0, last: None }
    }

    fn totals(&self, now: Nanos) -> Totals {
        self.machine.totals(now, &self.successes)
    }

    /// Whether it was admitted.
    fn call(&mut self, now: Nanos, failed: bool) -> bool {
        let mut changes = Changes::default();
        let admission = self.machine.admit(now, &self.successes, &mut changes);
        self.begin_generation();
        self.last = changes.iter().last().copied().or(self.last);
        let Admission::Admitted(ticket) = admission else { return false };
        let end = End::fast(if failed { Ending::Failure } else { Ending::Success });
        if self.machine.counts_elsewhere(ticket, end) {
            self.successes.add(now / self.machine.rules.bucket_width());
        }
        self.machine.settle(ticket, end, now, &self.successes, &mut changes);
        self.last = changes.iter().last().copied().or(self.last);
        self.begin_generation();
        true
    }

    fn begin_generation(&mut self) {
        if self.generation != self.machine.generation() {
            self.generation = self.machine.generation();
            self.successes.0.borrow_mut().clear();
        }
    }
}

fn calls() -> impl Strategy<Value = Vec<(u64, bool)>> {
    let phase = (0.0..1.0, 1..300_usize, 1..200_u64)
        .prop_flat_map(|(failures, calls, gap)| prop::collection::vec((0..gap, prop::bool::weighted(failures)), calls));
    prop::collection::vec(phase, 1..6).prop_map(|phases| phases.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..super::oracle::scripts() })]

    #[test]
    fn shedding_refuses_only_what_exceeds_its_factor_and_never_opens(
        calls in calls(), k in 1.1..5.0, min_calls in 1..30_u32,
    ) {
        let config = CircuitBreakerConfig::new().shed(k).min_calls(min_calls);
        let (mut breaker, mut now, mut refused) = (Breaker::new(config), SECOND, 0);
        for (gap, failed) in calls {
            now += gap * MS;
            let Totals { calls, failures, shed, .. } = breaker.totals(now);
            let (requests, accepts) = (calls + shed, calls - failures);
            let must_pass = requests < min_calls.into() || requests as f64 <= (k - 0.001) * accepts as f64;
            let passed = breaker.call(now, failed);
            refused += u64::from(!passed);
            assert!(passed || !must_pass, "refused with {requests} requests and {accepts} accepts");
            assert_eq!((breaker.machine.state(), breaker.machine.tally.shed), (CircuitState::Closed, refused));
        }
    }

    #[test]
    fn the_baseline_never_exceeds_half_the_limit_and_opens_exactly_where_it_says(
        calls in calls(), limit in 5..100_u32, min_calls in 1..30_u32,
    ) {
        let limit = Ratio::percent(limit);
        let window = Duration::from_secs(3);
        let config = CircuitBreakerConfig::new().failure_rate(limit).adaptive().window_time(window).min_calls(min_calls);
        let (mut breaker, mut now) = (Breaker::new(config), SECOND);
        for (gap, failed) in calls {
            now += gap * MS;
            let (generation, baseline) = (breaker.generation, breaker.machine.baseline());
            let usual = breaker.machine.usual();
            breaker.call(now, failed);
            let exceeds = |totals: Totals| baseline.map(|_| totals.failures as f64 - usual.too_many(totals.calls));
            let learnt = breaker.machine.baseline().unwrap_or(Ratio::percent(0));
            assert!(learnt.as_f64() <= limit.as_f64() / 2.0 + 1e-9);
            if generation == breaker.generation {
                let totals = breaker.totals(now);
                let known = breaker.machine.state() == CircuitState::Closed && totals.calls >= min_calls.into();
                assert!(!known || totals.failures == 0 || !limit.reached_by(totals.failures, totals.calls));
                assert!(!known || exceeds(totals).is_none_or(|by| by < 0.01), "{totals:?} exceeds {baseline:?}");
                continue;
            }
            let change = breaker.last.unwrap();
            let Totals { calls, failures, .. } = change.totals;
            match change.cause {
                Cause::FailureRate { .. } => assert!(limit.reached_by(failures, calls)),
                Cause::AboveBaseline { baseline: told, .. } => {
                    assert_eq!(Some(told), baseline);
                    assert!(calls >= min_calls.into() && !limit.reached_by(failures, calls));
                    assert!(exceeds(change.totals).is_some_and(|by| by > -0.01), "{change:?}");
                }
                _ => assert_eq!(change.totals, Totals::default()),
            }
        }
    }
}

#[test]
fn shedding_lets_one_call_in_ten_through_to_what_is_down_and_all_to_what_is_well() {
    for (failures, shares) in [(1.0, 0.09..=0.12), (0.4, 0.99..=1.0)] {
        let (mut breaker, mut random) = (Breaker::new(CircuitBreakerConfig::new().shed(2.0)), Rng::with_seed(5));
        let passed = (0..20_000).filter(|call| breaker.call(SECOND + call * 10 * MS, random.f64() < failures)).count();
        let share = passed as f64 / 20_000.0;
        assert!(shares.contains(&share), "{share} of the calls pass where {failures} of them fail");
    }
}

/// A service whose failures come in bursts: 3% fail for 15 seconds on average, then 15% for 3 seconds, 5% in all.
struct Bursts {
    random: Rng,
    until: Nanos,
    bad: bool,
}

impl Bursts {
    fn new() -> Self {
        Self { random: Rng::with_seed(11), until: 0, bad: true }
    }

    fn fails(&mut self, now: Nanos) -> bool {
        while now >= self.until {
            self.bad = !self.bad;
            let mean = if self.bad { 3.0 } else { 15.0 };
            self.until += nanos(Duration::from_secs_f64(-mean * (1.0 - self.random.f64()).ln()));
        }
        self.random.f64() < if self.bad { 0.15 } else { 0.03 }
    }
}

fn fixed(percent: u32) -> CircuitBreakerConfig {
    CircuitBreakerConfig::new().failure_rate(Ratio::percent(percent))
}

fn adaptive() -> CircuitBreakerConfig {
    CircuitBreakerConfig::new().adaptive()
}

/// How often each opens in six hours, though 5% is what the service always does: at 2, 10, 20 and 50 calls a second a
/// threshold of 10% opens 136, 71, 58 and 51 times, and `adaptive` 0, 0, 0 and 5 times.
#[test]
fn adaptive_opens_less_often_for_no_reason_than_a_low_threshold() {
    for (per_second, at_most) in [(2, 0), (10, 2)] {
        let [fixed, adaptive] = [fixed(10), adaptive()].map(|config| {
            let (mut breaker, mut service) = (Breaker::new(config), Bursts::new());
            for call in 0..6 * 3600 * per_second {
                let now = SECOND + call * SECOND / per_second;
                let fails = service.fails(now);
                breaker.call(now, fails);
            }
            breaker.machine.tally.opened
        });
        assert!(adaptive <= at_most && fixed > 50, "{fixed} and {adaptive} openings at {per_second} calls a second");
    }
}

/// Of 10 calls a second one in a thousand fails, and then one in five: 3.6 seconds later `adaptive` opens, after 29 seconds
/// a threshold of 25% does, by chance, and the default never.
#[test]
fn adaptive_opens_soon_where_a_fixed_threshold_sees_nothing() {
    let opened_after = [adaptive(), fixed(25), fixed(50)].map(|config| {
        let (mut breaker, mut random) = (Breaker::new(config), Rng::with_seed(3));
        let jump = 3600 * 10;
        let opens = |call: &u64| {
            let rate = if *call < jump { 0.001 } else { 0.2 };
            let fails = random.f64() < rate;
            breaker.call(SECOND + call * 100 * MS, fails);
            breaker.machine.tally.opened > 0
        };
        (0..2 * jump).find(opens).map(|call| Duration::from_millis((call - jump) * 100))
    });
    let [Some(adaptive), fixed_25, None] = opened_after else { panic!("opened after {opened_after:?}") };
    assert!(adaptive < Duration::from_secs(5) && fixed_25.is_none_or(|after| after > 5 * adaptive), "{opened_after:?}");
}
