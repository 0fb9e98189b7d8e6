//! Random configurations, and what is done with a breaker of one.

use super::*;

#[derive(Clone, Debug)]
pub(super) enum Step {
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
        /// So many together.
        calls: u32,
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

pub(super) fn config() -> impl Strategy<Value = CircuitBreakerConfig> {
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

pub(super) fn step(back: bool) -> impl Strategy<Value = Step> {
    let ending = prop::sample::select(vec![
        Ending::Success,
        Ending::Success,
        Ending::Failure,
        Ending::Failure,
        Ending::Ignored,
        Ending::Cancelled,
        Ending::Panicked,
    ]);
    let together = prop_oneof![5 => Just(1), 1 => 2..=LARGEST_GROUP];
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
        14 => (prop::bool::weighted(0.1), together).prop_map(|(unnoted, calls)| Step::Admit { unnoted, calls }),
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
