//! The circuit breaker by itself: its windows, slow calls, keys, failures, and two threads at once.

use crate::{
    cases::{Failed, body},
    run,
};
use resilient::{CircuitBreaker, CircuitBreakerConfig, circuit_breaker, registry};
use std::{
    future::Future,
    hint::black_box,
    sync::{Barrier, Mutex},
    thread,
    time::{Duration, Instant},
};

type Answer = Result<u64, Failed>;

async fn bare(input: u64) -> Answer {
    body(input).await
}

static BY_HAND: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(5));

async fn by_hand(input: u64) -> Answer {
    let permit = BY_HAND.try_acquire()?;
    let answer = body(input).await;
    permit.success();
    answer
}

static BY_HAND_TIME: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new());

async fn by_hand_time(input: u64) -> Answer {
    let permit = BY_HAND_TIME.try_acquire()?;
    let answer = body(input).await;
    permit.success();
    answer
}

#[circuit_breaker(failures = 5)]
async fn streak(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(window = 100)]
async fn calls(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(window = 30s)]
async fn time(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(window = 100, slow_call = 2s)]
async fn calls_slow(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(window = 30s, slow_call = 2s)]
async fn time_slow(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(window = 30s, slow_call = 50ms)]
async fn time_slow_precise(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(failures = 5, key = 1_u64.min(input))]
async fn keyed_1(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(failures = 5, key = input % 1000)]
async fn keyed_1_000(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(failures = 5, key = input % 1_000_000, max_keys = 1_000_000, idle = 1h)]
async fn keyed_1_000_000(input: u64) -> Answer {
    body(input).await
}

#[circuit_breaker(failures = 5)]
async fn failure_streak(input: u64) -> Answer {
    body(input).await.and_then(|sum| Err(Failed(sum)))
}

#[circuit_breaker(window = 100)]
async fn failure_calls(input: u64) -> Answer {
    body(input).await.and_then(|sum| Err(Failed(sum)))
}

#[circuit_breaker(window = 30s)]
async fn failure_time(input: u64) -> Answer {
    body(input).await.and_then(|sum| Err(Failed(sum)))
}

#[circuit_breaker(failures = 5)]
async fn refused(input: u64) -> Answer {
    body(input).await
}

/// Nanoseconds per call while so many threads make them: the best of many short rounds, and their median. What else the
/// machine does shows in the median.
fn by_threads<F: Future<Output = Answer>>(threads: usize, case: impl Fn(u64) -> F + Copy + Sync + Send) -> [f64; 2] {
    const CALLS: u64 = 100_000;
    let mut rounds: Vec<f64> = (0..41)
        .map(|_| {
            let (ready, begins) = (Barrier::new(threads), Mutex::new(None));
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        ready.wait();
                        begins.lock().expect("nobody panics").get_or_insert_with(Instant::now);
                        black_box(run(CALLS, case));
                    });
                }
            });
            let began = begins.into_inner().expect("nobody panics").expect("they have begun");
            began.elapsed().as_secs_f64() * 1e9 / CALLS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    [rounds[0], rounds[rounds.len() / 2]]
}

/// Nanoseconds per call while so many are in flight on one thread, which end in any order.
fn in_flight(calls: usize, breaker: &CircuitBreaker) -> f64 {
    let begin = || breaker.try_acquire().expect("it is closed");
    let mut held: Vec<_> = (0..calls).map(|_| begin()).collect();
    let turns = 100_000.max(2 * calls);
    let mut random = 1_u64;
    let start = Instant::now();
    for _ in 0..turns {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let next = begin();
        std::mem::replace(&mut held[(random >> 33) as usize % calls], next).success();
    }
    start.elapsed().as_secs_f64() * 1e9 / turns as f64
}

fn time_in_flight() {
    static PATIENT: CircuitBreaker =
        CircuitBreaker::new(CircuitBreakerConfig::new().slow_call(Duration::from_secs(3600)));
    static IMPATIENT: CircuitBreaker =
        CircuitBreaker::new(CircuitBreakerConfig::new().window_calls(1000).slow_call(Duration::from_millis(1)));
    IMPATIENT.force_closed();
    println!("{:>18} {:>12} {:>12}", "calls in flight", "quick", "slow in 1 ms");
    for calls in [1, 30, 100, 1_000, 10_000, 100_000] {
        println!("{calls:>18} {:>9.2} ns {:>9.2} ns", in_flight(calls, &PATIENT), in_flight(calls, &IMPATIENT));
    }
}

fn by_name(name: &str) -> Option<&'static CircuitBreaker> {
    registry().circuit_breaker(name).ok()
}

macro_rules! cases {
    ($($name:ident)*) => {
        /// One run of a case, for its instructions.
        pub(crate) fn count(name: &str, calls: u64) -> bool {
            match name {
                $(stringify!($name) => { prepare(); black_box(run(calls, $name)); })*
                _ => return false,
            }
            true
        }

        /// All of them.
        pub(crate) fn time_all() {
            prepare();
            black_box(run(1_000_000, keyed_1_000_000));
            println!("{:>18} {:>25} {:>25}", "ns: best, median", "one thread", "two threads");
            $({
                let ([best, median], [best_of_two, median_of_two]) = (by_threads(1, $name), by_threads(2, $name));
                let name = stringify!($name);
                println!("{name:>18} {best:>12.2} {median:>12.2} {best_of_two:>12.2} {median_of_two:>12.2}");
            })*
            time_in_flight();
            println!("an instance: {} bytes", size_of::<CircuitBreaker>());
        }

        fn prepare() {
            // Sites are found once they have been called.
            $(black_box(run(1, $name));)*
            // And so are keys: what is measured is finding them.
            black_box(run(1000, keyed_1_000));
            for name in ["failure_streak", "failure_calls", "failure_time"] {
                by_name(name).into_iter().for_each(CircuitBreaker::force_closed);
            }
            by_name("refused").into_iter().for_each(CircuitBreaker::force_open);
        }
    };
}

cases!(bare by_hand by_hand_time streak calls time calls_slow time_slow time_slow_precise keyed_1 keyed_1_000 keyed_1_000_000
    failure_streak failure_calls failure_time refused);
