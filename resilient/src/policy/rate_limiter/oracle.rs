//! Plain counters beside the meters: every grant is kept, with its instant, and counted anew each time.

use super::{
    Taken,
    config::{Algorithm, RateLimiterConfig},
    ledger::Ledger,
    meter::{Meter, Quota},
    purse::Purse,
};
use crate::{
    priority::Priority,
    rate::Rate,
    time::{Nanos, nanos},
};
use std::time::Duration;

const SECOND: Nanos = 1_000_000_000;

/// All grants since the beginning.
struct Plain {
    algorithm: Algorithm,
    quotas: Vec<Quota>,
    began: Nanos,
    grants: Vec<(Nanos, u64)>,
}

impl Plain {
    /// What can be had of one quota, in fractions of a token.
    fn available(&self, quota: Quota, now: Nanos) -> f64 {
        let (period, limit) = (nanos(quota.rate.period()), f64::from(quota.burst));
        let used = |from: Nanos| {
            self.grants.iter().filter(|(at, _)| *at >= from).map(|(_, tokens)| *tokens as f64).sum::<f64>()
        };
        match self.algorithm {
            Algorithm::FixedWindow => limit - used(now - (now - self.began) % period),
            // A grant as old as the period is out.
            Algorithm::SlidingWindow => limit - used((now + 1).saturating_sub(period)),
            Algorithm::TokenBucket => {
                let per_nano = f64::from(quota.rate.limit()) / period as f64;
                let (mut tokens, mut last) = (limit, self.began);
                for (at, taken) in &self.grants {
                    tokens = (tokens + (at - last) as f64 * per_nano).min(limit) - *taken as f64;
                    last = *at;
                }
                (tokens + (now - last) as f64 * per_nano).min(limit)
            }
        }
    }

    fn least(&self, now: Nanos) -> f64 {
        self.quotas.iter().map(|quota| self.available(*quota, now)).fold(f64::INFINITY, f64::min)
    }
}

/// Runs a random script, and compares each decision. `late`: a meter may give a token so much later than the oracle.
fn agree(config: RateLimiterConfig, steps: usize, mean: Nanos, late: impl Fn(&Quota) -> Nanos) {
    let begin = 1 << 50;
    let quotas: Vec<_> = config.quotas().collect();
    let algorithm = config.algorithm;
    let mut meters: Vec<_> = quotas.iter().map(|quota| Meter::new(*quota, algorithm, quota.burst, begin)).collect();
    let mut plain = Plain { algorithm, quotas: quotas.clone(), began: begin, grants: Vec::new() };
    let mut ledger = Ledger::new(config);
    let most = config.most();
    let mut now = begin;
    for _ in 0..steps {
        now += fastrand::u64(0..=2 * mean);
        let tokens = u64::from(fastrand::u32(1..=most.min(3)));
        let mut purse = Purse::Meters(&mut meters);
        let taken = ledger.decide(&mut purse, now, Priority::Normal, tokens, false, 0);
        let held = plain.least(now);
        match taken {
            Taken::Now => {
                assert!(held + 1e-3 >= tokens as f64, "{config:?}: {tokens} of {held}");
                plain.grants.push((now, tokens));
            }
            Taken::After(after) => {
                let slack = quotas.iter().map(&late).max().unwrap();
                let late_grants = plain.least(now.saturating_sub(slack).max(begin));
                assert!(
                    held < tokens as f64 + 1e-3 || late_grants < tokens as f64 + 1e-3,
                    "{config:?}: {held} for {tokens}"
                );
                // It is told the truth about when to come back, if nobody else comes.
                assert!(plain.least(now + after) + 1e-3 >= tokens as f64, "{config:?}: not after {after}");
                assert!(
                    after <= slack + 1 || plain.least(now + after - slack - 1) < tokens as f64 + 1e-3,
                    "{config:?}: {after} is too long"
                );
            }
            Taken::Never => unreachable!("it asks for no more than there is"),
        }
    }
}

#[test]
fn windows_and_quotas_agree_with_plain_counters_over_random_arrivals() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        for (limit, period) in [(1, 100), (2, 100), (7, 250), (100, 1000), (256, 1000)] {
            let rate = Rate::new(limit, Duration::from_millis(period));
            let config = RateLimiterConfig::new(rate).algorithm(algorithm);
            for mean in [1, 5] {
                let mean = period * 1_000_000 / u64::from(limit) * mean / 4;
                agree(config, 700, mean, |_| 0);
                agree(config.and(Rate::per_minute(limit * 30)), 700, mean, |_| 0);
            }
        }
    }
}

