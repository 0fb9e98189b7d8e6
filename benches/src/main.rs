//! What policies cost: `cargo run --release -p resilient-benches`, with `breakers` behind it the circuit breaker in full,
//! with `keys` a new key where the map is full, with `limiters` rate limiters beside those of others;
//! with `bulkheads` bulkheads beside tokio's semaphore, with `limits` fixed limits beside adaptive ones;
//! and `benches/instructions` for instruction counts.

mod breakers;
mod bulkheads;
mod cases;
mod keys;
mod limiters;
mod limits;

use cases::Failed;
use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

/// Polls once: no runtime in between.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Calls as users do, one awaited after the other.
#[inline(never)]
fn run<F: Future<Output = Result<u64, Failed>>>(calls: u64, case: impl Fn(u64) -> F) -> u64 {
    let all = async {
        let mut sum = 0;
        for input in 0..calls {
            sum ^= match case(black_box(input)).await {
                Ok(value) => value,
                Err(Failed(code)) => code,
            };
        }
        sum
    };
    match poll_once(all) {
        Poll::Ready(sum) => sum,
        Poll::Pending => unreachable!("no case waits"),
    }
}

/// The median of fifteen rounds, in nanoseconds per call.
fn measure<F: Future<Output = Result<u64, Failed>>>(case: impl Fn(u64) -> F) -> f64 {
    const CALLS: u64 = 200_000;
    black_box(run(CALLS, &case));
    let mut rounds: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            black_box(run(CALLS, &case));
            start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

macro_rules! cases {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn time() {
            $({
                let size = size_of_val(&cases::$name(1));
                println!("{:>14} {:>7.2} ns {:>5} bytes", stringify!($name), measure(cases::$name), size);
            })*
        }

        fn count(name: &str, calls: u64) {
            match name {
                $(stringify!($name) => { black_box(run(calls, cases::$name)); })*
                name if breakers::count(name, calls) || limiters::count(name, calls) => {}
                _ => eprintln!("one of {NAMES:?}"),
            }
        }
    };
}

cases!(bare breaker rate_breaker limiter bulkhead_ timeout_ retry_ six open empty);

fn main() {
    // Opens the one and empties the other.
    black_box(poll_once(cases::open(u64::MAX)).is_ready() && poll_once(cases::empty(0)).is_ready());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [set] if set == "breakers" => breakers::time_all(),
        [set] if set == "keys" => keys::time_all(),
        [set] if set == "limiters" => limiters::time_all(),
        [set] if set == "bulkheads" => bulkheads::compare(),
        [set] if set == "limits" => limits::compare(),
        [name, calls] => count(name, calls.parse().unwrap_or(1000)),
        _ => time(),
    }
}
