//! How many calls two threads get that never stop asking, beside `rate * time + burst`.

use super::peers;
use governor::Quota;
use resilient::{KeyedRateLimiter, Rate, RateLimiter, RateLimiterConfig};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

pub(super) fn print() {
    println!("| calls admitted over what is due | ours | ours, keyed | governor |");
    println!("|---|---|---|---|");
    for (rate, burst) in [(100, 10), (10_000, 10_000), (1_000_000, 1000), (1_000_000, 1_000_000)] {
        let config = RateLimiterConfig::new(Rate::per_second(rate)).burst(burst);
        let ours = RateLimiter::new(config);
        let keyed: KeyedRateLimiter<u64> = KeyedRateLimiter::new(config);
        let [rate_of, burst_of] = [rate, burst].map(|number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        let theirs = peers::governor(Quota::per_second(rate_of).allow_burst(burst_of));
        let cells = [
            excess(rate, burst, &|| ours.try_acquire().is_ok()),
            excess(rate, burst, &|| keyed.try_acquire(&7).is_ok()),
            excess(rate, burst, &theirs),
        ];
        println!("| {rate}/s, burst {burst} | {} |", cells.map(|cell| format!("{cell:+.3}%")).join(" | "));
    }
}

/// In percent of what is due.
fn excess(rate: u32, burst: u32, call: &(dyn Fn() -> bool + Sync)) -> f64 {
    let admitted = AtomicU64::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut own = 0;
                while start.elapsed() < Duration::from_secs(1) {
                    own += (0..100).filter(|_| call()).count() as u64;
                }
                admitted.fetch_add(own, Relaxed);
            });
        }
    });
    let due = start.elapsed().as_secs_f64() * f64::from(rate) + f64::from(burst);
    (admitted.into_inner() as f64 / due - 1.0) * 100.0
}