#[test]
fn a_large_sliding_window_is_late_by_a_256th_of_the_period_at_most_and_never_early() {
    for limit in [257, 1000, 5000] {
        let config = RateLimiterConfig::new(Rate::per_second(limit)).algorithm(Algorithm::SlidingWindow);
        let slot = |_: &Quota| SECOND / 256 + 1;
        agree(config, 3000, SECOND / u64::from(limit) / 2, slot);
    }
}

#[test]
fn a_sliding_window_of_any_limit_keeps_a_bounded_log() {
    let mut log = super::log::SlidingLog::new(SECOND, 1_000_000, 1_000_000, 0);
    for call in 0..500_000 {
        let now = call * 10_000;
        if log.available(now) > 0 {
            log.take(now, 1);
        }
        assert!(log.entries() <= 258, "{}", log.entries());
    }
}

/// Whatever happens, what was taken is never more than what came and what may be owed.
#[test]
fn debt_refunds_classes_and_paces_keep_the_books() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        for _ in 0..60 {
            let config =
                RateLimiterConfig::new(Rate::per_second(50)).reserve(crate::Ratio::percent(20)).algorithm(algorithm);
            let mut meters: Vec<_> = config.quotas().map(|quota| Meter::new(quota, algorithm, 50, 0)).collect();
            let mut ledger = Ledger::new(config);
            let (mut now, mut spent) = (0, 0_i64);
            for _ in 0..300 {
                now += fastrand::u64(0..SECOND / 20);
                let mut purse = Purse::Meters(&mut meters);
                match fastrand::u32(0..10) {
                    0 => {
                        let tokens = fastrand::u64(0..20);
                        purse.charge(now, tokens);
                        spent += tokens.cast_signed();
                    }
                    1 => {
                        let tokens = fastrand::u64(0..5).min(u64::try_from(spent.max(0)).unwrap());
                        purse.put_back(now, tokens);
                        spent -= tokens.cast_signed();
                    }
                    _ => {
                        let class = Priority::ALL[fastrand::usize(0..4)];
                        let tokens = fastrand::u64(1..=3);
                        let reserved = class < Priority::High;
                        let owed = purse.owed(now);
                        if ledger.decide(&mut purse, now, class, tokens, reserved, 10) == Taken::Now {
                            spent += tokens.cast_signed();
                            assert!(
                                class == Priority::Critical && purse.owed(now) <= 10.max(owed) || purse.owed(now) == 0
                            );
                        }
                    }
                }
                // At once all of it, and then so many per second; a window may give two limits around its end.
                let windows = if algorithm == Algorithm::TokenBucket { 1.0 } else { 1.0 + 1.0 };
                let came = 50.0 * windows + 50.0 * now as f64 / SECOND as f64;
                assert!(spent as f64 - purse.owed(now) as f64 <= came + 1e-6, "{algorithm:?}: {spent} of {came}");
            }
        }
    }
}

#[test]
fn a_low_class_gets_its_turn_however_many_urgent_calls_come() {
    // One token per 100 ms, and a critical call every 50 ms: without ageing a low one would wait for ever.
    let mut line = crate::queue::Queue::new(crate::queue::Order::Priority);
    let waker = || std::task::Waker::noop().clone();
    let low = line.push(Priority::Low, 1, 0, waker());
    let mut served = None;
    for tick in 1..400_u64 {
        let now = tick * SECOND / 20;
        line.push(Priority::Critical, 1, now, waker());
        if tick % 2 == 0 {
            if line.front() == Some(low) {
                served = Some(now);
                break;
            }
            line.grant();
        }
    }
    // Those who came in its first three seconds go first, two for each token.
    assert_eq!(served.map(|at| at / SECOND), Some(6));
}

#[test]
fn what_is_owed_is_paid_while_nobody_looks() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        for looks in [1, 10, 100] {
            let config = RateLimiterConfig::new(Rate::per_second(100)).algorithm(algorithm);
            let quota = config.quotas().next().unwrap();
            let mut meter = Meter::new(quota, algorithm, 100, 0);
            meter.charge(0, 350);
            assert_eq!(meter.owed(0), 250);
            assert_eq!(meter.time_for(0, 50), 3 * SECOND, "{algorithm:?}");
            for look in 1..=looks {
                meter.owed(3 * SECOND * look / looks);
            }
            assert_eq!((meter.owed(3 * SECOND), meter.available(3 * SECOND)), (0, 50), "{algorithm:?} {looks}");
            assert_eq!(meter.available(5 * SECOND), 100);
        }
    }
}
